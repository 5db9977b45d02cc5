/**
 * Guessing from one address is answered 429 in the end, and locks nobody out: whatever is right passes,
 * from there too. The operator's token alone is not looked at any more.
 */
import { createExecutionContext } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { describe, expect, test } from 'vitest';
import type { Env } from '../../../src/env.ts';
import { mintKey } from '../../../src/http/api-key.ts';
import { serveRoutes } from '../../../src/http/router.ts';
import { ROUTES } from '../../../src/routes/index.ts';
import { ORDER_TEXT } from '../../fixtures/vendors/shopify.ts';
import { linkOf, waiting } from '../notices/support.ts';
import type { Answer } from '../support/answers.ts';
import { newKey, newTenant, type Sent, send, type Tenant } from '../support/api.ts';

/** As in wrangler.toml. */
const LIMIT = 100;
const WORKFLOWS = '/api/admin/workflows';
const TENANTS = '/api/platform/tenants';

let addresses = 0;
/** A client whom no other test has heard of. */
function newAddress(): string {
  addresses += 1;
  return `2001:db8:${addresses.toString(16)}:1::1`;
}

type Ask = (method: string, path: string, sent?: Sent) => Promise<Answer>;
function from(address: string): Ask {
  return async (method, path, sent = {}) =>
    await send(method, path, {
      ...sent,
      headers: { 'cf-connecting-ip': address, ...sent.headers },
    });
}

/** As often as it takes, and once more. */
async function flood(ask: () => Promise<Answer>, status: number): Promise<Answer> {
  for (let count = 0; count < LIMIT; count += 1) expect((await ask()).status).toBe(status);
  return await ask();
}

function expectSlowDown(answer: Answer): void {
  expect([answer.status, answer.body.code]).toEqual([429, 'rate_limited']);
  expect(answer.headers.get('retry-after')).toBe('60');
}

const madeUp = ({ id }: Tenant) => `sbx_${id}_${crypto.randomUUID().replaceAll('-', '').repeat(2)}`;

describe('many wrong API keys from one address', () => {
  test('are told to slow down; right ones pass from there, and so does everybody elsewhere', async () => {
    const tenant = await newTenant();
    const ask = from(newAddress());
    const guess = () => ask('GET', WORKFLOWS, { token: madeUp(tenant) });
    expectSlowDown(await flood(guess, 401));
    const token = await tenant.key('viewer');
    expect((await ask('GET', WORKFLOWS, { token })).status).toBe(200);
    expect(
      (await ask('POST', '/api/events', { token: await tenant.key('ingest'), body: {} })).status,
    ).toBe(400);
    expectSlowDown(await guess());
    const elsewhere = from(newAddress());
    expect((await elsewhere('GET', WORKFLOWS, { token })).status).toBe(200);
    expect((await elsewhere('GET', WORKFLOWS, { token: madeUp(tenant) })).status).toBe(401);
  });

  test('count together whatever they open, and whoever of one network sends them', async () => {
    const tenant = await newTenant();
    addresses += 1;
    const prefix = `2001:db8:${addresses.toString(16)}:1`;
    let count = 0;
    const guess = async () => {
      count += 1;
      const ask = from(`${prefix}::${count.toString(16)}`);
      const path = [WORKFLOWS, '/api/flags', '/api/admin/audit', TENANTS][count % 4] ?? '';
      return await ask('GET', path, { token: madeUp(tenant) });
    };
    expectSlowDown(await flood(guess, 401));
    expect((await from(`2001:db8:${addresses.toString(16)}:2::1`)('GET', WORKFLOWS)).status).toBe(
      401,
    );
  });

  test('where nothing tells the address, nobody is told so', async () => {
    const tenant = await newTenant();
    const guess = () => send('GET', WORKFLOWS, { token: madeUp(tenant) });
    expect((await flood(guess, 401)).status).toBe(401);
  });
});

describe("the operator's token", () => {
  test('is not looked at after many wrong ones from an address; elsewhere it is', async () => {
    const ask = from(newAddress());
    const guess = () => ask('GET', TENANTS, { token: crypto.randomUUID() });
    expectSlowDown(await flood(guess, 401));
    expectSlowDown(await ask('GET', TENANTS, { token: env.PLATFORM_TOKEN }));
    const elsewhere = from(newAddress());
    expect((await elsewhere('GET', TENANTS, { token: env.PLATFORM_TOKEN })).status).toBe(200);
  });
});

