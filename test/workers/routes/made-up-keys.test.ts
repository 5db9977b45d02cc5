/**
 * Whoever makes up a key reaches nobody: it is refused by the check that it holds, at every route,
 * before any object is woken, be it that of a tenant that exists or of one that does not.
 */
import {
  evictAllDurableObjects,
  evictDurableObject,
  listDurableObjectIds,
  runInDurableObject,
} from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import fc from 'fast-check';
import { beforeAll, beforeEach, expect, test } from 'vitest';
import { mintKey } from '../../../src/http/api-key.ts';
import { tenantObject } from '../../../src/objects/index.ts';
import { ROUTES } from '../../../src/routes/index.ts';
import { newTenant, send, type Tenant } from '../support/api.ts';
import { bodyFor } from '../support/samples.ts';

const SEED = 20_261_125;
const NOBODY = 'no-such-tenant';

const KEYED = ROUTES.filter(({ access }) => ['sender', 'admin', 'frontend'].includes(access.tier));

let tenant: Tenant;
let real: string;
let known: number;
beforeAll(async () => {
  tenant = await newTenant();
  real = await tenant.key('admin');
});
beforeEach(async () => {
  await evictAllDurableObjects();
  known = (await objects()).length;
});

async function objects() {
  return [...(await listDurableObjectIds(env.TENANTS)), ...(await listDurableObjectIds(env.RUNS))];
}

/** Only what runs can be evicted. */
async function isAwake(tenantId: string): Promise<boolean> {
  return await evictDurableObject(tenantObject(env, tenantId)).then(
    () => true,
    () => false,
  );
}

async function expectNobodyWoke(): Promise<void> {
  expect(await isAwake(tenant.id)).toBe(false);
  expect(await isAwake(NOBODY)).toBe(false);
  expect(await objects()).toHaveLength(known);
}

test('a right key wakes its tenant, so the others would be seen', async () => {
  await send('GET', '/api/admin/workflows', { token: real });
  expect(await isAwake(tenant.id)).toBe(true);
});

test('a key whose check is wrong wakes nobody at any route', async () => {
  const minted = async (secret: string, id: string) =>
    (await mintKey(secret, id, { name: 'Key', role: 'admin' })).secret;
  const madeUp = [
    `sbx_${tenant.id}_${'0'.repeat(64)}`,
    `sbf_${tenant.id}_${'0'.repeat(64)}`,
    `sbx_${NOBODY}_${'a'.repeat(64)}`,
    await minted('another-secret-0123456789abcdef', tenant.id),
    await minted('another-secret-0123456789abcdef', NOBODY),
    real.replace(tenant.id, NOBODY),
    (await minted(env.KEY_SECRET, NOBODY)).replace(NOBODY, tenant.id),
    real.replace('sbx_', 'sbf_'),
    real.replace(/.$/, (digit) => (digit === '0' ? '1' : '0')),
    real.toUpperCase(),
  ];
  for (const route of KEYED)
    for (const token of madeUp) {
      const { method } = route;
      const path = route.path.replace(/:\w+/, 'name');
      const body = route.body === undefined ? {} : { body: bodyFor(route) };
      expect((await send(method, path, { token, ...body })).status, `${path} ${token}`).toBe(401);
    }
  await expectNobodyWoke();
});

test('nor does a right one with any of its characters changed, or any text at all', async () => {
  const changed = fc
    .tuple(fc.nat(real.length - 1), fc.constantFrom(...'0123456789abcdefg_-.~Z'))
    .map(([at, char]) => real.slice(0, at) + char + real.slice(at + 1));
  const anything = fc.string({ minLength: 1, maxLength: 200, unit: 'grapheme-ascii' });
  const token = fc.oneof(changed, anything.map(encodeURIComponent));
  await fc.assert(
    fc.asyncProperty(token, async (text) => {
      if (text === real) return;
      expect((await send('GET', '/api/admin/workflows', { token: text })).status).toBe(401);
    }),
    { seed: SEED, numRuns: 500 },
  );
  await expectNobodyWoke();
});

test('what anyone may ask of a tenant by its name leaves nothing behind when there is none', async () => {
  for (let count = 0; count < 20; count += 1) {
    const name = `${NOBODY}-${count}`;
    expect((await send('GET', `/.well-known/webhook-keys/${name}`)).status).toBe(404);
    for (const vendor of ['shopify', 'stripe'])
      expect((await send('POST', `/api/hooks/${name}/${vendor}`, { body: {} })).status).toBe(401);
    const tables = await runInDurableObject(tenantObject(env, name), (_object, { storage }) =>
      storage.sql.exec('SELECT name FROM sqlite_master').toArray(),
    );
    expect(tables).toEqual([]);
  }
});
