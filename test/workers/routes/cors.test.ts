/** CORS: the origins in ALLOWED_ORIGINS, compared whole, and no others. */
import { describe, expect, test } from 'vitest';
import { fetchApi, newTenant, send } from '../support/api.ts';

const ALLOWED = 'https://console.test';
const OTHERS = [
  'https://other.test',
  'null',
  'https://console.test.evil.example',
  'https://evilconsole.test',
  'https://sub.console.test',
  'http://console.test',
  'https://console.test:8443',
  'https://console.test/',
  'HTTPS://CONSOLE.TEST',
  '*',
  'console.test',
];

function preflight(origin: string) {
  const headers = {
    origin,
    'access-control-request-method': 'POST',
    'access-control-request-headers': 'authorization, content-type, idempotency-key',
  };
  return fetchApi('OPTIONS', '/api/admin/workflows/create', { headers });
}

describe('an allowed origin', () => {
  test('may read answers, refusals too, with the headers that it needs', async () => {
    const token = await (await newTenant()).key('viewer');
    for (const [path, sent] of [
      ['/api/admin/workflows', { token }],
      ['/api/admin/workflows', {}],
      ['/api/nothing', {}],
    ] as const) {
      const { headers } = await send('GET', path, { ...sent, headers: { origin: ALLOWED } });
      expect(headers.get('access-control-allow-origin')).toBe(ALLOWED);
      expect(headers.get('access-control-expose-headers')).toMatch(/x-request-id/i);
      // The session's cookie may come along. It counts by a rule of its own.
      expect(headers.get('access-control-allow-credentials')).toBe('true');
      expect(headers.get('vary')).toBe('Origin');
    }
  });

  test('gets a preflight that allows our methods and headers', async () => {
    const response = await preflight(ALLOWED);
    expect(response.status).toBe(204);
    expect(await response.text()).toBe('');
    expect(response.headers.get('access-control-allow-origin')).toBe(ALLOWED);
    expect(response.headers.get('access-control-allow-methods')).toBe('GET, POST');
    const allowed = response.headers.get('access-control-allow-headers') ?? '';
    for (const name of ['authorization', 'content-type', 'idempotency-key', 'x-request-id'])
      expect(allowed.split(', ')).toContain(name);
    expect(response.headers.get('vary')).toBe('Origin');
  });
});

describe.each(OTHERS)('the origin %s', (origin) => {
  test('gets no permission, neither in an answer nor in a preflight', async () => {
    const answer = await send('GET', '/api/health', { headers: { origin } });
    const asked = await preflight(origin);
    for (const { headers } of [answer, asked]) {
      const names = [...headers.keys()].filter((name) => name.startsWith('access-control-'));
      expect(names).toEqual([]);
      expect(headers.get('vary')).toBe('Origin');
    }
  });
});

test('without an origin there is nothing to say but Vary', async () => {
  const { headers } = await send('GET', '/api/health');
  expect(headers.get('access-control-allow-origin')).toBeNull();
  expect(headers.get('vary')).toBe('Origin');
});