describe('links', () => {
  test.each(['/approvals/', '/exports/'])('%s guessed are told to slow down', async (path) => {
    const ask = from(newAddress());
    const guess = () =>
      ask('GET', `${path}${btoa(crypto.randomUUID()).replaceAll('=', '')}.${'A'.repeat(43)}`);
    expectSlowDown(await flood(guess, 404));
  });

  test('that are right pass all the same', async () => {
    const at = await waiting({ ann: 'approver' });
    const link = await linkOf(at, 'ann');
    const ask = from(newAddress());
    expectSlowDown(await flood(() => ask('GET', `${link}x`), 404));
    expect((await ask('GET', link)).status).toBe(200);
  });

  test('and so are names of tenants, where a public key is looked for', async () => {
    const ask = from(newAddress());
    const guess = () => ask('GET', `/.well-known/webhook-keys/${crypto.randomUUID()}`);
    expectSlowDown(await flood(guess, 404));
  });
});

const SECRET = 'shpss_0123456789abcdef';
async function hook(tenant: Tenant, secret: string): Promise<Sent> {
  const key = new TextEncoder().encode(secret);
  const algorithm = { name: 'HMAC', hash: 'SHA-256' };
  const imported = await crypto.subtle.importKey('raw', key, algorithm, false, ['sign']);
  const mac = await crypto.subtle.sign('HMAC', imported, new TextEncoder().encode(ORDER_TEXT));
  return {
    raw: ORDER_TEXT,
    headers: {
      'content-type': 'application/json',
      'x-shopify-topic': 'orders/create',
      'x-shopify-shop-domain': `${tenant.id}.myshopify.com`,
      'x-shopify-webhook-id': crypto.randomUUID(),
      'x-shopify-hmac-sha256': btoa(String.fromCharCode(...new Uint8Array(mac))),
    },
  };
}

async function shopOf(tenant: Tenant): Promise<string> {
  const shopDomain = `${tenant.id}.myshopify.com`;
  const body = { kind: 'shopify', shopDomain, webhookSecret: SECRET };
  expect((await tenant.post('/api/admin/connections/set', body)).status).toBe(200);
  return `/api/hooks/${tenant.id}/shopify`;
}

describe("a vendor's webhooks", () => {
  test('that do not verify are told to slow down, and those that do come through', async () => {
    const tenant = await newTenant();
    const path = await shopOf(tenant);
    const ask = from(newAddress());
    const wrong = await hook(tenant, 'shpss_another');
    expectSlowDown(await flood(() => ask('POST', path, wrong), 401));
    for (let count = 0; count < 3; count += 1) {
      expect((await ask('POST', path, await hook(tenant, SECRET))).status).toBe(200);
      expectSlowDown(await ask('POST', path, wrong));
    }
  });

  test('that do not verify wake the tenant once in a while, however many come', async () => {
    const tenant = await newTenant();
    const path = await shopOf(tenant);
    const counting = countingEnv();
    const wrong = await hook(tenant, 'shpss_another');
    for (let count = 0; count < 50; count += 1)
      expect((await askWith(counting.env, 'POST', path, wrong)).status).toBe(401);
    expect(counting.woken()).toBeLessThan(10);
    expect((await askWith(counting.env, 'POST', path, await hook(tenant, SECRET))).status).toBe(
      200,
    );
  });
});

describe('a key that is revoked', () => {
  test('wakes the tenant once, and the next ones not at all', async () => {
    const tenant = await newTenant();
    const key = await newKey(await tenant.key('admin'), 'viewer');
    await tenant.post('/api/admin/api-keys/revoke', { id: key.id });
    const { env: counted, woken } = countingEnv();
    for (let count = 0; count < 20; count += 1)
      expect((await askWith(counted, 'GET', WORKFLOWS, { token: key.secret })).status).toBe(401);
    expect(woken()).toBe(1);
  });

  test('and one that was made up wakes nobody', async () => {
    const tenant = await newTenant();
    const made = { name: 'Key', role: 'admin' } as const;
    const forged = await mintKey('another-secret-0123456789abcdef', tenant.id, made);
    const { env: counted, woken } = countingEnv();
    for (const token of [madeUp(tenant), forged.secret])
      expect((await askWith(counted, 'GET', WORKFLOWS, { token })).status).toBe(401);
    expect(woken()).toBe(0);
  });
});

/** The environment, counting how often a tenant's object is asked for. */
function countingEnv(): { env: Env; woken(): number } {
  let count = 0;
  const getByName: Env['TENANTS']['getByName'] = (...named) => {
    count += 1;
    return env.TENANTS.getByName(...named);
  };
  const TENANTS = new Proxy(env.TENANTS, {
    get: (target, name) => (name === 'getByName' ? getByName : Reflect.get(target, name)),
  });
  return { env: { ...env, TENANTS }, woken: () => count };
}

async function askWith(env: Env, method: string, path: string, { token, raw, headers }: Sent) {
  const request = new Request(`https://api.test${path}`, {
    method,
    headers: { ...headers, ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) },
    ...(raw === undefined ? {} : { body: raw }),
  });
  return await serveRoutes(ROUTES)(request, env, createExecutionContext());
}
