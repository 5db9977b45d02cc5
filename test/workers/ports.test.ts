/** The embedded adapters on real D1 and R2: effects happen once, and in one tenant only. */
import { env } from 'cloudflare:workers';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Json, Money } from '../../src/contract/json.ts';
import type { Outcome } from '../../src/engine/plan.ts';
import { embeddedCommerce } from '../../src/ports/commerce.ts';
import { listMailbox, localMailbox } from '../../src/ports/email.ts';
import { readableExport } from '../../src/ports/export-files.ts';
import { listExports } from '../../src/ports/export-rows.ts';
import { embeddedExports } from '../../src/ports/exports.ts';
import { type FedEvent, feedOrders } from '../../src/ports/feed-orders.ts';
import { embeddedFlags, listFlags } from '../../src/ports/flags.ts';
import type { Email, PortCall } from '../../src/ports/index.ts';
import { getOrder, listOrders } from '../../src/ports/orders.ts';

const { DB, EXPORTS } = env;
const commerce = embeddedCommerce(DB);
const flags = embeddedFlags(DB);
const mail = localMailbox(DB);
const files = embeddedExports({ db: DB, bucket: EXPORTS });

const NOON = Date.parse('2026-03-01T12:00:00.000Z');
const FIRST_PAGE = { limit: 50, after: null };

let tenants = 0;
function newTenant(): string {
  tenants += 1;
  return `ports-${tenants}`;
}

function call(tenantId: string, idempotencyKey: string, now = NOON): PortCall {
  return { tenantId, runId: 'run_1', idempotencyKey, timeoutMs: 15_000, now };
}

function usd(amount: number): Money {
  return { amount, currency: 'USD' };
}

function minute(count: number): string {
  return new Date(NOON + count * 60_000).toISOString();
}

function created(id: string, time: string, order: Record<string, Json> = {}): FedEvent {
  const data = { order: { id, total: { ...usd(10_000) }, ...order } };
  return { type: 'order.created', time, data };
}

function refunded(orderId: string, id: string, amount: Money, time = minute(5)): FedEvent {
  const data = { order: { id: orderId }, refund: { id, amount: { ...amount } } };
  return { type: 'order.refunded', time, data };
}

async function feed(tenantId: string, events: readonly FedEvent[]): Promise<void> {
  const statements = feedOrders(DB, tenantId, events, NOON);
  if (statements.length > 0) await DB.batch(statements);
}

async function withOrder(order: Record<string, Json> = {}): Promise<string> {
  const tenantId = newTenant();
  await feed(tenantId, [created('1', minute(0), order)]);
  return tenantId;
}

function failureOf(outcome: Outcome) {
  if (outcome.kind !== 'failed') throw new Error('it succeeded');
  return { code: outcome.error.code, retryable: outcome.retryable };
}

