/**
 * "Test this connection": what an operator is told, by local servers that speak the vendors' protocols.
 * Nothing is changed at the vendors, and no secret is in what is told.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ConnectionCheck, ConnectionSecrets } from '../../src/contract/connections.ts';
import { checkEmail } from '../../src/ports/check-email.ts';
import { checkFlags } from '../../src/ports/check-flags.ts';
import { checkShopify } from '../../src/ports/check-shopify.ts';
import { checkStripe } from '../../src/ports/check-stripe.ts';
import { type SealedConnection, sealConnection } from '../../src/ports/connections.ts';
import { destinationRules } from '../../src/ports/destination.ts';
import { openBinding } from '../fixtures/vendors/cloudflare-email.ts';
import { SHOP_TOKEN, STRIPE_KEY } from '../fixtures/vendors/credentials.ts';
import {
  openResend,
  RESEND_KEY,
  RESEND_SENDING_KEY,
  type StandInResend,
} from '../fixtures/vendors/resend.ts';
import { openShop, type StandInShop } from '../fixtures/vendors/shopify-admin.ts';
import { openStripe, type StandInStripe } from '../fixtures/vendors/stripe-api.ts';
import {
  openUnleash,
  type StandInUnleash,
  UNLEASH_CLIENT_TOKEN,
  UNLEASH_TOKEN,
} from '../fixtures/vendors/unleash.ts';

const KEYS = { SEAL_KEY: 'unit-seal-key-0123456789abcdef0123456789ab' };
const SECRETS = [
  ...[SHOP_TOKEN, STRIPE_KEY, RESEND_KEY, RESEND_SENDING_KEY],
  ...[UNLEASH_TOKEN, UNLEASH_CLIENT_TOKEN, 'secret-123'],
];

let shop: StandInShop;
let stripe: StandInStripe;
let resend: StandInResend;
let unleash: StandInUnleash;
beforeAll(async () => {
  shop = await openShop();
  stripe = await openStripe();
  resend = await openResend();
  unleash = await openUnleash();
});
afterAll(async () => {
  for (const vendor of [shop, stripe, resend, unleash]) await vendor.close();
});
beforeEach(() => {
  for (const vendor of [shop, stripe, resend, unleash]) vendor.requests.length = 0;
  stripe.permission = 'write';
  shop.domain = 'demo.myshopify.com';
  shop.scopes.clear();
  for (const scope of ['read_orders', 'write_orders']) shop.scopes.add(scope);
});

const sealed = (fields: ConnectionSecrets) =>
  sealConnection(KEYS, 't1', fields, '2026-03-02T00:00:00.000Z');
const asking = () => ({ fetch, deadline: AbortSignal.timeout(5_000), now: Date.now() });
const env = (more: object = {}) => ({
  ...{ ...KEYS, ENVIRONMENT: 'development', SHOPIFY_ORIGIN: shop.origin },
  ...{ STRIPE_ORIGIN: stripe.origin, RESEND_ORIGIN: resend.origin },
  ...more,
});

/** By name, as `ok: …` or `not ok: …`. No secret is in any of it. */
function told(checks: readonly ConnectionCheck[]): Record<string, string> {
  const text = JSON.stringify(checks);
  for (const secret of SECRETS) expect(text).not.toContain(secret);
  return Object.fromEntries(
    checks.map(({ name, ok, detail }) => [name, `${ok ? 'ok' : 'not ok'}: ${detail}`]),
  );
}

describe('a flags connection', () => {
  const place = { service: 'unleash', environment: 'production' } as const;
  const check = async (apiToken: string, ENVIRONMENT = 'development') => {
    const fields = { kind: 'flags', ...place, url: unleash.origin, apiToken } as const;
    const rules = destinationRules({ ENVIRONMENT, OWN_HOSTS: '' }, []);
    return told(await checkFlags(KEYS, 't1', await sealed(fields), asking(), rules));
  };

  it('that works says so, and switches nothing', async () => {
    expect(await check(UNLEASH_TOKEN)).toEqual({
      token: expect.stringMatching(/^ok: Unleash takes/),
    });
    expect(unleash.requests.map(({ method }) => method)).toEqual(['GET']);
  });

  it('whose token is refused, or is of another sort, says so', async () => {
    expect(await check('*:*.wrong-0123456789')).toEqual({
      token: expect.stringMatching(/^not ok: Unleash refused the API token/),
    });
    expect(await check(UNLEASH_CLIENT_TOKEN)).toEqual({
      token: expect.stringMatching(/^not ok: The API token may not switch features/),
    });
  });

  it('that leads to this machine is not followed in production', async () => {
    expect(await check(UNLEASH_TOKEN, 'production')).toEqual({
      token: expect.stringMatching(/^not ok: Unleash: /),
    });
    expect(unleash.requests).toEqual([]);
  });
});

