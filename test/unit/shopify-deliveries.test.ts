/** Shopify's further topics, its newer headers, other API versions, and bodies of another shop. */
import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { isJsonObject, type JsonObject } from '../../src/contract/json.ts';
import { parseLossless } from '../../src/vendors/lossless-json.ts';
import { translateShopify } from '../../src/vendors/shopify.ts';
import { shopifyDelivery, verifyShopify } from '../../src/vendors/shopify-delivery.ts';
import { isOfAnotherShop } from '../../src/vendors/shopify-origin.ts';
import { CUSTOMER_TEXT, ORDER_TEXT } from '../fixtures/vendors/shopify.ts';

const META = { shopDomain: 'lamps.myshopify.com', id: 'wh-1', triggeredAt: null };

function bodyOf(text: string, changes: JsonObject = {}): JsonObject {
  const parsed = parseLossless(text);
  if (!isJsonObject(parsed)) throw new TypeError('not an object');
  return { ...parsed, ...changes };
}

describe('a topic without a platform type', () => {
  it('orders/cancelled is a custom event, at the time of the cancellation', () => {
    const cancelled = { cancelled_at: '2026-03-05T10:00:00-05:00', cancel_reason: 'fraud' };
    expect(translateShopify('orders/cancelled', bodyOf(ORDER_TEXT, cancelled), META)).toMatchObject(
      {
        kind: 'event',
        event: {
          type: 'custom.shopify.order.cancelled',
          time: '2026-03-05T15:00:00.000Z',
          subject: '9007199254740993',
          data: {
            order: { id: '9007199254740993', total: { amount: 7_500, currency: 'USD' } },
            reason: 'fraud',
            vendor: { name: 'shopify', cancelledAt: '2026-03-05T10:00:00-05:00' },
          },
        },
      },
    );
  });

  it('orders/updated and customers/update are too', () => {
    const updated = { updated_at: '2026-03-06T00:00:00Z', fulfillment_status: 'fulfilled' };
    expect(translateShopify('orders/updated', bodyOf(ORDER_TEXT, updated), META)).toMatchObject({
      event: {
        type: 'custom.shopify.order.updated',
        time: '2026-03-06T00:00:00.000Z',
        data: { vendor: { financialStatus: 'paid', fulfillmentStatus: 'fulfilled' } },
      },
    });
    const tagged = { updated_at: '2026-03-06T00:00:00Z', tags: 'vip, wholesale' };
    expect(translateShopify('customers/update', bodyOf(CUSTOMER_TEXT, tagged), META)).toMatchObject(
      {
        event: {
          type: 'custom.shopify.customer.updated',
          time: '2026-03-06T00:00:00.000Z',
          data: { customer: { id: '9007199254740995', tags: ['vip', 'wholesale'] } },
        },
      },
    );
  });
});

describe('a topic that is not what the body says of itself', () => {
  it.each(['customers/create', 'customers/update', 'refunds/create'])(
    '(%s, of an order) is a fault: the topic is in a header, which nobody signs',
    (topic) => {
      expect(translateShopify(topic, bodyOf(ORDER_TEXT), META)).toMatchObject({
        kind: 'invalid',
        faults: [{ path: 'admin_graphql_api_id' }],
      });
    },
  );

  it('passes where the body says nothing', () => {
    const silent = bodyOf(CUSTOMER_TEXT, { admin_graphql_api_id: null });
    expect(translateShopify('customers/create', silent, META)).toMatchObject({ kind: 'event' });
  });
});

