/**
 * What `npm start` and `npm run serve` have in common: settings, the state directory, the database,
 * a demo tenant, and an end by Ctrl-C. They differ in what runs the Worker.
 */
import { createServer } from 'node:net';
import { parseArgs } from 'node:util';
import { ensureDemo } from '../demo.mjs';
import { Complaint } from './complaint.mjs';
import { migrate } from './databases.mjs';
import { endOnSignals, stopGroups } from './group.mjs';
import { ensureInstalled } from './project.mjs';
import { checkPlatformToken, ensureSecrets, holdState, stateAt } from './state.mjs';
import { demoText, welcomeText } from './welcome.mjs';
import { untilHealthy } from './worker.mjs';

const DEFAULT_PORT = 8787;

/** @typedef {import('./group.mjs').Group & { lastLines: () => string }} Running */
/** @typedef {{ host: string, port: number, origin: string }} Address */
/**
 * @typedef {object} Way
 * @property {string} command as a person types it
 * @property {string} host where it listens
 * @property {(state: import('./state.mjs').State, address: Address) => Promise<Running>} start
 * @property {(address: Address) => void} [whenHealthy]
 */

/** @param {Way} way */
export async function launch(way) {
  const settings = readSettings(way.command);
  await checkPort(way, settings.port);
  const state = stateAt(settings.stateDir);
  const release = holdState(state);
  const signals = endOnSignals(release);
  try {
    await run(way, settings, state, signals);
  } catch (error) {
    // What was being waited for fails when a signal ends it: that is no failure to report.
    if (signals.wasAsked()) await new Promise(() => {});
    await stopGroups();
    release();
    throw error;
  }
}

/**
 * @param {Way} way
 * @param {ReturnType<typeof readSettings>} settings
 * @param {import('./state.mjs').State} state
 * @param {ReturnType<typeof endOnSignals>} signals
 */
async function run({ host, start, whenHealthy }, settings, state, signals) {
  const { port } = settings;
  await ensureInstalled();
  const { platformToken } = ensureSecrets(state, settings.platformToken);
  await migrate(state);
  const origin = `http://${reachable(host)}:${port}`;
  const worker = await start(state, { host, port, origin });
  await untilHealthy(origin, worker);
  whenHealthy?.({ host, port, origin });
  const demo = settings.withDemo ? await ensureDemo(origin, platformToken, state.demo) : null;
  console.log(welcomeText(origin, state));
  if (demo !== null) console.log(demoText(origin, demo));
  await worker.ended;
  if (signals.wasAsked()) await new Promise(() => {});
  throw new Complaint(`${worker.lastLines()}\nThe Worker ended unexpectedly; see above.`);
}

/** An address to call where it listens: those that mean "any" are no address. @param {string} host */
function reachable(host) {
  if (host === '0.0.0.0') return '127.0.0.1';
  if (host === '::') return '[::1]';
  return host.includes(':') ? `[${host}]` : host;
}

/** @param {string} command */
function readSettings(command) {
  const { PORT, PLATFORM_TOKEN, STATE_DIR } = process.env;
  const port = Number(PORT || DEFAULT_PORT);
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw new Complaint(`PORT is a number from 1 to 65535, not ${PORT}.`);
  const platformToken = PLATFORM_TOKEN || undefined;
  checkPlatformToken(platformToken);
  return { port, platformToken, stateDir: STATE_DIR, withDemo: !readArguments(command)['no-demo'] };
}

/** @param {string} command */
function readArguments(command) {
  try {
    return parseArgs({ options: { 'no-demo': { type: 'boolean', default: false } } }).values;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Complaint(`${reason}\nUse: ${command} [-- --no-demo]`);
  }
}

/** Before anything else is started. @param {Way} way @param {number} port */
function checkPort({ command, host }, port) {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', (error) => reject(new Complaint(portProblem(command, host, port, error))));
    probe.listen(port, host, () => probe.close(resolve));
  });
}

/**
 * @param {string} command
 * @param {string} host
 * @param {number} port
 * @param {NodeJS.ErrnoException} error
 */
function portProblem(command, host, port, error) {
  if (error.code === 'EADDRINUSE')
    return `Port ${port} is taken. End what listens there, or choose another: PORT=${port < 65_535 ? port + 1 : DEFAULT_PORT} ${command}`;
  if (error.code === 'EADDRNOTAVAIL' || error.code === 'ENOTFOUND')
    return `HOST is an address of this machine, not ${host}.`;
  return `Port ${port} cannot be used (${error.code}). Choose another: PORT=8788 ${command}`;
}
