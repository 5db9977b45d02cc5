/**
 * The sealing key is changed: every sealed text of every tenant goes under the new one, while tenants
 * are written to; nothing is lost, and what is left under the former key is told.
 */
import { runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { JsonObject } from '../../src/contract/json.ts';
import type { Env } from '../../src/env.ts';
import { tenantObject } from '../../src/objects/index.ts';
import { type Resealing, resealTenants } from '../../src/objects/resealing.ts';
import { openSecret } from '../../src/ports/connections.ts';
import { ROUTES } from '../../src/routes/index.ts';
import { keyIdOf, sealKeyId } from '../../src/sealed.ts';
import { fieldsOf, textAt } from './support/answers.ts';
import { eventually, newTenant, send, type Tenant } from './support/api.ts';

const OLD = env.SEAL_KEY;
const NEW = 'the-next-seal-key-0123456789abcdef0123456';
const during: Env = { ...env, SEAL_KEY: NEW, SEAL_KEYS_RETIRED: OLD };
const after: Env = { ...env, SEAL_KEY: NEW };
const BY = {
  actor: { type: 'platform', id: 'platform', name: 'Platform operator' },
  requestId: 'r',
} as const;
const STRIPE = { kind: 'stripe', webhookSecret: 'whsec_stripe_secret_1', apiKey: 'sk_test_0123' };

afterEach(() => vi.restoreAllMocks());

/** A tenant with a few secrets, and so many answers by Idempotency-Key. */
async function tenantWith(answers: number): Promise<Tenant> {
  const tenant = await newTenant();
  await tenant.post('/api/admin/connections/set', STRIPE);
  await tenant.post('/api/admin/connections/rotate', { kind: 'webhook' });
  for (let n = 0; n < answers; n += 1)
    await tenant.post(
      '/api/admin/api-keys/create',
      { name: `Key ${n}`, role: 'viewer' },
      { headers: { 'idempotency-key': `key-${n}` } },
    );
  return tenant;
}

/** Every sealed text that the tenant's object has, read from its tables. */
async function sealedIn({ id }: Tenant): Promise<string[]> {
  return await runInDurableObject(tenantObject(env, id), (_instance, { storage }) => {
    const texts = (sql: string) =>
      storage.sql
        .exec<{ text: string }>(sql)
        .toArray()
        .map(({ text }) => text);
    const connections = texts(`SELECT value AS text FROM settings WHERE name LIKE 'connection:%'`);
    const answers = texts(`SELECT answer AS text FROM idempotency WHERE answer <> ''`);
    return [...connections.join().matchAll(/v1\.[\w-]{8}\.[\w.-]+/g), ...answers].map(String);
  });
}

async function keysIn(tenant: Tenant): Promise<(string | null)[]> {
  return [...new Set((await sealedIn(tenant)).map(keyIdOf))];
}

const rotate = async (tenants: readonly Tenant[], keys = during): Promise<Resealing> =>
  await resealTenants(
    keys,
    tenants.map(({ id }) => id),
    BY,
  );

describe('a new sealing key', () => {
  test('is taken by all secrets and answers, once, and nothing is left under the former one', async () => {
    const tenants = [await tenantWith(3), await tenantWith(0)];
    const counts = await Promise.all(tenants.map(async (one) => (await sealedIn(one)).length));
    const all = counts.reduce((sum, count) => sum + count, 0);
    expect(all).toBeGreaterThan(9);
    const first = await rotate(tenants);
    expect(first).toEqual({ keyId: await sealKeyId(after), resealed: all, left: {}, failed: [] });
    for (const tenant of tenants) expect(await keysIn(tenant)).toEqual([first.keyId]);
    expect(await rotate(tenants)).toMatchObject({ resealed: 0, left: {}, failed: [] });
    const [tenant] = tenants;
    const connection = await tenantObject(env, tenant?.id ?? '').sealedConnection('stripe');
    const open = (keys: Env) => openSecret(keys, tenant?.id ?? '', connection, 'apiKey');
    expect([await open(after), await open(env)]).toEqual([STRIPE.apiKey, null]);
  });

  test('is in the audit trail of each tenant, with how many', async () => {
    const tenant = await tenantWith(1);
    const { resealed } = await rotate([tenant]);
    const trail = await eventually(
      () => tenant.get('/api/admin/audit?action=secrets.resealed'),
      (list) => expect(fieldsOf(list, 'data')).toEqual([{ count: resealed }]),
    );
    expect(textAt(trail, 'items.0.actor.id')).toBe('platform');
    await rotate([tenant]);
    const again = await tenant.get('/api/admin/audit?action=secrets.resealed');
    expect(fieldsOf(again, 'action')).toHaveLength(1);
  });

  test('keeps the overlap of a secret that is being rotated', async () => {
    const tenant = await tenantWith(0);
    await tenant.post('/api/admin/connections/set', { ...STRIPE, webhookSecret: 'whsec_second_2' });
    await rotate([tenant]);
    const connection = await tenantObject(env, tenant.id).sealedConnection('stripe');
    const open = (name: string) => openSecret(after, tenant.id, connection, name);
    expect(await Promise.all(['webhookSecret', 'previousWebhookSecret'].map(open))).toEqual([
      'whsec_second_2',
      STRIPE.webhookSecret,
    ]);
    expect(connection?.settings.previousUntil).toMatch(/Z$/);
  });
});

/** The route itself, served with other keys than the test's own. */
async function set(tenant: Tenant, keys: Env, body: JsonObject): Promise<void> {
  const route = ROUTES.find(({ path }) => path === '/api/admin/connections/set');
  const request = new Request('https://api.test/api/admin/connections/set', { method: 'POST' });
  const served = { request, env: keys, requestId: 'r', params: {}, told: {}, defer: () => {} };
  const actor = { type: 'api_key', id: 'key_1', name: 'Key' } as const;
  const caller = {
    tenantId: tenant.id,
    actor,
    role: 'admin',
    inPerson: false,
    keyId: 'key_1',
    standsInFor: [],
  } as const;
  expect(await route?.serve(served, { caller }, body)).not.toMatchObject({ ok: false });
}

test('while connections are set, none goes missing and none is left under the former key', async () => {
  const tenant = await tenantWith(2);
  const writing = Array.from({ length: 30 }, async (_, n) => {
    await set(tenant, during, { ...STRIPE, webhookSecret: `whsec_changed_${n}` });
  });
  const passes = Array.from({ length: 8 }, () => rotate([tenant]));
  await Promise.all([...writing, ...passes]);
  await rotate([tenant]);
  expect(await keysIn(tenant)).toEqual([await sealKeyId(after)]);
  const connection = await tenantObject(env, tenant.id).sealedConnection('stripe');
  const opened = await Promise.all(
    Object.keys(connection?.secrets ?? {}).map((name) =>
      openSecret(after, tenant.id, connection, name),
    ),
  );
  expect(opened).not.toContain(null);
});

test('a Worker of before that writes late is found by the next pass', async () => {
  const tenant = await tenantWith(0);
  await rotate([tenant]);
  await set(tenant, env, { ...STRIPE, webhookSecret: 'whsec_written_late' });
  expect(await rotate([tenant])).toMatchObject({ resealed: 2, left: {} });
  expect(await keysIn(tenant)).toEqual([await sealKeyId(after)]);
});

describe('what does not open', () => {
  test('is left as it is, and counted by the key that it needs', async () => {
    const tenant = await tenantWith(1);
    const before = await sealedIn(tenant);
    const old = await sealKeyId(env);
    const without = await rotate([tenant], after);
    expect(without).toMatchObject({ resealed: 0, left: { [old]: before.length } });
    expect(await sealedIn(tenant)).toEqual(before);
  });

  test('because it was moved from another tenant, stays closed', async () => {
    const [victim, thief] = [await tenantWith(0), await tenantWith(0)];
    const stolen = await tenantObject(env, victim.id).sealedConnection('stripe');
    await runInDurableObject(tenantObject(env, thief.id), (_instance, { storage }) => {
      storage.sql.exec(
        `UPDATE settings SET value = ? WHERE name = 'connection:stripe'`,
        JSON.stringify(stolen),
      );
    });
    const { left } = await rotate([thief]);
    expect(left).toEqual({ [await sealKeyId(env)]: 2 });
    const connection = await tenantObject(env, thief.id).sealedConnection('stripe');
    expect(await openSecret(during, thief.id, connection, 'apiKey')).toBeNull();
  });

  test('of one tenant keeps no other from being gone through', async () => {
    vi.spyOn(console, 'error').mockImplementation(() => {});
    const [broken, fine] = [await tenantWith(0), await tenantWith(0)];
    await runInDurableObject(tenantObject(env, broken.id), (_instance, { storage }) => {
      storage.sql.exec(`UPDATE settings SET value = '{' WHERE name = 'connection:stripe'`);
    });
    const { failed } = await rotate([broken, fine]);
    expect(failed).toEqual([broken.id]);
    expect(await keysIn(fine)).toEqual([await sealKeyId(after)]);
  });
});

describe('the route', () => {
  const post = (body: JsonObject) =>
    send('POST', '/api/platform/keys/rotate', { token: env.PLATFORM_TOKEN, body });

  test('goes through all tenants, page by page, each once', async () => {
    vi.spyOn(console, 'error').mockImplementation(() => {});
    for (let n = 0; n < 3; n += 1) await newTenant();
    let tenants = 0;
    let pages = 0;
    for (let cursor: string | null | undefined; cursor !== null; pages += 1) {
      const { status, body } = await post(
        cursor === undefined ? { limit: 4 } : { limit: 4, cursor },
      );
      expect(status).toBe(200);
      expect(body).toMatchObject({ keyId: await sealKeyId(env), retiredKeyIds: [] });
      tenants += Number(body.tenants);
      cursor = typeof body.nextCursor === 'string' ? body.nextCursor : null;
    }
    const all = await env.DB.prepare('SELECT count(*) AS n FROM tenants').first<{ n: number }>();
    expect(tenants).toBe(all?.n);
    expect(pages).toBe(Math.ceil(tenants / 4));
  });

  test('refuses a cursor of another list, and whoever is not the operator', async () => {
    expect((await post({ cursor: btoa('tenants|x') })).status).toBe(400);
    const token = await (await newTenant()).key('admin');
    expect((await send('POST', '/api/platform/keys/rotate', { token, body: {} })).status).toBe(401);
  });
});

test('an answer that was sealed under a former key is given again', async () => {
  const tenant = await newTenant();
  const headers = { 'idempotency-key': 'once' };
  const create = () =>
    tenant.post('/api/admin/api-keys/create', { name: 'A', role: 'viewer' }, { headers });
  const first = await create();
  await resealTenants({ ...env, SEAL_KEY: NEW, SEAL_KEYS_RETIRED: OLD }, [tenant.id], BY);
  await resealTenants({ ...env, SEAL_KEY: OLD, SEAL_KEYS_RETIRED: NEW }, [tenant.id], BY);
  const again = await create();
  expect(again.text).toBe(first.text);
  expect(again.headers.get('idempotency-replayed')).toBe('true');
});
