/**
 * One step of a longer run: a tool, run by the project's Node, with its time. One that may be silent
 * only so long is taken for stuck after that, and ended with all that it started.
 */
import { startGroup } from './group.mjs';
import { NODE, ROOT } from './project.mjs';

/** @typedef {{ name: string, script: string, args: readonly string[], silenceSeconds?: number }} Step */
/** @typedef {'passed' | 'failed' | 'stuck'} Outcome */

/** @param {Step} step @returns {Promise<Outcome>} */
export async function runStep({ name, script, args, silenceSeconds }) {
  console.log(`\n▸ ${name}`);
  const begun = Date.now();
  const group = startGroup(NODE, [script, ...args], {
    cwd: ROOT,
    env: stepEnvironment(),
    piped: silenceSeconds !== undefined,
  });
  const watch = silenceSeconds === undefined ? null : endWhenSilent(group, silenceSeconds);
  const { code } = await group.ended;
  watch?.end();
  const outcome = watch?.wasSilent() ? 'stuck' : code === 0 ? 'passed' : 'failed';
  const seconds = ((Date.now() - begun) / 1_000).toFixed(1);
  console.log(`${outcome === 'passed' ? '✓' : '✗'} ${name} (${outcome}, ${seconds} s)`);
  return outcome;
}

/** A pipe would take the tools' colours from a person at a terminal. */
function stepEnvironment() {
  const quiet = { WRANGLER_SEND_METRICS: 'false', CLOUDFLARE_CF_FETCH_ENABLED: 'false' };
  const colours = process.stdout.isTTY ? { FORCE_COLOR: '1' } : {};
  return { ...process.env, ...colours, ...quiet };
}

/**
 * Shows what a group says, and ends it once it has said nothing for too long.
 * @param {import('./group.mjs').Group} group @param {number} seconds
 */
function endWhenSilent(group, seconds) {
  let silent = false;
  const timer = setTimeout(() => {
    silent = true;
    console.log(`\nNothing was heard of it for ${seconds} seconds: it is ended.`);
    group.kill();
  }, seconds * 1_000);
  const show = (/** @type {NodeJS.WriteStream} */ to) => (/** @type {Buffer} */ chunk) => {
    timer.refresh();
    to.write(chunk);
  };
  group.stdout?.on('data', show(process.stdout));
  group.stderr?.on('data', show(process.stderr));
  return { end: () => clearTimeout(timer), wasSilent: () => silent };
}
