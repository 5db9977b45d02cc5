/** Tenants and API keys: made once, shown once, revoked at once. */
import { env } from 'cloudflare:workers';
import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../src/contract/json.ts';
import { at, fieldsOf, listAt, textAt } from '../support/answers.ts';
import { newKey, newTenant, send } from '../support/api.ts';
import { firstKeyId } from '../support/credentials.ts';

const KEYS = '/api/admin/api-keys';
const platform = { token: env.PLATFORM_TOKEN };

function createTenant(body: { id: string; name: string }) {
  return send('POST', '/api/platform/tenants/create', { ...platform, body });
}

describe('tenants', () => {
  test('one is made with its first admin key, which works at once', async () => {
    const id = `fresh-${crypto.randomUUID().slice(0, 8)}`;
    const made = await createTenant({ id, name: ' Fresh ' });
    expect(made.body.tenant).toMatchObject({ id, name: 'Fresh' });
    const secret = textAt(made, 'apiKey.secret');
    expect(secret).toMatch(new RegExp(`^sbx_${id}_[0-9a-f]{64}$`));
    expect((await send('GET', KEYS, { token: secret })).status).toBe(200);
  });

  test('making one twice is 409 and takes nothing from the first', async () => {
    const tenant = await newTenant();
    const again = await createTenant({ id: tenant.id, name: 'Again' });
    expect(again.status).toBe(409);
    expect(again.body.code).toBe('conflict');
    expect(listAt(await tenant.get(KEYS, 'admin'))).toHaveLength(1);
  });

  test('of ten at once one is made', async () => {
    const id = `race-${crypto.randomUUID().slice(0, 8)}`;
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => createTenant({ id, name: id })),
    );
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 409)).toHaveLength(9);
  });

  test.each(['', 'a', 'A-B', 'under_score', 'a b', 'a:b', 'a'.repeat(41), '../x', 'ä-ö'])(
    'the id %j is refused',
    async (id) => {
      expect((await createTenant({ id, name: 'Name' })).status).toBe(400);
    },
  );

  test('the list has them, page after page', async () => {
    const one = await newTenant();
    const two = await newTenant();
    const seen = [];
    let cursor = '';
    do {
      const page = await send('GET', `/api/platform/tenants?limit=2${cursor}`, platform);
      seen.push(...fieldsOf(page, 'id'));
      const next = at(page, 'nextCursor');
      cursor = typeof next === 'string' ? `&cursor=${next}` : '';
    } while (cursor !== '');
    expect(seen).toContain(one.id);
    expect(seen).toContain(two.id);
    expect(new Set(seen).size).toBe(seen.length);
  });

  test('its ids may hold hyphens anywhere: keys still name the right tenant', async () => {
    const id = `-${crypto.randomUUID().slice(0, 8)}-`;
    const token = textAt(await createTenant({ id, name: 'Hyphens' }), 'apiKey.secret');
    expect((await send('GET', KEYS, { token })).status).toBe(200);
  });
});

describe('keys', () => {
  test('the secret is in the answer that makes it and nowhere else', async () => {
    const tenant = await newTenant();
    const made = await newKey(await tenant.key('admin'), 'viewer');
    const list = await tenant.get(KEYS, 'admin');
    expect(fieldsOf(list, 'id')).toContain(made.id);
    expect(list.text).not.toContain(made.secret);
    const tail = made.secret.slice(-40);
    for (const path of [KEYS, '/api/admin/audit']) {
      const { text } = await tenant.get(path, 'admin');
      expect(text).not.toContain(tail);
    }
    const prefix = textAt(list, 'items.0.prefix');
    expect(made.secret.startsWith(prefix)).toBe(true);
    expect(made.secret.length - prefix.length).toBeGreaterThan(50);
  });

  test('the list is newest first and tells when a key was last used, to the hour', async () => {
    const tenant = await newTenant();
    const unused = await newKey(await tenant.key('admin'), 'viewer');
    const list = await tenant.get(KEYS, 'admin');
    expect(at(list, 'items.0')).toMatchObject({ id: unused.id, lastUsedAt: null, revokedAt: null });
    expect(at(list, 'items.1.lastUsedAt')).toMatch(/:00:00\.000Z$/);
  });

  test('revoking one takes effect at the next request, and saying it twice is fine', async () => {
    const tenant = await newTenant();
    const key = await newKey(await tenant.key('admin'), 'viewer');
    const use = () => send('GET', '/api/admin/workflows', { token: key.secret });
    expect((await use()).status).toBe(200);
    for (let n = 0; n < 2; n += 1) {
      const revoked = await tenant.post('/api/admin/api-keys/revoke', { id: key.id });
      expect(revoked.status).toBe(200);
      expect(at(revoked, 'apiKey.revokedAt')).toMatch(/Z$/);
      expect((await use()).status).toBe(401);
    }
    const trail = await tenant.get(`/api/admin/audit?action=api_key.revoked&target=${key.id}`);
    expect(listAt(trail)).toHaveLength(1);
  });

  test('the last admin key stays, also when two revoke each other at once', async () => {
    const tenant = await newTenant();
    const first = await firstKeyId(tenant);
    const alone = await tenant.post('/api/admin/api-keys/revoke', { id: first });
    expect(alone.status).toBe(409);
    const second = await newKey(await tenant.key('admin'), 'admin');
    const revoke = (id: string, token: string) =>
      send('POST', '/api/admin/api-keys/revoke', { token, body: { id } });
    const token = await tenant.key('admin');
    const both = await Promise.all([revoke(second.id, token), revoke(first, second.secret)]);
    expect(both.filter(({ status }) => status === 200)).toHaveLength(1);
    const alive = await Promise.all(
      [token, second.secret].map(async (one) => (await send('GET', KEYS, { token: one })).status),
    );
    expect(alive.toSorted()).toEqual([200, 401]);
  });

  test('a role that is none, and a name that is empty, are refused', async () => {
    const tenant = await newTenant();
    const bodies: readonly JsonObject[] = [
      { name: 'Key', role: 'owner' },
      { name: ' ', role: 'viewer' },
      { name: 'x'.repeat(121), role: 'viewer' },
      { name: 'Key', role: 'viewer', secret: 'mine' },
    ];
    for (const body of bodies)
      expect((await tenant.post('/api/admin/api-keys/create', body)).status).toBe(400);
  });

  test('a key for a member that the tenant does not have is 404', async () => {
    const body = { name: 'Key', role: 'viewer', memberId: 'mem_019a6b3c5d7e7f8091a2b3c4d5e6f708' };
    expect((await (await newTenant()).post('/api/admin/api-keys/create', body)).status).toBe(404);
  });

  test('a thousand are the most: 422 says so, and the answer is documented', async () => {
    const tenant = await newTenant();
    const object = env.TENANTS.getByName(`t:${tenant.id}`);
    const by = { actor: { type: 'system', id: 'test', name: 'Test' }, requestId: 'test' } as const;
    for (let n = 1; n < 1_000; n += 1) {
      const key = {
        id: `key_${n}`,
        name: 'Key',
        role: 'viewer',
        prefix: '',
        digest: `${n}`,
      } as const;
      await object.createKey({ ...key, memberId: null }, by);
    }
    const full = await tenant.post('/api/admin/api-keys/create', { name: 'More', role: 'viewer' });
    expect(full.status).toBe(422);
    expect(full.body.code).toBe('limit_reached');
  });
});
