/**
 * Another site's page can have a browser send what a form can send, with whatever the browser adds by
 * itself. A key that is sent is never added by a browser; a session is, by our cookie or by Cloudflare
 * Access, and so is the address of a page behind a link.
 */
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Route } from '../../../src/http/route.ts';
import { ROUTES } from '../../../src/routes/index.ts';
import { linkOf, statusOf, submit, waiting } from '../notices/support.ts';
import { listAt } from '../support/answers.ts';
import { newTenant, send, type Tenant } from '../support/api.ts';
import { tagWorkflow } from '../support/samples.ts';

const FORM_TYPES = [
  'text/plain',
  'text/plain; charset=utf-8',
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=x',
];
const posts = ROUTES.filter(({ method }) => method === 'POST');
const CREATE = '/api/admin/workflows/create';

type Sends = () => Promise<Record<string, string>>;

let tenant: Tenant;
/** What the browser of somebody who is signed in sends along by itself. */
let byAccess: Sends;
let byCookie: Sends;
const SESSIONS: readonly [string, Sends][] = [
  ['Access', () => byAccess()],
  ['key', () => byCookie()],
];

beforeAll(async () => {
  tenant = await newTenant();
  const member = { name: 'Ann', email: 'ann@example.com', role: 'admin' };
  await tenant.post('/api/admin/members/create', member);
  const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true });
  const jwk = { ...(await exportJWK(publicKey)), kid: 'one', alg: 'RS256' };
  vi.spyOn(globalThis, 'fetch').mockImplementation(async () => Response.json({ keys: [jwk] }));
  byAccess = async () => {
    const jwt = new SignJWT({ email: 'ann@example.com' })
      .setProtectedHeader({ alg: 'RS256', kid: 'one' })
      .setIssuer('https://team.test')
      .setAudience('the-audience')
      .setIssuedAt()
      .setExpirationTime('5m');
    return {
      'cf-access-jwt-assertion': await jwt.sign(privateKey),
      'x-tenant-id': tenant.id,
    };
  };
  const body = { apiKey: await tenant.key('admin') };
  const { headers } = await send('POST', '/api/session', { body });
  byCookie = async () => ({ cookie: headers.get('set-cookie')?.split(';')[0] ?? '' });
});
afterAll(() => {
  vi.restoreAllMocks();
});

describe('what a form can send', () => {
  test('is taken by the page behind an approval link alone, and by what is signed', () => {
    const isSigned = ({ access }: Route) => access.tier === 'vendor';
    const others = posts.filter((route) => route.body === undefined && !isSigned(route));
    const taking = others.map(({ path, rawBody }) => `${path} ${rawBody?.join(' ')}`);
    expect(taking.toSorted()).toEqual([
      '/api/events application/json application/cloudevents+json application/cloudevents-batch+json',
      '/approvals/:token application/x-www-form-urlencoded',
      '/ofrep/v1/evaluate/flags application/json',
      '/ofrep/v1/evaluate/flags/:key application/json',
    ]);
  });

  test.each(posts.filter(({ access }) => access.tier === 'admin').map(({ path }) => path))(
    'is refused by %s, also from whoever is signed in',
    async (path) => {
      for (const [by, signIn] of SESSIONS)
        for (const type of FORM_TYPES) {
          const headers = { ...(await signIn()), 'content-type': type };
          const answer = await send('POST', path, { raw: '{"a":1}', headers });
          expect(answer.status, `${by}, ${type}`).toBe(415);
        }
    },
  );
});

describe.each(SESSIONS)('somebody who is signed in by %s', (_by, signIn) => {
  const create = async (from: Record<string, string>) =>
    await send('POST', CREATE, {
      body: tagWorkflow({ enabled: false }),
      headers: { ...(await signIn()), ...from },
    });
  const count = async () => listAt(await tenant.get('/api/admin/workflows')).length;

  test.each<[string, Record<string, string>]>([
    ['a program', {}],
    ['our own page', { origin: 'https://api.test', 'sec-fetch-site': 'same-origin' }],
    ['a frontend of ours', { origin: 'https://console.test', 'sec-fetch-site': 'cross-site' }],
    ['a bookmark', { 'sec-fetch-site': 'none' }],
  ])('acts from %s', async (_from, headers) => {
    expect((await create(headers)).status).toBe(201);
  });

  test.each<[string, Record<string, string>]>([
    ['another site', { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }],
    ['another site, in an old browser', { origin: 'https://evil.example' }],
    ['a site below ours', { origin: 'https://sub.console.test', 'sec-fetch-site': 'same-site' }],
    ['a site that begins like ours', { origin: 'https://console.test.evil.example' }],
    ['our name without TLS', { origin: 'http://console.test' }],
    ['our name in upper case', { origin: 'https://CONSOLE.test' }],
    ['our name at another port', { origin: 'https://console.test:8443' }],
    ['a sandboxed frame', { origin: 'null', 'sec-fetch-site': 'cross-site' }],
    ['a page without an origin', { 'sec-fetch-site': 'cross-site' }],
    ['two origins', { origin: 'https://console.test, https://evil.example' }],
  ])('does not from %s', async (_from, headers) => {
    const before = await count();
    const answer = await create(headers);
    expect([answer.status, answer.body.code]).toEqual([403, 'forbidden']);
    expect(answer.headers.get('access-control-allow-credentials')).toBeNull();
    expect(await count()).toBe(before);
  });

  test('reads from anywhere, for no other page sees the answer', async () => {
    const headers = { ...(await signIn()), origin: 'https://evil.example' };
    const answer = await send('GET', '/api/admin/workflows', { headers });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('access-control-allow-origin')).toBeNull();
    expect(answer.headers.get('cross-origin-resource-policy')).toBe('same-origin');
  });

  test('listens to nothing for another site, whose page could read what comes', async () => {
    const headers = { ...(await signIn()), origin: 'https://evil.example', upgrade: 'websocket' };
    expect((await send('GET', '/api/admin/workflows', { headers })).status).toBe(403);
  });

  test('counts for nothing beside a key: what is named counts', async () => {
    const headers = { ...(await signIn()), origin: 'https://evil.example' };
    const token = await tenant.key('viewer');
    const answer = await send('POST', CREATE, { token, body: tagWorkflow(), headers });
    expect(answer.status).toBe(403);
    expect(String(answer.body.detail)).toContain('the key has viewer');
  });
});

test('the form behind a link decides from its own page alone', async () => {
  vi.restoreAllMocks();
  const at = await waiting({ ann: 'approver' });
  const link = await linkOf(at, 'ann');
  const yes = { decision: 'approved', email: 'ann@example.com', comment: '' };
  const elsewhere: Record<string, string>[] = [
    { origin: 'https://evil.example' },
    { origin: 'https://api.test.evil.example' },
    { origin: 'http://api.test' },
    { origin: 'https://api.test:8443' },
    { origin: 'https://console.test' },
    { origin: 'null', 'sec-fetch-site': 'cross-site' },
    { origin: 'null', 'sec-fetch-site': 'same-site' },
    { 'sec-fetch-site': 'cross-site' },
  ];
  for (const headers of elsewhere) expect((await submit(link, yes, headers)).status).toBe(403);
  for (const type of ['text/plain', 'multipart/form-data; boundary=x', 'application/json'])
    expect((await submit(link, yes, { 'content-type': type })).status).toBe(415);
  expect(await statusOf(at)).toBe('pending_approval');
  const own = { origin: 'null', 'sec-fetch-site': 'same-origin' };
  expect((await submit(link, yes, own)).status).toBe(200);
});