describe('a Shopify connection', () => {
  const shopDomain = 'demo.myshopify.com';
  const fields = { kind: 'shopify', shopDomain, webhookSecret: 'secret-123' } as const;
  const check = async (more: object = { adminToken: SHOP_TOKEN }) =>
    told(await checkShopify(env(), 't1', await sealed({ ...fields, ...more }), asking()));

  it('that works says which shop, and what the app may do', async () => {
    expect(await check()).toEqual({
      shop: 'ok: Demo shop (demo.myshopify.com) answers.',
      token: 'ok: The Admin token is valid.',
      scopes: expect.stringMatching(/^ok: Granted: read_orders, write_orders\. .*60 days/),
    });
    expect(shop.requests).toHaveLength(1);
  });

  it('whose app lacks a scope says which', async () => {
    shop.scopes.delete('write_orders');
    expect((await check()).scopes).toMatch(/^not ok: Not granted: write_orders\./);
    shop.scopes.clear();
    shop.scopes.add('write_orders').add('read_all_orders');
    expect((await check()).scopes).toMatch(/^ok: .* any age/);
  });

  it('whose token is refused says that the shop is there', async () => {
    expect(await check({ adminToken: 'shpat_wrong_0123456789' })).toEqual({
      shop: 'ok: The shop answers.',
      token: expect.stringMatching(/^not ok: The Admin token was refused/),
    });
  });

  it.each([
    ['silent', 'did not answer in time'],
    ['dropped', 'could not be reached'],
    ['redirect', 'redirect'],
    ['garbageAfter', 'cannot be read'],
  ] as const)('whose shop is %s says so', async (fault, words) => {
    shop.fail(fault);
    const deadline = AbortSignal.timeout(300);
    const connection = await sealed({ ...fields, adminToken: SHOP_TOKEN });
    const checks = told(await checkShopify(env(), 't1', connection, { ...asking(), deadline }));
    expect(checks).toEqual({ shop: expect.stringMatching(new RegExp(`^not ok: .*${words}`)) });
  });

  it('whose token is of another shop says whose', async () => {
    shop.domain = 'other.myshopify.com';
    expect((await check()).shop).toMatch(/^not ok: .*other\.myshopify\.com/);
  });

  it('of a version that Shopify does not know says so', async () => {
    const checks = await check({ adminToken: SHOP_TOKEN, apiVersion: '2031-01' });
    expect(checks.shop).toMatch(/^not ok: .*no API version 2031-01/);
  });

  it('without a token takes webhooks, and asks nobody', async () => {
    expect((await check({})).token).toMatch(/^ok: No adminToken is set/);
    expect(shop.requests).toEqual([]);
  });
});

describe('a Stripe connection', () => {
  const check = async (apiKey: string | undefined = STRIPE_KEY, own?: SealedConnection) => {
    const fields = { kind: 'stripe', webhookSecret: 'secret-123', apiKey } as const;
    return told(await checkStripe(env(), 't1', own ?? (await sealed(fields)), asking()));
  };

  it('that works says in which mode, and refunds nothing', async () => {
    stripe.payments.push({ intent: 'pi_1', charge: 'ch_1', currency: 'usd', paid: 7_500 });
    expect(await check()).toEqual({
      key: 'ok: The key is valid, in test mode: no real money moves.',
      'read refunds': 'ok: The key may read refunds.',
      'make refunds': 'ok: The key may make refunds, as far as Stripe tells.',
    });
    expect(stripe.refunds).toEqual([]);
  });

  it.each([
    ['read', 'ok', 'not ok'],
    ['none', 'not ok', 'not ok'],
  ] as const)('whose key has the permission %s for refunds', async (permission, read, make) => {
    stripe.permission = permission;
    const checks = await check();
    expect(checks.key).toMatch(/^ok/);
    expect(checks['read refunds']).toMatch(new RegExp(`^${read}:`));
    expect(checks['make refunds']).toMatch(new RegExp(`^${make}:`));
  });

  it('whose key is refused says so, and asks no more', async () => {
    expect(await check('sk_live_wrong_0123456789')).toEqual({
      key: expect.stringMatching(/^not ok: Stripe refused the API key/),
    });
    expect(stripe.requests).toHaveLength(1);
  });

  it('in live mode says that money moves', async () => {
    const live: typeof fetch = async () => Response.json({ data: [] });
    const apiKey = 'rk_live_0123456789';
    const connection = await sealed({ kind: 'stripe', webhookSecret: 'secret-123', apiKey });
    const checks = await checkStripe(env(), 't1', connection, { ...asking(), fetch: live });
    expect(told(checks).key).toMatch(/in live mode: refunds move real money/);
  });

  it('while Stripe is down says that it cannot be told', async () => {
    const isPost = ({ method }: { method: string }) => method === 'POST';
    stripe.fail({ kind: 'answer', answer: { status: 500, body: {} } }, isPost);
    expect((await check())['make refunds']).toMatch(/^not ok: It could not be told\. Stripe has/);
  });

  it('without a key takes webhooks; with one that does not open says so', async () => {
    const fields = { kind: 'stripe', webhookSecret: 'secret-123' } as const;
    expect((await check(undefined, await sealed(fields))).key).toMatch(/^ok: No apiKey/);
    const foreign = {
      ...(await sealed({ ...fields, apiKey: STRIPE_KEY })),
      secrets: { apiKey: 'v1' },
    };
    expect((await check(undefined, foreign)).key).toMatch(/^not ok: .*does not open/);
  });
});

