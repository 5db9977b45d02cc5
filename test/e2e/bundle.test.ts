/** What is deployed, as `wrangler deploy` makes it: small, and its errors are told in the sources' lines. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, it } from 'vitest';
import * as z from 'zod';

const KIB = 1_024;
/** docs/performance.md */
const MAX_BYTES = 250 * KIB;

const dir = mkdtempSync(join(tmpdir(), 'signalbox-bundle-'));
const built = (name: string) => readFileSync(join(dir, 'build', name), 'utf8');
beforeAll(async () => {
  const { buildWorker } = await import('../../scripts/support/worker.mjs');
  const { stateAt } = await import('../../scripts/support/state.mjs');
  await buildWorker(stateAt(dir));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

it('the bundle stays under 250 KiB, gzipped', () => {
  const bytes = gzipSync(built('worker.js')).length;
  console.log(`The bundle: ${(bytes / KIB).toFixed(1)} KiB gzipped`);
  expect(bytes).toBeLessThan(MAX_BYTES);
});

it('a source map goes with it, from every line to the file that it was made of', () => {
  const map = z.object({ sources: z.array(z.string()), mappings: z.string() });
  const { sources, mappings } = map.parse(JSON.parse(built('worker.js.map')));
  expect(sources.filter((source) => source.endsWith('src/objects/tenant.ts'))).toHaveLength(1);
  expect(mappings.length).toBeGreaterThan(100_000);
  const settings = readFileSync('wrangler.toml', 'utf8');
  expect(settings).toMatch(/^upload_source_maps = true$/m);
});
