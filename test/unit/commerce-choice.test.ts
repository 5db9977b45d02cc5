/** Which adapter an order goes to, by the tenant's connections; and that no host comes from a tenant. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chosenCommerce } from '../../src/ports/commerce-choice.ts';
import { type SealedConnection, sealConnection } from '../../src/ports/connections.ts';
import type { PortCall } from '../../src/ports/index.ts';
import type { VendorEnv } from '../../src/ports/vendor-accounts.ts';
import { SHOP_TOKEN, STRIPE_KEY } from '../fixtures/vendors/credentials.ts';
import { openShop, paidOrder, type StandInShop } from '../fixtures/vendors/shopify-admin.ts';
import { openStripe, type StandInStripe } from '../fixtures/vendors/stripe-api.ts';

const KEYS = { SEAL_KEY: 'unit-seal-key-0123456789abcdef0123456789ab' };
const AT = '2026-03-02T00:00:00.000Z';
const CALL: PortCall = {
  tenantId: 't1',
  runId: 'run_1',
  idempotencyKey: 'run_1_step',
  timeoutMs: 5_000,
  now: Date.parse(AT),
};

let shop: StandInShop;
let stripe: StandInStripe;
beforeAll(async () => {
  shop = await openShop();
  stripe = await openStripe();
  shop.orders.set('gid://shopify/Order/1042', paidOrder('75.00', 'USD'));
  stripe.payments.push(
    { intent: 'pi_1', charge: 'ch_1', currency: 'usd', paid: 7_500 },
    { intent: 'pi_2', charge: 'ch_2', currency: 'usd', paid: 7_500, orderId: 'ord-17' },
    { intent: 'pi_3', charge: 'ch_3', currency: 'usd', paid: 7_500, orderId: '1042' },
  );
});
afterAll(async () => {
  await shop.close();
  await stripe.close();
});

const shopify = (more: object = {}) =>
  sealConnection(
    KEYS,
    't1',
    { kind: 'shopify', shopDomain: 'demo.myshopify.com', webhookSecret: 'secret-123', ...more },
    AT,
  );
const stripeOf = (more: object = {}) =>
  sealConnection(KEYS, 't1', { kind: 'stripe', webhookSecret: 'secret-123', ...more }, AT);
const token = { adminToken: SHOP_TOKEN };
const key = { apiKey: STRIPE_KEY };

/** Any use of the embedded shop is an error that names it. */
const embedded = new Proxy(Object.create(null), {
  get() {
    throw new Error('the embedded shop');
  },
});

function envOf(ENVIRONMENT: string): VendorEnv {
  return { ENVIRONMENT, ...KEYS, SHOPIFY_ORIGIN: shop.origin, STRIPE_ORIGIN: stripe.origin };
}

async function refund(
  orderId: string,
  connections: Promise<SealedConnection>[],
  environment = 'development',
  fetcher: typeof fetch = fetch,
) {
  const open = await Promise.all(connections);
  const port = chosenCommerce(envOf(environment), 't1', open, { fetch: fetcher, embedded });
  const amount = { amount: 100, currency: 'USD' };
  return await port.refundOrder({ ...CALL, idempotencyKey: `k_${orderId}` }, { orderId, amount });
}

describe('with both connected', () => {
  it.each([
    ['1042', '90071992547410'],
    ['gid://shopify/Order/1042', '90071992547410'],
    ['pi_1', 're_'],
    ['ch_1', 're_'],
    ['ord-17', 're_'],
  ])('%s goes where its shape says', async (orderId, refundId) => {
    expect(await refund(orderId, [shopify(token), stripeOf(key)])).toMatchObject({
      kind: 'succeeded',
      output: { refundId: expect.stringContaining(refundId) },
    });
  });
});

describe('with one of them connected', () => {
  it('every order is its own', async () => {
    expect(await refund('1042', [shopify(), stripeOf(key)])).toMatchObject({
      output: { refundId: expect.stringContaining('re_') },
    });
    expect(await refund('pi_1', [shopify(token), stripeOf()])).toMatchObject({
      error: { code: 'invalid_order_id' },
    });
  });

  it('what Stripe cannot do is the embedded shop in development, an error in production', async () => {
    const open = [await stripeOf(key)];
    const inDevelopment = chosenCommerce(envOf('development'), 't1', open, { fetch, embedded });
    await expect(inDevelopment.tagOrder(CALL, 'pi_1', 'vip')).rejects.toThrow('the embedded shop');
    const inProduction = chosenCommerce(envOf('production'), 't1', open, { fetch, embedded });
    for (const outcome of [
      await inProduction.tagOrder(CALL, 'pi_1', 'vip'),
      await inProduction.cancelOrder(CALL, 'pi_1', undefined),
    ])
      expect(outcome).toMatchObject({
        error: { code: 'commerce_not_configured', message: expect.stringContaining('Stripe') },
        retryable: false,
      });
  });
});

describe('with none connected', () => {
  it.each([
    ['nothing at all', () => []],
    ['connections that only take webhooks', () => [shopify(), stripeOf()]],
  ])('(%s) it is the embedded shop in development, an error in production', async (_what, open) => {
    await expect(refund('1042', open())).rejects.toThrow('the embedded shop');
    expect(await refund('1042', open(), 'production')).toMatchObject({
      error: { code: 'commerce_not_configured', message: expect.stringContaining('adminToken') },
      retryable: false,
    });
  });

  it('because a credential does not open, nothing else is tried in its place', async () => {
    const foreign = sealConnection(
      KEYS,
      'another-tenant',
      { kind: 'shopify', shopDomain: 'demo.myshopify.com', webhookSecret: 'secret-123', ...token },
      AT,
    );
    expect(await refund('1042', [foreign])).toMatchObject({
      error: { code: 'commerce_not_configured', message: expect.stringContaining('set it again') },
    });
  });
});

describe('in production', () => {
  const asked: string[] = [];
  const listening: typeof fetch = async (input) => {
    asked.push(String(input));
    return new Response('{}', { status: 401 });
  };

  it('the vendors themselves are asked, whatever stand-ins are set', async () => {
    await refund('1042', [shopify(token)], 'production', listening);
    await refund('pi_1', [stripeOf(key)], 'production', listening);
    expect(asked.map((url) => new URL(url).origin)).toEqual([
      'https://demo.myshopify.com',
      'https://api.stripe.com',
    ]);
    expect(asked[0]).toContain('/admin/api/2026-10/graphql.json');
  });

  it.each([
    'evil.example.com',
    'demo.myshopify.com.example.com',
    'demo.myshopify.com:8443',
    'x@demo.myshopify.com',
    'a/b.myshopify.com',
    'a.b.myshopify.com',
    '127.0.0.1',
    'DEMO.myshopify.com',
  ])('no token is sent to %s, even if it is stored', async (shopDomain) => {
    asked.length = 0;
    const stored = { ...(await shopify(token)), settings: { shopDomain } };
    expect(await refund('1042', [Promise.resolve(stored)], 'production', listening)).toMatchObject({
      error: { code: 'commerce_not_configured' },
    });
    expect(asked).toEqual([]);
  });

  it('the pinned version of the connection is asked', async () => {
    asked.length = 0;
    await refund('1042', [shopify({ ...token, apiVersion: '2026-04' })], 'production', listening);
    expect(asked[0]).toContain('/admin/api/2026-04/');
  });
});
