/** Style as a test: what the compiler and the linter cannot see, read from the sources themselves. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, normalize, relative } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');

interface Source {
  readonly path: string;
  readonly text: string;
  readonly imports: readonly string[];
}

function sourcesUnder(folder: string): Source[] {
  return readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name))
    .map((entry) => {
      const path = relative(ROOT, join(entry.parentPath, entry.name));
      const text = readFileSync(join(ROOT, path), 'utf8');
      const imports = [...text.matchAll(/(?:from|import\() ?'(\.[^']+)'/g)].map(([, target]) =>
        relative(ROOT, normalize(join(ROOT, path, '..', target ?? ''))),
      );
      return { path, text, imports };
    });
}

const sources = sourcesUnder('src');
const textOf = new Map(sources.map(({ path, text }) => [path, text]));

/** Whoever stands higher may import what stands lower; folders of one height import not each other. */
const LAYERS: Readonly<Record<string, number>> = {
  'src/contract': 1,
  'src/currency.ts': 2,
  'src/given.ts': 1,
  'src/html.ts': 1,
  'src/recent.ts': 1,
  'src/redacted.ts': 1,
  'src/log.ts': 2,
  'src/ids.ts': 2,
  'src/hmac.ts': 1,
  'src/sealed.ts': 1,
  'src/ed25519.ts': 2,
  'src/signed-token.ts': 2,
  'src/gathered.ts': 1,
  'src/in-lanes.ts': 1,
  'src/within.ts': 1,
  'src/engine': 2,
  'src/ports': 3,
  'src/db': 3,
  'src/vendors': 3,
  'src/actions': 4,
  'src/objects': 5,
  'src/http': 6,
  'src/routes': 7,
  'src/worker.ts': 8,
};

/** Types of the bindings: they name the objects' classes, and anyone may name a binding. */
const BINDINGS = 'src/env.ts';

function layerOf(path: string): { folder: string; height: number } | null {
  const folder = Object.keys(LAYERS).find((name) => path === name || path.startsWith(`${name}/`));
  const height = folder === undefined ? undefined : LAYERS[folder];
  return folder === undefined || height === undefined ? null : { folder, height };
}

function importFaults({ path, imports }: Source): string[] {
  const from = layerOf(path);
  return imports.flatMap((target) => {
    if (target === BINDINGS || path === BINDINGS) return [];
    const to = layerOf(target);
    if (from === null || to === null) return [`${path} → ${target}: no such layer`];
    return from.folder === to.folder || to.height < from.height ? [] : [`${path} → ${target}`];
  });
}

/** The console speaks to the API as any frontend does: of the sources it has types, and the verifier. */
const consoleSources = sourcesUnder('console/src');
const CONSOLE_MAY_IMPORT =
  /^(console|src\/contract|src\/engine\/(chain|checkpoint|merkle|signed-note))/;

function linesMatching(
  pattern: RegExp,
  allowed: (path: string) => boolean = () => false,
): string[] {
  return sources.flatMap(({ path, text }) =>
    allowed(path)
      ? []
      : text
          .split('\n')
          .flatMap((line, index) =>
            pattern.test(line) ? [`${path}:${index + 1} ${line.trim()}`] : [],
          ),
  );
}

