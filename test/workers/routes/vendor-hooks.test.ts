/** Vendors' webhooks: which secrets count during a rotation, and whose shop a body is of. */
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/contract/json.ts';
import { ORDER_TEXT } from '../../fixtures/vendors/shopify.ts';
import { CUSTOMER, stripeEvent } from '../../fixtures/vendors/stripe.ts';
import { at } from '../support/answers.ts';
import { newTenant, send, type Tenant } from '../support/api.ts';

const SHOP = 'lamps.myshopify.com';
const CONNECTIONS = '/api/admin/connections';

async function hmac(secret: string, message: string): Promise<Uint8Array> {
  const encode = (text: string) => new TextEncoder().encode(text);
  const algorithm = { name: 'HMAC', hash: 'SHA-256' };
  const key = await crypto.subtle.importKey('raw', encode(secret), algorithm, false, ['sign']);
  return new Uint8Array(await crypto.subtle.sign('HMAC', key, encode(message)));
}

async function set(tenant: Tenant, fields: JsonObject) {
  const answer = await tenant.post(`${CONNECTIONS}/set`, fields);
  expect(answer.status, answer.text).toBe(200);
  return answer;
}
const shopify = (webhookSecret: string, more: JsonObject = {}) => ({
  kind: 'shopify',
  shopDomain: SHOP,
  webhookSecret,
  ...more,
});

async function postShopify(tenant: Tenant, secret: string, headers = {}, raw = ORDER_TEXT) {
  return await send('POST', `/api/hooks/${tenant.id}/shopify`, {
    raw,
    headers: {
      'content-type': 'application/json',
      'x-shopify-topic': 'orders/create',
      'x-shopify-shop-domain': SHOP,
      'x-shopify-webhook-id': crypto.randomUUID(),
      'x-shopify-hmac-sha256': btoa(String.fromCharCode(...(await hmac(secret, raw)))),
      ...headers,
    },
  });
}

async function postStripe(tenant: Tenant, secrets: readonly string[]) {
  const id = `evt_${crypto.randomUUID()}`;
  const raw = JSON.stringify({ ...stripeEvent('customer.created', CUSTOMER), id });
  const time = Math.floor(Date.now() / 1_000);
  const hex = async (secret: string) =>
    [...(await hmac(secret, `${time}.${raw}`))]
      .map((byte) => byte.toString(16).padStart(2, '0'))
      .join('');
  const signed = await Promise.all(secrets.map(async (secret) => `v1=${await hex(secret)}`));
  const headers = { 'content-type': 'application/json' };
  return await send('POST', `/api/hooks/${tenant.id}/stripe`, {
    raw,
    headers: { ...headers, 'stripe-signature': [`t=${time}`, ...signed].join(',') },
  });
}

describe('a webhook secret that is set anew', () => {
  it('counts beside the former one, at Shopify', async () => {
    const tenant = await newTenant();
    await set(tenant, shopify('shop-secret-a'));
    const rotated = await set(tenant, shopify('shop-secret-b'));
    expect(at(rotated, 'connection.secrets')).toEqual(['webhookSecret', 'previousWebhookSecret']);
    for (const [secret, status] of [
      ['shop-secret-a', 200],
      ['shop-secret-b', 200],
      ['shop-secret-c', 401],
    ] as const)
      expect((await postShopify(tenant, secret)).status, secret).toBe(status);
  });

  it('counts beside the former one, at Stripe, which may sign with both', async () => {
    const tenant = await newTenant();
    await set(tenant, { kind: 'stripe', webhookSecret: 'whsec_aaaaaaaa' });
    await set(tenant, { kind: 'stripe', webhookSecret: 'whsec_bbbbbbbb' });
    for (const [secrets, status] of [
      [['whsec_aaaaaaaa'], 200],
      [['whsec_bbbbbbbb'], 200],
      [['whsec_cccccccc', 'whsec_bbbbbbbb'], 200],
      [['whsec_cccccccc'], 401],
    ] as const)
      expect((await postStripe(tenant, secrets)).status, secrets.join()).toBe(status);
  });

  it('is alone at once when it is said so', async () => {
    const tenant = await newTenant();
    await set(tenant, shopify('shop-secret-a'));
    const dropped = await set(tenant, shopify('shop-secret-b', { dropPrevious: true }));
    expect(at(dropped, 'connection.secrets')).toEqual(['webhookSecret']);
    expect((await postShopify(tenant, 'shop-secret-a')).status).toBe(401);
    expect((await postShopify(tenant, 'shop-secret-b')).status).toBe(200);
  });

  it('ends the former one too when the connection is removed', async () => {
    const tenant = await newTenant();
    await set(tenant, shopify('shop-secret-a'));
    await tenant.post(`${CONNECTIONS}/remove`, { kind: 'shopify' });
    await set(tenant, shopify('shop-secret-b'));
    expect((await postShopify(tenant, 'shop-secret-a')).status).toBe(401);
  });
});

describe('a body that the app has signed', () => {
  const page = (host: string, shopId: string) =>
    ORDER_TEXT.replace(
      /\}$/,
      `, "order_status_url": "https://${host}/${shopId}/orders/b1946ac9/authenticate?key=c" }`,
    );

  it.each([
    ['for another shop, by the header', { 'x-shopify-shop-domain': 'x.myshopify.com' }, ORDER_TEXT],
    ['without a shop', { 'x-shopify-shop-domain': '' }, ORDER_TEXT],
    ['for another shop, by its own words', {}, page('x.myshopify.com', '1')],
    ['for another shop, by its number', {}, page('lamps.example.com', '2')],
  ])('%s is refused', async (_what, headers, body) => {
    const tenant = await newTenant();
    await set(tenant, shopify('shop-secret-a', { shopId: '1' }));
    expect((await postShopify(tenant, 'shop-secret-a', headers, body)).status).toBe(401);
    expect((await postShopify(tenant, 'shop-secret-a', {}, page(SHOP, '1'))).status).toBe(200);
  });

  it('with the headers without X- is taken and counted', async () => {
    const tenant = await newTenant();
    await set(tenant, shopify('shop-secret-a'));
    const raw = '{"product":{"id":1}}';
    const signature = btoa(String.fromCharCode(...(await hmac('shop-secret-a', raw))));
    const answer = await send('POST', `/api/hooks/${tenant.id}/shopify`, {
      raw,
      headers: {
        'content-type': 'application/json',
        'shopify-hmac-sha256': signature,
        'shopify-topic': 'Product',
        'shopify-action': 'update',
        'shopify-shop-domain': SHOP,
        'shopify-webhook-id': 'wh-1',
      },
    });
    expect(answer.status).toBe(200);
    expect(answer.body.ignored).toBe('events/Product/update');
  });
});
