/**
 * The state directory: secrets, the demo's keys, the Worker's storage. Only its owner may read it.
 * Two servers over one storage would corrupt it, so a file names the process that holds it.
 */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Complaint } from './complaint.mjs';
import { ROOT } from './project.mjs';

const SECRET_NAMES = ['PLATFORM_TOKEN', 'KEY_SECRET', 'SEAL_KEY', 'AUDIT_KEY'];
/** What a Bearer credential may hold (RFC 6750 2.1), and needs no quoting in an env file. */
const TOKEN = /^[A-Za-z0-9._~+/-]{16,500}=*$/;

/**
 * Paths in the state directory. @param {string | undefined} setting STATE_DIR; relative to the
 * project, `.signalbox` when it is not set
 */
export function stateAt(setting) {
  const dir = resolve(ROOT, setting || '.signalbox');
  return {
    dir,
    secrets: join(dir, 'secrets.env'),
    demo: join(dir, 'demo.json'),
    holder: join(dir, 'holder'),
    data: join(dir, 'data'),
    build: join(dir, 'build'),
    registry: join(dir, 'registry'),
  };
}
/** @typedef {ReturnType<typeof stateAt>} State */

/**
 * Takes the directory for this process.
 * @param {State} state
 * @returns {() => void} gives it back
 * @throws {Complaint} when a living process has it
 */
export function holdState({ dir, holder }) {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const pid = existsSync(holder) ? Number(readFileSync(holder, 'utf8')) : 0;
  if (pid > 0 && pid !== process.pid && isStart(pid))
    throw new Complaint(
      `Process ${pid} is running on ${dir}. End it, or choose another STATE_DIR.`,
    );
  writeFileSync(holder, String(process.pid), { mode: 0o600 });
  return () => rmSync(holder, { force: true });
}

/** Whether the process lives and is one of ours: after a crash its number may be someone else's. */
function isStart(/** @type {number} */ pid) {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  const commandLine = `/proc/${pid}/cmdline`;
  if (!existsSync('/proc/self/cmdline')) return true;
  return existsSync(commandLine) && /(start|serve)\.mjs/.test(readFileSync(commandLine, 'utf8'));
}

/**
 * The Worker's secrets, made on the first start and kept. A token that is given replaces the kept one.
 * @param {State} state
 * @param {string | undefined} platformToken
 * @returns {{ platformToken: string }}
 */
export function ensureSecrets(state, platformToken) {
  const kept = existsSync(state.secrets) ? readSecrets(state) : {};
  const made = SECRET_NAMES.map((name) => [name, kept[name] ?? randomBytes(32).toString('hex')]);
  // Others that were put there by hand stay, such as SEAL_KEYS_RETIRED.
  const secrets = { ...kept, ...Object.fromEntries(made) };
  if (platformToken !== undefined) secrets.PLATFORM_TOKEN = platformToken;
  const lines = Object.entries(secrets).map(([name, value]) => `${name}=${value}\n`);
  writePrivate(state.secrets, lines.join(''));
  return { platformToken: secrets.PLATFORM_TOKEN ?? '' };
}

/** The Worker's secrets by name. @param {State} state @returns {Record<string, string>} */
export function readSecrets(state) {
  return parseEnv(readFileSync(state.secrets, 'utf8'));
}

/** @param {string | undefined} token @throws {Complaint} */
export function checkPlatformToken(token) {
  if (token === undefined || TOKEN.test(token)) return;
  throw new Complaint(
    'PLATFORM_TOKEN takes at least 16 of A-Z a-z 0-9 . _ ~ + / - (= at its end).',
  );
}

/** Replaces a file at once, readable by its owner only. @param {string} path @param {string} text */
export function writePrivate(path, text) {
  writeFileSync(`${path}.new`, text, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

/** @param {string} text @returns {Record<string, string>} */
function parseEnv(text) {
  const pairs = text.split('\n').map((line) => /^([A-Z_]+)=(.+)$/.exec(line));
  return Object.fromEntries(
    pairs.flatMap((pair) => (pair === null ? [] : [[pair[1] ?? '', pair[2] ?? '']])),
  );
}
