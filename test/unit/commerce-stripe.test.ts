/**
 * Refunds at an API that speaks Stripe's protocol, and misbehaves. The official library is the
 * oracle: it takes what the API answers, and asks as we do.
 */
import Stripe from 'stripe';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { stripeRefunds } from '../../src/ports/commerce-stripe.ts';
import type { PortCall } from '../../src/ports/index.ts';
import { STRIPE_KEY } from '../fixtures/vendors/credentials.ts';
import { openStripe, type StandInStripe } from '../fixtures/vendors/stripe-api.ts';
import type { Fault, VendorRequest } from '../fixtures/vendors/vendor-server.ts';

let stripe: StandInStripe;
beforeAll(async () => {
  stripe = await openStripe();
});
afterAll(() => stripe.close());
beforeEach(() => {
  stripe.payments.length = 0;
  stripe.refunds.length = 0;
  stripe.requests.length = 0;
  stripe.sessions.clear();
  stripe.nextFault = null;
  stripe.forgetKeys();
});

let runs = 0;
const callOf = (timeoutMs = 5_000): PortCall => ({
  tenantId: 't',
  runId: 'run_1',
  idempotencyKey: `run_${++runs}_refund`,
  timeoutMs,
  now: Date.UTC(2026, 2, 2),
});
const port = (apiKey = STRIPE_KEY, origin = stripe.origin) =>
  stripeRefunds({ apiKey, origin }, { fetch });
const pay = (paid: number, currency = 'usd', orderId?: string) => {
  const at = stripe.payments.length + 1;
  const payment = { intent: `pi_${at}`, charge: `ch_${at}`, currency, paid };
  stripe.payments.push(orderId === undefined ? payment : { ...payment, orderId });
};
const usd = (amount: number) => ({ amount, currency: 'USD' });
const isPost = ({ method }: VendorRequest) => method === 'POST';
const posts = () => stripe.requests.filter(isPost);