describe('an email connection', () => {
  const from = 'Orders <orders@shop.example.com>';
  const resendBy = (apiKey: string, sender = from) =>
    sealed({ kind: 'email', service: 'resend', from: sender, apiKey });
  const check = async (connection: Promise<SealedConnection>, more: object = {}) => {
    const whole = { DB: JSON.parse('{}'), ...env(more) };
    return told(await checkEmail(whole, 't1', await connection, asking()));
  };

  it('of Resend that works says so, without a mail', async () => {
    expect(await check(resendBy(RESEND_KEY))).toEqual({
      key: 'ok: The key is valid.',
      domain: 'ok: shop.example.com is verified at Resend.',
      'approval mails': expect.stringMatching(/^ok: They go by this tenant's mail service/),
    });
    expect(resend.mails).toEqual([]);
  });

  it('of a key that may only send says that the domain cannot be seen', async () => {
    const checks = await check(resendBy(RESEND_SENDING_KEY));
    expect(checks.key).toMatch(/^ok/);
    expect(checks.domain).toMatch(/^ok: It cannot be seen/);
  });

  it('whose domain is not verified, or not there, says so', async () => {
    resend.domains.set('new.example.com', 'pending');
    expect((await check(resendBy(RESEND_KEY, 'a@new.example.com'))).domain).toBe(
      'not ok: new.example.com is not verified: pending at Resend.',
    );
    expect((await check(resendBy(RESEND_KEY, 'a@no.example.com'))).domain).toMatch(
      /^not ok: no\.example\.com is not a domain/,
    );
  });

  it('whose key is refused says so', async () => {
    expect((await check(resendBy('re_wrong_0123456789'))).key).toMatch(/^not ok: Resend refused/);
  });

  it.each(['dropped', 'garbageAfter', 'redirect'] as const)(
    'while Resend is %s says that it tells nothing',
    async (fault) => {
      resend.fail(fault);
      expect((await check(resendBy(RESEND_KEY))).key).toMatch(/^not ok: Resend /);
    },
  );

  const cloudflare = () => sealed({ kind: 'email', service: 'cloudflare', from });

  it("of Cloudflare's says whether the operator lets it", async () => {
    const binding = openBinding();
    const EMAIL_DOMAINS = '{"shop.example.com": ["t1"]}';
    const open = { EMAIL: binding, EMAIL_DOMAINS, ENVIRONMENT: 'production' };
    expect(await check(cloudflare(), open)).toMatchObject({
      binding: expect.stringMatching(/^ok/),
      domain: expect.stringMatching(/^ok: This tenant may send from shop\.example\.com/),
    });
    const others = { ...open, EMAIL_DOMAINS: '{"shop.example.com": ["t2"]}' };
    expect((await check(cloudflare(), others)).domain).toMatch(/^not ok: .*EMAIL_DOMAINS/);
    expect((await check(cloudflare(), { EMAIL_DOMAINS })).binding).toMatch(/^not ok/);
    expect(binding.mails).toEqual([]);
  });

  it('says where approval mails come from', async () => {
    const EMAIL_FROM = 'Signalbox <approvals@example.com>';
    const own = await check(resendBy(RESEND_KEY), { EMAIL: openBinding(), EMAIL_FROM });
    expect(own['approval mails']).toMatch(/^ok: .*approvals@example\.com/);
    const broken = await check(resendBy(RESEND_KEY), { EMAIL_FROM });
    expect(broken['approval mails']).toMatch(/^not ok/);
  });
});
