/**
 * The Worker on this machine: wrangler's local mode over the state directory. Its secrets go in by
 * file, since arguments are for every process to see.
 * https://developers.cloudflare.com/workers/wrangler/commands/general/#dev
 */
import { Complaint } from './complaint.mjs';
import { startGroup } from './group.mjs';
import { readLines, workerLines } from './lines.mjs';
import { NODE, ROOT, tool } from './project.mjs';

const WRANGLER = tool('wrangler/wrangler-dist/cli.js');
const LAST_LINES = 30;
/** As `crons` in wrangler.toml: no local runtime fires them. */
export const SWEEP_EVERY_MS = 120_000;
/** After a crash the first request waits behind whatever has to be caught up with. */
const HEALTHY_MS = 300_000;
const ANSWER_MS = 60_000;

/** Frontends elsewhere, and stand-ins for vendors' APIs, for development and tests: src/env.ts. */
const PASSED_ON = ['ALLOWED_ORIGINS', 'SHOPIFY_ORIGIN', 'STRIPE_ORIGIN', 'RESEND_ORIGIN'];

/** @typedef {import('./state.mjs').State} State */

/** Nothing leaves the machine, and two servers on it do not find each other. */
export function environment(/** @type {State} */ state) {
  return {
    ...process.env,
    CI: '1',
    NO_COLOR: '1',
    CLOUDFLARE_CF_FETCH_ENABLED: 'false',
    WRANGLER_HIDE_BANNER: 'true',
    WRANGLER_WRITE_LOGS: 'false',
    WRANGLER_REGISTRY_PATH: state.registry,
    WRANGLER_SEND_ERROR_REPORTS: 'false',
    WRANGLER_SEND_METRICS: 'false',
  };
}

/** @param {State} state @param {readonly string[]} args */
function startWrangler(state, args) {
  const all = ['--no-warnings', WRANGLER, ...args];
  const group = startGroup(NODE, all, { cwd: ROOT, env: environment(state), piped: true });
  /** @type {string[]} */
  const last = [];
  const listen = (/** @type {(line: string) => void} */ hear) => {
    for (const stream of [group.stdout, group.stderr])
      readLines(stream, (line) => {
        last.push(line);
        if (last.length > LAST_LINES) last.shift();
        hear(line);
      });
  };
  return { ...group, listen, lastLines: () => last.join('\n') };
}

/**
 * Builds what `wrangler deploy` would upload, into the state directory.
 * @param {State} state
 * @throws {Complaint} when it does not build
 */
export async function buildWorker(state) {
  const wrangler = startWrangler(state, ['deploy', '--dry-run', '--outdir', state.build]);
  wrangler.listen(() => {});
  const { code } = await wrangler.ended;
  if (code !== 0)
    throw new Complaint(`${wrangler.lastLines()}\nThe Worker could not be built; see above.`);
}

/**
 * Starts the Worker. Its log lines and wrangler's errors go to our output, wrangler's chatter
 * does not.
 * @param {State} state
 * @param {number} port
 */
export function startWorker(state, port) {
  const wrangler = startWrangler(state, [
    'dev',
    ...['--ip', '127.0.0.1', '--port', String(port), '--inspector-port', '0'],
    ...['--persist-to', state.data, '--env-file', state.secrets],
    ...['--var', 'ENVIRONMENT:development', '--var', `PUBLIC_URL:http://127.0.0.1:${port}`],
    ...PASSED_ON.flatMap((name) => {
      const value = process.env[name];
      return value ? ['--var', `${name}:${value}`] : [];
    }),
    '--show-interactive-dev-session=false',
  ]);
  const isShown = workerLines();
  wrangler.listen((line) => {
    if (isShown(line)) console.log(line);
  });
  return wrangler;
}

/**
 * Waits until the Worker answers.
 * @param {string} origin
 * @param {import('./launch.mjs').Running} worker
 * @throws {Complaint} when it ends before, or minutes have passed
 */
export async function untilHealthy(origin, worker) {
  let ended = false;
  worker.ended.then(() => {
    ended = true;
  });
  const deadline = Date.now() + HEALTHY_MS;
  while (Date.now() < deadline && !ended) {
    if (await isHealthy(origin)) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Complaint(`${worker.lastLines()}\nThe Worker did not start; see above.`);
}

async function isHealthy(/** @type {string} */ origin) {
  try {
    const answer = await fetch(`${origin}/api/health`, { signal: AbortSignal.timeout(ANSWER_MS) });
    await answer.arrayBuffer();
    return answer.ok;
  } catch {
    return false;
  }
}

/**
 * Local mode fires no cron triggers, so this does: wrangler.toml says every two minutes. The first
 * sweep wakes what a crash left lying.
 * @param {string} origin
 */
export function sweepRegularly(origin) {
  const sweep = () =>
    fetch(`${origin}/cdn-cgi/local/scheduled`, { signal: AbortSignal.timeout(30_000) })
      .then((answer) => answer.arrayBuffer())
      .catch(() => {});
  void sweep();
  setInterval(sweep, SWEEP_EVERY_MS).unref();
}