describe('the orders that events bring', () => {
  test('an order has what its event says', async () => {
    const tenantId = await withOrder({
      name: '#1001',
      customer: { id: 'c1', email: 'a@example.com', name: 'A' },
      tags: ['b', 'a', 'b'],
    });
    expect(await getOrder(DB, tenantId, '1')).toEqual({
      id: '1',
      name: '#1001',
      status: 'open',
      total: usd(10_000),
      refunded: usd(0),
      customer: { id: 'c1', email: 'a@example.com', name: 'A' },
      tags: ['a', 'b'],
      createdAt: minute(0),
      updatedAt: minute(0),
    });
  });

  test('whatever the order and however often they come, events leave the same orders', async () => {
    const events = [
      created('1', minute(0), { name: 'old', tags: ['first'] }),
      created('1', minute(3), { name: 'new', total: { ...usd(20_000) }, tags: ['second'] }),
      refunded('1', 'r1', usd(500), minute(4)),
      refunded('1', 'r2', usd(700), minute(6)),
      refunded('1', 'r3', { amount: 9, currency: 'EUR' }, minute(2)),
      created('2', minute(1)),
    ];
    const expected = newTenant();
    await feed(expected, events);
    const orders = await listOrders(DB, expected, FIRST_PAGE);
    expect(orders.items.map(({ id }) => id)).toEqual(['1', '2']);
    expect(orders.items[0]).toMatchObject({
      name: 'new',
      total: usd(20_000),
      refunded: usd(1_200),
      tags: ['first', 'second'],
      createdAt: minute(3),
      updatedAt: minute(6),
    });
    const shuffled = fc.shuffledSubarray([...events, ...events], { minLength: 12 });
    await fc.assert(
      fc.asyncProperty(shuffled, fc.integer({ min: 1, max: 12 }), async (all, cut) => {
        const tenantId = newTenant();
        await feed(tenantId, all.slice(0, cut));
        await feed(tenantId, all.slice(cut));
        expect(await listOrders(DB, tenantId, FIRST_PAGE)).toEqual(orders);
      }),
      { numRuns: 25 },
    );
  });

  test('a thousand large events fit into the statements', async () => {
    const tenantId = newTenant();
    const name = '名'.repeat(3_000);
    const events = Array.from({ length: 1_000 }, (_, i) => created(`o${i}`, minute(i), { name }));
    await feed(tenantId, events);
    expect(await getOrder(DB, tenantId, 'o0')).toMatchObject({ name });
    expect(await getOrder(DB, tenantId, 'o999')).toMatchObject({ name });
  });

  test('other events, data of another shape and refunds of nothing are passed over', async () => {
    const tenantId = await withOrder();
    const before = await listOrders(DB, tenantId, FIRST_PAGE);
    await feed(tenantId, [
      { type: 'customer.created', time: minute(1), data: { customer: { id: 'c' } } },
      { type: 'order.created', time: minute(1), data: { order: { id: '2' } } },
      { type: 'order.created', time: minute(1), data: null },
      refunded('1', 'r0', usd(0)),
      refunded('1', 'r-', usd(-500)),
    ]);
    expect(await listOrders(DB, tenantId, FIRST_PAGE)).toEqual(before);
  });

  test('pages go through all orders once, newest first, also where times are equal', async () => {
    const tenantId = newTenant();
    const ids = Array.from({ length: 25 }, (_, i) => `o ${String(i).padStart(2, '0')}`);
    await feed(
      tenantId,
      ids.map((id, i) => created(id, minute(Math.floor(i / 10)))),
    );
    const seen: string[] = [];
    for (let after: string | null = null, more = true; more; more = after !== null) {
      const page: Awaited<ReturnType<typeof listOrders>> = await listOrders(DB, tenantId, {
        limit: 7,
        after,
      });
      seen.push(...page.items.map(({ id }) => id));
      after = page.next;
    }
    expect(seen).toEqual(ids.toReversed());
  });
});

describe('tagging', () => {
  test('a tag is there once; only the call that put it on has changed something', async () => {
    const tenantId = await withOrder({ tags: ['vip'] });
    const first = await commerce.tagOrder(call(tenantId, 'k1'), '1', 'large');
    expect(first).toEqual({
      kind: 'succeeded',
      output: { orderId: '1', tag: 'large', tags: ['large', 'vip'], changed: true },
      events: [],
    });
    expect(await commerce.tagOrder(call(tenantId, 'k1', NOON + 60_000), '1', 'large')).toEqual(
      first,
    );
    expect(await commerce.tagOrder(call(tenantId, 'k2'), '1', 'large')).toMatchObject({
      output: { tags: ['large', 'vip'], changed: false },
    });
    expect(await commerce.tagOrder(call(tenantId, 'k3'), '1', 'vip')).toMatchObject({
      output: { changed: false },
    });
    expect(await getOrder(DB, tenantId, '1')).toMatchObject({
      tags: ['large', 'vip'],
      updatedAt: minute(0),
    });
  });

  test('an order may be tagged before its event comes, and keeps the tag', async () => {
    const tenantId = newTenant();
    await commerce.tagOrder(call(tenantId, 'k1'), '1', 'early');
    expect(await getOrder(DB, tenantId, '1')).toMatchObject({ total: null, refunded: null });
    await feed(tenantId, [created('1', minute(-10), { tags: ['web'] })]);
    expect(await getOrder(DB, tenantId, '1')).toMatchObject({
      total: usd(10_000),
      tags: ['early', 'web'],
      createdAt: minute(-10),
      updatedAt: minute(0),
    });
  });
});

