/**
 * `npm start`: everything on one machine, with nothing but Node and npm. Installs what is missing,
 * makes secrets, prepares the database, runs the Worker and a demo tenant, and ends all of it with
 * Ctrl-C. Settings: PORT, PLATFORM_TOKEN, STATE_DIR, and `--no-demo`.
 */
import { createServer } from 'node:net';
import { parseArgs } from 'node:util';
import { ensureDemo } from './demo.mjs';
import { Complaint, runMain } from './support/complaint.mjs';
import { endOnSignals, stopGroups } from './support/group.mjs';
import { ensureInstalled } from './support/project.mjs';
import { checkPlatformToken, ensureSecrets, holdState, stateAt } from './support/state.mjs';
import { demoText, welcomeText } from './support/welcome.mjs';
import { migrate, startWorker, sweepRegularly, untilHealthy } from './support/worker.mjs';

const DEFAULT_PORT = 8787;

await runMain(async () => {
  const settings = readSettings();
  await checkPort(settings.port);
  const state = stateAt(settings.stateDir);
  const release = holdState(state);
  const signals = endOnSignals(release);
  try {
    await run(settings, state, signals);
  } catch (error) {
    // What was being waited for fails when a signal ends it: that is no failure to report.
    if (signals.wasAsked()) await new Promise(() => {});
    await stopGroups();
    release();
    throw error;
  }
});

/**
 * @param {ReturnType<typeof readSettings>} settings
 * @param {import('./support/state.mjs').State} state
 * @param {ReturnType<typeof endOnSignals>} signals
 */
async function run({ port, platformToken: givenToken, withDemo }, state, signals) {
  await ensureInstalled();
  const { platformToken } = ensureSecrets(state, givenToken);
  await migrate(state);
  const origin = `http://127.0.0.1:${port}`;
  const worker = startWorker(state, port);
  await untilHealthy(origin, worker);
  sweepRegularly(origin);
  const demo = withDemo ? await ensureDemo(origin, platformToken, state.demo) : null;
  console.log(welcomeText(origin, state));
  if (demo !== null) console.log(demoText(origin, demo));
  await worker.ended;
  if (signals.wasAsked()) await new Promise(() => {});
  throw new Complaint(`${worker.lastLines()}\nThe Worker ended unexpectedly; see above.`);
}

function readSettings() {
  const { PORT, PLATFORM_TOKEN, STATE_DIR } = process.env;
  const port = Number(PORT || DEFAULT_PORT);
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw new Complaint(`PORT is a number from 1 to 65535, not ${PORT}.`);
  const platformToken = PLATFORM_TOKEN || undefined;
  checkPlatformToken(platformToken);
  return { port, platformToken, stateDir: STATE_DIR, withDemo: !readArguments()['no-demo'] };
}

function readArguments() {
  try {
    return parseArgs({ options: { 'no-demo': { type: 'boolean', default: false } } }).values;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Complaint(`${reason}\nUse: npm start [-- --no-demo]`);
  }
}

/** Before anything else is started. @param {number} port */
function checkPort(port) {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', (error) => reject(new Complaint(portProblem(port, error))));
    probe.listen(port, '127.0.0.1', () => probe.close(resolve));
  });
}

/** @param {number} port @param {NodeJS.ErrnoException} error */
function portProblem(port, error) {
  if (error.code === 'EADDRINUSE')
    return `Port ${port} is taken. End what listens there, or choose another: PORT=${port < 65_535 ? port + 1 : 8787} npm start`;
  return `Port ${port} cannot be used (${error.code}). Choose another: PORT=8788 npm start`;
}
