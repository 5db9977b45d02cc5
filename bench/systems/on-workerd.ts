/** What the systems have in common that are a Worker of the bench (bench/peers) on workerd. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LoadRequest } from '../support/load-job.ts';
import { freePort, ROOT, startScript } from '../support/processes.ts';
import type { System } from './system.ts';

const HEADERS = { 'content-type': 'application/json' };

export type StartedOnWorkerd = Pick<System, 'version' | 'running' | 'origin' | 'stop'>;

/** @param peer its folder under bench/peers */
export async function startOnWorkerd(peer: string, sinkUrl: string): Promise<StartedOnWorkerd> {
  const port = await freePort();
  const stateDir = mkdtempSync(join(tmpdir(), `bench-${peer}-`));
  const script = `bench/peers/${peer}/serve.ts`;
  const running = await startScript([script, String(port), stateDir, sinkUrl], /ready/);
  const workerd = JSON.parse(readFileSync(join(ROOT, 'node_modules/workerd/package.json'), 'utf8'));
  return {
    version: `workerd ${workerd.version}`,
    running,
    origin: `http://127.0.0.1:${port}`,
    async stop() {
      await running.stop();
      rmSync(stateDir, { recursive: true, force: true });
    },
  };
}

/** A request of the load. @param ids of the events that it brings, or decides on */
export function post(path: string, body: unknown, ids: readonly string[]): LoadRequest {
  return { method: 'POST', path, headers: HEADERS, body: JSON.stringify(body), ids };
}