describe('a refund', () => {
  it.each(['pi_1', 'ch_1', 'cs_test_1', 'order-1042'])('of a part of %s', async (orderId) => {
    pay(7_500, 'usd', 'order-1042');
    stripe.sessions.set('cs_test_1', 'pi_1');
    const call = callOf();
    const refund = { orderId, amount: usd(4_005), reason: 'arrived broken' };
    expect(await port().refundOrder(call, refund)).toEqual({
      kind: 'succeeded',
      events: [],
      output: {
        refundId: 're_1',
        orderId,
        amount: usd(4_005),
        refunded: usd(4_005),
        status: 'succeeded',
      },
    });
    expect(stripe.refunds).toMatchObject([
      { amount: 4_005, metadata: { signalbox_key: call.idempotencyKey, reason: 'arrived broken' } },
    ]);
    expect(posts()[0]?.headers['idempotency-key']).toBe(call.idempotencyKey);
    expect(posts()[0]?.headers['user-agent']).toBe('Signalbox/1');
  });

  it('without an amount gives back all that is left, then there is nothing', async () => {
    pay(7_500);
    await port().refundOrder(callOf(), { orderId: 'pi_1', amount: usd(1_010) });
    expect(await port().refundOrder(callOf(), { orderId: 'ch_1' })).toMatchObject({
      output: { amount: usd(6_490), refunded: usd(7_500) },
    });
    expect(await port().refundOrder(callOf(), { orderId: 'pi_1' })).toMatchObject({
      error: { code: 'nothing_to_refund' },
      retryable: false,
    });
  });

  /** Currency, what was paid and is refunded in Stripe's unit and in ISO 4217's, ours. */
  it.each([
    ['jpy', 7_500, 120, 120],
    ['kwd', 7_510, 1_230, 1_230],
    ['isk', 500_000, 12_000, 120],
    ['ugx', 500_000, 12_000, 120],
    ['mga', 5_000, 12, 1_200],
  ])('in %s is in its own unit', async (currency, paid, size, amount) => {
    pay(paid, currency);
    const money = { amount, currency: currency.toUpperCase() };
    expect(await port().refundOrder(callOf(), { orderId: 'pi_1', amount: money })).toMatchObject({
      output: { amount: money },
    });
    expect(stripe.refunds[0]?.amount).toBe(size);
  });

  it.each([
    ['kwd', 1_235],
    ['mga', 1_201],
  ])(
    'in %s that Stripe has no step for is refused before anything is made',
    async (currency, amount) => {
      pay(7_510, currency);
      const money = { amount, currency: currency.toUpperCase() };
      expect(await port().refundOrder(callOf(), { orderId: 'pi_1', amount: money })).toMatchObject({
        error: { code: 'invalid_amount' },
        retryable: false,
      });
      expect(posts()).toEqual([]);
    },
  );

  it.each([
    [{ amount: 100, currency: 'EUR' }, 'currency_mismatch'],
    [usd(7_501), 'refund_exceeds_total'],
  ])('of %j is refused', async (amount, code) => {
    pay(7_500);
    expect(await port().refundOrder(callOf(), { orderId: 'pi_1', amount })).toMatchObject({
      error: { code },
      retryable: false,
    });
    expect(posts()).toEqual([]);
  });

  it("passes on a reason of Stripe's own as such", async () => {
    pay(7_500);
    await port().refundOrder(callOf(), { orderId: 'pi_1', reason: 'duplicate' });
    expect(stripe.refunds).toMatchObject([{ reason: 'duplicate' }]);
  });

  it('that was made is found again when the key is forgotten', async () => {
    pay(7_500);
    const call = callOf();
    const first = await port().refundOrder(call, { orderId: 'pi_1', amount: usd(100) });
    stripe.forgetKeys();
    expect(await port().refundOrder(call, { orderId: 'pi_1', amount: usd(100) })).toEqual(first);
    expect(stripe.refunds).toHaveLength(1);
  });

  it('that failed later at the bank is said when it is asked for again', async () => {
    pay(7_500);
    const call = callOf();
    await port().refundOrder(call, { orderId: 'pi_1' });
    for (const made of stripe.refunds) {
      made.status = 'failed';
      made.failure_reason = 'expired_or_canceled_card';
    }
    expect(await port().refundOrder(call, { orderId: 'pi_1' })).toMatchObject({
      error: {
        code: 'refund_failed',
        message: expect.stringContaining('expired_or_canceled_card'),
      },
      retryable: false,
    });
  });

  it('whose first attempt had other inputs and is not seen is unknown, not repeated', async () => {
    pay(7_500);
    const call = callOf();
    await port().refundOrder(call, { orderId: 'pi_1', amount: usd(100) });
    for (const made of stripe.refunds) made.metadata = {};
    expect(await port().refundOrder(call, { orderId: 'pi_1', amount: usd(200) })).toMatchObject({
      kind: 'unknown',
      error: { code: 'outcome_unknown' },
    });
    expect(stripe.refunds).toHaveLength(1);
  });

  it('is left to people where more refunds of the payment are than a page lists', async () => {
    pay(7_500);
    const answer = { status: 200, body: { data: [], has_more: true } };
    stripe.fail({ kind: 'answer', answer }, ({ path }) => path === '/v1/refunds');
    expect(await port().refundOrder(callOf(), { orderId: 'pi_1', amount: usd(1) })).toMatchObject({
      error: { code: 'too_many_refunds' },
      retryable: false,
    });
    expect(posts()).toEqual([]);
  });

  it('that was made before a fault of Stripe is found by the next attempt', async () => {
    pay(7_500);
    stripe.nextFault = 'after';
    const call = callOf();
    const refund = { orderId: 'pi_1', amount: usd(100) };
    expect(await port().refundOrder(call, refund)).toMatchObject({
      error: { code: 'vendor_failed' },
      retryable: true,
      inDoubt: true,
    });
    expect(await port().refundOrder(call, refund)).toMatchObject({ kind: 'succeeded' });
    expect(stripe.refunds).toHaveLength(1);
    expect(posts()).toHaveLength(1);
  });

  it('of which Stripe only repeats its fault is unknown, until the key is forgotten', async () => {
    pay(7_500);
    stripe.nextFault = 'before';
    const call = callOf();
    const refund = { orderId: 'pi_1', amount: usd(100) };
    await port().refundOrder(call, refund);
    expect(await port().refundOrder(call, refund)).toMatchObject({
      kind: 'unknown',
      error: { code: 'outcome_unknown', message: expect.stringContaining('24 hours') },
    });
    expect(stripe.refunds).toEqual([]);
    stripe.forgetKeys();
    expect(await port().refundOrder(call, refund)).toMatchObject({ kind: 'succeeded' });
  });

  it('of five attempts at once is one', async () => {
    pay(7_500);
    const call = callOf();
    const outcomes = await Promise.all(
      [1, 2, 3, 4, 5].map(() => port().refundOrder(call, { orderId: 'pi_1', amount: usd(100) })),
    );
    expect(outcomes.map(({ kind }) => kind)).toEqual(Array(5).fill('succeeded'));
    expect(stripe.refunds).toHaveLength(1);
  });
});

