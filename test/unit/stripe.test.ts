/** Stripe's webhooks: only fresh bytes signed with the endpoint's secret verify; events translate. */
import { existsSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import Stripe from 'stripe';
import { describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '../../src/contract/json.ts';
import { parseLossless } from '../../src/vendors/lossless-json.ts';
import { translateStripe, verifyStripe } from '../../src/vendors/stripe.ts';
import { CHARGE, CUSTOMER, SESSION, stripeEvent } from '../fixtures/vendors/stripe.ts';

const SAMPLES = new URL('../../../shared/samples/stripe/', import.meta.url);
const SECRET = 'whsec_test_secret';
const T = 1_700_000_000;
const BODY = '{"id":"evt_1"}';
const VECTOR = '248a374f50f943a28b0f6ab50faf9a7e7e29b710fa26df9fb1618b9bf8ea9c9a';

const oracle = new Stripe('sk_test_unused').webhooks;
const bytes = (text: string) => new TextEncoder().encode(text);

/** Whether a header verifies, by default the fixed vector's body and secret at its time. */
function verifies(header: string, { body = BODY, secret = SECRET, now = T } = {}) {
  return verifyStripe(
    bytes(body),
    new Headers({ 'Stripe-Signature': header }),
    secret,
    now * 1_000,
  );
}
function header(options: {
  payload?: string;
  secret?: string;
  timestamp?: number;
  scheme?: string;
}) {
  return oracle.generateTestHeaderString({
    payload: BODY,
    secret: SECRET,
    timestamp: T,
    ...options,
  });
}

describe('the signature', () => {
  it('verifies the fixed vector', async () => {
    expect(await verifies(`t=${T},v1=${VECTOR}`)).toBe(true);
  });

  it("verifies what Stripe's own library signs, whatever the body and the secret", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: 'grapheme' }),
        fc.string({ minLength: 1 }),
        async (payload, key) => {
          const secret = `whsec_${key}`;
          const signed = header({ payload, secret });
          expect(await verifies(signed, { body: payload, secret })).toBe(true);
        },
      ),
    );
  });

  it('fails when any bit of the body is flipped', async () => {
    for (let bit = 0; bit < BODY.length * 8; bit += 1) {
      const flipped = bytes(BODY).map((byte, at) =>
        at === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte,
      );
      const headers = new Headers({ 'Stripe-Signature': header({}) });
      expect(await verifyStripe(flipped, headers, SECRET, T * 1_000)).toBe(false);
    }
  });

  it('fails when any digit of the signature is another one', async () => {
    for (let at = 0; at < VECTOR.length; at += 1) {
      const digit = VECTOR[at] === '0' ? '1' : '0';
      const other = VECTOR.slice(0, at) + digit + VECTOR.slice(at + 1);
      expect(await verifies(`t=${T},v1=${other}`)).toBe(false);
    }
  });

  it('fails when the time is not the one that was signed', async () => {
    expect(await verifies(`t=${T + 1},v1=${VECTOR}`)).toBe(false);
    expect(await verifies(`t=0${T},v1=${VECTOR}`)).toBe(false);
  });

  it('fails under another secret, the decoded one and an empty one', async () => {
    expect(await verifies(header({}), { secret: 'whsec_other' })).toBe(false);
    expect(await verifies(header({}), { secret: 'test_secret' })).toBe(false);
    expect(await verifies(header({}), { secret: '' })).toBe(false);
  });

  it.each([-300, 0, 300])('verifies %d s from its time', async (offset) => {
    expect(await verifies(header({}), { now: T + offset })).toBe(true);
  });

  it.each([-86_400, -301, 301, 86_400])('fails %d s from its time', async (offset) => {
    expect(await verifies(header({}), { now: T + offset })).toBe(false);
  });

  it('does not take scheme v0, alone', async () => {
    expect(await verifies(header({ scheme: 'v0' }))).toBe(false);
    expect(await verifies(`t=${T},v0=${VECTOR}`)).toBe(false);
  });

  it('takes any one of several v1, as during a rotation, and skips other schemes', async () => {
    const wrong = '0'.repeat(64);
    expect(await verifies(`t=${T},v1=${wrong},v1=${VECTOR},v0=${wrong}`)).toBe(true);
    expect(await verifies(`t=${T},v1=${VECTOR},v1=${wrong}`)).toBe(true);
    expect(await verifies(`t=${T},v1=${wrong},v1=${wrong}`)).toBe(false);
  });

  it('does not hash the body for a pile of signatures', async () => {
    const pile = `v1=${'0'.repeat(64)},`.repeat(8);
    expect(await verifies(`t=${T},${pile}v1=${VECTOR}`)).toBe(false);
  });

  it.each([
    ['empty', ''],
    ['without a time', `v1=${VECTOR}`],
    ['without a signature', `t=${T}`],
    ['with a time that is no number', `t=now,v1=${VECTOR}`],
    ['with a negative time', `t=-1,v1=${VECTOR}`],
    ['with two times', `t=${T},t=${T},v1=${VECTOR}`],
    ['sent twice', `t=${T},v1=${VECTOR}, t=${T},v1=${VECTOR}`],
    ['short', `t=${T},v1=${VECTOR.slice(1)}`],
    ['in capitals', `t=${T},v1=${VECTOR.toUpperCase()}`],
    ['in base64', `t=${T},v1=${btoa(VECTOR)}`],
    ['not pairs', 'nonsense'],
  ])('fails when the header is %s', async (_how, text) => {
    expect(await verifies(text)).toBe(false);
  });

  it('fails without the header', async () => {
    expect(await verifyStripe(bytes(BODY), new Headers(), SECRET, T * 1_000)).toBe(false);
  });
});

