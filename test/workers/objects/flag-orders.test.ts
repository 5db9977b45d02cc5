/** Flags set by hand: whatever gets in between, a change that was made is told, and told once. */
import { env } from 'cloudflare:workers';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { FlagSet } from '../../../src/contract/flags.ts';
import { listEvents } from '../../../src/db/events.ts';
import { sealConnection } from '../../../src/ports/connections.ts';
import { listFlagChanges } from '../../../src/ports/flag-changes.ts';
import { answer, type Reply } from '../../fixtures/receiver/script.ts';
import { openAddress, type RealAddress } from '../support/real-receiver.ts';
import { expectNothingWaits } from '../support/untold.ts';
import { type Disturbance, disturb, passTime } from './support/disturb.ts';
import { auditChain, quiet, reached } from './support/history.ts';
import {
  addWorkflow,
  by,
  FREELY,
  flagOn,
  openShop,
  setPolicy,
  startOne,
  tenantOf,
} from './support/shop.ts';

beforeEach(() => void vi.spyOn(console, 'error').mockReturnValue());
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const ON = answer(200, { body: '{"enabled":true}' });
const OFF = answer(200, { body: '{"enabled":false}' });
const DONE = answer(200, { body: '' });
const AWAY = answer(503);

/** A tenant whose flags are kept by an Unleash that answers as it is told to. */
async function openShopAt(replies: readonly Reply[]): Promise<{ shop: string; at: RealAddress }> {
  const shop = await openShop();
  const at = await openAddress(replies);
  const connection = {
    kind: 'flags',
    service: 'unleash',
    url: at.url,
    environment: 'production',
    apiToken: '*:*.0123456789abcdef',
  } as const;
  const sealed = await sealConnection(env, shop, connection, new Date().toISOString());
  const set = await tenantOf(shop).setConnection(sealed, 'connection.set', by('owner'));
  expect(set.ok).toBe(true);
  return { shop, at };
}

async function order(shop: string, enabled = true, more: Partial<FlagSet> = {}) {
  return await tenantOf(shop).setFlag({ key: 'sale', enabled, ...more }, by('ann'));
}

/** The audit entries and events of what was changed, oldest first, once nothing is under way. */
async function told(shop: string) {
  await vi.waitFor(
    async () => {
      await tenantOf(shop).poke();
      await expectNothingWaits(shop);
    },
    { timeout: 12_000, interval: 50 },
  );
  const page = { limit: 50, after: null };
  const { items } = await listEvents(env.DB, shop, { type: 'flags.changed' }, page);
  const audit = (await auditChain(shop)).filter(({ action }) => action === 'flag.set');
  return {
    events: items.map(({ data }) => data).toReversed(),
    audit: audit.map(({ data }) => data),
    changes: (await listFlagChanges(env.DB, shop, undefined, page)).items.toReversed(),
  };
}

const event = (enabled: boolean) => ({ flag: { key: 'sale', enabled }, previous: !enabled });

test('a service that keeps the flag is asked in words of its own, with its own credential', async () => {
  const { shop, at } = await openShopAt([OFF, DONE]);
  const flag = { key: 'sale', enabled: true, previous: false, changed: true };
  expect(await order(shop, true, { comment: 'Go' })).toEqual({ ok: true, flag });
  const taken = await at.taken();
  const path = '/api/admin/projects/default/features/sale/environments/production';
  expect(taken.map((one) => `${one.method} ${one.path.replace(/^\/at\/\d+\/hook/, '')}`)).toEqual([
    `GET ${path}`,
    `POST ${path}/on`,
  ]);
  for (const { headers } of taken) expect(headers.authorization).toBe('*:*.0123456789abcdef');
  const { changes, ...rest } = await told(shop);
  expect(rest).toMatchObject({
    events: [event(true)],
    audit: [{ key: 'sale', enabled: true, previous: false, comment: 'Go' }],
  });
  expect(changes).toMatchObject([{ service: 'unleash', enabled: true, actor: { name: 'ann' } }]);
});

