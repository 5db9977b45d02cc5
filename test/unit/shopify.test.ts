/** Shopify's webhooks: only the shop's own bytes verify, and bodies become platform events. */
import { createHmac } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isJsonObject, type Json, type JsonObject } from '../../src/contract/json.ts';
import { parseLossless } from '../../src/vendors/lossless-json.ts';
import { type ShopifyMeta, translateShopify } from '../../src/vendors/shopify.ts';
import { shopifyDelivery, verifyShopify } from '../../src/vendors/shopify-delivery.ts';
import {
  CUSTOMER_TEXT,
  DELIVERY_HEADERS,
  ORDER_TEXT,
  REFUND_TEXT,
} from '../fixtures/vendors/shopify.ts';

const META: ShopifyMeta = { shopDomain: 'lamps.myshopify.com', id: 'wh-1', triggeredAt: null };
const SAMPLES = new URL('../../../shared/samples/shopify/', import.meta.url);

const bytes = (text: string) => new TextEncoder().encode(text);
const signed = (signature: string) => new Headers({ 'X-Shopify-Hmac-Sha256': signature });
const sign = (text: string, secret: string) =>
  createHmac('sha256', secret).update(text).digest('base64');

function fields(text: string): JsonObject {
  const parsed = parseLossless(text);
  if (!isJsonObject(parsed)) throw new TypeError('not an object');
  return parsed;
}
const order = (changes: JsonObject = {}) => ({ ...fields(ORDER_TEXT), ...changes });
const refund = (changes: JsonObject = {}) => ({ ...fields(REFUND_TEXT), ...changes });

function eventOf(topic: string, body: Json, meta = META) {
  const result = translateShopify(topic, body, meta);
  if (result.kind !== 'event') throw new Error(JSON.stringify(result));
  return result.event;
}
function faultsAt(topic: string, body: Json): string[] {
  const result = translateShopify(topic, body, META);
  return result.kind === 'invalid' ? result.faults.map((fault) => fault.path) : [result.kind];
}
const usd = (amount: string) => ({ shop_money: { amount, currency_code: 'USD' } });

describe('the signature', () => {
  const secret = 'shpss_x';
  const body = '{"id":1}';
  const signature = 'QtDkIkY13DEn2wNorNow01Pg7Mhl+8SmcSyF6UFzlLg=';

  it('verifies the fixed vector', async () => {
    expect(await verifyShopify(bytes(body), signed(signature), secret)).toBe(true);
  });

  it('verifies what HMAC-SHA256 makes of any body and secret, the empty body too', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string(), fc.string({ minLength: 1 }), async (text, key) => {
        expect(await verifyShopify(bytes(text), signed(sign(text, key)), key)).toBe(true);
      }),
    );
  });

  it('fails when any bit of the body is flipped', async () => {
    for (let bit = 0; bit < body.length * 8; bit += 1) {
      const flipped = bytes(body).map((byte, at) =>
        at === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte,
      );
      expect(await verifyShopify(flipped, signed(signature), secret)).toBe(false);
    }
  });

  it('fails when any letter of the signature is another one', async () => {
    for (let at = 0; at < signature.length; at += 1) {
      const next = String.fromCharCode(signature.charCodeAt(at) + 1);
      const other = signature.slice(0, at) + next + signature.slice(at + 1);
      expect(await verifyShopify(bytes(body), signed(other), secret)).toBe(false);
    }
  });

  it('fails under another secret, and under an empty one', async () => {
    expect(await verifyShopify(bytes(body), signed(signature), 'shpss_y')).toBe(false);
    const empty = sign(body, '');
    expect(await verifyShopify(bytes(body), signed(empty), '')).toBe(false);
  });

  it('fails without the header', async () => {
    expect(await verifyShopify(bytes(body), new Headers(), secret)).toBe(false);
  });

  it.each([
    ['empty', ''],
    ['hex', createHmac('sha256', secret).update(body).digest('hex')],
    ['base64url', signature.replace('+', '-')],
    ['unpadded', signature.slice(0, -1)],
    ['not base64', '*'.repeat(44)],
    ['twice', `${signature}, ${signature}`],
    ['in another case', signature.toLowerCase()],
    ['with stray bits in its last letter', signature.replace('g=', 'h=')],
  ])('fails when the signature is %s', async (_how, text) => {
    expect(await verifyShopify(bytes(body), signed(text), secret)).toBe(false);
  });
});