describe('the official library', () => {
  const asked = (request: VendorRequest | undefined) => {
    const { method, path, headers = {}, query, body } = request ?? {};
    const form = method === 'POST' ? new URLSearchParams(body) : (query ?? []);
    return {
      method,
      path,
      version: headers['stripe-version'],
      authorization: headers.authorization,
      key: headers['idempotency-key'],
      type: method === 'POST' ? headers['content-type'] : null,
      // The library numbers the members of a list, which is the same to Stripe.
      form: [...form].map(([name, value]) => [name.replace('[0]', '[]'), value]).sort(),
    };
  };

  it('asks the same of the API, field by field, and takes its answers', async () => {
    pay(7_500, 'usd', 'order-1042');
    stripe.sessions.set('cs_test_1', 'pi_1');
    const call = callOf();
    const amount = usd(4_005);
    for (const orderId of ['order-1042', 'cs_test_1', 'ch_1'])
      await port().refundOrder(call, { orderId, amount, reason: 'duplicate' });
    const ours = stripe.requests.map(asked);
    stripe.requests.length = 0;
    stripe.refunds.length = 0;
    stripe.forgetKeys();

    const { hostname: host, port: number } = new URL(stripe.origin);
    const library = new Stripe(STRIPE_KEY, { host, port: Number(number), protocol: 'http' });
    const query = "metadata['order_id']:'order-1042' AND status:'succeeded'";
    const expand = ['data.latest_charge'];
    const found = await library.paymentIntents.search({ query, limit: 2, expand });
    expect(found.data.map(({ id }) => id)).toEqual(['pi_1']);
    await library.refunds.list({ payment_intent: 'pi_1', limit: 100 });
    const made = await library.refunds.create(
      {
        payment_intent: 'pi_1',
        amount: 4_005,
        reason: 'duplicate',
        metadata: { signalbox_key: call.idempotencyKey, reason: 'duplicate' },
      },
      { idempotencyKey: call.idempotencyKey },
    );
    expect(made).toMatchObject({ id: 're_1', amount: 4_005, status: 'succeeded' });
    await library.checkout.sessions.retrieve('cs_test_1');
    await library.paymentIntents.retrieve('pi_1', { expand: ['latest_charge'] });
    await library.refunds.list({ payment_intent: 'pi_1', limit: 100 });
    await library.charges.retrieve('ch_1');
    await library.refunds.list({ charge: 'ch_1', limit: 100 });
    expect(ours).toEqual(stripe.requests.map(asked));
  });

  it('understands the errors of the API as its own kinds of error', async () => {
    const { hostname: host, port: number } = new URL(stripe.origin);
    const settings = {
      host,
      port: Number(number),
      protocol: 'http',
      maxNetworkRetries: 0,
    } as const;
    const library = new Stripe(STRIPE_KEY, settings);
    const other = new Stripe('sk_test_wrong', settings);
    const { errors } = Stripe;
    pay(7_500);
    const options = { idempotencyKey: 'once' };
    await library.refunds.create({ payment_intent: 'pi_1' }, options);
    await expect(
      library.refunds.create({ payment_intent: 'pi_1', amount: 1 }, options),
    ).rejects.toThrow(errors.StripeIdempotencyError);
    await expect(library.charges.retrieve('ch_9')).rejects.toMatchObject({
      code: 'resource_missing',
    });
    await expect(other.charges.retrieve('ch_1')).rejects.toThrow(errors.StripeAuthenticationError);
  });
});