test('a run switches it as well, and the history says which', async () => {
  const { shop } = await openShopAt([OFF, DONE]);
  await setPolicy(shop, { 'flag.enable': FREELY });
  await addWorkflow(shop, [flagOn('on', 'sale')]);
  const runId = await startOne(shop);
  await reached(shop, runId, 'succeeded');
  const { events, audit, changes } = await told(shop);
  expect(events).toEqual([event(true)]);
  expect(audit).toEqual([]);
  expect(changes).toMatchObject([{ service: 'unleash', runId, stepId: 'on', actor: null }]);
});

test('a service that is away: the caller is told, and it is done once it is back', async () => {
  const { shop } = await openShopAt([AWAY, AWAY, OFF, DONE]);
  expect(await order(shop)).toMatchObject({
    ok: false,
    code: 'unavailable',
    detail: expect.stringMatching(/^Unleash has a fault of its own \(503\)\. It is tried again/),
  });
  expect(await told(shop)).toMatchObject({ events: [event(true)], audit: [{ enabled: true }] });
});

test('orders for one flag are done in turn: the last word counts', async () => {
  const { shop, at } = await openShopAt([AWAY, OFF, DONE, ON, DONE]);
  expect(await order(shop, true)).toMatchObject({ ok: false, code: 'unavailable' });
  expect(await order(shop, false)).toMatchObject({ ok: true, flag: { previous: true } });
  const verbs = (await at.taken()).flatMap(({ path }) => /\/(on|off)$/.exec(path)?.[1] ?? []);
  expect(verbs).toEqual(['on', 'off']);
  expect((await told(shop)).events).toEqual([event(true), event(false)]);
});

test.each([
  [404, '{"message":"There is no feature named \\"sale\\"."}', 'not_found', /no feature named/],
  [401, '{}', 'conflict', /refused the API token/],
  [403, '{"message":"You need UPDATE_FEATURE"}', 'conflict', /UPDATE_FEATURE/],
])(
  'a service that refuses with %d: nothing is changed, and nothing waits',
  async (status, body, code, words) => {
    const { shop } = await openShopAt([answer(status, { body })]);
    const refused = await order(shop);
    expect(refused).toMatchObject({ ok: false, code, detail: expect.stringMatching(words) });
    expect(await told(shop)).toEqual({ events: [], audit: [], changes: [] });
  },
);

test.each<Disturbance>(['evict', 'crash'])(
  'an object that loses its memory (%s) while the service is away forgets nothing',
  async (kind) => {
    const { shop, at } = await openShopAt([AWAY]);
    await order(shop);
    await disturb(kind);
    await at.react({ replies: [OFF, OFF, OFF, OFF, OFF, OFF, OFF, OFF, OFF, OFF] });
    await vi.waitFor(async () => {
      await tenantOf(shop).poke();
      expect((await at.taken()).some(({ method }) => method === 'POST')).toBe(true);
    });
    expect(await told(shop)).toMatchObject({ events: [event(true)], audit: [{ enabled: true }] });
  },
);

test('without its database the product says so, and does it once it is there again', async () => {
  const shop = await openShop();
  await env.DB.prepare('ALTER TABLE flags RENAME TO flags_away').run();
  expect(await order(shop)).toMatchObject({ ok: false, code: 'unavailable' });
  await env.DB.prepare('ALTER TABLE flags_away RENAME TO flags').run();
  expect(await told(shop)).toMatchObject({
    events: [event(true)],
    audit: [{ enabled: true }],
    changes: [{ service: 'signalbox', actor: { name: 'ann' } }],
  });
});

test('after ten minutes it is given up, and the audit says that nobody knows', async () => {
  const { shop } = await openShopAt([AWAY]);
  await order(shop);
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() });
  passTime(600_001);
  const { events, audit } = await told(shop);
  expect(events).toEqual([]);
  expect(audit).toEqual([
    { key: 'sale', enabled: true, comment: null, outcome: 'unknown', code: 'vendor_failed' },
  ]);
});

describe('twenty orders at once', () => {
  test('leave the flag as the last of them said, and tell of each change once', async () => {
    const shop = await openShop();
    const wanted = Array.from({ length: 20 }, (_, n) => n % 2 === 0);
    const answers = await Promise.all(wanted.map((enabled) => order(shop, enabled)));
    expect(answers.every(({ ok }) => ok)).toBe(true);
    await quiet(shop);
    const { events, audit } = await told(shop);
    expect(events).toEqual(wanted.map(event));
    expect(audit.map(({ enabled }) => enabled)).toEqual(wanted);
  });
});
