/**
 * The demo tenant: one key of each kind and a few workflows, made over the API like anyone would.
 * The keys are shown by the API once, so they are kept in a file; whatever is missing is made on
 * the next start, so a start that broke off does no harm.
 */
import { existsSync, readFileSync } from 'node:fs';
import { DEMO_WORKFLOWS } from './demo-workflows.mjs';
import { Complaint } from './support/complaint.mjs';
import { writePrivate } from './support/state.mjs';

const TENANT = 'demo';
const OTHER_ROLES = /** @type {const} */ (['approver', 'viewer', 'ingest', 'frontend']);

/** @typedef {{ admin: string, approver: string, viewer: string, ingest: string, frontend: string }} Keys */
/** @typedef {{ tenantId: string, keys: Keys }} Demo */
/** @typedef {{ detail?: string, apiKey?: { secret: string }, items?: { name: string }[] }} Body */

/**
 * @param {string} origin
 * @param {string} platformToken
 * @param {string} file where the keys are kept
 * @returns {Promise<Demo | null>} null when the tenant is there and its keys are not
 */
export async function ensureDemo(origin, platformToken, file) {
  /** @type {Partial<Keys>} */
  const kept = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
  const known = kept.admin !== undefined && (await isValid(origin, kept.admin));
  const admin = known ? kept.admin : await createTenant(origin, platformToken);
  if (admin === undefined) return withoutKeys(file);
  const none = { approver: '', viewer: '', ingest: '', frontend: '' };
  const keys = { ...none, ...(known ? kept : {}), admin };
  const keep = () => writePrivate(file, `${JSON.stringify(keys, null, 2)}\n`);
  keep();
  for (const role of OTHER_ROLES) {
    if (keys[role] !== '') continue;
    keys[role] = await createKey(origin, admin, role);
    keep();
  }
  await ensureWorkflows(origin, admin);
  return { tenantId: TENANT, keys };
}

/**
 * The first admin key; undefined when the tenant is there already.
 * @param {string} origin
 * @param {string} platformToken
 */
async function createTenant(origin, platformToken) {
  const body = { id: TENANT, name: 'Demo shop' };
  const created = await post(origin, platformToken, '/api/platform/tenants/create', body);
  return created.status === 409 ? undefined : secretOf(created);
}

/** @param {string} origin @param {string} admin @param {string} role */
async function createKey(origin, admin, role) {
  const body = { name: `Demo ${role}`, role };
  return secretOf(await post(origin, admin, '/api/admin/api-keys/create', body));
}

/** @param {Awaited<ReturnType<typeof call>>} answer */
function secretOf(answer) {
  const { apiKey } = expectOk(answer);
  if (apiKey === undefined) throw new Error(`${answer.path} answered without a key`);
  return apiKey.secret;
}

/** By name; one that someone has changed or disabled stays as it is. */
async function ensureWorkflows(/** @type {string} */ origin, /** @type {string} */ admin) {
  const listed = await call(origin, admin, '/api/admin/workflows?limit=200');
  const names = new Set(expectOk(listed).items?.map(({ name }) => name));
  for (const workflow of DEMO_WORKFLOWS)
    if (!names.has(workflow.name))
      expectOk(
        await post(origin, admin, '/api/admin/workflows/create', { ...workflow, enabled: true }),
      );
}

/** @param {string} file @returns {null} */
function withoutKeys(file) {
  console.log(
    `The tenant "${TENANT}" is there, but its keys are not in ${file}. Start with another STATE_DIR ` +
      'for a new one.',
  );
  return null;
}

/** @param {string} origin @param {string} key */
async function isValid(origin, key) {
  return (await call(origin, key, '/api/admin/workflows?limit=1')).status === 200;
}

/** @param {string} origin @param {string} token @param {string} path @param {object} body */
function post(origin, token, path, body) {
  return call(origin, token, path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
}

/** @param {string} origin @param {string} token @param {string} path @param {RequestInit} [init] */
async function call(origin, token, path, init = {}) {
  const headers = { ...init.headers, authorization: `Bearer ${token}` };
  const answer = await fetch(origin + path, { ...init, headers });
  /** @type {Body} */
  const body = JSON.parse(await answer.text());
  return { path, status: answer.status, body };
}

/** @param {Awaited<ReturnType<typeof call>>} answer */
function expectOk({ path, status, body }) {
  if (status >= 200 && status < 300) return body;
  throw new Complaint(`The demo could not be made: ${path} answered ${status}, ${body.detail}`);
}
