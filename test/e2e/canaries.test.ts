/**
 * A canary for every kind of secret: each is put where it belongs and used, is sent where it does not
 * belong, and is then looked for in every answer, every line of the log, every mail and webhook, the
 * processes' command lines, and every byte that the product keeps on the disk.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import * as z from 'zod';
import { newApiKey } from '../../src/contract/tenants.ts';
import { openResend, RESEND_KEY, type StandInResend } from '../fixtures/vendors/resend.ts';
import { clientOf, send } from './support/client.ts';
import { treeOf } from './support/processes.ts';
import {
  BY_SERVE,
  newPlace,
  PLATFORM_TOKEN,
  type Place,
  removePlace,
  type Server,
  startServer,
} from './support/server.ts';
import { openSink, type Sink } from './support/sink.ts';
import { openTenant, postEvents, runIn, type Tenant } from './support/tenant.ts';
import { until } from './support/wait.ts';

const OPERATOR = {
  KEY_SECRET: 'canary-key-secret-0123456789abcdef0123456789',
  SEAL_KEY: 'canary-seal-key-0123456789abcdef0123456789ab',
  AUDIT_KEY: 'canary-audit-key-0123456789abcdef0123456789a',
};
const SIGNING = 'whsec_Y2FuYXJ5LXNpZ25pbmctc2VjcmV0LTAxMjM0NTY3ODk=';
const SIGNING_KEY = `whsk_${Buffer.from('canary-signing-key-seed-01234567').toString('base64')}`;
const CONNECTIONS = [
  { kind: 'webhook', signingSecret: SIGNING, signingKey: SIGNING_KEY },
  {
    ...{ kind: 'shopify', shopDomain: 'canary.myshopify.com' },
    ...{
      webhookSecret: 'shpss_canary_0123456789abcdef',
      adminToken: 'shpat_canary_0123456789abcdef',
    },
  },
  {
    kind: 'stripe',
    webhookSecret: 'whsec_canaryStripe0123456789',
    apiKey: 'sk_test_canary0123456789',
  },
  {
    kind: 'flags',
    service: 'unleash',
    url: '',
    environment: 'production',
    apiToken: 'canary:production.0123456789',
  },
];
const VIEWS = z.object({ paths: z.record(z.string(), z.record(z.string(), z.unknown())) });
const ONE_KEY = z.object({ apiKey: newApiKey });

let place: Place;
let resend: StandInResend;
let server: Server;
let sink: Sink;
let tenant: Tenant;
let session = '';
/** By what it is. */
const secrets = new Map<string, string>();
/** By where it came from. */
const told = new Map<string, string>();

/** A request whose answer is kept for the search. */
async function ask(method: 'GET' | 'POST', path: string, token: string, body?: object) {
  const answer = await clientOf(server.origin, token).call(method, path, body);
  const headers = JSON.stringify([...answer.headers]);
  told.set(`${method} ${path} (${told.size})`, `${headers}\n${answer.text}`);
  return answer;
}

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

