/**
 * What browsers are told with every answer of every route, and what they cannot be made to do: frame
 * us, guess types, keep answers, send a referrer, run anything, act for somebody who is signed in.
 */
import { createExecutionContext } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Json } from '../../../src/contract/json.ts';
import type { Route } from '../../../src/http/route.ts';
import { serveRoutes } from '../../../src/http/router.ts';
import { ROUTES } from '../../../src/routes/index.ts';
import { linkOf, look, waiting } from '../notices/support.ts';
import { fetchApi, newTenant, type Sent, type Tenant } from '../support/api.ts';
import { bodyFor } from '../support/samples.ts';

const all = ROUTES.map((route) => [`${route.method} ${route.path}`, route] as const);
const BROWSER = { accept: 'text/html,application/xhtml+xml', cookie: '__Host-session=stolen' };
/** Answers that may be kept for a while: they are the same for everybody, or their reader asks again. */
const KEPT: ReadonlySet<string> = new Set([
  '/api/openapi.json',
  '/.well-known/signalbox-audit-keys.json',
  '/api/flags',
  '/ofrep/v1/evaluate/flags',
  '/ofrep/v1/evaluate/flags/:key',
]);

/** The only ones that set a cookie. */
const SESSION = '/api/session';

let tenant: Tenant;
beforeAll(async () => {
  tenant = await newTenant();
});

function pathOf({ path }: Route): string {
  return path.replace(':tenantId', tenant.id).replace(/:\w+/, 'x');
}

/** The same request with a credential, without one, nearly right, and by a browser. */
async function answersOf(route: Route): Promise<Response[]> {
  const { method, access, body } = route;
  const token = access.tier === 'platform' ? env.PLATFORM_TOKEN : await tenant.key('admin');
  const example: Json = body === undefined ? {} : bodyFor(route);
  const payload = method === 'POST' ? { body: example } : {};
  const kinds: Sent[] = [
    { token, ...payload },
    { ...payload },
    { token, ...payload, headers: BROWSER },
    {
      token,
      ...(method === 'POST' ? { raw: '{', headers: { 'content-type': 'text/plain' } } : {}),
    },
  ];
  const path = pathOf(route);
  const answers = [];
  for (const sent of kinds) answers.push(await fetchApi(method, path, sent));
  answers.push(await fetchApi('DELETE', path, { token }));
  answers.push(await fetchApi('OPTIONS', path));
  if (method === 'GET') answers.push(await fetchApi('HEAD', path, { token }));
  return answers;
}

describe.each(all)('%s', (_name, route) => {
  test('says the same of security with every answer', async () => {
    for (const answer of await answersOf(route)) {
      const { headers, status } = answer;
      const told = `${status} ${headers.get('content-type')}`;
      expect(headers.get('x-content-type-options'), told).toBe('nosniff');
      expect(headers.get('referrer-policy'), told).toBe('no-referrer');
      expect(headers.get('cross-origin-opener-policy'), told).toBe('same-origin');
      expect(headers.get('cross-origin-resource-policy'), told).toBe('same-origin');
      expect(headers.get('x-request-id'), told).toMatch(/^[\w.-]+$/);
      const cookie = headers.get('set-cookie');
      if (route.path.startsWith(SESSION) && cookie !== null)
        expect(cookie, told).toMatch(/^__Host-.*; Path=\/;.*; HttpOnly; SameSite=Strict; Secure$/);
      else expect(cookie, told).toBeNull();
      expect(headers.get('server'), told).toBeNull();
      expect(headers.get('x-powered-by'), told).toBeNull();
      expect(headers.get('access-control-allow-credentials'), told).toBeNull();
      const kept = headers.get('cache-control');
      if (KEPT.has(route.path) && status < 400) expect(kept, told).toMatch(/^(public|private|no-)/);
      else expect(kept, told).toBe('no-store');
      expectTightPolicy(headers.get('content-security-policy') ?? '');
      await expectTypeAsSaid(answer);
    }
  });

  test('is told to be asked by https alone, but not where it is developed', async () => {
    const path = `https://api.test${pathOf(route)}`;
    const ask = async (ENVIRONMENT: string) => {
      const request = new Request(path, { method: route.method });
      return await serveRoutes(ROUTES)(request, { ...env, ENVIRONMENT }, createExecutionContext());
    };
    const header = 'strict-transport-security';
    expect((await ask('production')).headers.get(header)).toMatch(/^max-age=31536000/);
    expect((await ask('development')).headers.get(header)).toBeNull();
  });
});

/** Nothing is allowed but what is named, and what is named is no wildcard and nothing inline. */
function expectTightPolicy(policy: string): void {
  const directives = new Map(
    policy.split('; ').map((text) => {
      const [name = '', ...values] = text.split(' ');
      return [name, values.join(' ')] as const;
    }),
  );
  expect(directives.get('default-src'), policy).toBe("'none'");
  expect(directives.get('frame-ancestors'), policy).toBe("'none'");
  expect(directives.get('base-uri'), policy).toBe("'none'");
  expect(["'none'", "'self'"], policy).toContain(directives.get('form-action'));
  expect(policy).not.toMatch(/unsafe-|\*|data:|blob:|https?:|script-src/);
}

/** JSON is never sent as a page, and a page is one of ours. */
async function expectTypeAsSaid(answer: Response): Promise<void> {
  const type = answer.headers.get('content-type') ?? '';
  const text = await answer.text();
  if (text === '') return;
  if (text.startsWith('<')) {
    expect(type).toBe('text/html; charset=utf-8');
    expect(answer.headers.get('content-security-policy')).toContain("style-src 'sha256-");
    expect(text).not.toMatch(
      /<script|<iframe|<object|<embed|<link|<img| style=| on\w+=|javascript:/i,
    );
    return;
  }
  expect(type).toMatch(/^(application\/((problem\+)?json|x-ndjson)|text\/csv)/);
  if (type.includes('json') && !type.includes('x-ndjson'))
    expect(() => JSON.parse(text)).not.toThrow();
}

describe('a page', () => {
  test('lets its one style sheet in by its hash, and no other', async () => {
    const at = await waiting({ ann: 'approver' });
    const link = await linkOf(at, 'ann');
    for (const path of ['/api/docs', link, '/approvals/nothing']) {
      const { html, headers } = await look(path);
      const styles = [...html.matchAll(/<style>([\s\S]*?)<\/style>/g)].map(([, style]) => style);
      expect(styles).toHaveLength(1);
      const bytes = new TextEncoder().encode(styles[0]);
      const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
      expect(headers.get('content-security-policy')).toContain(
        `style-src 'sha256-${btoa(String.fromCharCode(...digest))}'`,
      );
    }
  });
});

describe('a cookie', () => {
  test('opens nothing, whatever it is called', async () => {
    const key = await tenant.key('admin');
    for (const cookie of [
      `session=${key}`,
      `authorization=Bearer ${key}`,
      `CF_Authorization=${key}`,
    ])
      expect((await fetchApi('GET', '/api/admin/workflows', { headers: { cookie } })).status).toBe(
        401,
      );
  });
});
