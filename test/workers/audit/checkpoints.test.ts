/** Signed checkpoints: what they say, when they are made, who gets them, what is never signed. */

import { createExecutionContext, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { afterEach, expect, test, vi } from 'vitest';
import { auditKeys } from '../../../src/contract/audit-keys.ts';
import { consistencyProof } from '../../../src/contract/checkpoints.ts';
import { publishedKey } from '../../../src/engine/checkpoint.ts';
import { verifyConsistency } from '../../../src/engine/merkle-proof.ts';
import { auditKeyList } from '../../../src/objects/audit-keys.ts';
import {
  checkpointKey,
  mailCheckpoint,
  STORED_CHECKPOINTS,
  storeCheckpoint,
} from '../../../src/objects/checkpoint-copies.ts';
import type { Stores } from '../../../src/objects/stores.ts';
import worker from '../../../src/worker.ts';
import { addPerson } from '../notices/support.ts';
import { disturb, passTime } from '../objects/support/disturb.ts';
import { quiet } from '../objects/support/history.ts';
import { tenantOf } from '../objects/support/shop.ts';
import { at } from '../support/answers.ts';
import { newTenant, send, type Tenant } from '../support/api.ts';
import {
  CHECKPOINT_PATH,
  check,
  HOUR_MS,
  happen,
  KEYS_PATH,
  listed,
  publishedKeys,
  rowsOf,
  signed,
  withSecrets,
} from './support.ts';

/** Less than the alarm that stands by would take. */
const PATIENCE = { timeout: 5_000, interval: 25 };

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** Lets an hour go by; whatever is due then is done. */
async function anHourLater(tenant: Tenant): Promise<void> {
  passTime(HOUR_MS + 1_000);
  await runDurableObjectAlarm(tenantOf(tenant.id));
  await quiet(tenant.id);
}

test('one that is asked for covers every entry, and verifies with the published key', async () => {
  const tenant = await newTenant();
  await happen(tenant, 6);
  const checkpoint = await signed(tenant);
  expect(checkpoint.size).toBeGreaterThanOrEqual(7);
  expect(await listed(tenant)).toEqual([checkpoint]);
});

test('asking again without a new entry answers the same one, also after a crash', async () => {
  const tenant = await newTenant();
  await tenant.key('viewer');
  const first = await signed(tenant);
  for (const kind of ['nothing', 'evict', 'crash'] as const) {
    await disturb(kind);
    expect(await signed(tenant)).toEqual(first);
  }
  expect(await listed(tenant)).toEqual([first]);
});

test('each goes on from the one before, whatever happened in between', async () => {
  const tenant = await newTenant();
  await tenant.key('viewer');
  const checkpoints = [await signed(tenant)];
  for (const [count, kind] of [
    [1, 'crash'],
    [3, 'evict'],
    [2, 'nothing'],
    [9, 'crash'],
  ] as const) {
    await happen(tenant, count);
    await disturb(kind);
    checkpoints.push(await signed(tenant));
  }
  for (const [index, later] of checkpoints.entries())
    for (const earlier of checkpoints.slice(0, index + 1)) {
      const path = `/api/admin/audit/consistency?from=${earlier.size}&to=${later.size}`;
      const { hashes, ...claim } = consistencyProof.parse((await tenant.get(path)).body);
      const { from, to } = claim;
      const roots = { fromRoot: earlier.root, toRoot: later.root };
      expect(claim).toEqual({ from, to, ...roots });
      expect(verifyConsistency({ from, to, ...roots }, hashes)).toBe(true);
    }
});

test('asked for by many at once while entries come, none contradicts another', async () => {
  const tenant = await newTenant();
  await Promise.all(
    Array.from({ length: 12 }, async (_, n) => {
      await happen(tenant, 1);
      if (n % 2 === 0) await tenantOf(tenant.id).checkpoint();
    }),
  );
  await signed(tenant);
  const keys = await publishedKeys();
  const all = await listed(tenant);
  expect(new Set(all.map(({ size }) => size)).size).toBe(all.length);
  for (const checkpoint of all) await check(tenant, checkpoint, keys);
});

test('one is made for an hour in which something happened, and none for one without', async () => {
  const tenant = await newTenant();
  await tenant.key('viewer');
  expect(await listed(tenant)).toEqual([]);
  await anHourLater(tenant);
  const [first, ...none] = await listed(tenant);
  expect(none).toEqual([]);
  await anHourLater(tenant);
  await anHourLater(tenant);
  expect(await listed(tenant)).toEqual([first]);
  await happen(tenant, 2);
  expect(await listed(tenant)).toHaveLength(1);
  await anHourLater(tenant);
  const [second] = await listed(tenant);
  expect(second?.size).toBe((first?.size ?? 0) + 2);
  expect(await rowsOf(tenant, 'SELECT waiting_since FROM audit_head')).toEqual([
    { waiting_since: null },
  ]);
});

test('a tenant whose entries are all covered sets no alarm', async () => {
  const tenant = await newTenant();
  await signed(tenant);
  await quiet(tenant.id);
  passTime(60_000);
  await runDurableObjectAlarm(tenantOf(tenant.id));
  expect(await runDurableObjectAlarm(tenantOf(tenant.id))).toBe(false);
});

test('what waits to be sent does not wait for a signature, and a signature is sent as well', async () => {
  const tenant = await newTenant();
  await tenant.key('viewer');
  passTime(HOUR_MS + 1_000);
  const signing = Promise.withResolvers<null>();
  const waiting = { size: 999, root: '', at: '', note: 'a parcel that waits' };
  const copy = { tenant: { id: tenant.id, name: 'T' }, checkpoint: waiting };
  await runInDurableObject(tenantOf(tenant.id), (object) => {
    const sign: () => Promise<unknown> = Reflect.get(object, 'signCheckpoint').bind(object);
    Reflect.set(object, 'signCheckpoint', () => signing.promise.then(sign));
    const { outbox }: Stores = Reflect.get(object, 'stores');
    outbox.put(STORED_CHECKPOINTS, copy);
    object.poke().catch(() => undefined);
  });
  const kept = async (size: number) => await env.EXPORTS.head(checkpointKey(tenant.id, size));
  await vi.waitFor(async () => expect(await kept(999)).not.toBeNull(), PATIENCE);
  expect(await listed(tenant)).toEqual([]);
  signing.resolve(null);
  await vi.waitFor(async () => expect(await listed(tenant)).toHaveLength(1), PATIENCE);
  await quiet(tenant.id);
  const [{ size = 0 } = {}] = await listed(tenant);
  expect(await kept(size)).not.toBeNull();
});

test('it is kept in R2, and mailed to admins and to nobody else', async () => {
  const tenant = await newTenant();
  const admin = await addPerson(tenant, 'ada', 'admin');
  await addPerson(tenant, 'vic', 'viewer');
  const { note, size } = await signed(tenant);
  await quiet(tenant.id);
  const kept = await env.EXPORTS.get(checkpointKey(tenant.id, size));
  expect(await kept?.text()).toBe(note);
  const { results } = await env.DB.prepare('SELECT "to", text FROM mailbox WHERE tenant_id = ?')
    .bind(tenant.id)
    .all();
  expect(results).toEqual([
    { to: JSON.stringify([admin.email]), text: expect.stringContaining(`\n\n${note}`) },
  ]);
});

test('a mail that cannot be sent is tried again; one that no service takes, or a week old, is not', async () => {
  const tenant = await newTenant();
  const checkpoint = await signed(tenant);
  const to = { memberId: 'mem_1', name: 'Ada', email: 'ada@example.com' };
  const mail = { tenant: { id: tenant.id, name: 'T' }, checkpoint, to };
  const sent = async () =>
    (await tenant.get('/api/admin/mailbox', 'admin')).text.includes('ada@example.com');
  const unsent = await mailCheckpoint({ ...env, ENVIRONMENT: 'production' }, mail, []);
  expect(unsent).toMatchObject({ blocked: true, afterMs: null, mail: { kind: 'checkpoint' } });
  const at = new Date(Date.now() - 8 * 24 * HOUR_MS).toISOString();
  expect(await mailCheckpoint(env, { ...mail, checkpoint: { ...checkpoint, at } }, [])).toBeNull();
  expect(await sent()).toBe(false);
  await env.DB.prepare('ALTER TABLE mailbox RENAME TO mailbox_away').run();
  await expect(mailCheckpoint(env, mail, [])).rejects.toThrow();
  await env.DB.prepare('ALTER TABLE mailbox_away RENAME TO mailbox').run();
  expect(await mailCheckpoint(env, mail, [])).toBeNull();
  expect(await sent()).toBe(true);
});

test('what is in R2 and in D1 is never replaced', async () => {
  const tenant = await newTenant();
  const { size, note } = await signed(tenant);
  await quiet(tenant.id);
  const forged = { size, root: 'ff'.repeat(32), at: '2026-01-01T00:00:00.000Z', note: 'forged' };
  const copy = { tenant: { id: tenant.id, name: 'T' }, checkpoint: forged };
  await storeCheckpoint(env, copy);
  expect(await (await env.EXPORTS.get(checkpointKey(tenant.id, size)))?.text()).toBe(note);
  for (const sql of [
    "UPDATE checkpoints SET note = 'forged' WHERE tenant_id = ?1",
    'DELETE FROM checkpoints WHERE tenant_id = ?1',
    `INSERT OR REPLACE INTO checkpoints SELECT tenant_id, size, 'ff', note, at FROM checkpoints
       WHERE tenant_id = ?1`,
  ])
    await expect(env.DB.prepare(sql).bind(tenant.id).run()).rejects.toThrow(/append-only/);
});

test.each([
  [
    'set back to a former state',
    async (tenant: Tenant, former: Record<string, unknown>) => {
      await restore(tenant, former);
    },
  ],
  [
    'set back, and grown past the checkpoint on another way',
    async (tenant: Tenant, former: Record<string, unknown>) => {
      await restore(tenant, former);
      await tenantOf(tenant.id).setConnection(
        { kind: 'shopify', settings: {}, secrets: {}, updatedAt: 'now' },
        'connection.set',
        { actor: { type: 'system', id: 'x', name: 'x' }, requestId: 'x' },
      );
      await happen(tenant, 8);
    },
  ],
  [
    'changed in its root',
    async (tenant: Tenant) => {
      await rowsOf(tenant, `UPDATE audit_head SET tree = '["${'ab'.repeat(32)}"]', seq = 8`);
    },
  ],
])('a head that was %s is refused and logged, and nothing is signed', async (_what, change) => {
  const tenant = await newTenant();
  await tenant.key('viewer');
  const [former = {}] = await rowsOf(tenant, 'SELECT * FROM audit_head');
  await happen(tenant, 4);
  const last = await signed(tenant);
  await happen(tenant, 1);
  await change(tenant, former);
  const lines: string[] = [];
  vi.spyOn(console, 'error').mockImplementation((line) => void lines.push(String(line)));
  const refused = await tenant.post(CHECKPOINT_PATH, {});
  expect(refused.status, refused.text).toBe(409);
  expect(refused.body.code).toBe('conflict');
  expect(lines.join('\n')).toContain('"what":"checkpoint_refused"');
  expect(await listed(tenant)).toEqual([last]);
});

async function restore(tenant: Tenant, row: Record<string, unknown>): Promise<void> {
  const names = Object.keys(row).filter((name) => name !== 'one');
  const sets = names.map((name) => `${name} = ?`).join(', ');
  const values = names.map((name) => {
    const value = row[name];
    return typeof value === 'number' ? value : value === null ? 0 : String(value);
  });
  await rowsOf(tenant, `UPDATE audit_head SET ${sets}`, ...values);
}

test('without a key there are none: 503 says so, and the hourly one is passed over', async () => {
  const tenant = await newTenant();
  await tenant.key('viewer');
  await withSecrets(tenant, { AUDIT_KEY: '' });
  const refused = await tenant.post(CHECKPOINT_PATH, {});
  expect(refused.status).toBe(503);
  expect(refused.body.code).toBe('unavailable');
  await anHourLater(tenant);
  expect(await listed(tenant)).toEqual([]);
});

test('after a rotation the old ones verify by the retired key and the log goes on', async () => {
  const tenant = await newTenant();
  await tenant.key('viewer');
  const old = await signed(tenant);
  const [oldKey] = await auditKeyList(env);
  const until = new Date().toISOString();
  const next = { AUDIT_KEY: 'another-long-random-text-for-the-next-key' };
  const retired = JSON.stringify([{ ...oldKey, until }]);
  const list = await auditKeyList({ ...next, AUDIT_KEYS_RETIRED: retired });
  expect(list.map((key) => key.until)).toEqual([undefined, until]);
  expect(list[0]?.from).toBe(until);
  await withSecrets(tenant, next);
  await happen(tenant, 3);
  const made = await tenantOf(tenant.id).checkpoint();
  if (!made.ok) throw new Error(made.detail);
  const keys = list.map(publishedKey);
  for (const checkpoint of [old, made.checkpoint]) await check(tenant, checkpoint, keys);
  await expect(check(tenant, made.checkpoint, keys.slice(1))).rejects.toThrow('none of the known');
});

test('the keys are there for anyone, for five minutes; retired ones that are wrong are refused', async () => {
  const { status, headers, text } = await send('GET', KEYS_PATH);
  expect(status).toBe(200);
  expect(headers.get('content-type')).toBe('application/json');
  expect(headers.get('cache-control')).toBe('public, max-age=300');
  expect(text).not.toContain(env.AUDIT_KEY);
  const [key] = await auditKeyList(env);
  for (const wrong of ['{}', 'x', JSON.stringify([key]), JSON.stringify([{ ...key, until: 'x' }])])
    await expect(auditKeyList({ AUDIT_KEYS_RETIRED: wrong })).rejects.toThrow();
  const named = [{ ...key, id: '00000000', until: '2026-01-01T00:00:00.000Z' }];
  await expect(auditKeyList({ AUDIT_KEYS_RETIRED: JSON.stringify(named) })).rejects.toThrow();
  expect(await auditKeyList({})).toEqual([]);
});

test('the list has the retired keys after the one in use; a wrong list is a fault, not a shorter one', async () => {
  const [key] = await auditKeyList(env);
  const retired = { ...key, until: '2026-02-01T00:00:00.000Z' };
  const served = async (more: Partial<typeof env>) => {
    const context = createExecutionContext();
    const request = new Request(`https://api.test${KEYS_PATH}`);
    const response = await worker.fetch(request, { ...env, ...more }, context);
    return { status: response.status, body: await response.json() };
  };
  const AUDIT_KEY = 'the-next-key-the-next-key-the-next-key';
  const now = await served({ AUDIT_KEY, AUDIT_KEYS_RETIRED: JSON.stringify([retired]) });
  expect(now.status).toBe(200);
  const { keys } = auditKeys.parse(now.body);
  expect(keys.map(({ until }) => until)).toEqual([undefined, retired.until]);
  expect(keys[0]?.from).toBe(retired.until);
  expect(keys[1]).toEqual(retired);
  for (const wrong of ['x', JSON.stringify([{ ...retired, id: '00000000' }])]) {
    const refused = await served({ AUDIT_KEYS_RETIRED: wrong });
    expect(refused).toMatchObject({ status: 503, body: { code: 'unavailable' } });
  }
});

test('a viewer may read them and not ask for one; another tenant sees none', async () => {
  const [tenant, other] = [await newTenant(), await newTenant()];
  await signed(tenant);
  expect((await tenant.post(CHECKPOINT_PATH, {}, { role: 'viewer' })).status).toBe(403);
  expect(await listed(tenant)).toHaveLength(1);
  expect(await listed(other)).toEqual([]);
  expect(at(await send('GET', '/api/admin/audit/checkpoints'), 'code')).toBe('unauthenticated');
});
