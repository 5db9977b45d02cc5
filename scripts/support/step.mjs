/** One step of a longer run: a tool, run by the project's Node, with its time. */
import { spawnSync } from 'node:child_process';
import { NODE, ROOT } from './project.mjs';

/** @typedef {{ name: string, script: string, args: readonly string[] }} Step */

/** @param {Step} step @returns {boolean} whether it succeeded */
export function runStep({ name, script, args }) {
  console.log(`\n▸ ${name}`);
  const begun = Date.now();
  const { status } = spawnSync(NODE, [script, ...args], {
    cwd: ROOT,
    env: { ...process.env, WRANGLER_SEND_METRICS: 'false', CLOUDFLARE_CF_FETCH_ENABLED: 'false' },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const seconds = ((Date.now() - begun) / 1_000).toFixed(1);
  console.log(`${status === 0 ? '✓' : '✗'} ${name} (${seconds} s)`);
  return status === 0;
}
