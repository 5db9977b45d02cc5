/** A browser's session: what the cookie holds, for which requests it counts, and how it ends. */
import { exports } from 'cloudflare:workers';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { at, textAt } from '../support/answers.ts';
import { fetchApi, newKey, newTenant, send, type Tenant } from '../support/api.ts';

const ALLOWED = 'https://console.test';
const ME = '/api/session';

let tenant: Tenant;
beforeEach(async () => {
  tenant = await newTenant();
});
afterEach(() => {
  vi.useRealTimers();
});

/** The cookie of a sign-in, as the browser sends it back. */
async function signIn(apiKey: string): Promise<string> {
  const answer = await fetchApi('POST', ME, { body: { apiKey } });
  expect(answer.status).toBe(201);
  return (answer.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
}

async function me(cookie: string) {
  return await send('GET', ME, { headers: { cookie } });
}

describe('a sign-in', () => {
  test('sets a cookie that no script, other site or plain http can have', async () => {
    const apiKey = await tenant.key('approver');
    const answer = await send('POST', ME, { body: { apiKey } });
    expect(answer.status).toBe(201);
    const cookie = answer.headers.get('set-cookie') ?? '';
    expect(cookie).toMatch(/^__Host-signalbox-session=v1\.[\w-]{8}\.[\w.-]+; /);
    const attributes = cookie.split('; ').slice(1).sort();
    expect(attributes).toEqual([
      'HttpOnly',
      'Max-Age=43200',
      'Path=/',
      'SameSite=Strict',
      'Secure',
    ]);
    expect(cookie + answer.text).not.toContain(apiKey);
  });

  test('is answered with who is in, as GET answers later', async () => {
    const answer = await send('POST', ME, { body: { apiKey: await tenant.key('approver') } });
    const cookie = (answer.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
    const later = await me(cookie);
    expect(at(later, 'session')).toEqual(at(answer, 'session'));
    expect(at(later, 'session')).toMatchObject({
      tenant: { id: tenant.id },
      actor: { type: 'api_key', name: 'A approver' },
      role: 'approver',
      inPerson: false,
      standsInFor: [],
    });
  });

  test('over http on this machine has a plain name, in development alone', async () => {
    const ask = async (origin: string) => {
      const body = JSON.stringify({ apiKey: await tenant.key('viewer') });
      const headers = { 'content-type': 'application/json' };
      const request = new Request(`${origin}${ME}`, { method: 'POST', headers, body });
      return (await exports.default.fetch(request)).headers.get('set-cookie') ?? '';
    };
    for (const origin of ['http://127.0.0.1:8787', 'http://localhost:8787', 'http://[::1]:1'])
      expect(await ask(origin)).toMatch(/^signalbox-session=[^;]+; Path=\/; [^;]+; HttpOnly; S/);
    for (const origin of ['http://api.test', 'https://127.0.0.1', 'http://127.0.0.1.api.test'])
      expect(await ask(origin)).toMatch(/^__Host-.*; Secure$/);
  });

  test.each([
    ['a made-up key', 401, async () => 'sbx_nobody_0000'],
    ['a key that reads nothing', 403, () => tenant.key('ingest')],
    ['a key for pages', 401, () => tenant.key('frontend')],
  ])('is refused to %s', async (_who, status, keyOf) => {
    const answer = await send('POST', ME, { body: { apiKey: await keyOf() } });
    expect(answer.status).toBe(status);
    expect(answer.headers.get('set-cookie')).toBeNull();
  });

  test('needs a content type that no form can send', async () => {
    const raw = JSON.stringify({ apiKey: await tenant.key('admin') });
    const answer = await send('POST', ME, { raw, headers: { 'content-type': 'text/plain' } });
    expect(answer.status).toBe(415);
  });
});

describe('the cookie', () => {
  test('writes as its key does, and no more', async () => {
    const cookie = await signIn(await tenant.key('viewer'));
    const body = { name: 'More', role: 'admin' };
    const headers = { cookie };
    const denied = await send('POST', '/api/admin/api-keys/create', { body, headers });
    expect(denied.status).toBe(403);
    const admin = { cookie: await signIn(await tenant.key('admin')) };
    const made = await send('POST', '/api/admin/api-keys/create', { body, headers: admin });
    expect(made.status).toBe(201);
  });

  test('counts less than a key that is sent', async () => {
    const cookie = await signIn(await tenant.key('admin'));
    const headers = { cookie };
    const answer = await send('GET', ME, { token: await tenant.key('viewer'), headers });
    expect(at(answer, 'session.role')).toBe('viewer');
    expect(at(answer, 'session.expiresAt')).toBeNull();
    expect((await send('GET', ME, { token: 'garbage', headers })).status).toBe(401);
  });

  test('ends with its key, at the next request', async () => {
    const { id, secret } = await newKey(await tenant.key('admin'), 'viewer');
    const cookie = await signIn(secret);
    expect((await me(cookie)).status).toBe(200);
    await tenant.post('/api/admin/api-keys/revoke', { id });
    expect((await me(cookie)).status).toBe(401);
  });

  test('ends after twelve hours, whatever the browser does', async () => {
    const cookie = await signIn(await tenant.key('viewer'));
    const until = Date.parse(textAt(await me(cookie), 'session.expiresAt'));
    expect(until - Date.now()).toBeGreaterThan(11.9 * 3_600_000);
    vi.setSystemTime(until);
    expect((await me(cookie)).status).toBe(401);
  });

  test('that was changed, cut off or made up counts for nothing', async () => {
    const cookie = await signIn(await tenant.key('viewer'));
    const [name] = cookie.split('=');
    for (const other of [
      cookie.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A')),
      cookie.slice(0, -8),
      `${name}=`,
      `${name}=${btoa('{"apiKey":"x"}')}`,
      `other=1; ${cookie.replace('__Host-', '')}`,
    ])
      expect((await me(other)).status, other).toBe(401);
    expect((await me(`other=1; ${cookie}; more=2`)).status).toBe(200);
  });

  test('is taken away by signing out', async () => {
    const answer = await send('POST', '/api/session/end', { body: {} });
    expect(answer.body).toMatchObject({ ended: true });
    expect(answer.headers.get('set-cookie')).toMatch(/^__Host-signalbox-session=; .*Max-Age=0;/);
  });
});

describe('a console on another origin', () => {
  test('may send the cookie when its origin is allowed', async () => {
    const asked = await fetchApi('OPTIONS', ME, { headers: { origin: ALLOWED } });
    expect(asked.headers.get('access-control-allow-headers')).toContain('content-type');
    const answer = await fetchApi('GET', ME, { headers: { origin: ALLOWED } });
    expect(answer.headers.get('access-control-allow-credentials')).toBe('true');
    const stranger = await fetchApi('GET', ME, { headers: { origin: 'https://evil.test' } });
    expect(stranger.headers.get('access-control-allow-credentials')).toBeNull();
  });
});

test.each([
  ['in, into an account of theirs', ME, async () => ({ apiKey: await tenant.key('viewer') })],
  ['out', `${ME}/end`, async () => ({})],
])("no other site's page signs anybody %s", async (_where, path, body) => {
  const headers = { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' };
  const answer = await send('POST', path, { body: await body(), headers });
  expect(answer.status).toBe(403);
  expect(answer.headers.get('set-cookie')).toBeNull();
});
