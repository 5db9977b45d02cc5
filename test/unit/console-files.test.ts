/** What the console's first page loads, and which addresses are the Worker's and not the console's. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, test } from 'vitest';
import { ensureConsole } from '../../scripts/support/console.mjs';
import { WORKER_FIRST } from '../../src/http/worker-first.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const DIST = `${ROOT}console/dist/`;
const KIB = 1_024;

beforeAll(ensureConsole, 60_000);

function gzipped(path: string): number {
  return gzipSync(readFileSync(`${DIST}${path}`)).length;
}

/** The page with its scripts and styles, and what those scripts import before anything is shown. */
function firstLoad(): string[] {
  const page = readFileSync(`${DIST}index.html`, 'utf8');
  const named = [...page.matchAll(/(?:src|href)="\/([^"]+)"/g)].map((match) => match[1] ?? '');
  const found = new Set(['index.html', ...named]);
  for (const path of found)
    if (path.endsWith('.js'))
      for (const [, name] of readFileSync(`${DIST}${path}`, 'utf8').matchAll(
        /(?:from|import)\s*"\.\/([^"]+\.js)"/g,
      ))
        found.add(`assets/${name}`);
  return [...found];
}

describe('the console as it is built', () => {
  test('loads less than 200 KiB before it shows something, its fonts included', () => {
    const fonts = readdirSync(`${DIST}assets`).filter((name) => name.endsWith('.woff2'));
    expect(fonts.length).toBeGreaterThan(0);
    const paths = [...firstLoad(), ...fonts.map((name) => `assets/${name}`)];
    const bytes = paths.reduce((sum, path) => sum + gzipped(path), 0);
    expect(bytes).toBeLessThan(200 * KIB);
  });

  test('loads each page when it is first gone to, and the editor apart from all of them', () => {
    const scripts = readdirSync(`${DIST}assets`).filter((name) => name.endsWith('.js'));
    expect(scripts.length).toBeGreaterThan(15);
    const first = firstLoad();
    const editor = scripts.find((name) => name.startsWith('code-setup'));
    expect(editor).toBeDefined();
    expect(first).not.toContain(`assets/${editor}`);
    const all = scripts.reduce((sum, name) => sum + gzipped(`assets/${name}`), 0);
    expect(all).toBeLessThan(330 * KIB);
  });

  test('has a policy that lets nothing in, and no inline script or style', () => {
    const policy = /Content-Security-Policy: (.*)/.exec(
      readFileSync(`${DIST}_headers`, 'utf8'),
    )?.[1];
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toMatch(/unsafe|https?:|\*|blob:/);
    const page = readFileSync(`${DIST}index.html`, 'utf8');
    expect(page).not.toMatch(/<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=/);
  });
});

test('the Worker comes first at the same addresses wherever it runs', () => {
  const config = readFileSync(`${ROOT}wrangler.toml`, 'utf8');
  expect(config).toContain(
    `run_worker_first = ${JSON.stringify(WORKER_FIRST).replaceAll(',', ', ')}`,
  );
});