describe('refunding', () => {
  test('a repeat answers as the first time and books nothing, and neither does its event', async () => {
    const tenantId = await withOrder();
    const refund = { orderId: '1', amount: usd(4_000), reason: 'damaged' };
    const first = await commerce.refundOrder(call(tenantId, 'k1'), refund);
    if (first.kind !== 'succeeded') throw new Error('refused');
    const [event] = first.events;
    expect(first.output).toMatchObject({
      refundId: expect.stringMatching(/^ref_[0-9a-f]{32}$/),
      orderId: '1',
      amount: usd(4_000),
      refunded: usd(4_000),
    });
    expect(event).toMatchObject({
      id: 'k1',
      type: 'order.refunded',
      data: { order: { id: '1' }, refund: { amount: usd(4_000), reason: 'damaged' } },
    });
    await commerce.refundOrder(call(tenantId, 'k2'), { orderId: '1', amount: usd(1_000) });
    expect(await commerce.refundOrder(call(tenantId, 'k1', NOON + 1), refund)).toEqual(first);
    if (event !== undefined)
      await feed(tenantId, [{ type: event.type, time: minute(9), data: event.data }]);
    expect(await getOrder(DB, tenantId, '1')).toMatchObject({ refunded: usd(5_000) });
  });

  test('without an amount the rest is refunded, and then there is nothing left', async () => {
    const tenantId = await withOrder();
    await feed(tenantId, [refunded('1', 'r1', usd(2_500))]);
    expect(await commerce.refundOrder(call(tenantId, 'k1'), { orderId: '1' })).toMatchObject({
      output: { amount: usd(7_500), refunded: usd(10_000) },
    });
    const again = await commerce.refundOrder(call(tenantId, 'k2'), { orderId: '1' });
    expect(failureOf(again)).toEqual({ code: 'nothing_to_refund', retryable: false });
  });

  test.each([
    ['more than the total', { orderId: '1', amount: usd(10_001) }, 'refund_exceeds_total', false],
    [
      'another currency',
      { orderId: '1', amount: { amount: 5, currency: 'EUR' } },
      'currency_mismatch',
      false,
    ],
    ['nothing', { orderId: '1', amount: usd(0) }, 'invalid_amount', false],
    ['less than nothing', { orderId: '1', amount: usd(-5) }, 'invalid_amount', false],
    ['an unknown order', { orderId: '2' }, 'order_not_found', true],
  ])('refuses %s', async (_, refund, code, retryable) => {
    const tenantId = await withOrder();
    const outcome = await commerce.refundOrder(call(tenantId, 'k1'), refund);
    expect(failureOf(outcome)).toEqual({ code, retryable });
    expect(await getOrder(DB, tenantId, '1')).toMatchObject({ refunded: usd(0) });
  });

  test('an order that is only known by a tag is not known yet', async () => {
    const tenantId = newTenant();
    await commerce.tagOrder(call(tenantId, 'k1'), '1', 'early');
    const refund = await commerce.refundOrder(call(tenantId, 'k2'), { orderId: '1' });
    const cancel = await commerce.cancelOrder(call(tenantId, 'k3'), '1', undefined);
    expect(failureOf(refund)).toEqual({ code: 'order_not_found', retryable: true });
    expect(failureOf(cancel)).toEqual({ code: 'order_not_found', retryable: true });
  });

  test('twenty at once never refund more than the total', async () => {
    const tenantId = await withOrder();
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        commerce.refundOrder(call(tenantId, `k${i}`), { orderId: '1', amount: usd(900) }),
      ),
    );
    expect(outcomes.filter(({ kind }) => kind === 'succeeded')).toHaveLength(11);
    expect(await getOrder(DB, tenantId, '1')).toMatchObject({ refunded: usd(9_900) });
  });

  test('twenty repeats at once book one refund and all answer the same', async () => {
    const tenantId = await withOrder();
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, () =>
        commerce.refundOrder(call(tenantId, 'k1'), { orderId: '1', amount: usd(900) }),
      ),
    );
    expect(new Set(outcomes.map((outcome) => JSON.stringify(outcome))).size).toBe(1);
    expect(await getOrder(DB, tenantId, '1')).toMatchObject({ refunded: usd(900) });
  });

  test('a refund id of one order says nothing about another order', async () => {
    const tenantId = await withOrder();
    await feed(tenantId, [
      created('2', minute(0)),
      refunded('1', 'r1', usd(1)),
      refunded('2', 'r1', usd(2)),
    ]);
    expect(await getOrder(DB, tenantId, '1')).toMatchObject({ refunded: usd(1) });
    expect(await getOrder(DB, tenantId, '2')).toMatchObject({ refunded: usd(2) });
  });
});

