/** The OpenFeature Remote Evaluation Protocol: what it says is answered in its own form. */
import { beforeAll, describe, expect, test } from 'vitest';
import type { Json } from '../../../src/contract/json.ts';
import { fetchApi, newTenant, type Sent, send, type Tenant } from '../support/api.ts';

const ALL = '/ofrep/v1/evaluate/flags';
const CONTEXT = { context: { targetingKey: 'visitor-7', plan: 'free' } };

let tenant: Tenant;
let token: string;
beforeAll(async () => {
  tenant = await newTenant();
  token = await tenant.key('frontend');
  await setFlag('sale', true);
  await setFlag('beta', false);
});

async function setFlag(key: string, enabled: boolean): Promise<void> {
  await tenant.post('/api/admin/flags/set', { key, enabled });
}

async function evaluate(key: string | null, sent: Sent = { body: CONTEXT }) {
  const path = key === null ? ALL : `${ALL}/${encodeURIComponent(key)}`;
  return await send('POST', path, { token, ...sent });
}

describe('one flag', () => {
  test.each([
    ['sale', { value: true, variant: 'on' }],
    ['beta', { value: false, variant: 'off' }],
  ])('%s is evaluated without any targeting', async (key, value) => {
    const { status, body, headers } = await evaluate(key);
    expect(status).toBe(200);
    expect(body).toEqual({ key, reason: 'STATIC', ...value });
    expect(headers.get('cache-control')).toBe('no-store');
  });

  test.each(['never', 'a b', 'ä/ö', 'x'.repeat(500), '%'])(
    '%s was never set, so the SDK takes the default of the code',
    async (key) => {
      const { status, body, headers } = await evaluate(key);
      expect(status).toBe(404);
      expect(headers.get('content-type')).toBe('application/json');
      expect(body).toEqual({
        key,
        errorCode: 'FLAG_NOT_FOUND',
        errorDetails: 'This flag was never set.',
      });
    },
  );
});

describe('all flags', () => {
  test('come in one answer, with an ETag by which it is not sent again', async () => {
    const first = await evaluate(null);
    expect(first.body).toEqual({
      flags: [
        { key: 'beta', value: false, variant: 'off', reason: 'STATIC' },
        { key: 'sale', value: true, variant: 'on', reason: 'STATIC' },
      ],
    });
    const etag = first.headers.get('etag') ?? '';
    const headers = { 'if-none-match': etag };
    const again = await evaluate(null, { body: CONTEXT, headers });
    expect([again.status, again.text, again.headers.get('etag')]).toEqual([304, '', etag]);
    await setFlag('beta', true);
    expect((await evaluate(null, { body: CONTEXT, headers })).status).toBe(200);
    await setFlag('beta', false);
    expect((await evaluate(null, { body: CONTEXT, headers })).status).toBe(304);
  });

  test('of a tenant without any are none', async () => {
    const empty = await newTenant();
    const sent = { token: await empty.key('frontend'), body: CONTEXT };
    expect((await evaluate(null, sent)).body).toEqual({ flags: [] });
  });
});

describe.each([null, 'sale'])('a request (for %j)', (key) => {
  const own = key === null ? {} : { key };
  const json = { 'content-type': 'application/json' };

  test.each<[string, Json]>([
    ['no context', {}],
    ['no context to speak of', { context: null }],
    ['fields of a later version', { context: {}, later: 1 }],
  ])('with %s is fine: nothing of it counts', async (_what, body) => {
    expect((await evaluate(key, { body })).status).toBe(200);
  });

  test.each<[string, Json]>([
    ['a context that is text', { context: 'visitor' }],
    ['a context that is a list', { context: [] }],
    ['a list', []],
    ['a text', 'context'],
  ])('with %s is told so', async (_what, body) => {
    const answer = await evaluate(key, { body });
    expect(answer.status).toBe(400);
    expect(answer.body).toMatchObject({ ...own, errorCode: 'INVALID_CONTEXT' });
  });

  test.each(['', '{', '{"context":', 'nope'])('of %j is told that it is not JSON', async (raw) => {
    const answer = await evaluate(key, { raw, headers: json });
    expect(answer.status).toBe(400);
    expect(answer.body).toMatchObject({ ...own, errorCode: 'PARSE_ERROR' });
  });

  test('that is too large, or no JSON by its own word, is refused as everywhere', async () => {
    const large = await evaluate(key, { raw: `"${'a'.repeat(1_048_575)}"`, headers: json });
    expect(large.body.code).toBe('payload_too_large');
    const other = await evaluate(key, { raw: '{}', headers: { 'content-type': 'text/plain' } });
    expect(other.body.code).toBe('unsupported_media_type');
  });

  test('without a live key is 401; from a sender’s key, 403', async () => {
    expect((await evaluate(key, { token: 'garbage', body: CONTEXT })).status).toBe(401);
    const ingest = await tenant.key('ingest');
    expect((await evaluate(key, { token: ingest, body: CONTEXT })).status).toBe(403);
  });

  test('of a tenant whose flags a service keeps is told where to go', async () => {
    const other = await newTenant();
    await other.post('/api/admin/connections/set', {
      kind: 'flags',
      service: 'unleash',
      url: 'https://unleash.example.com',
      environment: 'production',
      apiToken: '*:*.0123456789abcdef',
    });
    const answer = await evaluate(key, { token: await other.key('frontend'), body: CONTEXT });
    expect(answer.status).toBe(400);
    expect(answer.body).toMatchObject({ ...own, errorCode: 'GENERAL' });
    expect(answer.text).toContain('unleash');
  });
});

test('a browser on an allowed origin may send what a provider sends', async () => {
  const headers = {
    origin: 'https://console.test',
    'access-control-request-method': 'POST',
    'access-control-request-headers': 'authorization, content-type, if-none-match',
  };
  const preflight = await fetchApi('OPTIONS', ALL, { headers });
  const allowed = (preflight.headers.get('access-control-allow-headers') ?? '').split(', ');
  for (const name of ['authorization', 'content-type', 'if-none-match'])
    expect(allowed).toContain(name);
  const answer = await evaluate(null, { body: CONTEXT, headers: { origin: headers.origin } });
  expect(answer.headers.get('access-control-expose-headers')).toContain('etag');
});
