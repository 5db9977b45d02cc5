/** `POST /api/admin/connections/test`: what it tells, that it is told in the audit, one at a time. */
import { env } from 'cloudflare:workers';
import { Webhook } from 'standardwebhooks';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { connectionCheck } from '../../../src/contract/connections.ts';
import type { JsonObject } from '../../../src/contract/json.ts';
import type { Fault } from '../../../src/contract/problems.ts';
import type { Env } from '../../../src/env.ts';
import { tenantObject } from '../../../src/objects/index.ts';
import { checkConnection } from '../../../src/ports/connection-checks.ts';
import { destinationRules } from '../../../src/ports/destination.ts';
import { ROUTES } from '../../../src/routes/index.ts';
import { type Answer, faultPaths, fieldsOf, listAt } from '../support/answers.ts';
import { newTenant, type Tenant } from '../support/api.ts';
import { openAddress } from '../support/real-receiver.ts';

const TEST = '/api/admin/connections/test';
const STRIPE = { kind: 'stripe', webhookSecret: 'whsec_stripe_1', apiKey: 'sk_live_0123456789' };

afterEach(() => vi.restoreAllMocks());

/** What was found, by name: `ok: …` or `not ok: …`. */
function told(answer: Answer): Record<string, string> {
  expect(answer.status, answer.text).toBe(200);
  const checks = listAt(answer, 'checks').map((check) => connectionCheck.parse(check));
  expect(answer.body.ok).toBe(checks.every(({ ok }) => ok));
  return Object.fromEntries(
    checks.map(({ name, ok, detail }) => [name, `${ok ? 'ok' : 'not ok'}: ${detail}`]),
  );
}

const set = (tenant: Tenant, body: JsonObject) => tenant.post('/api/admin/connections/set', body);