function eventOf(body: Json) {
  const result = translateStripe(body);
  if (result.kind !== 'event') throw new Error(JSON.stringify(result));
  return result.event;
}
function faultsAt(body: Json): string[] {
  const result = translateStripe(body);
  return result.kind === 'invalid' ? result.faults.map((fault) => fault.path) : [result.kind];
}
const checkout = (changes: JsonObject = {}) =>
  stripeEvent('checkout.session.completed', { ...SESSION, ...changes });
const refunded = (changes: JsonObject = {}, previous?: JsonObject) =>
  stripeEvent(
    'charge.refunded',
    { ...CHARGE, ...changes },
    previous === undefined ? {} : { previous_attributes: previous },
  );
const refundOf = (body: Json) => eventOf(body).data;

describe('checkout.session.completed', () => {
  it('becomes order.created', () => {
    expect(eventOf(checkout())).toEqual({
      id: 'evt_1SignalboxFixture',
      source: 'https://api.stripe.com',
      type: 'order.created',
      time: '2026-03-02T14:40:00.000Z',
      subject: '1042',
      correlationId: undefined,
      extensions: {
        vendortopic: 'checkout.session.completed',
        vendorapiversion: '2025-09-30.clover',
        vendorlivemode: false,
      },
      data: {
        order: {
          id: '1042',
          total: { amount: 7_500, currency: 'USD' },
          customer: { id: 'cus_1', email: 'ada@example.com', name: 'Ada Example' },
        },
        vendor: {
          name: 'stripe',
          session: 'cs_test_1',
          paymentIntent: 'pi_1',
          paymentStatus: 'paid',
          clientReferenceId: 'cart-9',
        },
      },
    });
  });

  it('names the account of a connected one in its source', () => {
    const event = eventOf({ ...checkout(), account: 'acct_1' });
    expect(event.source).toBe('https://api.stripe.com/v1/accounts/acct_1');
  });

  it.each([
    [{}, '1042'],
    [{ metadata: { order_id: ' ' } }, 'pi_1'],
    [{ metadata: null }, 'pi_1'],
    [{ metadata: {}, payment_intent: null }, 'cs_test_1'],
  ])('with %j is order %s', (changes, id) => {
    expect(eventOf(checkout(changes)).data).toMatchObject({ order: { id } });
  });

  it('and the refund of its charge name one order', () => {
    const known: Json[] = [{ order_id: '1042' }, {}];
    for (const metadata of known)
      expect(eventOf(refunded({ metadata })).subject).toBe(eventOf(checkout({ metadata })).subject);
  });

  it('takes the email that was given beforehand when the details have none', () => {
    const changes = {
      customer: null,
      customer_details: { email: null, name: '' },
      customer_email: 'bo@example.com',
    };
    expect(eventOf(checkout(changes)).data).toMatchObject({
      order: { customer: { email: 'bo@example.com' } },
    });
  });

  it('in currencies where Stripe departs from ISO 4217 has ISO minor units', () => {
    const total = { amount: 5, currency: 'ISK' };
    expect(eventOf(checkout({ currency: 'isk', amount_total: 500 })).data).toMatchObject({
      order: { total },
    });
    expect(faultsAt(checkout({ currency: 'isk', amount_total: 550 }))).toEqual([
      'data.object.amount_total',
    ]);
  });

  it('that only sets up a payment method is ignored', () => {
    const setup = checkout({ mode: 'setup', amount_total: null, currency: null });
    expect(translateStripe(setup)).toEqual({
      kind: 'ignored',
      topic: 'checkout.session.completed',
    });
  });

  it.each([
    ['id', null],
    ['amount_total', null],
    ['amount_total', '7500'],
    ['amount_total', 0.5],
    ['amount_total', -1],
    ['currency', null],
    ['currency', 'dollar'],
  ])('%s of %j is a fault at that path', (field, value) => {
    expect(faultsAt(checkout({ [field]: value }))).toEqual([`data.object.${field}`]);
  });
});

