/** Sending once more: one message, or all that a destination has missed since a time. */
import { runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { Webhook } from 'standardwebhooks';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { JsonObject } from '../../../src/contract/json.ts';
import { missedMessages } from '../../../src/db/deliveries.ts';
import { tenantObject } from '../../../src/objects/index.ts';
import { answer, FINE, type Reply, type Taken } from '../../fixtures/receiver/script.ts';
import { eraseWhole } from '../privacy/support.ts';
import { textAt } from '../support/answers.ts';
import type { Tenant } from '../support/api.ts';
import { openAddress, type RealAddress } from '../support/real-receiver.ts';
import {
  auditOf,
  DELIVERIES,
  DESTINATIONS,
  detailOf,
  endOf,
  forward,
  HOUR_MS,
  historyOf,
  logOf,
  messagesAt,
  nextAttemptOf,
  ONCE,
  passTime,
  passToNextAttempt,
  realTime,
  recordWith,
  type Sending,
  sendAndEnd,
  sendingTenant,
  startRun,
} from './support.ts';

afterEach(realTime);

const REDELIVER = `${DELIVERIES}/redeliver`;
const SINCE = `${DELIVERIES}/redeliver-since`;
const LONG_AGO = '2020-01-01T00:00:00Z';

interface Sender extends Sending {
  readonly address: RealAddress;
}

async function sender(replies: readonly Reply[], step: JsonObject = ONCE): Promise<Sender> {
  const sending = await sendingTenant();
  const address = await openAddress(replies);
  await forward(sending.tenant, address.url, step);
  return { ...sending, address };
}

function since({ tenant, address }: Sender, time = LONG_AGO) {
  return tenant.post(SINCE, { destination: address.url, since: time });
}

/** The numbers that were sent as `n`, in the order in which they came. */
async function numbersAt(address: RealAddress): Promise<number[]> {
  return (await address.taken()).map(({ body }) => JSON.parse(body).data.n);
}

const idOf = ({ headers }: Taken) => headers['webhook-id'];

/** Runs with these numbers, one after the other. */
async function sendNumbers(tenant: Tenant, ...numbers: number[]): Promise<string[]> {
  const runs: string[] = [];
  for (const n of numbers) runs.push(await sendAndEnd(tenant, { n }));
  return runs;
}

/** Whatever is due to be sent once more is given out. */
async function poke(tenant: Tenant): Promise<void> {
  await tenantObject(env, tenant.id).poke();
}

/** Until when each parcel waits that is to be sent once more. */
async function waitingOf(tenant: Tenant): Promise<unknown[]> {
  return await runInDurableObject(tenantObject(env, tenant.id), (_, { storage }) =>
    storage.sql
      .exec('SELECT until FROM redeliveries ORDER BY id')
      .toArray()
      .map(({ until }) => until),
  );
}

/** Waits until nothing is to be sent once more. */
async function nothingWaits(tenant: Tenant): Promise<void> {
  await vi.waitFor(async () => expect(await waitingOf(tenant)).toEqual([]), 10_000);
}

describe('one message', () => {
  test('is sent again to the letter, under its id, with a fresh time and signature', async () => {
    const all = await sender([]);
    const { tenant, address, secret } = all;
    const data = { 'é 2': [1e21, 0.1, -5, null, true], '1': { b: 'x\u2028"\\', a: '' } };
    const extensions = { traceparent: '00-ab-cd-01', comexampleshop: 7, urgent: true };
    const event = {
      id: 'their id',
      source: '/a b'.replace(' ', '%20'),
      subject: 'S',
      ...extensions,
    };
    const runId = await startRun(tenant, data, event);
    expect(await endOf(tenant, runId)).toBe('succeeded');
    const before = await historyOf(tenant, runId);
    const [row] = await logOf(tenant, '', 1);
    passTime(HOUR_MS);
    const asked = await tenant.post(REDELIVER, { id: row?.id ?? '' });
    expect(asked.status).toBe(202);
    expect(asked.body).toMatchObject({ queued: 1, more: false });

    const [again] = await logOf(tenant, '', 2);
    expect(again).toMatchObject({
      status: 'delivered',
      redelivery: true,
      attempt: 0,
      runId,
      stepId: 'send',
      webhookId: row?.webhookId,
      responseStatus: 200,
    });
    const [first, second, ...more] = await address.taken();
    expect(more).toEqual([]);
    expect(second?.body).toBe(first?.body);
    expect(JSON.parse(first?.body ?? '')).toMatchObject({ ...extensions, data });
    expect(second?.headers['webhook-id']).toBe(first?.headers['webhook-id']);
    const times = [first, second].map((one) => Number(one?.headers['webhook-timestamp']));
    expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThanOrEqual(3_600);
    new Webhook(secret).verify(second?.body ?? '', { ...second?.headers });
    const detail = await detailOf(tenant, again?.id ?? '');
    expect(detail).toMatchObject({
      request: { body: first?.body, headers: { 'webhook-timestamp': String(times[1]) } },
      response: { status: 200, body: 'noted' },
    });
    expect(await historyOf(tenant, runId)).toEqual(before);
    expect(await auditOf(tenant, 'delivery.redelivered')).toMatchObject([
      {
        actor: { type: 'api_key' },
        target: { type: 'delivery', id: row?.id },
        data: { destination: address.url, count: 1 },
      },
    ]);
  });

  test('keeps its own method, headers and body', async () => {
    const { tenant } = await sendingTenant();
    const address = await openAddress([answer(500), FINE]);
    const input = {
      url: `${address.url}?key=1`,
      method: 'PATCH',
      headers: { 'X-Shop': 'a b', 'Content-Type': 'application/vnd.example+json' },
      body: ['{{ event.data.n }}', { of: '{{ event.id }}' }],
    };
    await forward(tenant, input.url, { with: input, ...ONCE });
    await sendAndEnd(tenant, { n: 7 });
    const [row] = await logOf(tenant, '', 1);
    await tenant.post(REDELIVER, { id: row?.id ?? '' });
    await logOf(tenant, 'status=delivered', 1);
    const [first, second] = await address.taken();
    for (const field of ['method', 'path', 'body'] as const)
      expect(second?.[field]).toBe(first?.[field]);
    expect(second?.headers).toMatchObject({
      'x-shop': 'a b',
      'content-type': 'application/vnd.example+json',
    });
    expect(first).toMatchObject({ method: 'PATCH' });
  });

  test('of a run that failed is delivered; the run has failed all the same', async () => {
    const { tenant, address } = await sender([answer(500), FINE]);
    const runId = await sendAndEnd(tenant);
    const [row] = await logOf(tenant, '', 1);
    await tenant.post(REDELIVER, { id: row?.id ?? '' });
    await logOf(tenant, 'status=delivered', 1);
    await recordWith(tenant, address.url, null);
    expect(await endOf(tenant, runId)).toBe('failed');
  });

  test('that is refused again is tried some times more, and each time is in the log', async () => {
    const { tenant, address } = await sender([answer(500)]);
    await sendAndEnd(tenant);
    const [row] = await logOf(tenant, '', 1);
    await tenant.post(REDELIVER, { id: row?.id ?? '' });
    for (let tries = 1; tries <= 6; tries += 1) {
      await recordWith(tenant, address.url, { failures: 1 + tries });
      passTime(5 * 60_000);
      await poke(tenant);
    }
    await nothingWaits(tenant);
    const rows = await logOf(tenant, 'status=failed', 7);
    expect(rows.filter(({ redelivery }) => redelivery)).toHaveLength(6);
    expect(await address.taken()).toHaveLength(7);
    await messagesAt(address, 1);
  });

  test('waits as long as its receiver asks for', async () => {
    const busy = answer(429, { headers: { 'retry-after': '600' } });
    const { tenant, address } = await sender([FINE, busy, FINE]);
    await sendAndEnd(tenant);
    const [row] = await logOf(tenant, '', 1);
    passTime(0);
    await tenant.post(REDELIVER, { id: row?.id ?? '' });
    await logOf(tenant, '', 2);
    expect(await waitingOf(tenant)).toEqual([Date.now() + 600_000]);
    passTime(600_000);
    await poke(tenant);
    await logOf(tenant, 'status=delivered', 2);
    await nothingWaits(tenant);
    expect(await address.taken()).toHaveLength(3);
  });

  test('is asked for by an admin of its own tenant alone', async () => {
    const [mine, theirs] = [await sender([]), await sender([])];
    await sendAndEnd(mine.tenant);
    const [row] = await logOf(mine.tenant, '', 1);
    const body = { id: row?.id ?? '' };
    for (const role of ['viewer', 'approver'] as const)
      expect((await mine.tenant.post(REDELIVER, body, { role })).status).toBe(403);
    expect((await theirs.tenant.post(REDELIVER, body)).status).toBe(404);
    const missing = await mine.tenant.post(REDELIVER, {
      id: 'dlv_019a6b3c5d7e7f8091a2b3c4d5e6f708',
    });
    expect(missing.status).toBe(404);
    expect(await mine.address.taken()).toHaveLength(1);
  });
});

describe('all since a time', () => {
  test('are those that failed, each once, and none that was delivered', async () => {
    const all = await sender([FINE, answer(500), FINE, answer(500), answer(500), FINE]);
    const { tenant, address } = all;
    await sendNumbers(tenant, 1, 2, 3, 4, 5);
    await logOf(tenant, '', 5);
    const asked = await since(all);
    expect([asked.status, asked.body.queued, asked.body.more]).toEqual([202, 3, false]);
    await logOf(tenant, 'status=delivered', 5);
    const numbers = await numbersAt(address);
    expect(numbers.slice(0, 5)).toEqual([1, 2, 3, 4, 5]);
    expect(numbers.slice(5).toSorted()).toEqual([2, 4, 5]);
    expect((await since(all)).body.queued).toBe(0);
    expect(await auditOf(tenant, 'delivery.redelivered')).toMatchObject([
      { target: { type: 'destination' }, data: { destination: address.url, count: 3 } },
    ]);
  });

  test('begin with the very time at which the destination began to fail', async () => {
    const all = await sender([answer(500), answer(500), FINE]);
    const { tenant, address } = all;
    await sendNumbers(tenant, 1, 2);
    const record = await recordWith(tenant, address.url, { failures: 2 });
    await logOf(tenant, '', 2);
    expect((await since(all, record?.failingSince ?? '')).body.queued).toBe(2);
    const later = new Date(Date.parse(record?.lastFailureAt ?? '') + 1).toISOString();
    expect((await since(all, later)).body.queued).toBe(0);
    await logOf(tenant, 'status=delivered', 2);
  });

  test('leave out what its own run has delivered in the meantime, or an admin', async () => {
    const twice = { retry: { attempts: 2, delay: '1h' } };
    const all = await sender([answer(500), answer(500), answer(500)], twice);
    const { tenant, address } = all;
    const runs = [];
    for (const n of [1, 2, 3]) {
      runs.push(await startRun(tenant, { n }));
      await logOf(tenant, 'status=failed', n);
    }
    await address.react({ replies: [] });
    await passToNextAttempt(tenant, runs[0] ?? '');
    await endOf(tenant, runs[0] ?? '');
    const [second] = await logOf(tenant, `runId=${runs[1]}`, 1);
    await tenant.post(REDELIVER, { id: second?.id ?? '' });
    await logOf(tenant, 'status=delivered', 2);
    expect((await since(all)).body.queued).toBe(1);
    await logOf(tenant, 'status=delivered', 3);
    expect(await numbersAt(address)).toEqual([1, 2, 3, 1, 2, 3]);
  });

  test('leave out what an admin has delivered, also when its run has failed again since', async () => {
    const twice = { retry: { attempts: 2, delay: '1h' } };
    const all = await sender([answer(500), FINE, answer(500)], twice);
    const { tenant } = all;
    const runId = await startRun(tenant, { n: 1 });
    const [row] = await logOf(tenant, 'status=failed', 1);
    await tenant.post(REDELIVER, { id: row?.id ?? '' });
    await logOf(tenant, 'status=delivered', 1);
    await passToNextAttempt(tenant, runId);
    expect(await endOf(tenant, runId)).toBe('failed');
    await logOf(tenant, 'status=failed', 2);
    expect((await since(all)).body.queued).toBe(0);
  });

  test('asked for twice at once are sent once', async () => {
    const all = await sender([answer(500)]);
    const { tenant, address } = all;
    await sendNumbers(tenant, 1, 2, 3);
    await logOf(tenant, '', 3);
    await address.react({ replies: [{ kind: 'held' }] });
    const [first, second] = [await since(all), await since(all)];
    expect([first.body.queued, second.body.queued]).toEqual([3, 0]);
    await vi.waitFor(async () => expect(await address.taken()).toHaveLength(6), 10_000);
    await address.react({ replies: [] });
    await logOf(tenant, 'status=delivered', 3);
    expect(await address.taken()).toHaveLength(6);
  });

  test('are more than one parcel: each comes once, the oldest parcel first', async () => {
    const all = await sender([answer(503)]);
    const { tenant, address } = all;
    const count = 65;
    await tenant.events(
      Array.from({ length: count }, (_, n) => ({ type: 'custom.thing', data: { n } })),
    );
    const failed = (await logOf(tenant, 'status=failed', count)).toReversed();
    const came = await address.taken();
    await address.react({ replies: [] });
    expect((await since(all)).body.queued).toBe(count);
    await logOf(tenant, 'status=delivered', count);
    const again = (await address.taken()).slice(came.length).map(idOf);
    const parcels = (ids: (string | undefined)[]) =>
      [0, 20, 40, 60].map((from) => ids.slice(from, from + 20).toSorted());
    expect(parcels(again)).toEqual(parcels(failed.map(({ webhookId }) => webhookId)));
    await messagesAt(address, count);
  });

  test('go on after a receiver that refuses some: the others are not held up', async () => {
    const all = await sender([answer(500)]);
    const { tenant, address } = all;
    await sendNumbers(tenant, 1, 2, 3);
    await logOf(tenant, '', 3);
    await address.react({ replies: [FINE, FINE, FINE, answer(500), FINE] });
    await since(all);
    // The one that was refused is sent again at once: between them no count is sure to be seen.
    await logOf(tenant, 'status=failed', 4);
    passTime(10_000);
    await poke(tenant);
    await logOf(tenant, 'status=delivered', 3);
    await messagesAt(address, 3);
  });

  test('of a destination that is disabled are refused, as is a single one', async () => {
    const all = await sender([answer(500)]);
    const { tenant, address } = all;
    await sendAndEnd(tenant);
    const [row] = await logOf(tenant, '', 1);
    await tenant.post(`${DESTINATIONS}/disable`, { url: address.url });
    for (const refused of [await since(all), await tenant.post(REDELIVER, { id: row?.id ?? '' })]) {
      expect(refused.status).toBe(409);
      expect(textAt(refused, 'detail')).toContain('enable it first');
    }
    await sendAndEnd(tenant);
    await address.react({ replies: [] });
    await tenant.post(`${DESTINATIONS}/enable`, { url: address.url });
    await logOf(tenant, 'status=failed', 2);
    expect((await since(all)).body.queued).toBe(2);
    await logOf(tenant, 'status=delivered', 2);
    await messagesAt(address, 2);
  });

  test('end when the receiver answers 410 in the midst of them', async () => {
    const all = await sender([answer(503)]);
    const { tenant, address } = all;
    const events = Array.from({ length: 45 }, (_, n) => ({ type: 'custom.thing', data: { n } }));
    await tenant.events(events);
    await logOf(tenant, 'status=failed', 45);
    await address.react({ replies: [answer(410)] });
    expect((await since(all)).body.queued).toBe(45);
    await recordWith(tenant, address.url, { state: 'disabled', reason: 'gone' });
    await nothingWaits(tenant);
    const came = (await address.taken()).length - 45;
    expect(came).toBeGreaterThanOrEqual(1);
    expect(came).toBeLessThanOrEqual(20);
  });

  test('of another tenant at the same address stay where they are', async () => {
    const mine = await sender([answer(500)]);
    const theirs = await sendingTenant();
    await forward(theirs.tenant, mine.address.url);
    await sendNumbers(mine.tenant, 1);
    await sendNumbers(theirs.tenant, 2);
    await logOf(mine.tenant, '', 1);
    await logOf(theirs.tenant, '', 1);
    await mine.address.react({ replies: [] });
    expect((await since({ ...theirs, address: mine.address })).body.queued).toBe(1);
    await logOf(theirs.tenant, 'status=delivered', 1);
    expect(await numbersAt(mine.address)).toEqual([1, 2, 2]);
    expect((await since({ ...theirs, address: mine.address })).body.queued).toBe(0);
    await logOf(mine.tenant, 'status=delivered', 0);
  });

  test.each(['viewer', 'approver'] as const)('are not for the role %s', async (role) => {
    const { tenant, address } = await sender([]);
    const body = { destination: address.url, since: LONG_AGO };
    expect((await tenant.post(SINCE, body, { role })).status).toBe(403);
  });
});

describe('what was erased', () => {
  test('is not sent again: neither its address nor its content is kept', async () => {
    const { tenant } = await sendingTenant();
    const address = await openAddress([answer(500, { body: 'no carla@example.com here' })]);
    await forward(tenant, `${address.url}?to={{ event.data.email }}`);
    await sendAndEnd(tenant, { email: 'carla@example.com' });
    const [before] = await logOf(tenant, '', 1);
    await tenant.post(REDELIVER, { id: before?.id ?? '' });
    await logOf(tenant, '', 2);
    await address.react({ replies: [] });
    passTime(HOUR_MS);
    await poke(tenant);
    await logOf(tenant, 'status=delivered', 1);
    await nothingWaits(tenant);
    await eraseWhole(tenant, { customer: { email: 'carla@example.com' } }, 'asked for');

    const came = (await address.taken()).length;
    for (const { id, destination } of await logOf(tenant, '', 3)) {
      expect(destination).toBe('[erased]');
      expect(await detailOf(tenant, id)).toMatchObject({ request: null });
      expect((await tenant.get(`${DELIVERIES}/get?id=${id}`)).text).not.toContain('carla');
      expect((await tenant.post(REDELIVER, { id })).status).toBe(404);
    }
    const asked = await tenant.post(SINCE, { destination: address.url, since: LONG_AGO });
    expect(asked.body.queued).toBe(0);
    expect(await waitingOf(tenant)).toEqual([]);
    expect(await address.taken()).toHaveLength(came);
  });
});

test('more than one request takes are told of, and the oldest are taken', async () => {
  const { tenant, address } = await sender([]);
  await env.DB.prepare(
    `INSERT INTO deliveries (tenant_id, id, run_id, step_id, attempt, webhook_id, destination, code,
       started_at, duration_ms)
     WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5001)
     SELECT ?1, printf('dlv_%032d', i), 'run_' || i, 'send', 1, 'run_' || i || '_send', ?2,
       'timeout', '2020-01-01T00:00:00.000Z', 1 FROM n`,
  )
    .bind(tenant.id, address.url)
    .run();
  const asked = await tenant.post(SINCE, {
    destination: address.url,
    since: '1970-01-01T00:00:00Z',
  });
  // Nothing is known of these runs: what is left of them need not be looked for.
  await tenant.post(`${DESTINATIONS}/disable`, { url: address.url });
  expect(asked.body).toMatchObject({ queued: 5_000, more: true });
  await poke(tenant);
  await nothingWaits(tenant);
});

test('a page of what was missed is full of what is still missing', async () => {
  const { tenant, address } = await sender([answer(500)], { retry: { attempts: 2, delay: '1h' } });
  const runs = [];
  for (const n of [1, 2, 3]) {
    runs.push(await startRun(tenant, { n }));
    await logOf(tenant, 'status=failed', n);
  }
  await nextAttemptOf(tenant, runs[2] ?? '');
  await address.react({ replies: [] });
  for (const runId of runs.slice(0, 2)) {
    await passToNextAttempt(tenant, runId);
    await endOf(tenant, runId);
  }
  const missed = await missedMessages(env.DB, tenant.id, address.url, LONG_AGO, 1);
  expect(missed).toEqual([{ runId: runs[2], stepId: 'send' }]);
});

test('a run of which the log was told all at once, in one row, has missed nothing', async () => {
  const { tenant, address } = await sender([]);
  const succeeded = [{ type: 'attempt_succeeded', stepId: 'send' }];
  await env.DB.batch([
    env.DB.prepare(
      `INSERT INTO deliveries (tenant_id, id, run_id, step_id, attempt, webhook_id, destination,
         code, started_at, duration_ms)
       SELECT ?1, 'dlv_0' || value, 'run_' || value, 'send', 1, 'w', ?2, 'timeout', '', 1
       FROM json_each('["told", "lost"]')`,
    ).bind(tenant.id, address.url),
    env.DB.prepare(
      `INSERT INTO runs (tenant_id, id, seq, workflow_id, workflow_name, workflow_version, event_id,
         event_type, status, request_id, correlation_id, created_at, entries)
       VALUES (?1, 'run_told', 4, 'w', 'w', 1, 'e', 't', 'succeeded', 'r', 'c', '', ?2)`,
    ).bind(tenant.id, JSON.stringify(succeeded)),
  ]);
  const missed = await missedMessages(env.DB, tenant.id, address.url, LONG_AGO, 10);
  expect(missed).toEqual([{ runId: 'run_lost', stepId: 'send' }]);
});
