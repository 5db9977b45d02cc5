/** Who may listen, and what a browser of theirs may be made to open. */
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { LIVE_PROTOCOL } from '../../../src/contract/live.ts';
import { fetchApi, newTenant, send, type Tenant } from '../support/api.ts';
import { hangUp, hears, knock, LIVE, listen, listenOn, offering } from './support.ts';

afterEach(hangUp);

async function problemOf(response: Response): Promise<[number, unknown]> {
  const { code } = await response.json<{ code: string }>();
  return [response.status, code];
}

describe('a socket opens', () => {
  test('by a key that a browser offers, and is answered our protocol without the key', async () => {
    const tenant = await newTenant();
    for (const role of ['viewer', 'approver', 'admin'] as const) {
      const response = await knock(offering(await tenant.key(role)));
      expect(response.status).toBe(101);
      expect(response.headers.get('sec-websocket-protocol')).toBe(LIVE_PROTOCOL);
      expect(JSON.stringify([...response.headers])).not.toContain('sbx_');
      await hears(listenOn(response), [{ kind: 'reset' }]);
    }
  });

  test('by a program’s Authorization, with or without the protocol', async () => {
    const authorization = `Bearer ${await (await newTenant()).key('viewer')}`;
    const plain = await knock({ authorization });
    expect([plain.status, plain.headers.get('sec-websocket-protocol')]).toEqual([101, null]);
    const named = await knock({ authorization, 'sec-websocket-protocol': LIVE_PROTOCOL });
    expect(named.headers.get('sec-websocket-protocol')).toBe(LIVE_PROTOCOL);
    await hears(listenOn(plain), [{ kind: 'reset' }]);
    await hears(listenOn(named), [{ kind: 'reset' }]);
  });

  test('and answers ping', async () => {
    const listener = await listen(await newTenant());
    listener.socket.send('ping');
    await vi.waitFor(() => expect(listener.others).toEqual(['pong']));
  });
});

describe('a socket stays shut', () => {
  test('without a credential, with a wrong one, and with one of a sender', async () => {
    const tenant = await newTenant();
    expect(await problemOf(await knock({}))).toEqual([401, 'unauthenticated']);
    expect(await problemOf(await knock(offering('sbx_a_b')))).toEqual([401, 'unauthenticated']);
    const ours = { 'sec-websocket-protocol': LIVE_PROTOCOL };
    expect(await problemOf(await knock(ours))).toEqual([401, 'unauthenticated']);
    const sender = await knock(offering(await tenant.key('ingest')));
    expect(await problemOf(sender)).toEqual([403, 'forbidden']);
  });

  test('to a request that does not ask for one: 426', async () => {
    const token = await (await newTenant()).key('viewer');
    const answer = await send('GET', LIVE, { token });
    expect([answer.status, answer.body.code]).toEqual([426, 'upgrade_required']);
    expect(answer.headers.get('upgrade')).toBe('websocket');
    const headers = { upgrade: 'h2c' };
    expect((await fetchApi('GET', LIVE, { token, headers })).status).toBe(426);
  });

  test('to who speaks another protocol only, or offers a key where no socket is wanted', async () => {
    const key = await (await newTenant()).key('viewer');
    const only = { 'sec-websocket-protocol': `key.${key}` };
    expect(await problemOf(await knock(only))).toEqual([400, 'validation_failed']);
    const list = await fetchApi('GET', '/api/admin/workflows', { headers: offering(key) });
    expect(list.status).toBe(401);
  });
});

test('a browser’s session listens from our pages alone', async () => {
  const apiKey = await (await newTenant()).key('viewer');
  const signedIn = await fetchApi('POST', '/api/session', { body: { apiKey } });
  const cookie = (signedIn.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
  const headers = { cookie, 'sec-websocket-protocol': LIVE_PROTOCOL };
  await hears(listenOn(await knock({ ...headers, origin: 'https://api.test' })), [
    { kind: 'reset' },
  ]);
  const elsewhere = { ...headers, origin: 'https://evil.example' };
  expect(await problemOf(await knock(elsewhere))).toEqual([403, 'forbidden']);
});

describe('who is signed in by Access', () => {
  let sign: (email: string) => Promise<string>;
  beforeAll(async () => {
    const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true });
    const jwk = { ...(await exportJWK(publicKey)), kid: 'one', alg: 'RS256' };
    vi.spyOn(globalThis, 'fetch').mockImplementation(async () => Response.json({ keys: [jwk] }));
    sign = async (email) =>
      await new SignJWT({ email })
        .setProtectedHeader({ alg: 'RS256', kid: 'one' })
        .setIssuer('https://team.test')
        .setAudience('the-audience')
        .setIssuedAt()
        .setExpirationTime('5m')
        .sign(privateKey);
  });
  afterAll(() => {
    vi.restoreAllMocks();
  });

  /** What a browser sends along once somebody has signed in. */
  async function signedIn(name: string, tenants: readonly Tenant[]) {
    const email = `${name}@example.com`;
    for (const tenant of tenants)
      await tenant.post('/api/admin/members/create', { name, email, role: 'viewer' });
    return {
      'cf-access-jwt-assertion': await sign(email),
      'sec-websocket-protocol': LIVE_PROTOCOL,
    };
  }

  test('listens from our pages, and other sites’ pages cannot listen for them', async () => {
    const headers = await signedIn('ann', [await newTenant()]);
    for (const origin of ['https://api.test', 'https://console.test']) {
      const response = await knock({ ...headers, origin });
      expect(response.status, origin).toBe(101);
      await hears(listenOn(response), [{ kind: 'reset' }]);
    }
    const elsewhere: Record<string, string>[] = [
      { origin: 'https://evil.example' },
      { origin: 'https://console.test.evil.example' },
      { origin: 'http://console.test' },
      { origin: 'null', 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
    ];
    for (const more of elsewhere)
      expect(await problemOf(await knock({ ...headers, ...more }))).toEqual([403, 'forbidden']);
  });

  test('names one of several tenants as a subprotocol, and none that is not theirs', async () => {
    const [one, two, other] = [await newTenant(), await newTenant(), await newTenant()];
    const headers = await signedIn('bob', [one, two]);
    const naming = async ({ id }: Tenant) =>
      await knock({ ...headers, 'sec-websocket-protocol': `${LIVE_PROTOCOL}, tenant.${id}` });
    expect(await problemOf(await knock(headers))).toEqual([400, 'tenant_needed']);
    const opened = await naming(two);
    expect(opened.headers.get('sec-websocket-protocol')).toBe(LIVE_PROTOCOL);
    await hears(listenOn(opened), [{ kind: 'reset' }]);
    expect(await problemOf(await naming(other))).toEqual([401, 'unauthenticated']);
  });
});