describe('cancelling', () => {
  test('a repeat answers as the first time; another call changes nothing; no event', async () => {
    const tenantId = await withOrder();
    const first = await commerce.cancelOrder(call(tenantId, 'k1'), '1', 'fraud');
    expect(first).toEqual({
      kind: 'succeeded',
      output: { orderId: '1', status: 'cancelled', changed: true },
      events: [],
    });
    expect(await commerce.cancelOrder(call(tenantId, 'k1'), '1', 'fraud')).toEqual(first);
    expect(await commerce.cancelOrder(call(tenantId, 'k2'), '1', undefined)).toMatchObject({
      output: { changed: false },
    });
    await feed(tenantId, [created('1', minute(60), { name: 'later' })]);
    expect(await getOrder(DB, tenantId, '1')).toMatchObject({ status: 'cancelled', name: 'later' });
  });

  test('an unknown order may still come', async () => {
    const outcome = await commerce.cancelOrder(call(newTenant(), 'k1'), '1', undefined);
    expect(failureOf(outcome)).toEqual({ code: 'order_not_found', retryable: true });
  });
});

describe('flags', () => {
  test('a change causes one event, a repeat answers the same, no change causes none', async () => {
    const tenantId = newTenant();
    const off = await flags.setFlag(call(tenantId, 'k0'), { key: 'beta', enabled: false });
    expect(off).toEqual({
      kind: 'succeeded',
      output: { key: 'beta', enabled: false, previous: false, changed: false },
      events: [],
    });
    const on = await flags.setFlag(call(tenantId, 'k1'), { key: 'beta', enabled: true });
    expect(on).toEqual({
      kind: 'succeeded',
      output: { key: 'beta', enabled: true, previous: false, changed: true },
      events: [
        {
          id: 'k1',
          type: 'flags.changed',
          data: { flag: { key: 'beta', enabled: true }, previous: false },
        },
      ],
    });
    expect(
      await flags.setFlag(call(tenantId, 'k1', NOON + 1), { key: 'beta', enabled: true }),
    ).toEqual(on);
    expect(await flags.setFlag(call(tenantId, 'k2'), { key: 'beta', enabled: true })).toMatchObject(
      {
        output: { previous: true, changed: false },
        events: [],
      },
    );
  });

  test('a late repeat does not undo what others have set since', async () => {
    const tenantId = newTenant();
    const on = await flags.setFlag(call(tenantId, 'k1'), { key: 'beta', enabled: true });
    await flags.setFlag(call(tenantId, 'k2', NOON + 60_000), { key: 'beta', enabled: false });
    expect(
      await flags.setFlag(call(tenantId, 'k1', NOON + 120_000), { key: 'beta', enabled: true }),
    ).toEqual(on);
    expect((await listFlags(DB, tenantId, FIRST_PAGE)).items).toEqual([
      { key: 'beta', enabled: false, updatedAt: minute(1) },
    ]);
  });

  test('of twenty calls at once that switch a flag on, one has changed it', async () => {
    const tenantId = newTenant();
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        flags.setFlag(call(tenantId, `k${i}`), { key: 'beta', enabled: true }),
      ),
    );
    const causing = outcomes.filter(({ kind, ...rest }) => 'events' in rest && rest.events.length);
    expect(causing).toHaveLength(1);
  });

  test('the list goes by key', async () => {
    const tenantId = newTenant();
    for (const key of ['c', 'a', 'b'])
      await flags.setFlag(call(tenantId, key), { key, enabled: true });
    const first = await listFlags(DB, tenantId, { limit: 2, after: null });
    expect(first.items.map(({ key }) => key)).toEqual(['a', 'b']);
    const second = await listFlags(DB, tenantId, { limit: 2, after: first.next });
    expect(second).toMatchObject({ items: [{ key: 'c' }], next: null });
  });
});