describe('the sources', () => {
  it('import downwards only', () => {
    expect(sources.flatMap(importFaults)).toEqual([]);
  });

  /** Ed25519 (RFC 8032) signs without randomness: its calls are functions of what goes in. */
  it('keep the engine free of clocks, randomness and I/O', () => {
    const impure =
      /Date\.now\(|Math\.random\(|new Date\(\)|fetch\(|crypto\.(?!subtle\.(sign|verify|importKey)\b)|setTimeout\(/;
    const engine = (path: string) => !path.startsWith('src/engine/');
    expect(linesMatching(impure, engine)).toEqual([]);
  });

  it('silence the compiler nowhere', () => {
    const silenced = /(: any\b|<any>|\bas (?!const\b)[A-Za-z{[]|@ts-|biome-ignore|[)\]\w]!\.)/;
    const code = (text: string) =>
      text
        .replaceAll(/^import [^;]*;$/gm, '')
        .replaceAll(/`[^`]*`|'[^'\n]*'/g, "''")
        .replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');
    const faults = [...sources, ...consoleSources].flatMap(({ path, text }) =>
      code(text)
        .split('\n')
        .flatMap((line) => (silenced.test(line) ? [`${path}: ${line.trim()}`] : [])),
    );
    expect(faults).toEqual([]);
  });

  it('leave nothing unfinished', () => {
    expect(linesMatching(/\b(TODO|FIXME|XXX|HACK)\b/)).toEqual([]);
  });

  it('touch alarms in due.ts and the console in log.ts alone', () => {
    expect(
      linesMatching(/\b(setAlarm|deleteAlarm|getAlarm)\(/, (p) => p.endsWith('/due.ts')),
    ).toEqual([]);
    expect(linesMatching(/\bconsole\.\w+\(/, (path) => path === 'src/log.ts')).toEqual([]);
  });

  it('make stubs of objects in objects/index.ts alone', () => {
    expect(
      linesMatching(/\.(getByName|idFromName|idFromString)\(/, (p) => p === 'src/objects/index.ts'),
    ).toEqual([]);
  });

  it('ask for the database of a tenant where they have the bindings of all', () => {
    expect(linesMatching(/\b(this|shell)\.env\.DB\b/)).toEqual([]);
  });

  it('import zod as a namespace, which bundles one language instead of all', () => {
    expect(linesMatching(/import \{[^}]*\bz\b[^}]*\} from 'zod'/)).toEqual([]);
  });
});

describe('a start of the Worker', () => {
  it('makes no schemas: those of modules are made later', () => {
    expect(linesMatching(/^(export )?const \w+(: [^=]+)? = z\b/)).toEqual([]);
  });
});

describe('the console', () => {
  it('imports of the sources what any frontend could have: the contract, and the verifier', () => {
    const strange = consoleSources.flatMap(({ path, imports }) =>
      imports.filter((to) => !CONSOLE_MAY_IMPORT.test(to)).map((to) => `${path} → ${to}`),
    );
    expect(strange).toEqual([]);
  });

  it('keeps no key where a script could find it later', () => {
    const stored = consoleSources.flatMap(({ path, text }) =>
      text
        .split('\n')
        .filter((line) => /(local|session)Storage\.setItem/.test(line))
        .map(() => path),
    );
    expect(stored.toSorted()).toEqual(['console/src/api/client.ts', 'console/src/theme.ts']);
  });
});

describe('statements on D1', () => {
  /** Every SQL text that is prepared for D1, with its file. */
  const statements = sources.flatMap(({ path, text }) =>
    [...text.matchAll(/\.prepare\(\s*(?:`([^`]*)`|'([^']*)')/g)].map(([, template, plain]) => ({
      path,
      sql: template ?? plain ?? '',
    })),
  );

  it('name the tenant, each of them', () => {
    expect(statements.length).toBeGreaterThan(5);
    expect(statements.filter(({ sql }) => !sql.includes('tenant_id'))).toEqual([]);
  });

  it('select by tenant wherever the query builder is used', () => {
    const acrossTenants = [
      'overdueRuns',
      'listTenants',
      'tenantSlice',
      'expiredExports',
      'unfinishedExports',
      'untidyExports',
    ];
    const faults = ['src/db', 'src/ports'].flatMap((folder) =>
      sources
        .filter(({ path }) => path.startsWith(folder))
        .flatMap(({ path, text }) =>
          text
            .split(/\n(?=export |async function |function )/)
            .filter((part) => part.includes('.select(') && !part.includes('tenantId'))
            .filter((part) => !acrossTenants.some((name) => part.includes(`function ${name}(`)))
            .map((part) => `${path}: ${part.split('\n')[0]}`),
        ),
    );
    expect(faults).toEqual([]);
  });
});

it('files stay small (named here, not failed)', () => {
  const long = [...textOf]
    .map(([path, text]) => ({ path, lines: text.split('\n').length }))
    .filter(({ lines }) => lines > 300)
    .map(({ path, lines }) => `${path}: ${lines} lines`);
  if (long.length > 0) console.log(`Over 300 lines:\n${long.join('\n')}`);
  expect(textOf.size).toBeGreaterThan(50);
});