describe('another API version', () => {
  it.each(['2019-04', '2024-10', '2026-10', '2031-01', 'unstable', null])(
    '(%s) is read the same, and told',
    (apiVersion) => {
      const meta = { ...META, apiVersion };
      const read = translateShopify('orders/create', bodyOf(ORDER_TEXT), meta);
      expect(read).toMatchObject({ kind: 'event', event: { type: 'order.created' } });
      const version = read.kind === 'event' ? read.event.extensions.vendorapiversion : '';
      expect(version ?? null).toBe(apiVersion);
    },
  );

  it('whose bodies have fewer fields is read: an order of before customers had names', () => {
    const { id, currency, total_price } = bodyOf(ORDER_TEXT);
    const bare = { id: id ?? null, currency: currency ?? null, total_price: total_price ?? null };
    expect(translateShopify('orders/create', { ...bare, customer: { id: 7 } }, META)).toMatchObject(
      {
        event: { data: { order: { id: '9007199254740993', customer: { id: '7' }, tags: [] } } },
      },
    );
  });
});

describe('headers without X-', () => {
  const secret = 'shpss_x';
  const body = '{"product":{"id":1}}';
  const hmac = createHmac('sha256', secret).update(body).digest('base64');
  const headers = {
    'shopify-hmac-sha256': hmac,
    'shopify-topic': 'Product',
    'shopify-action': 'update',
    'shopify-shop-domain': 'Lamps.myshopify.com',
    'shopify-webhook-id': 'wh-2',
    'shopify-event-id': 'ev-2',
    'shopify-api-version': '2026-10',
  };

  it('are verified and read', async () => {
    const bytes = new TextEncoder().encode(body);
    expect(await verifyShopify(bytes, new Headers(headers), secret)).toBe(true);
    expect(await verifyShopify(bytes, new Headers(headers), 'shpss_y')).toBe(false);
    expect(shopifyDelivery(new Headers(headers))).toEqual({
      id: 'wh-2',
      topic: 'events/Product/update',
      shopDomain: 'lamps.myshopify.com',
      triggeredAt: null,
      apiVersion: '2026-10',
    });
  });

  it('have topics that are never taken for those of webhooks', () => {
    const named = { ...headers, 'shopify-topic': 'orders/create' };
    const { topic } = shopifyDelivery(new Headers(named));
    expect(translateShopify(topic ?? '', bodyOf(ORDER_TEXT), META)).toMatchObject({
      kind: 'ignored',
    });
  });

  it('beside those with X- do not let one family sign for the other', async () => {
    const mixed = new Headers({ 'x-shopify-hmac-sha256': hmac, ...headers });
    mixed.set(
      'shopify-hmac-sha256',
      hmac.replace(/^./, (first) => (first === 'A' ? 'B' : 'A')),
    );
    expect(await verifyShopify(new TextEncoder().encode(body), mixed, secret)).toBe(false);
  });
});

describe('a body that names its shop', () => {
  const page = (host: string, number = '548380009') =>
    bodyOf(ORDER_TEXT, {
      order_status_url: `https://${host}/${number}/orders/b1946ac9/authenticate?key=c`,
    });
  const own = { shopDomain: 'lamps.myshopify.com', shopId: '548380009' };

  it.each([
    ['its own domain', page('lamps.myshopify.com')],
    ['its own domain in capitals', page('Lamps.MyShopify.com')],
    ['a domain of its own brand', page('lamps.example.com')],
    ['nothing', bodyOf(ORDER_TEXT)],
    ['an address that is none', bodyOf(ORDER_TEXT, { order_status_url: 'x' })],
    ['a number for an address', bodyOf(ORDER_TEXT, { order_status_url: 1 })],
    ['no order', bodyOf(CUSTOMER_TEXT)],
    ['a list', []],
  ])('by %s passes', (_how, body) => {
    expect(isOfAnotherShop(body, own)).toBe(false);
  });

  it.each([
    ['the domain of another shop', page('other.myshopify.com')],
    ['the number of another shop, on its own domain', page('lamps.myshopify.com', '1')],
    ['the number of another shop, on a brand’s domain', page('lamps.example.com', '1')],
  ])('by %s does not', (_how, body) => {
    expect(isOfAnotherShop(body, own)).toBe(true);
  });

  it('by its number alone passes where the connection has none', () => {
    const body = page('lamps.example.com', '1');
    expect(isOfAnotherShop(body, { shopDomain: 'lamps.myshopify.com' })).toBe(false);
  });
});