describe('the delivery headers', () => {
  it('name the delivery by its webhook id', () => {
    expect(shopifyDelivery(new Headers(DELIVERY_HEADERS))).toEqual({
      id: DELIVERY_HEADERS['X-Shopify-Webhook-Id'],
      topic: 'orders/create',
      shopDomain: 'lamps.myshopify.com',
      triggeredAt: DELIVERY_HEADERS['X-Shopify-Triggered-At'],
      apiVersion: '2026-01',
    });
  });

  it('fall back on the event id', () => {
    const headers = new Headers(DELIVERY_HEADERS);
    headers.set('X-Shopify-Webhook-Id', ' ');
    expect(shopifyDelivery(headers).id).toBe(DELIVERY_HEADERS['X-Shopify-Event-Id']);
  });

  it('are null where they are missing', () => {
    expect(shopifyDelivery(new Headers())).toEqual({
      id: null,
      topic: null,
      shopDomain: null,
      triggeredAt: null,
      apiVersion: null,
    });
  });
});

describe('orders/create', () => {
  it('becomes order.created with every digit of its ids', () => {
    const triggeredAt = '2026-03-02T14:30:01.123456789Z';
    const meta = { ...META, triggeredAt, apiVersion: '2026-01' };
    expect(eventOf('orders/create', order(), meta)).toEqual({
      id: 'wh-1',
      source: 'https://lamps.myshopify.com',
      type: 'order.created',
      time: '2026-03-02T14:30:01.123Z',
      subject: '9007199254740993',
      correlationId: undefined,
      extensions: { vendortopic: 'orders/create', vendorapiversion: '2026-01' },
      data: {
        order: {
          id: '9007199254740993',
          name: '#1042',
          total: { amount: 7_500, currency: 'USD' },
          customer: { id: '9007199254740995', email: 'ada@example.com', name: 'Ada Example' },
          tags: ['vip', 'first order'],
        },
        vendor: { name: 'shopify', financialStatus: 'paid', test: false },
      },
    });
  });

  it('keeps a guest by the email of the order', () => {
    const event = eventOf('orders/create', order({ customer: null }));
    expect(event.data).toMatchObject({ order: { customer: { email: 'ada@example.com' } } });
  });

  it('has no customer when nothing is known of one, and no empty names', () => {
    const anonymous = order({ customer: null, email: '', name: ' ', tags: '' });
    const { data } = eventOf('orders/create', anonymous);
    expect(data).toMatchObject({
      order: { id: '9007199254740993', total: { amount: 7_500, currency: 'USD' }, tags: [] },
    });
    expect(JSON.stringify(data)).not.toMatch(/customer|#1042/);
  });

  it.each([
    ['1000', 'JPY', 1_000],
    ['12.345', 'KWD', 12_345],
  ])('%s %s is %d minor units', (total_price, currency, amount) => {
    const event = eventOf('orders/create', order({ total_price, currency }));
    expect(event.data).toMatchObject({ order: { total: { amount, currency } } });
  });

  it('takes the time of creation where no trigger time came, and none from nonsense', () => {
    expect(eventOf('orders/create', order()).time).toBe('2026-03-02T14:30:00.000Z');
    const garbled = { ...META, triggeredAt: 'yesterday' };
    expect(eventOf('orders/create', order({ created_at: 5 }), garbled).time).toBeUndefined();
  });

  it('an odd describing field does not lose the order', () => {
    const odd = order({ name: 7, tags: ['a'], financial_status: {}, test: 'no' });
    expect(eventOf('orders/create', odd).data).toMatchObject({
      order: { id: '9007199254740993', tags: [] },
      vendor: { name: 'shopify' },
    });
  });

  it.each([
    ['id', null],
    ['id', ''],
    ['id', 1.5],
    ['id', 2 ** 53],
    ['total_price', '75.001'],
    ['total_price', 75],
    ['total_price', null],
    ['currency', 'dollars'],
    ['currency', null],
    ['customer', 'Ada'],
  ])('%s of %j is a fault at that path', (field, value) => {
    expect(faultsAt('orders/create', order({ [field]: value }))).toEqual([field]);
  });

  it('names every missing field', () => {
    expect(faultsAt('orders/create', {}).sort()).toEqual(['currency', 'id', 'total_price']);
  });

  it('a shop domain that makes no source is a fault of the event', () => {
    const result = translateShopify('orders/create', order(), { ...META, shopDomain: 'a b' });
    expect(result).toMatchObject({ kind: 'invalid', faults: [{ path: 'source' }] });
  });
});

describe('refunds/create', () => {
  it('becomes order.refunded with the sum of the refunds that succeeded', () => {
    const event = eventOf('refunds/create', refund());
    expect(event).toMatchObject({ type: 'order.refunded', subject: '9007199254740993' });
    expect(event.data).toEqual({
      order: { id: '9007199254740993' },
      refund: {
        id: '9007199254741001',
        amount: { amount: 4_030, currency: 'USD' },
        reason: 'arrived broken',
      },
      vendor: { name: 'shopify' },
    });
  });

  it('is nothing when no refund succeeded', () => {
    const transactions = [{ kind: 'refund', status: 'failure', amount: '5.00', currency: 'EUR' }];
    const { data } = eventOf('refunds/create', refund({ transactions }));
    expect(data).toMatchObject({ refund: { amount: { amount: 0, currency: 'EUR' } } });
  });

  it('counts a refund that is under way, of which no other webhook will tell', () => {
    const transactions = [{ kind: 'refund', status: 'pending', amount: '5.00', currency: 'EUR' }];
    const { data } = eventOf('refunds/create', refund({ transactions }));
    expect(data).toMatchObject({ refund: { amount: { amount: 500, currency: 'EUR' } } });
  });

  it.each<[string, JsonObject]>([
    ['put back', {}],
    ['taken off an order that was not paid', { transactions: null }],
    [
      'not sent, but shipping is',
      {
        refund_line_items: null,
        refund_shipping_lines: [{ subtotal_amount_set: usd('8.00') }],
      },
    ],
    [
      'in the adjustments alone',
      { refund_line_items: [{ id: 1 }], order_adjustments: [{ amount_set: usd('-8.00') }] },
    ],
  ])('is nothing without transactions: goods are %s, and no money moves', (_what, changes) => {
    const { data } = eventOf('refunds/create', refund({ transactions: [], ...changes }));
    expect(data).toMatchObject({ refund: { amount: { amount: 0, currency: 'USD' } } });
  });

  it('without an amount anywhere is a fault, not a refund of nothing', () => {
    const bare = refund({ transactions: [], refund_line_items: [{ id: 1 }] });
    expect(faultsAt('refunds/create', bare)).toEqual(['transactions']);
  });

  it('in two currencies is a fault', () => {
    const transactions = ['USD', 'CAD'].map((currency) => ({
      kind: 'refund',
      status: 'success',
      amount: '1.00',
      currency,
    }));
    expect(faultsAt('refunds/create', refund({ transactions }))).toEqual(['transactions.1.amount']);
  });

  it('with a sum beyond 2^53 is a fault', () => {
    const transactions = [1, 2].map(() => ({
      kind: 'refund',
      status: 'success',
      amount: '90071992547409.91',
      currency: 'USD',
    }));
    expect(faultsAt('refunds/create', refund({ transactions }))).toEqual([
      'data.refund.amount.amount',
    ]);
  });
});

describe('customers/create', () => {
  it('becomes customer.created', () => {
    const event = eventOf('customers/create', fields(CUSTOMER_TEXT));
    expect(event).toMatchObject({
      type: 'customer.created',
      time: '2026-03-01T08:00:00.000Z',
      data: { customer: { id: '9007199254740995', email: 'ada@example.com', name: 'Ada' } },
    });
  });
});

describe('any topic and any body', () => {
  const topics = [
    'orders/create',
    'refunds/create',
    'customers/create',
    'orders/cancelled',
    'orders/updated',
    'customers/update',
  ];

  it.each([
    'orders/paid',
    'events/Order/create',
    'app/uninstalled',
    'constructor',
    '__proto__',
    '',
  ])('topic %j is ignored', (topic) => {
    expect(translateShopify(topic, order(), META)).toEqual({ kind: 'ignored', topic });
  });

  it('never throws on JSON of any shape', () => {
    fc.assert(
      fc.property(fc.constantFrom(...topics), fc.json(), (topic, text) => {
        const { kind } = translateShopify(topic, parseLossless(text), META);
        expect(['event', 'invalid']).toContain(kind);
      }),
    );
  });

  it('never throws when one field of a real shape is anything', () => {
    const changed = fc.constantFrom(...Object.keys(order()), ...Object.keys(refund()));
    fc.assert(
      fc.property(fc.constantFrom(...topics), changed, fc.json(), (topic, field, text) => {
        const body = { ...order(), ...refund(), [field]: parseLossless(text) };
        const result = translateShopify(topic, body, META);
        if (result.kind === 'invalid') expect(result.faults.length).toBeGreaterThan(0);
        else expect(result.kind).toBe('event');
      }),
    );
  });
});

describe.skipIf(!existsSync(SAMPLES))("the vendor's sample bodies (skipped where absent)", () => {
  it.each([
    ['orders/create', 'order.created', { order: { id: '450789469', total: { amount: 40_994 } } }],
    ['refunds/create', 'order.refunded', { refund: { amount: { amount: 20_900 } } }],
    ['customers/create', 'customer.created', { customer: { name: 'Bob Norman' } }],
  ])('%s becomes %s', (topic, type, data) => {
    const file = new URL(`${topic.replace('/', '-')}.json`, SAMPLES);
    const event = eventOf(topic, parseLossless(readFileSync(file, 'utf8')));
    expect(event).toMatchObject({ type, data });
  });
});
