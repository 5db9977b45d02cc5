/** The Shopify adapter against a shop that speaks the Admin API over HTTP, and misbehaves. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { shopifyCommerce } from '../../src/ports/commerce-shopify.ts';
import type { CommercePort, PortCall } from '../../src/ports/index.ts';
import { SHOP_TOKEN } from '../fixtures/vendors/credentials.ts';
import { openShop, paidOrder, type StandInShop } from '../fixtures/vendors/shopify-admin.ts';
import type { Fault, VendorRequest } from '../fixtures/vendors/vendor-server.ts';

const ID = '9007199254740993';
const GID = `gid://shopify/Order/${ID}`;

let shop: StandInShop;
beforeAll(async () => {
  shop = await openShop();
});
afterAll(() => shop.close());
beforeEach(() => {
  shop.orders.clear();
  shop.requests.length = 0;
  shop.points = 2_000;
  shop.cancelTakes = 0;
  shop.cancelFails = false;
  shop.refundStatus = 'SUCCESS';
  shop.refundsToFail = 0;
  shop.scopes.add('write_orders').add('read_orders');
});

let runs = 0;
const callOf = (timeoutMs = 5_000): PortCall => ({
  tenantId: 't',
  runId: 'run_1',
  idempotencyKey: `run_${++runs}_refund`,
  timeoutMs,
  now: Date.UTC(2026, 2, 2),
});
function port(
  changes: { adminToken?: string; apiVersion?: string; origin?: string } = {},
): CommercePort {
  const own = { origin: shop.origin, adminToken: SHOP_TOKEN, apiVersion: '2026-10' };
  return shopifyCommerce({ ...own, ...changes }, { fetch });
}
const usd = (amount: number) => ({ amount, currency: 'USD' });
const isMutation = ({ body }: VendorRequest) => body.includes('"mutation ');
const mutations = () => shop.requests.filter(isMutation);
const put = (amount: string, currency = 'USD') => {
  const order = paidOrder(amount, currency);
  shop.orders.set(GID, order);
  return order;
};

const payment = (n: number) => ({
  id: `t${n}`,
  kind: 'SALE',
  status: 'FAILURE',
  gateway: 'x',
  amount: '1.00',
});

describe('a refund', () => {
  it('of a part gives back just that, and keeps every digit of the ids', async () => {
    const order = put('75.00');
    const call = callOf();
    const refund = { orderId: ID, amount: usd(4_005), reason: 'arrived broken' };
    expect(await port().refundOrder(call, refund)).toEqual({
      kind: 'succeeded',
      events: [],
      output: {
        refundId: '9007199254741003',
        orderId: ID,
        amount: usd(4_005),
        refunded: usd(4_005),
        status: 'succeeded',
      },
    });
    expect(mutations()[0]?.headers['user-agent']).toBe('Signalbox/1');
    expect(order.refunds).toMatchObject([
      { amount: '40.05', note: `arrived broken [signalbox ${call.idempotencyKey}]` },
    ]);
  });

  it('without an amount gives back all that is left', async () => {
    const order = put('75.00');
    await port().refundOrder(callOf(), { orderId: GID, amount: usd(1_010) });
    expect(await port().refundOrder(callOf(), { orderId: ID })).toMatchObject({
      output: { amount: usd(6_490), refunded: usd(7_500) },
    });
    expect(order.refunds.map(({ amount }) => amount)).toEqual(['10.1', '64.9']);
    expect(await port().refundOrder(callOf(), { orderId: ID })).toMatchObject({
      error: { code: 'nothing_to_refund' },
      retryable: false,
    });
  });

  it.each([
    ['JPY', '7500', 7_500, 120, '120'],
    ['KWD', '7.505', 7_505, 1_001, '1.001'],
    ['USD', '0.30', 30, 10, '0.10'],
  ])('in %s is exact', async (currency, paid, whole, part, sent) => {
    put(paid, currency);
    const given = await port().refundOrder(callOf(), {
      orderId: ID,
      amount: { amount: part, currency },
    });
    expect(given).toMatchObject({ output: { amount: { amount: part, currency } } });
    expect(mutations()[0]?.body).toContain(`"amount":"${sent}"`);
    const rest = await port().refundOrder(callOf(), { orderId: ID });
    expect(rest).toMatchObject({ output: { refunded: { amount: whole, currency } } });
  });

  it('comes from several payments, each no more than it has left', async () => {
    const order = paidOrder('30.00', 'USD', [
      { id: 'c', kind: 'CAPTURE', status: 'SUCCESS', gateway: 'gift_card', amount: '20.00' },
      { id: 'a', kind: 'AUTHORIZATION', status: 'SUCCESS', gateway: 'x', amount: '500.00' },
      { id: 'f', kind: 'SALE', status: 'FAILURE', gateway: 'x', amount: '500.00' },
      {
        id: 'r',
        kind: 'REFUND',
        status: 'PENDING',
        gateway: 'shopify_payments',
        amount: '5.00',
        parentId: 'gid://shopify/OrderTransaction/1',
      },
    ]);
    shop.orders.set(GID, order);
    await port().refundOrder(callOf(), { orderId: ID, amount: usd(3_000) });
    expect(JSON.parse(mutations()[0]?.body ?? '').variables.input.transactions).toEqual([
      {
        orderId: GID,
        parentId: 'gid://shopify/OrderTransaction/1',
        gateway: 'shopify_payments',
        kind: 'REFUND',
        amount: '25.00',
      },
      { orderId: GID, parentId: 'c', gateway: 'gift_card', kind: 'REFUND', amount: '5.00' },
    ]);
    expect(await port().refundOrder(callOf(), { orderId: ID, amount: usd(1_501) })).toMatchObject({
      error: { code: 'refund_exceeds_total', message: expect.stringContaining('15.00 USD') },
    });
  });

  it('in another currency than the customer paid in is refused', async () => {
    put('75.00');
    const amount = { amount: 100, currency: 'EUR' };
    expect(await port().refundOrder(callOf(), { orderId: ID, amount })).toMatchObject({
      error: { code: 'currency_mismatch' },
      retryable: false,
    });
    expect(mutations()).toEqual([]);
  });

  it('that was made is found again when the key is forgotten', async () => {
    const order = put('75.00');
    const call = callOf();
    const first = await port().refundOrder(call, { orderId: ID, amount: usd(100) });
    shop.forgetKeys();
    expect(await port().refundOrder(call, { orderId: ID, amount: usd(100) })).toEqual(first);
    expect(order.refunds).toHaveLength(1);
    expect(mutations()).toHaveLength(1);
  });

  it('is not taken for that of a step whose name begins alike', async () => {
    const order = put('75.00');
    const call = callOf();
    const longer = { ...call, idempotencyKey: `${call.idempotencyKey}_2` };
    await port().refundOrder(longer, { orderId: ID, amount: usd(100) });
    await port().refundOrder(call, { orderId: ID, amount: usd(100) });
    expect(order.refunds).toHaveLength(2);
  });

  it('of which the payment provider refused the money is a failure, now and when found again', async () => {
    const order = put('75.00');
    const call = callOf();
    shop.refundStatus = 'FAILURE';
    const refused = { error: { code: 'refund_failed' }, retryable: false };
    expect(await port().refundOrder(call, { orderId: ID, amount: usd(100) })).toMatchObject(
      refused,
    );
    expect(await port().refundOrder(call, { orderId: ID, amount: usd(100) })).toMatchObject(
      refused,
    );
    expect(order.refunds).toHaveLength(1);
  });

  it('of which the money is under way says so', async () => {
    put('75.00');
    shop.refundStatus = 'PENDING';
    expect(await port().refundOrder(callOf(), { orderId: ID })).toMatchObject({
      output: { status: 'pending' },
    });
  });

  it.each([
    ['payments', () => Array.from({ length: 49 }, (_, n) => payment(n)), []],
    [
      'refunds',
      () => [],
      Array.from({ length: 50 }, (_, n) => ({ id: `r${n}`, note: '', amount: '0' })),
    ],
  ])('of an order with more %s than are listed is left to people', async (_what, more, refunds) => {
    const order = paidOrder('75.00', 'USD', more());
    order.refunds.push(...refunds);
    shop.orders.set(GID, order);
    expect(await port().refundOrder(callOf(), { orderId: ID, amount: usd(1) })).toMatchObject({
      error: { code: 'too_many_payments' },
      retryable: false,
    });
    expect(mutations()).toEqual([]);
  });

  it('that Shopify says has failed is asked for with the next key, and made once', async () => {
    const order = put('75.00');
    const call = callOf();
    shop.refundsToFail = 1;
    expect(await port().refundOrder(call, { orderId: ID, amount: usd(100) })).toMatchObject({
      error: { code: 'vendor_failed' },
      inDoubt: true,
    });
    const again = await port().refundOrder(call, { orderId: ID, amount: usd(100) });
    expect(again).toMatchObject({ kind: 'succeeded', output: { amount: usd(100) } });
    const keys = mutations().map(({ body }) => JSON.parse(body).variables.key);
    expect(keys).toEqual([keys[0], keys[0], keys[2]]);
    expect(await port().refundOrder(call, { orderId: ID, amount: usd(100) })).toEqual(again);
    expect(order.refunds).toHaveLength(1);
  });

  it('that fails under every key is unknown', async () => {
    put('75.00');
    const call = callOf();
    shop.refundsToFail = 3;
    for (const _ of [1, 2, 3]) await port().refundOrder(call, { orderId: ID, amount: usd(100) });
    expect(await port().refundOrder(call, { orderId: ID, amount: usd(100) })).toMatchObject({
      kind: 'unknown',
    });
  });

  it('whose first attempt had other inputs and is not seen is unknown, not repeated', async () => {
    const order = put('75.00');
    const call = callOf();
    await port().refundOrder(call, { orderId: ID, amount: usd(100) });
    for (const made of order.refunds) made.note = 'rewritten by staff';
    expect(await port().refundOrder(call, { orderId: ID, amount: usd(200) })).toMatchObject({
      kind: 'unknown',
      error: { code: 'outcome_unknown' },
    });
    expect(order.refunds).toHaveLength(1);
  });
});

const AFTER: Fault['kind'][] = [
  'silentAfter',
  'droppedAfter',
  'halfAfter',
  'garbageAfter',
  'hugeAfter',
];
const BEFORE: Fault['kind'][] = ['silent', 'dropped'];

describe('when the answer does not come', () => {
  it.each([...AFTER, ...BEFORE])('(%s, at the mutation) nothing is doubled', async (kind) => {
    const order = put('75.00');
    shop.fail(kind, isMutation);
    const call = callOf(700);
    expect(await port().refundOrder(call, { orderId: ID, amount: usd(500) })).toMatchObject({
      kind: 'failed',
      retryable: true,
      inDoubt: true,
    });
    expect(order.refunds).toHaveLength(AFTER.includes(kind) ? 1 : 0);
    expect(await port().refundOrder(call, { orderId: ID, amount: usd(500) })).toMatchObject({
      kind: 'succeeded',
      output: { amount: usd(500), refunded: usd(500) },
    });
    expect(order.refunds).toHaveLength(1);
  });

  it.each([
    ['silent', 'timeout'],
    ['dropped', 'connection_failed'],
    ['halfAfter', 'connection_failed'],
    ['garbageAfter', 'answer_unreadable'],
    ['hugeAfter', 'answer_unreadable'],
  ] as const)('(%s, at the reading) it is tried again', async (kind, code) => {
    put('75.00');
    shop.fail(kind);
    const outcome = await port().tagOrder(callOf(700), ID, 'vip');
    expect(outcome).toMatchObject({ error: { code }, retryable: true });
    expect(outcome).not.toHaveProperty('inDoubt');
  });

  it('because nobody listens, it is tried again', async () => {
    const nobody = port({ origin: 'http://127.0.0.1:1' });
    expect(await nobody.tagOrder(callOf(), ID, 'vip')).toMatchObject({
      error: { code: 'connection_failed' },
      retryable: true,
    });
  });

  it('because the host has no certificate that is trusted, it is tried again', async () => {
    const plain = port({ origin: shop.origin.replace('http:', 'https:') });
    expect(await plain.tagOrder(callOf(), ID, 'vip')).toMatchObject({
      error: { code: 'connection_failed' },
      retryable: true,
    });
  });

  it('but a redirect, it is not followed', async () => {
    put('75.00');
    shop.fail('redirect');
    expect(await port().tagOrder(callOf(), ID, 'vip')).toMatchObject({
      error: { code: 'redirect_refused' },
      retryable: false,
    });
    expect(shop.requests.map(({ path }) => path)).not.toContain('/elsewhere');
  });
});

describe('an answer that is no', () => {
  const status = (code: number, headers = {}, body: unknown = ''): Fault => ({
    kind: 'answer',
    answer: { status: code, headers, body },
  });
  const graphql = (errors: unknown, extensions = {}): Fault =>
    status(200, {}, { errors, extensions });

  it.each([
    ['429 with Retry-After', status(429, { 'retry-after': '7' }), 'rate_limited', true, 7_000],
    ['429 without', status(429), 'rate_limited', true, null],
    ['500', status(500), 'vendor_failed', true, null],
    [
      '503 with a date',
      status(503, { 'retry-after': 'Mon, 02 Mar 2026 00:00:09 GMT' }),
      'vendor_failed',
      true,
      9_000,
    ],
    ['402', status(402), 'shop_unavailable', false, null],
    ['423', status(423), 'shop_unavailable', false, null],
    ['403', status(403), 'scope_missing', false, null],
    ['404', status(404), 'shop_not_found', false, null],
    ['418', status(418), 'shopify_refused', false, null],
    [
      'an internal error',
      graphql([{ message: 'x', extensions: { code: 'INTERNAL_SERVER_ERROR' } }]),
      'vendor_failed',
      true,
      null,
    ],
    [
      'a closed shop',
      graphql([{ message: 'x', extensions: { code: 'SHOP_INACTIVE' } }]),
      'shop_unavailable',
      false,
      null,
    ],
    ['errors as a text', graphql('no'), 'shopify_refused', false, null],
    ['errors of an unknown form', graphql({ base: ['x'] }), 'answer_unreadable', true, null],
    [
      'an unknown field',
      graphql([{ message: "Field 'x' doesn't exist on type 'Order'" }]),
      'shopify_refused',
      false,
      null,
    ],
    ['a list', status(200, {}, []), 'answer_unreadable', true, null],
    [
      'data of another shape',
      status(200, {}, { data: { order: { id: 1 } } }),
      'answer_unreadable',
      true,
      null,
    ],
    [
      'a negative restore rate',
      graphql([{ message: 'x', extensions: { code: 'THROTTLED' } }], {
        cost: { requestedQueryCost: 1, throttleStatus: { currentlyAvailable: 0, restoreRate: -1 } },
      }),
      'rate_limited',
      true,
      null,
    ],
  ])('(%s) is said so', async (_name, fault, code, retryable, retryAfterMs) => {
    put('75.00');
    shop.fail(fault);
    expect(await port().tagOrder(callOf(), ID, 'vip')).toMatchObject({
      kind: 'failed',
      error: { code },
      retryable,
      retryAfterMs,
    });
  });

  it('for the lack of points is tried again when the bucket has refilled', async () => {
    put('75.00');
    shop.points = 0;
    expect(await port().tagOrder(callOf(), ID, 'vip')).toMatchObject({
      error: { code: 'rate_limited' },
      retryable: true,
      retryAfterMs: 2_000,
    });
  });

  it('names the scope that the token lacks', async () => {
    put('75.00');
    shop.scopes.delete('write_orders');
    expect(await port().tagOrder(callOf(), ID, 'vip')).toMatchObject({
      error: { code: 'scope_missing', message: expect.stringContaining('write_orders') },
      retryable: false,
    });
  });

  it('repeats what Shopify says where it names no scope', async () => {
    put('75.00');
    const message = 'This app is not approved to access the Order object.';
    shop.fail(graphql([{ message, extensions: { code: 'ACCESS_DENIED' } }]));
    expect(await port().tagOrder(callOf(), ID, 'vip')).toMatchObject({
      error: { code: 'scope_missing', message: expect.stringContaining('not approved') },
    });
  });

  it('to a wrong token says what to do, and never the token', async () => {
    const outcome = await port({ adminToken: 'shpat_wrong_1234' }).tagOrder(callOf(), ID, 'vip');
    expect(outcome).toMatchObject({ error: { code: 'credential_refused' }, retryable: false });
    expect(JSON.stringify(outcome)).not.toContain('shpat_wrong_1234');
  });

  it('that repeats the token is cleaned of it', async () => {
    put('75.00');
    shop.fail(graphql([{ message: `bad\n${SHOP_TOKEN} ${'x'.repeat(1_000)}` }]));
    const outcome = await port().tagOrder(callOf(), ID, 'vip');
    expect(JSON.stringify(outcome)).not.toContain(SHOP_TOKEN);
    expect(JSON.stringify(outcome).length).toBeLessThan(500);
  });

  it('to a version that is gone names it', async () => {
    expect(await port({ apiVersion: '2031-01' }).tagOrder(callOf(), ID, 'vip')).toMatchObject({
      error: { code: 'shop_not_found', message: expect.stringContaining('2031-01') },
    });
  });

  it('of the shop itself is passed on in its words', async () => {
    put('75.00');
    const userErrors = [{ field: ['id'], message: 'The order is archived.' }];
    const answer = { data: { tagsAdd: { node: null, userErrors } } };
    shop.fail(status(200, {}, answer), isMutation);
    expect(await port().tagOrder(callOf(), ID, 'vip')).toMatchObject({
      error: { code: 'shopify_refused', message: 'Shopify refused: The order is archived.' },
      retryable: false,
    });
  });

  describe('in part', () => {
    const errors = (path: unknown[]) => [{ message: 'x', path, extensions: { code: 'OTHER' } }];
    const order = { totalRefundedSet: { presentmentMoney: { amount: '1', currencyCode: 'USD' } } };
    const refund = { id: 'gid://shopify/Refund/7', ...order, transactions: { nodes: [] } };
    const partly = (data: unknown, path: unknown[]): Fault =>
      status(200, {}, { data, errors: errors(path) });

    it('to a refund that was made counts as made', async () => {
      put('75.00');
      const data = { refundCreate: { order: null, refund, userErrors: [] } };
      shop.fail(partly(data, ['refundCreate', 'order']), isMutation);
      expect(await port().refundOrder(callOf(), { orderId: ID })).toMatchObject({
        kind: 'succeeded',
        output: { refundId: '7' },
      });
    });

    it.each([
      ['a result that cannot be read', { refundCreate: { refund: {}, userErrors: [] } }, ['x']],
      ['no result, for an error inside of it', { refundCreate: null }, ['refundCreate', 'refund']],
      ['no result at all, for an error inside of it', null, ['refundCreate', 'userErrors']],
    ])('to a refund, with %s, leaves it in doubt', async (_what, data, path) => {
      put('75.00');
      shop.fail(partly(data, path), isMutation);
      expect(await port().refundOrder(callOf(), { orderId: ID })).toMatchObject({
        error: { code: 'answer_unreadable' },
        retryable: true,
        inDoubt: true,
      });
    });

    it.each([[{ refundCreate: null }], [null]])('to a refund with %j is a no', async (data) => {
      put('75.00');
      shop.fail(partly(data, ['refundCreate']), isMutation);
      expect(await port().refundOrder(callOf(), { orderId: ID })).toMatchObject({
        error: { code: 'shopify_refused' },
        retryable: false,
      });
    });

    it('to a reading is no answer: what is missing might be what matters', async () => {
      put('75.00');
      shop.fail(partly({ order: null }, ['order', 'transactions']));
      expect(await port().refundOrder(callOf(), { orderId: ID })).toMatchObject({
        error: { code: 'shopify_refused' },
      });
      expect(mutations()).toEqual([]);
    });
  });

  it('to a key that is in use is tried again', async () => {
    put('75.00');
    const message = 'This request is currently in progress, please try again.';
    const refundCreate = { order: null, refund: null, userErrors: [{ field: null, message }] };
    shop.fail(status(200, {}, { data: { refundCreate } }), isMutation);
    expect(await port().refundOrder(callOf(), { orderId: ID })).toMatchObject({
      error: { code: 'in_progress' },
      retryable: true,
      retryAfterMs: 5_000,
    });
  });
});

describe('a tag', () => {
  it('is added once; again is fine, in any case of its letters', async () => {
    const order = put('75.00');
    expect(await port().tagOrder(callOf(), ID, 'VIP')).toMatchObject({
      output: { orderId: ID, tag: 'VIP', tags: ['VIP'], changed: true },
    });
    expect(await port().tagOrder(callOf(), ID, 'vip')).toMatchObject({
      output: { tags: ['VIP'], changed: false },
    });
    expect(order.tags).toEqual(['VIP']);
  });

  it.each(['a,b', 'x'.repeat(41)])('%s is none at Shopify', async (tag) => {
    expect(await port().tagOrder(callOf(), ID, tag)).toMatchObject({
      error: { code: 'invalid_tag' },
    });
    expect(shop.requests).toEqual([]);
  });

  it.each(['pi_1', 'gid://shopify/Customer/1', '1 OR 1', '../1', ''])(
    'on %j is refused before anything is sent',
    async (orderId) => {
      expect(await port().tagOrder(callOf(), orderId, 'x')).toMatchObject({
        error: { code: 'invalid_order_id' },
      });
      expect(shop.requests).toEqual([]);
    },
  );

  it('on an order that is not there says so', async () => {
    expect(await port().tagOrder(callOf(), '12', 'x')).toMatchObject({
      error: { code: 'order_not_found' },
      retryable: false,
    });
  });
});

describe('a cancellation', () => {
  it('waits until the job at Shopify is done, and a repeat finds it', async () => {
    const order = put('75.00');
    shop.cancelTakes = 1;
    const call = callOf();
    const done = { kind: 'succeeded', output: { orderId: ID, status: 'cancelled', changed: true } };
    expect(await port().cancelOrder(call, ID, 'fraud')).toMatchObject(done);
    expect(await port().cancelOrder(call, ID, 'fraud')).toMatchObject(done);
    expect(mutations()).toHaveLength(1);
    expect(order.staffNote).toBe(`fraud [signalbox ${call.idempotencyKey}]`);
    expect(order.refunds).toEqual([]);
  });

  it('that somebody else made changes nothing', async () => {
    put('75.00').cancelledAt = '2026-03-01T00:00:00Z';
    expect(await port().cancelOrder(callOf(), ID, undefined)).toMatchObject({
      output: { status: 'cancelled', changed: false },
    });
    expect(mutations()).toEqual([]);
  });

  it('that takes long is waited for, and looked at again by another attempt', async () => {
    const order = put('75.00');
    shop.cancelTakes = 6;
    const call = callOf();
    const pending = { error: { code: 'cancel_pending' }, retryable: true, inDoubt: true };
    expect(await port().cancelOrder(call, ID, undefined)).toMatchObject(pending);
    expect(order.cancelledAt).toBeNull();
    // The order is looked at once more, and the shop says that it is being cancelled already.
    expect(await port().cancelOrder(call, ID, undefined)).toMatchObject(pending);
    expect(await port().cancelOrder(call, ID, undefined)).toMatchObject({
      output: { status: 'cancelled', changed: true },
    });
    expect(mutations()).toHaveLength(2);
  });

  it('that Shopify took and gave up is said so, and tried again a few times', async () => {
    put('75.00');
    shop.cancelFails = true;
    expect(await port().cancelOrder(callOf(), ID, undefined)).toMatchObject({
      error: { code: 'cancel_failed' },
      retryable: true,
      attemptsMax: 5,
    });
  });

  it('whose answer was lost is found by the next attempt', async () => {
    put('75.00');
    shop.fail('droppedAfter', isMutation);
    const call = callOf();
    expect(await port().cancelOrder(call, ID, undefined)).toMatchObject({ retryable: true });
    expect(await port().cancelOrder(call, ID, undefined)).toMatchObject({
      output: { status: 'cancelled', changed: true },
    });
    expect(mutations()).toHaveLength(1);
  });

  it.each([
    ['INVALID', 'Cannot cancel with pending payments', 'shopify_refused', 'pending payments'],
    ['NOT_FOUND', 'Not found', 'order_not_found', 'no such order'],
    ['INTERNAL_ERROR', 'Oops', 'vendor_failed', 'a fault of its own'],
    [7, 'Odd', 'shopify_refused', 'Odd'],
  ])('that the shop refuses with %s is said so', async (code, message, ours, words) => {
    put('75.00');
    const errors = [{ field: ['orderId'], message, code }];
    const answer = { data: { orderCancel: { job: null, orderCancelUserErrors: errors } } };
    shop.fail({ kind: 'answer', answer: { status: 200, body: answer } }, isMutation);
    expect(await port().cancelOrder(callOf(), ID, undefined)).toMatchObject({
      error: { code: ours, message: expect.stringContaining(words) },
      retryable: ours === 'vendor_failed',
    });
  });
});