describe('the mailbox', () => {
  const email: Email = { to: ['a@example.com', 'b@example.com'], subject: 'Hello', text: 'Hi' };

  test('a repeat is no second email', async () => {
    const tenantId = newTenant();
    const first = await mail.send(call(tenantId, 'k1'), email);
    expect(first.kind).toBe('succeeded');
    expect(await mail.send(call(tenantId, 'k1', NOON + 1), email)).toEqual(first);
    expect((await listMailbox(DB, tenantId, FIRST_PAGE)).items).toEqual([
      {
        id: expect.stringMatching(/^msg_[0-9a-f]{32}$/),
        to: ['a@example.com', 'b@example.com'],
        subject: 'Hello',
        text: 'Hi',
        html: null,
        at: minute(0),
      },
    ]);
  });

  test.each<[string, Partial<Email>]>([
    ['a line break in the subject', { subject: 'Hello\r\nBcc: x@example.com' }],
    ['a lone line feed in the subject', { subject: 'Hello\nBcc: x@example.com' }],
    ['a line break in an address', { to: ['a@example.com\r\nBcc: x@example.com'] }],
    ['a NUL in an address', { to: ['a@example.com\0'] }],
    ['a subject that is too long', { subject: 'x'.repeat(999) }],
    ['no address', { to: [] }],
    ['too many addresses', { to: Array.from({ length: 51 }, () => 'a@example.com') }],
    ['no body', { text: undefined }],
  ])('refuses %s', async (_, fault) => {
    const tenantId = newTenant();
    const outcome = await mail.send(call(tenantId, 'k1'), { ...email, ...fault });
    expect(failureOf(outcome)).toEqual({ code: 'invalid_email', retryable: false });
    expect((await listMailbox(DB, tenantId, FIRST_PAGE)).items).toEqual([]);
  });

  test('the newest is first, page by page', async () => {
    const tenantId = newTenant();
    for (const n of [0, 1, 2])
      await mail.send(call(tenantId, `k${n}`, NOON + n), { ...email, subject: `${n}` });
    const first = await listMailbox(DB, tenantId, { limit: 2, after: null });
    expect(first.items.map(({ subject }) => subject)).toEqual(['2', '1']);
    const second = await listMailbox(DB, tenantId, { limit: 2, after: first.next });
    expect(second).toMatchObject({ items: [{ subject: '0' }], next: null });
  });
});

test('the same ids and keys in another tenant are untouched', async () => {
  const [mine, other] = [await withOrder(), await withOrder()];
  await flags.setFlag(call(other, 'k0'), { key: 'beta', enabled: true });
  const seen = async () => ({
    orders: await listOrders(DB, other, FIRST_PAGE),
    flags: await listFlags(DB, other, FIRST_PAGE),
    mail: await listMailbox(DB, other, FIRST_PAGE),
    exports: await listExports(DB, other, FIRST_PAGE),
  });
  const before = await seen();
  await commerce.tagOrder(call(mine, 'k1'), '1', 'mine');
  await commerce.refundOrder(call(mine, 'k2'), { orderId: '1', amount: usd(100) });
  await commerce.cancelOrder(call(mine, 'k3'), '1', undefined);
  await feed(mine, [created('1', minute(9), { name: 'mine' }), refunded('1', 'r', usd(5))]);
  await flags.setFlag(call(mine, 'k0'), { key: 'beta', enabled: true });
  await flags.setFlag(call(mine, 'k4'), { key: 'beta', enabled: false });
  await mail.send(call(mine, 'k5'), { to: ['a@example.com'], subject: 's', text: 't' });
  await files.exportOrders(call(mine, 'k6'), { format: 'csv' });
  expect(await seen()).toEqual(before);
  const [made] = (await listExports(DB, mine, FIRST_PAGE)).items;
  expect(made?.status).toBe('completed');
  const stores = { db: DB, bucket: EXPORTS };
  expect(await readableExport(stores, other, made?.id ?? '', NOON)).toBeNull();
  expect(await getOrder(DB, mine, '1')).toMatchObject({ name: 'mine', status: 'cancelled' });
});
