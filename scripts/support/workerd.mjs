/**
 * The built Worker on workerd: which settings `npm run serve` takes, and the process that holds the
 * runtime (runtime.mjs), in a group of its own. One that ends is started again, on the same state.
 */
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Complaint } from './complaint.mjs';
import { startGroup } from './group.mjs';
import { NODE, ROOT } from './project.mjs';
import { environment } from './worker.mjs';

const LOOPBACK = /^(127(\.\d+){3}|::1|localhost)$/;
const ENVIRONMENTS = ['development', 'production'];
const ORIGIN = /^https?:\/\/[^/]+$/;
const RESTART_PAUSE_MS = 500;
/** Who ends sooner than this after the start has not got anywhere. */
const SOON_MS = 10_000;
/** So many times in a row, and it is not tried again. */
const SOON_MAX = 8;

/**
 * @typedef {object} ServeSettings
 * @property {string} host
 * @property {string} environment
 * @property {string | undefined} publicUrl
 * @property {string} allowedOrigins
 * @property {number | undefined} inspectorPort
 */

/**
 * @param {NodeJS.ProcessEnv} env
 * @returns {ServeSettings}
 * @throws {Complaint} when one cannot be
 */
export function serveSettings(env) {
  const { HOST, ENVIRONMENT, PUBLIC_URL, ALLOWED_ORIGINS = '', INSPECTOR_PORT } = env;
  const host = HOST || '127.0.0.1';
  const publicUrl = PUBLIC_URL || undefined;
  if (publicUrl !== undefined && !(ORIGIN.test(publicUrl) && URL.canParse(publicUrl)))
    throw new Complaint(
      `PUBLIC_URL is an origin such as https://hooks.example.com, not ${publicUrl}.`,
    );
  const environment = ENVIRONMENT || environmentFor(host, publicUrl);
  if (!ENVIRONMENTS.includes(environment))
    throw new Complaint(`ENVIRONMENT is development or production, not ${ENVIRONMENT}.`);
  const inspectorPort = INSPECTOR_PORT ? Number(INSPECTOR_PORT) : undefined;
  if (inspectorPort !== undefined && !(inspectorPort > 0 && inspectorPort < 65_536))
    throw new Complaint(`INSPECTOR_PORT is a number from 1 to 65535, not ${INSPECTOR_PORT}.`);
  return { host, environment, publicUrl, allowedOrigins: ALLOWED_ORIGINS, inspectorPort };
}

/**
 * Development lets tenants send webhooks to this machine, which strangers must not: those who come to
 * its own address, or by a proxy before it.
 * @param {string} host
 * @param {string | undefined} publicUrl
 */
function environmentFor(host, publicUrl) {
  const reached =
    publicUrl === undefined ? host : new URL(publicUrl).hostname.replace(/[[\]]/g, '');
  return LOOPBACK.test(host) && LOOPBACK.test(reached) ? 'development' : 'production';
}

/**
 * @param {import('./state.mjs').State} state
 * @param {import('./launch.mjs').Address} address
 * @param {ServeSettings} settings
 * @returns {import('./launch.mjs').Running}
 */
export function serveBuilt(state, { host, port, origin }, settings) {
  const args = [
    ...['--no-warnings', join(ROOT, 'scripts', 'support', 'runtime.mjs')],
    ...['--state', state.dir, '--host', host, '--port', String(port)],
    ...['--public-url', settings.publicUrl ?? origin, '--environment', settings.environment],
    ...['--allowed-origins', settings.allowedOrigins],
    ...['--inspector-port', String(settings.inspectorPort ?? '')],
  ];
  return supervised(() => startGroup(NODE, args, { cwd: ROOT, env: environment(state) }));
}

/** @param {() => import('./group.mjs').Group} start @returns {import('./launch.mjs').Running} */
function supervised(start) {
  let group = start();
  const ended = (async () => {
    for (let soon = 0; ; ) {
      const begun = Date.now();
      const ending = await group.ended;
      soon = Date.now() - begun < SOON_MS ? soon + 1 : 0;
      if (group.wasAsked() || soon >= SOON_MAX) return ending;
      console.error('The runtime ended unexpectedly; starting it again.');
      await pause(RESTART_PAUSE_MS);
      group = start();
    }
  })();
  return {
    get pid() {
      return group.pid;
    },
    stdout: null,
    stderr: null,
    ended,
    wasAsked: () => group.wasAsked(),
    stop() {
      void group.stop();
      return ended;
    },
    kill: () => group.kill(),
    lastLines: () => '',
  };
}
