/** What a JWT of Cloudflare Access has to be, and what happens when its keys rotate or cannot be read. */
import {
  exportJWK,
  generateKeyPair,
  type JWK,
  type JWTHeaderParameters,
  type JWTPayload,
  SignJWT,
} from 'jose';
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { accessEmail } from '../../../src/http/access.ts';
import { passTime } from '../objects/support/disturb.ts';
import { send } from '../support/api.ts';

const AUDIENCE = 'the-audience';
const HOUR_MS = 3_600_000;

type Key = Awaited<ReturnType<typeof generateKeyPair>>['privateKey'];
interface Signer {
  readonly kid: string;
  readonly key: Key;
  readonly jwk: JWK;
}
let one: Signer;
let two: Signer;
/** What the endpoint of every team answers. */
let endpoint: () => Response | Promise<Response>;
let reads = 0;
let team = '';

async function newSigner(kid: string): Promise<Signer> {
  const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true });
  return { kid, key: privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg: 'RS256' } };
}

const serving = (...signers: readonly Signer[]) => {
  endpoint = () => Response.json({ keys: signers.map(({ jwk }) => jwk) });
};

beforeAll(async () => {
  one = await newSigner('one');
  two = await newSigner('two');
});
beforeEach(() => {
  team = `https://${crypto.randomUUID()}.test`;
  reads = 0;
  serving(one);
  vi.spyOn(globalThis, 'fetch').mockImplementation(async () => {
    reads += 1;
    return await endpoint();
  });
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const claims = (more: JWTPayload = {}): JWTPayload => {
  const iat = Math.floor(Date.now() / 1_000);
  return { email: 'Ann@Example.com', iss: team, aud: [AUDIENCE], iat, exp: iat + 300, ...more };
};

async function token(more: JWTPayload = {}, { kid, key }: Signer = one): Promise<string> {
  return await new SignJWT(claims(more)).setProtectedHeader({ alg: 'RS256', kid }).sign(key);
}

/** The email, or why there is none. */
async function signIn(
  jwt: string,
  env: { audience?: string; team?: string } = {},
): Promise<string> {
  const headers = { 'cf-access-jwt-assertion': jwt };
  const read = await accessEmail(new Request('https://api.test/', { headers }), {
    ACCESS_TEAM: env.team ?? team,
    ACCESS_AUDIENCE: env.audience ?? AUDIENCE,
  });
  return typeof read === 'string' ? read : read.email;
}

test('the first sign-in while the keys cannot be read is 503, over HTTP', async () => {
  endpoint = () => new Response('no', { status: 500 });
  const jwt = await token({ iss: 'https://team.test' });
  const headers = { 'cf-access-jwt-assertion': jwt };
  const answer = await send('GET', '/api/admin/workflows', { headers });
  expect([answer.status, answer.body.code]).toEqual([503, 'unavailable']);
});

describe('a token', () => {
  test('of the team, for us, in time, signs in', async () => {
    expect(await signIn(await token())).toBe('ann@example.com');
    expect(await signIn(await token({ aud: ['another', AUDIENCE] }))).toBe('ann@example.com');
    expect(await signIn(await token({ aud: AUDIENCE }))).toBe('ann@example.com');
    expect(reads).toBe(1);
  });

  const now = () => Math.floor(Date.now() / 1_000);
  test.each<[string, () => JWTPayload]>([
    ['for another audience', () => ({ aud: ['another'] })],
    ['for no audience', () => ({ aud: [] })],
    ['of another issuer', () => ({ iss: 'https://evil.test' })],
    ['of an issuer that begins like ours', () => ({ iss: `${team}.evil.test` })],
    ['that has expired', () => ({ exp: now() - 6 })],
    ['that holds later', () => ({ nbf: now() + 6 })],
    ['that was made in the future', () => ({ iat: now() + 60 })],
    ['that never expires', () => ({ exp: undefined })],
    ['that tells not when it was made', () => ({ iat: undefined })],
    ['of nobody', () => ({ email: undefined })],
    ['of a service', () => ({ email: undefined, common_name: 'service.access' })],
    ['whose email is no text', () => ({ email: ['ann@example.com'] })],
    ['whose email becomes another one in lower case', () => ({ email: 'bo\u212Ae@example.com' })],
    ['whose email holds more than an address', () => ({ email: 'ann@example.com ' })],
  ])('%s does not', async (_name, more) => {
    expect(await signIn(await token(more()))).toBe('wrong');
  });

  test('five seconds of another clock are nothing', async () => {
    expect(await signIn(await token({ exp: now() - 3 }))).toBe('ann@example.com');
    expect(await signIn(await token({ nbf: now() + 3, iat: now() + 3 }))).toBe('ann@example.com');
  });

  test('signed otherwise than by RS256 with a key of the team does not', async () => {
    const secret = new TextEncoder().encode(JSON.stringify(one.jwk));
    const hs = await new SignJWT(claims())
      .setProtectedHeader({ alg: 'HS256', kid: 'one' })
      .sign(secret);
    const modulus = new TextEncoder().encode(one.jwk.n);
    const hsN = await new SignJWT(claims())
      .setProtectedHeader({ alg: 'HS256', kid: 'one' })
      .sign(modulus);
    const stranger = await newSigner('one');
    const [head = '', body = '', signature = ''] = (await token()).split('.');
    const none = btoa(JSON.stringify({ alg: 'none', kid: 'one' })).replaceAll('=', '');
    const ps = await generateKeyPair('PS256', { extractable: true });
    const psToken = await new SignJWT(claims())
      .setProtectedHeader({ alg: 'PS256', kid: 'one' })
      .sign(ps.privateKey);
    const own = { ...stranger.jwk, kid: 'mine' };
    const embedded = await new SignJWT(claims())
      .setProtectedHeader({ alg: 'RS256', jwk: own, kid: 'one' })
      .sign(stranger.key);
    const other = btoa(JSON.stringify(claims({ email: 'root@example.com' }))).replaceAll('=', '');
    const wrong = {
      hs,
      hsN,
      psToken,
      embedded,
      stranger: await token({}, stranger),
      none: `${none}.${body}.`,
      noneSigned: `${none}.${body}.${signature}`,
      unsigned: `${head}.${body}.`,
      changed: `${head}.${other}.${signature}`,
      empty: '',
      dots: '..',
      text: 'not a token',
    };
    for (const [name, jwt] of Object.entries(wrong))
      expect([name, await signIn(jwt)]).toEqual([name, 'wrong']);
  });

  test('does not beside another one, nor when its header asks for what we do not know', async () => {
    const right = await token();
    const [, body = ''] = right.split('.');
    const signWith = async (header: Partial<JWTHeaderParameters>) =>
      await new SignJWT(claims())
        .setProtectedHeader({ alg: 'RS256', kid: 'one', ...header })
        .sign(one.key, { crit: { exp: true, 'urn:ours': true } });
    const wrong = {
      two: `${right}, ${right}`,
      twoOnes: `${right} ${await token({ email: 'root@example.com' })}`,
      crit: await signWith({ crit: ['urn:ours'], 'urn:ours': 1 }),
      otherKid: await signWith({ kid: '../one' }),
      noKid: await new SignJWT(claims()).setProtectedHeader({ alg: 'RS256' }).sign(two.key),
      long: `${right.slice(0, 40)}${'A'.repeat(20_000)}`,
      fourParts: `${right}.${body}`,
      padded: right.replace(/\./g, '=.'),
      json: JSON.stringify({ payload: body, protected: right.split('.')[0], signature: 'x' }),
    };
    for (const [name, jwt] of Object.entries(wrong))
      expect([name, await signIn(jwt)]).toEqual([name, 'wrong']);
  });

  test('names its key by an address that is never asked', async () => {
    const at = 'https://evil.test/keys';
    const jwt = await new SignJWT(claims())
      .setProtectedHeader({ alg: 'RS256', kid: 'mine', jku: at, x5u: at })
      .sign((await newSigner('mine')).key);
    expect(await signIn(jwt)).toBe('wrong');
    expect(reads).toBe(1);
  });

  test('does not sign in where Access is not set up', async () => {
    expect(await signIn(await token(), { audience: '' })).toBe('wrong');
    expect(await signIn(await token(), { team: '' })).toBe('wrong');
    expect(reads).toBe(0);
  });
});

describe('the team’s keys', () => {
  test('rotate: a key that is new is read, and the former one holds as long as it is served', async () => {
    expect(await signIn(await token())).toBe('ann@example.com');
    serving(one, two);
    expect(await signIn(await token({}, two))).toBe('wrong');
    passTime(31_000);
    expect(await signIn(await token({}, two))).toBe('ann@example.com');
    expect(await signIn(await token({}, one))).toBe('ann@example.com');
    serving(two);
    passTime(HOUR_MS + 1_000);
    expect(await signIn(await token({}, one))).toBe('wrong');
    expect(await signIn(await token({}, two))).toBe('ann@example.com');
  });

  test('that nobody has are asked for no more than twice a minute', async () => {
    const stranger = await newSigner('nobody');
    for (let count = 0; count < 20; count += 1)
      expect(await signIn(await token({}, stranger))).toBe('wrong');
    expect(reads).toBe(1);
    passTime(31_000);
    for (let count = 0; count < 20; count += 1) await signIn(await token({}, stranger));
    expect(reads).toBe(2);
  });

  const broken: Readonly<Record<string, () => Response | Promise<Response>>> = {
    'an error': () => new Response('no', { status: 502 }),
    'no JSON': () => new Response('<html>'),
    'no keys': () => Response.json({ hello: 'world' }),
    'a redirect': () => Response.redirect('https://evil.test/keys'),
    nothing: () => Promise.reject(new TypeError('Network connection lost.')),
  };
  test.each(Object.keys(broken))(
    'that were read hold for a day while the endpoint answers %s',
    async (what) => {
      expect(await signIn(await token())).toBe('ann@example.com');
      endpoint = broken[what] ?? endpoint;
      passTime(2 * HOUR_MS);
      for (let count = 0; count < 5; count += 1)
        expect(await signIn(await token())).toBe('ann@example.com');
      expect(reads).toBe(2);
      expect(await signIn(await token({ exp: 1 }))).toBe('wrong');
      expect(await signIn(await token({}, await newSigner('one')))).toBe('wrong');
      expect(await signIn(await token({}, two))).toBe('unavailable');
      passTime(23 * HOUR_MS);
      expect(await signIn(await token())).toBe('unavailable');
      serving(two);
      passTime(31_000);
      expect(await signIn(await token({}, two))).toBe('ann@example.com');
      expect(await signIn(await token())).toBe('wrong');
    },
  );

  test.each(Object.keys(broken))('that were never read tell nothing: %s', async (what) => {
    endpoint = broken[what] ?? endpoint;
    expect(await signIn(await token())).toBe('unavailable');
    serving(one);
    expect(await signIn(await token())).toBe('unavailable');
    passTime(31_000);
    expect(await signIn(await token())).toBe('ann@example.com');
  });
});
