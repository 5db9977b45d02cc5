/** Cloudflare Workflows as a system of the bench: bench/peers/workflows on workerd. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, startScript } from './processes.ts';
import type { System } from './system.ts';

const STATUSES_AT_ONCE = 200;

/** @param ids the ids of the events sent so far that begin with the prefix */
export async function startWorkflows(
  sinkUrl: string,
  ids: (prefix: string) => readonly string[],
): Promise<System> {
  const port = await freePort();
  const stateDir = mkdtempSync(join(tmpdir(), 'bench-workflows-'));
  const script = 'bench/peers/workflows/serve.ts';
  const { stop } = await startScript([script, String(port), stateDir, sinkUrl], /ready/);
  const origin = `http://127.0.0.1:${port}`;
  return {
    name: 'Cloudflare Workflows',
    origin,
    path: '/events',
    headers: {},
    async succeeded(prefix) {
      const all = ids(prefix);
      let count = 0;
      for (let from = 0; from < all.length; from += STATUSES_AT_ONCE) {
        const body = JSON.stringify(all.slice(from, from + STATUSES_AT_ONCE));
        const answer = await fetch(`${origin}/status`, { method: 'POST', body });
        if (!answer.ok) return count;
        const { succeeded } = JSON.parse(await answer.text());
        count += succeeded;
      }
      return count;
    },
    async stop() {
      await stop();
      rmSync(stateDir, { recursive: true, force: true });
    },
  };
}