beforeAll(async () => {
  place = await newPlace();
  resend = await openResend();
  const settings = Object.entries({ ...OPERATOR, RESEND_ORIGIN: resend.origin });
  writeFileSync(
    join(place.stateDir, 'secrets.env'),
    settings.map(([name, value]) => `${name}=${value}\n`).join(''),
    { mode: 0o600 },
  );
  server = await startServer(place, ['--no-demo'], BY_SERVE);
  sink = await openSink(SIGNING);
  tenant = await openTenant(server, SIGNING);
  const signedIn = await send(`${server.origin}/api/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ apiKey: tenant.keys.admin }),
  });
  session = /=([^;]+)/.exec(signedIn.headers.get('set-cookie') ?? '')?.[1] ?? '';
  for (const [name, value] of Object.entries(OPERATOR)) secrets.set(name, value);
  secrets.set('PLATFORM_TOKEN', PLATFORM_TOKEN);
  for (const [role, key] of Object.entries(tenant.keys)) secrets.set(`key of the ${role}`, key);
  secrets.set('session', session);
  secrets.set('RESEND_KEY', RESEND_KEY);
  for (const { kind, ...fields } of CONNECTIONS)
    for (const [name, value] of Object.entries(fields))
      if (/secret|key|token/i.test(name)) secrets.set(`${kind} ${name}`, String(value));
});
afterAll(async () => {
  await server?.stop();
  await sink?.goDown();
  await resend?.close();
  removePlace(place);
});

it('every secret has a use, and the vendors that refuse it are told of without it', async () => {
  const { admin } = tenant.keys;
  for (const connection of CONNECTIONS) {
    const at = 'url' in connection ? { url: sink.url } : {};
    expect(
      (await ask('POST', '/api/admin/connections/set', admin, { ...connection, ...at })).status,
    ).toBe(200);
  }
  const mail = { from: 'Orders <orders@shop.example.com>', apiKey: RESEND_KEY };
  await ask('POST', '/api/admin/connections/set', admin, {
    kind: 'email',
    service: 'resend',
    ...mail,
  });
  for (const kind of ['email', 'flags', 'shopify', 'stripe', 'webhook'])
    await ask('POST', '/api/admin/connections/test', admin, {
      kind,
      ...(kind === 'webhook' ? { url: sink.url } : {}),
    });
  const ann = { name: 'Ann', email: 'ann@example.com', role: 'approver' };
  await ask('POST', '/api/admin/members/create', admin, ann);
  const created = await ask('POST', '/api/admin/workflows/create', admin, {
    name: 'Everything',
    enabled: true,
    trigger: { event: 'custom.asked' },
    steps: [
      { id: 'send', action: 'notify.webhook', with: { url: sink.url } },
      {
        id: 'tell',
        action: 'notify.email',
        with: { to: 'ada@example.com', subject: 'Hi', html: '<p>Hi</p>' },
      },
      {
        id: 'pay',
        action: 'order.refund',
        with: { orderId: '1', amount: { amount: 1, currency: 'USD' }, reason: 'r' },
      },
    ],
  });
  expect(created.status, created.text).toBe(201);
  const [event] = await postEvents(server, tenant, { type: 'custom.asked', data: {} });
  await until('the webhook', () => sink.received.some(({ verified }) => verified));
  await until('both mails', () => resend.mails.length > 1);
  await runIn(server, tenant, event?.runs[0] ?? '', 'pending_approval');
});

it('every secret is sent where it does not belong, and is not said again', async () => {
  const { admin } = tenant.keys;
  for (const secret of secrets.values()) {
    await ask('GET', '/api/admin/workflow-runs', `${secret}x`);
    await ask('GET', `/api/admin/workflow-runs?status=${encodeURIComponent(secret)}`, admin);
    await ask('GET', `/api/admin/audit/get?id=${encodeURIComponent(secret)}`, admin);
    await ask('POST', '/api/admin/connections/set', admin, {
      kind: 'stripe',
      webhookSecret: secret,
      apiKey: `${secret} `,
    });
    await ask('POST', '/api/admin/api-keys/create', admin, { name: 'n', role: secret });
    await ask('POST', '/api/session', admin, { apiKey: `${secret}x` });
    await ask('POST', '/api/admin/connections/set', admin, { kind: secret });
  }
});

it('every page of the API is read', async () => {
  const document = await server.as(tenant.keys.admin).get('/api/openapi.json', VIEWS);
  const paths = Object.entries(document.paths).flatMap(([path, methods]) =>
    'get' in methods && !path.includes('{') ? [path] : [],
  );
  expect(paths.length).toBeGreaterThan(30);
  for (const path of paths) await ask('GET', path, tenant.keys.admin);
  await ask('GET', '/api/platform/tenants', PLATFORM_TOKEN);
  await ask('POST', '/api/platform/keys/rotate', PLATFORM_TOKEN, {});
});

it('a key is shown once, when it is made', async () => {
  const made = await server
    .as(tenant.keys.admin)
    .post('/api/admin/api-keys/create', { name: 'once', role: 'viewer' }, ONE_KEY);
  secrets.set('a key that was just made', made.apiKey.secret);
  await ask('GET', '/api/admin/api-keys', tenant.keys.admin);
  await ask('GET', '/api/admin/audit', tenant.keys.admin);
});

it('none is anywhere else: answers, log, mails, webhooks, command lines, disk', async () => {
  const places = new Map(told);
  places.set('standard output', server.stdout.join('\n'));
  places.set('standard error', server.stderr.join('\n'));
  places.set('the mails', JSON.stringify(resend.mails));
  places.set('the webhooks', JSON.stringify(sink.received));
  for (const pid of treeOf(server.pid))
    places.set(`command line of ${pid}`, readFileSync(`/proc/${pid}/cmdline`, 'latin1'));
  await server.stop();
  const kept = filesIn(place.stateDir).filter((file) => !file.endsWith('secrets.env'));
  for (const file of kept)
    places.set(file.slice(place.stateDir.length), readFileSync(file, 'latin1'));
  const isFound = (text: string) => [...places.values()].some((place) => place.includes(text));
  expect(isFound('Everything'), 'what is no secret is found').toBe(true);
  const found = [...places].flatMap(([where, text]) =>
    [...secrets].flatMap(([what, secret]) =>
      text.includes(secret) ? [`${what} in ${where}`] : [],
    ),
  );
  expect(found).toEqual([]);
});