describe('a connection that works', () => {
  test('is told so, and no secret is in the answer, the audit trail or the log', async () => {
    const lines: string[] = [];
    for (const name of ['log', 'error'] as const)
      vi.spyOn(console, name).mockImplementation((line: string) => void lines.push(line));
    vi.spyOn(globalThis, 'fetch').mockImplementation(async (_input, init) =>
      init?.method === 'POST'
        ? Response.json({ error: { code: 'resource_missing' } }, { status: 404 })
        : Response.json({ data: [] }),
    );
    const tenant = await newTenant();
    await set(tenant, STRIPE);
    const answer = await tenant.post(TEST, { kind: 'stripe' });
    expect(told(answer)).toEqual({
      secrets: 'ok: They open: webhookSecret, apiKey.',
      key: 'ok: The key is valid, in live mode: refunds move real money.',
      'read refunds': expect.stringMatching(/^ok/),
      'make refunds': expect.stringMatching(/^ok/),
    });
    const trail = await tenant.get('/api/admin/audit?action=connection.tested');
    const found = { secrets: true, key: true, 'read refunds': true, 'make refunds': true };
    expect(fieldsOf(trail, 'data')).toEqual([{ checks: found }]);
    for (const text of [answer.text, trail.text, lines.join()])
      expect(text).not.toMatch(/sk_live|whsec_/);
  });

  test('of webhooks sends one ping, signed like any other message', async () => {
    const tenant = await newTenant();
    const signingSecret = `whsec_${btoa('0123456789abcdef0123456789abcdef')}`;
    await set(tenant, { kind: 'webhook', signingSecret });
    const receiver = await openAddress();
    const checks = told(await tenant.post(TEST, { kind: 'webhook', url: receiver.url }));
    expect(checks.destination).toMatch(/^ok: It took the ping: 200 after \d+ ms\.$/);
    const [ping, ...more] = await receiver.taken();
    expect(more).toEqual([]);
    new Webhook(signingSecret).verify(ping?.body ?? '', ping?.headers ?? {});
    const body = JSON.parse(ping?.body ?? '');
    expect(body).toMatchObject({ type: 'ping', data: { tenant: tenant.id } });
    expect(listAt(await tenant.get('/api/admin/deliveries'))).toEqual([]);
  });

  test('of exports writes a file and leaves none', async () => {
    const tenant = await newTenant();
    const checks = told(await tenant.post(TEST, { kind: 'exports' }));
    expect(checks).toMatchObject({
      connection: expect.stringMatching(/^ok: None is needed/),
      bucket: 'ok: Files can be written, read and removed.',
    });
    const { objects } = await env.EXPORTS.list({ prefix: 'connection-tests/' });
    expect(objects).toEqual([]);
  });

  test('of mail says from where approvals come', async () => {
    const tenant = await newTenant();
    await set(tenant, { kind: 'email', service: 'cloudflare', from: 'a@shop.example.com' });
    expect(told(await tenant.post(TEST, { kind: 'email' }))).toMatchObject({
      secrets: 'ok: It needs none.',
      binding: expect.stringMatching(/^ok/),
      'approval mails': expect.stringMatching(/tenant's mail service/),
    });
  });
});

describe('a webhook destination', () => {
  test.each([
    ['https://10.0.0.1/hook', 'IP address'],
    ['https://receiver.internal/hook', 'private'],
    ['ftp://example.com/', 'https'],
    ['nonsense', 'not a complete URL'],
  ])('that may not be (%s) is not asked', async (url, words) => {
    const asked = vi.spyOn(globalThis, 'fetch');
    const checks = told(await (await newTenant()).post(TEST, { kind: 'webhook', url }));
    expect(checks.destination).toMatch(new RegExp(`^not ok: .*${words}`));
    expect(asked).not.toHaveBeenCalled();
  });

  test('that refuses is told with its status, and none of its words', async () => {
    const receiver = await openAddress([{ kind: 'answer', status: 403, body: 'secret words' }]);
    const answer = await (await newTenant()).post(TEST, { kind: 'webhook', url: receiver.url });
    expect(told(answer).destination).toBe('not ok: The endpoint answered 403.');
    expect(answer.text).not.toContain('secret words');
  });

  test('has to be named, for webhooks alone', async () => {
    const tenant = await newTenant();
    expect(faultPaths(await tenant.post(TEST, { kind: 'webhook' }))).toEqual(['url']);
    const url = 'https://example.com/hook';
    expect(faultPaths(await tenant.post(TEST, { kind: 'stripe', url }))).toEqual(['url']);
  });
});

describe('a connection that is not set', () => {
  test.each(['shopify', 'stripe', 'email'] as const)(
    '(%s) is served by an embedded one in development, and is an error in production',
    async (kind) => {
      const tenant = await newTenant();
      expect(told(await tenant.post(TEST, { kind })).connection).toMatch(/^ok: No .*embedded/);
      const production = { ...env, ENVIRONMENT: 'production' };
      const deps = { fetch, now: Date.now(), rules: destinationRules(production, []) };
      const checks = await checkConnection(production, tenant.id, { kind }, null, deps);
      expect(checks).toMatchObject([{ name: 'connection', ok: false }]);
      expect(checks[0]?.detail).not.toContain('embedded');
    },
  );

  test('and one whose secret does not open', async () => {
    const tenant = await newTenant();
    const foreign = await newTenant();
    await set(foreign, STRIPE);
    const stolen = await tenantObject(env, foreign.id).sealedConnection('stripe');
    const deps = { fetch, now: Date.now(), rules: destinationRules(env, []) };
    const checks = await checkConnection(env, tenant.id, { kind: 'stripe' }, stolen, deps);
    expect(checks).toMatchObject([
      { name: 'secrets', ok: false, detail: expect.stringContaining('webhookSecret, apiKey') },
      { name: 'key', ok: false },
    ]);
  });
});

describe("a sender by the operator's mail service", () => {
  const body = { kind: 'email', service: 'cloudflare', from: 'A <a@shop.example.com>' };
  /** The route, served in production. */
  async function faultsOf(more: Partial<Env>): Promise<Fault[]> {
    const { id: tenantId } = await newTenant();
    const route = ROUTES.find(({ path }) => path === '/api/admin/connections/set');
    const request = new Request('https://api.test/', { method: 'POST' });
    const served = { request, requestId: 'r', params: {}, told: {}, defer: () => {} };
    const actor = { type: 'api_key', id: 'key_1', name: 'Key' } as const;
    const caller = {
      tenantId,
      actor,
      role: 'admin',
      inPerson: false,
      keyId: 'key_1',
      standsInFor: [],
    } as const;
    const production = { ...env, ENVIRONMENT: 'production', ...more };
    const answer = await route?.serve({ ...served, env: production }, { caller }, body);
    return answer !== undefined && 'ok' in answer && !(answer instanceof Response)
      ? (answer.errors ?? [])
      : [];
  }

  test('is refused when it is set, unless the operator has opened its domain', async () => {
    const EMAIL_DOMAINS = '{"shop.example.com": ["*"]}';
    expect(await faultsOf({ EMAIL_DOMAINS })).toEqual([]);
    for (const closed of ['', '{"shop.example.com": ["somebody"]}', '{"example.com": ["*"]}', '['])
      expect(await faultsOf({ EMAIL_DOMAINS: closed })).toMatchObject([{ path: 'from' }]);
    expect(await faultsOf({ EMAIL_DOMAINS, EMAIL: undefined })).toMatchObject([
      { path: 'service' },
    ]);
  });
});

test('one test of a tenant runs at a time', async () => {
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  vi.spyOn(globalThis, 'fetch').mockImplementation(async () => {
    await held;
    return Response.json({ data: [] });
  });
  const [tenant, other] = [await newTenant(), await newTenant()];
  await set(tenant, STRIPE);
  const first = tenant.post(TEST, { kind: 'stripe' });
  await vi.waitFor(() => expect(fetch).toHaveBeenCalled());
  const second = await tenant.post(TEST, { kind: 'exports' });
  expect(second.status).toBe(429);
  expect(second.body.code).toBe('rate_limited');
  expect(Number(second.headers.get('retry-after'))).toBeGreaterThan(0);
  expect((await other.post(TEST, { kind: 'exports' })).status).toBe(200);
  release();
  expect((await first).status).toBe(200);
  expect((await tenant.post(TEST, { kind: 'exports' })).status).toBe(200);
});