describe('charge.refunded', () => {
  it('is about this refund, not all of them: the growth of the total', () => {
    expect(eventOf(refunded({}, { amount_refunded: 3_000 }))).toMatchObject({
      type: 'order.refunded',
      data: {
        order: { id: '1042' },
        refund: { id: 'ch_1:5000', amount: { amount: 2_000, currency: 'USD' } },
        vendor: { name: 'stripe', charge: 'ch_1', paymentIntent: 'pi_1' },
      },
    });
  });

  it('is the newest listed refund where the earlier total is not told', () => {
    const data = [
      { id: 're_2', amount: 1_500, reason: 'requested_by_customer' },
      { id: 're_1', amount: 3_500, reason: null },
    ];
    expect(refundOf(refunded({ refunds: { object: 'list', data } }))).toMatchObject({
      refund: { id: 're_2', amount: { amount: 1_500 }, reason: 'requested_by_customer' },
    });
  });

  it('is the whole total where neither is told', () => {
    const body = refunded({ refunds: { data: [] } });
    expect(refundOf(body)).toMatchObject({
      refund: { id: 'ch_1:5000', amount: { amount: 5_000 } },
    });
  });

  it('two refunds of one charge have ids of their own', () => {
    const first = refundOf(refunded({ amount_refunded: 3_000 }, { amount_refunded: 0 }));
    const second = refundOf(refunded({ amount_refunded: 5_000 }, { amount_refunded: 3_000 }));
    expect(first).toMatchObject({ refund: { id: 'ch_1:3000' } });
    expect(second).toMatchObject({ refund: { id: 'ch_1:5000' } });
  });

  it('of a charge without a payment intent or an order id names the charge', () => {
    const { subject } = eventOf(refunded({ metadata: {}, payment_intent: null }));
    expect(subject).toBe('ch_1');
  });

  it('whose total shrank is a fault', () => {
    expect(faultsAt(refunded({}, { amount_refunded: 5_001 }))).toEqual([
      'data.object.amount_refunded',
    ]);
  });

  it('whose earlier total is no amount is a fault', () => {
    expect(faultsAt(refunded({}, { amount_refunded: 'some' }))).toEqual([
      'data.previous_attributes.amount_refunded',
    ]);
  });
});

describe('customer.created', () => {
  it('becomes customer.created without an empty name', () => {
    const { type, data } = eventOf(stripeEvent('customer.created', CUSTOMER));
    expect(type).toBe('customer.created');
    expect(data).toEqual({
      customer: { id: 'cus_1', email: 'ada@example.com' },
      vendor: { name: 'stripe' },
    });
  });
});

describe('any type and any body', () => {
  it.each(['invoice.paid', 'v1.charge.refunded', 'constructor', '__proto__'])(
    'type %j is ignored',
    (type) => {
      expect(translateStripe(stripeEvent(type, {}))).toEqual({ kind: 'ignored', topic: type });
    },
  );

  it.each<Json>([null, [], 'text', 5, {}, { type: 7 }, { type: '' }])('%j is a fault', (body) => {
    expect(translateStripe(body).kind).toBe('invalid');
  });

  it('without an id, a time or data names all three', () => {
    expect(faultsAt({ type: 'customer.created' }).sort()).toEqual(['created', 'data', 'id']);
  });

  it('a time beyond the year 9999 is a fault, not an exception', () => {
    expect(faultsAt({ ...checkout(), created: 9e15 })).toEqual(['created']);
  });

  const type = fc.constantFrom('checkout.session.completed', 'charge.refunded', 'customer.created');

  it('never throws on JSON of any shape', () => {
    const bodies = fc.oneof(
      fc.json().map(parseLossless),
      fc.tuple(type, fc.json()).map(([name, text]) => ({ type: name, data: parseLossless(text) })),
    );
    fc.assert(
      fc.property(bodies, (body) => {
        expect(['event', 'ignored', 'invalid']).toContain(translateStripe(body).kind);
      }),
    );
  });

  it('never throws when one field of a real shape is anything', () => {
    const real = { ...CHARGE, ...SESSION };
    const field = fc.constantFrom(...Object.keys(real), 'refunds');
    fc.assert(
      fc.property(type, field, fc.json(), (name, key, text) => {
        const result = translateStripe(stripeEvent(name, { ...real, [key]: parseLossless(text) }));
        if (result.kind === 'invalid') expect(result.faults.length).toBeGreaterThan(0);
        else expect(result.kind).toBe('event');
      }),
    );
  });
});

describe.skipIf(!existsSync(SAMPLES))("the vendor's sample bodies (skipped where absent)", () => {
  it.each([
    ['checkout.session.completed', 'order.created', { order: { total: { amount: 40_994 } } }],
    ['charge.refunded', 'order.refunded', { order: { id: '450789469' } }],
    ['customer.created', 'customer.created', { customer: { id: 'cus_QXg1o8vcGmoR32' } }],
  ])('%s becomes %s', (file, expected, data) => {
    const text = readFileSync(new URL(`${file}.json`, SAMPLES), 'utf8');
    expect(eventOf(parseLossless(text))).toMatchObject({ type: expected, data });
  });
});