describe('an order id', () => {
  it("with quotes in it does not get out of the search's text", async () => {
    pay(7_500, 'usd', "o' OR status:'succeeded");
    expect(
      await port().refundOrder(callOf(), { orderId: "o' OR status:'succeeded", amount: usd(1) }),
    ).toMatchObject({ kind: 'succeeded' });
    expect(await port().refundOrder(callOf(), { orderId: String.raw`x\' OR '` })).toMatchObject({
      error: { code: 'order_not_found' },
      retryable: true,
      attemptsMax: 5,
    });
  });

  it('that several payments have is not guessed', async () => {
    pay(7_500, 'usd', 'twice');
    pay(7_500, 'usd', 'twice');
    expect(await port().refundOrder(callOf(), { orderId: 'twice' })).toMatchObject({
      error: { code: 'order_ambiguous' },
      retryable: false,
    });
    expect(posts()).toEqual([]);
  });

  it.each([
    ['pi_9', 'order_not_found'],
    ['cs_without', 'order_not_found'],
    ['cs_unknown', 'order_not_found'],
  ])('%s that is no payment says so', async (orderId, code) => {
    stripe.sessions.set('cs_without', null);
    expect(await port().refundOrder(callOf(), { orderId })).toMatchObject({
      error: { code },
      retryable: false,
    });
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
  it.each([...AFTER, ...BEFORE])('(%s, at the refund) nothing is doubled', async (kind) => {
    pay(7_500);
    stripe.fail(kind, isPost);
    const call = callOf(700);
    const refund = { orderId: 'pi_1', amount: usd(500) };
    expect(await port().refundOrder(call, refund)).toMatchObject({
      kind: 'failed',
      retryable: true,
      inDoubt: true,
    });
    expect(posts()).toHaveLength(1);
    expect(stripe.refunds).toHaveLength(AFTER.includes(kind) ? 1 : 0);
    expect(await port().refundOrder(call, refund)).toMatchObject({
      kind: 'succeeded',
      output: { amount: usd(500), refunded: usd(500) },
    });
    expect(stripe.refunds).toHaveLength(1);
  });

  it.each([
    ['silent', 'timeout'],
    ['dropped', 'connection_failed'],
    ['halfAfter', 'connection_failed'],
    ['garbageAfter', 'answer_unreadable'],
    ['hugeAfter', 'answer_unreadable'],
  ] as const)('(%s, at the reading) it is tried again', async (kind, code) => {
    pay(7_500);
    stripe.fail(kind);
    expect(await port().refundOrder(callOf(700), { orderId: 'pi_1' })).toMatchObject({
      error: { code },
      retryable: true,
    });
    expect(stripe.requests).toHaveLength(1);
  });

  it.each([
    ['nobody listens', () => 'http://127.0.0.1:1'],
    ['TLS is refused', () => stripe.origin.replace('http:', 'https:')],
  ])('because %s, it is tried again', async (_why, origin) => {
    expect(
      await port(STRIPE_KEY, origin()).refundOrder(callOf(), { orderId: 'pi_1' }),
    ).toMatchObject({ error: { code: 'connection_failed' }, retryable: true });
  });

  it('but a redirect, it is not followed', async () => {
    pay(7_500);
    stripe.fail('redirect');
    expect(await port().refundOrder(callOf(), { orderId: 'pi_1' })).toMatchObject({
      error: { code: 'redirect_refused' },
      retryable: false,
    });
    expect(stripe.requests).toHaveLength(1);
  });
});

describe('an answer that is no', () => {
  const error = (status: number, fields: object, headers = {}): Fault => ({
    kind: 'answer',
    answer: { status, headers, body: { error: { message: 'no', ...fields } } },
  });

  it.each([
    ['429 with Retry-After', error(429, {}, { 'retry-after': '7' }), 'rate_limited', true, 7_000],
    ['429 without', error(429, {}), 'rate_limited', true, null],
    ['429 of a lock', error(429, { code: 'lock_timeout' }), 'in_progress', true, 5_000],
    [
      '409',
      error(409, { code: 'idempotency_key_in_use', type: 'idempotency_error' }),
      'in_progress',
      true,
      5_000,
    ],
    ['500', error(500, { type: 'api_error' }), 'vendor_failed', true, null],
    [
      '503 without JSON',
      { kind: 'answer', answer: { status: 503, body: 'busy' } },
      'vendor_failed',
      true,
      null,
    ],
    ['401', error(401, {}), 'credential_refused', false, null],
    ['403', error(403, {}), 'scope_missing', false, null],
    ['402', error(402, { type: 'card_error' }), 'stripe_refused', false, null],
    ['400', error(400, { type: 'invalid_request_error' }), 'stripe_refused', false, null],
    [
      'refunded meanwhile',
      error(400, { code: 'charge_already_refunded' }),
      'nothing_to_refund',
      false,
      null,
    ],
    [
      'another shape',
      { kind: 'answer', answer: { status: 200, body: { id: 7 } } },
      'answer_unreadable',
      true,
      null,
    ],
    [
      'no object',
      { kind: 'answer', answer: { status: 200, body: 'null' } },
      'answer_unreadable',
      true,
      null,
    ],
  ] satisfies [string, Fault, string, boolean, number | null][])(
    '(%s) is said so',
    async (_name, fault, code, retryable, retryAfterMs) => {
      pay(7_500);
      stripe.fail(fault, isPost);
      expect(await port().refundOrder(callOf(), { orderId: 'pi_1' })).toMatchObject({
        kind: 'failed',
        error: { code },
        retryable,
        retryAfterMs,
      });
      expect(posts()).toHaveLength(1);
    },
  );

  it('to a wrong key says what to do, and never the key', async () => {
    const outcome = await port('sk_test_wrong1234').refundOrder(callOf(), { orderId: 'pi_1' });
    expect(outcome).toMatchObject({ error: { code: 'credential_refused' }, retryable: false });
    expect(JSON.stringify(outcome)).not.toContain('sk_test_wrong1234');
  });

  it('that repeats the key is cleaned of it', async () => {
    pay(7_500);
    stripe.fail(error(400, { message: `bad\n${STRIPE_KEY} ${'x'.repeat(1_000)}` }), isPost);
    const outcome = await port().refundOrder(callOf(), { orderId: 'pi_1' });
    expect(outcome).toMatchObject({ error: { code: 'stripe_refused' } });
    expect(JSON.stringify(outcome)).not.toContain(STRIPE_KEY);
    expect(JSON.stringify(outcome).length).toBeLessThan(500);
  });
});
