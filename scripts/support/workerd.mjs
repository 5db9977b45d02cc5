/**
 * The built Worker on workerd: which settings `npm run serve` takes, and the process that holds the
 * runtime (runtime.mjs), in a group of its own.
 */
import { join } from 'node:path';
import { Complaint } from './complaint.mjs';
import { startGroup } from './group.mjs';
import { NODE, ROOT } from './project.mjs';
import { environment } from './worker.mjs';

const LOOPBACK = /^(127(\.\d+){3}|::1|localhost)$/;
const ENVIRONMENTS = ['development', 'production'];
const ORIGIN = /^https?:\/\/[^/]+$/;

/** @typedef {{ host: string, environment: string, publicUrl: string | undefined }} ServeSettings */

/**
 * @param {NodeJS.ProcessEnv} env
 * @returns {ServeSettings}
 * @throws {Complaint} when one cannot be
 */
export function serveSettings({ HOST, ENVIRONMENT, PUBLIC_URL }) {
  const host = HOST || '127.0.0.1';
  const publicUrl = PUBLIC_URL || undefined;
  if (publicUrl !== undefined && !(ORIGIN.test(publicUrl) && URL.canParse(publicUrl)))
    throw new Complaint(
      `PUBLIC_URL is an origin such as https://hooks.example.com, not ${publicUrl}.`,
    );
  const environment = ENVIRONMENT || environmentFor(host, publicUrl);
  if (!ENVIRONMENTS.includes(environment))
    throw new Complaint(`ENVIRONMENT is development or production, not ${ENVIRONMENT}.`);
  return { host, environment, publicUrl };
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
  const group = startGroup(
    NODE,
    [
      ...['--no-warnings', join(ROOT, 'scripts', 'support', 'runtime.mjs')],
      ...['--state', state.dir, '--host', host, '--port', String(port)],
      ...['--public-url', settings.publicUrl ?? origin, '--environment', settings.environment],
    ],
    { cwd: ROOT, env: environment(state) },
  );
  return { ...group, lastLines: () => '' };
}
