/**
 * One step of a longer run: a tool, run by the project's Node, with its time. One that may be silent
 * only so long is taken for stuck after that, and ended with all that it started. So is one that has
 * said its last words and does not end.
 */
import { startGroup } from './group.mjs';
import { NODE, ROOT } from './project.mjs';

/** @typedef {{ seconds: number, lastWords?: { text: string, seconds: number } }} Silence how long it may last */
/** @typedef {{ name: string, script: string, args: readonly string[], silence?: Silence }} Step */
/** @typedef {'passed' | 'failed' | 'stuck'} Outcome */

/** @param {Step} step @returns {Promise<Outcome>} */
export async function runStep({ name, script, args, silence }) {
  console.log(`\n▸ ${name}`);
  const begun = Date.now();
  const group = startGroup(NODE, [script, ...args], {
    cwd: ROOT,
    env: stepEnvironment(),
    piped: silence !== undefined,
  });
  const watch = silence === undefined ? null : endWhenSilent(group, silence);
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
 * @param {import('./group.mjs').Group} group @param {Silence} silence
 */
function endWhenSilent(group, { seconds, lastWords }) {
  let silent = false;
  const timerOf = (/** @type {number} */ allowed) =>
    setTimeout(() => {
      silent = true;
      console.log(`\nNothing was heard of it for ${allowed} seconds: it is ended.`);
      group.kill();
    }, allowed * 1_000);
  let timer = timerOf(seconds);
  const show = (/** @type {NodeJS.WriteStream} */ to) => (/** @type {Buffer} */ chunk) => {
    timer.refresh();
    to.write(chunk);
    if (!lastWords || !chunk.includes(lastWords.text)) return;
    clearTimeout(timer);
    timer = timerOf(lastWords.seconds);
  };
  group.stdout?.on('data', show(process.stdout));
  group.stderr?.on('data', show(process.stderr));
  return { end: () => clearTimeout(timer), wasSilent: () => silent };
}
