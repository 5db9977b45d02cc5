/** A page of docs as a test uses it: its code blocks, and a copy of the product with them written in. */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
/** What is compiled and started; the dependencies are lent. */
const COPIED = [
  'src',
  'console',
  'scripts',
  'drizzle',
  'drizzle.config.ts',
  'wrangler.toml',
  'package.json',
  'package-lock.json',
  'tsconfig.base.json',
  'tsconfig.json',
  'biome.json',
];

export interface Block {
  readonly language: string;
  readonly text: string;
}

/** The fenced blocks of a page of docs/, in its order. */
export function blocksOf(page: string): Block[] {
  const text = readFileSync(join(ROOT, 'docs', page), 'utf8');
  return [...text.matchAll(/^```(\w+)\n(.*?)^```$/gms)].map(([, language = '', body = '']) => ({
    language,
    text: body,
  }));
}

/** @returns where the copy is */
export function copyProduct(): string {
  const copy = mkdtempSync(join(tmpdir(), 'signalbox-page-'));
  const as = { recursive: true, preserveTimestamps: true };
  for (const name of COPIED) cpSync(join(ROOT, name), join(copy, name), as);
  symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
  return copy;
}

/**
 * Writes a block into a copy. Its first line says where: `// src/a.ts` is a new file, or lines for the
 * end of one that is there; after ``, in `…` `` its lines follow the one with that text, its imports go
 * to the others.
 * @returns the file, when it is a new one
 */
export function writeBlock(copy: string, { text }: Block): string | null {
  const [first = '', ...lines] = text.split('\n');
  const [, file = '', anchor] = /^\/\/ (\S+?)(?:, in `(.+)`)?$/.exec(first) ?? [];
  const path = join(copy, file);
  if (file === '') throw new Error(`a block says nowhere where it goes: ${first}`);
  if (anchor === undefined) {
    const isNew = !existsSync(path);
    const before = isNew ? '' : readFileSync(path, 'utf8');
    writeFileSync(path, before + lines.join('\n'));
    return isNew ? file : null;
  }
  const isImport = (line: string) => line.startsWith('import ');
  const old = readFileSync(path, 'utf8').split('\n');
  const at = old.findIndex((line) => line.includes(anchor));
  if (at < 0) throw new Error(`${file} has no ${anchor}`);
  const rest = lines.filter((line) => line !== '' && !isImport(line));
  const whole = [...old.slice(0, at + 1), ...rest, ...old.slice(at + 1)];
  const imports = whole.findIndex(isImport);
  whole.splice(imports, 0, ...lines.filter(isImport));
  writeFileSync(path, whole.join('\n'));
  return null;
}

/** Runs one of the project's tools in a copy. Throws with what it said. */
export function runTool(copy: string, script: string, args: readonly string[]): void {
  const command = [join(copy, 'node_modules', script), ...args];
  try {
    execFileSync(process.execPath, command, { cwd: copy, encoding: 'utf8', stdio: 'pipe' });
  } catch (error) {
    const said = error instanceof Error && 'stdout' in error ? String(error.stdout) : '';
    throw new Error(`${script} ${args.join(' ')} failed:\n${said}`, { cause: error });
  }
}
