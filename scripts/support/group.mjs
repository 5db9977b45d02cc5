/**
 * Child processes that never outlive us. Each runs in a process group of its own under keep.mjs,
 * which ends the group when we ask for it and when we are gone, however that happened: it notices
 * the end of a pipe that only we hold.
 */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const KEEPER = fileURLToPath(new URL('./keep.mjs', import.meta.url));

/** @typedef {{ code: number | null, signal: NodeJS.Signals | null }} Ending */
/**
 * @typedef {object} Group
 * @property {number} pid the keeper's, which is the group's too
 * @property {import('node:stream').Readable | null} stdout
 * @property {import('node:stream').Readable | null} stderr
 * @property {Promise<Ending>} ended
 * @property {() => Promise<Ending>} stop asks it to end; it is killed when it does not in seconds
 * @property {() => void} kill
 * @property {() => boolean} wasAsked whether somebody wanted it to end
 */

/** @type {Set<Group>} */
const running = new Set();

/**
 * Starts a command in a group of its own.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ cwd: string, env?: NodeJS.ProcessEnv, piped?: boolean }} options piped: the output
 *   comes in `stdout` and `stderr` instead of going where ours goes
 * @returns {Group}
 */
export function startGroup(command, args, { cwd, env = process.env, piped = false }) {
  const output = piped ? 'pipe' : 'inherit';
  const child = spawn(process.execPath, [KEEPER, command, ...args], {
    cwd,
    env,
    detached: true,
    stdio: ['pipe', output, output],
  });
  const { pid } = child;
  if (pid === undefined) throw new Error(`${command} could not be started`);
  child.stdin?.on('error', () => {});
  /** @type {Promise<Ending>} */
  const ended = new Promise((resolve) => {
    // Whatever the command left running would hold the pipes open, and `close` would not come.
    child.once('exit', () => killGroup(pid));
    child.once('close', (code, signal) => {
      running.delete(group);
      resolve({ code, signal });
    });
  });
  let asked = false;
  /** @type {Group} */
  const group = {
    pid,
    stdout: child.stdout,
    stderr: child.stderr,
    ended,
    stop() {
      asked = true;
      child.stdin?.end();
      return ended;
    },
    kill() {
      asked = true;
      killGroup(pid);
    },
    wasAsked: () => asked,
  };
  running.add(group);
  return group;
}

/** Ends every group that is still running; resolves when none is left. */
export async function stopGroups() {
  await Promise.all([...running].map((group) => group.stop()));
}

/**
 * On Ctrl-C, SIGTERM or a closed terminal, or when the npm that runs us is gone: ends all groups,
 * then this process. A second signal does not wait.
 * @param {() => void} last runs just before the end
 */
export function endOnSignals(last) {
  let asked = false;
  const end = async () => {
    if (asked) for (const group of running) group.kill();
    if (asked) return;
    asked = true;
    await stopGroups();
    last();
    process.exit(0);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, end);
  if (process.env.npm_lifecycle_event !== undefined) whenOrphaned(end);
  return { wasAsked: () => asked };
}

/** A parent that was killed sends no signal; the system gives its children to another one. */
function whenOrphaned(/** @type {() => void} */ act) {
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    act();
  }, 1_000);
  timer.unref();
}

/** Whatever is left of a group. @param {number} pid its leader's */
function killGroup(pid) {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // Nothing is left.
  }
}
