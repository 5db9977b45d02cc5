/**
 * Which adapter serves, for every port, by environment and connection: what a connection lacks falls back
 * to the embedded adapter in development alone, and in production is an error that says what to do. A
 * secret that does not open is an error in both, and nobody is asked in its place.
 */
import { env } from 'cloudflare:workers';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { ConnectionSecrets } from '../../src/contract/connections.ts';
import type { AttemptOutcome } from '../../src/engine/plan.ts';
import { type SealedConnection, sealConnection } from '../../src/ports/connections.ts';
import type { Email, Ports } from '../../src/ports/index.ts';
import { openPorts, type PortEnv } from '../../src/ports/open.ts';
import { newSigningSecret } from '../../src/ports/webhook-keys.ts';
import { callOf } from '../fixtures/email-conformance.ts';
import { openBinding } from '../fixtures/vendors/cloudflare-email.ts';

const AT = '2026-03-02T00:00:00.000Z';
const SENDER = 'orders@shop.example.com';
const CONNECTIONS = {
  shopify: {
    ...{ kind: 'shopify', shopDomain: 'demo.myshopify.com', webhookSecret: 'secret-123' },
    adminToken: 'shpat_0123456789abcdef',
  },
  stripe: { kind: 'stripe', webhookSecret: 'secret-123', apiKey: 'sk_test_0123456789' },
  resend: { kind: 'email', service: 'resend', from: SENDER, apiKey: 're_0123456789' },
  cloudflare: { kind: 'email', service: 'cloudflare', from: SENDER },
  webhook: { kind: 'webhook', signingSecret: newSigningSecret() },
} as const satisfies Record<string, ConnectionSecrets>;
type Name = keyof typeof CONNECTIONS;

/** `shut`: sealed for someone else, so it does not open here. */
async function connectionOf(name: Name, state: 'set' | 'shut', tenantId: string) {
  const owner = state === 'set' ? tenantId : 'somebody-else';
  return await sealConnection(env, owner, CONNECTIONS[name], AT);
}

let asked: string[] = [];
beforeEach(() => {
  asked = [];
  vi.spyOn(globalThis, 'fetch').mockImplementation(async (input) => {
    asked.push(new URL(String(input)).host);
    return Response.json({ name: 'validation_error', message: 'no' }, { status: 401 });
  });
});
afterEach(() => vi.restoreAllMocks());

const MAIL: Email = { to: ['ada@example.com'], subject: 'Hi', text: 'Hello' };
const USES = {
  tagOrder: ({ commerce }, call) => commerce.tagOrder(call, '1042', 'vip'),
  refundOrder: ({ commerce }, call) => commerce.refundOrder(call, { orderId: '1042' }),
  cancelOrder: ({ commerce }, call) => commerce.cancelOrder(call, '1042', undefined),
  mail: ({ email }, call) => email.send(call, MAIL),
  ownMail: ({ email }, call) => email.send(call, { ...MAIL, system: true }),
  webhook: ({ webhook }, call) =>
    webhook.send(call, {
      ...{ url: 'https://receiver.example.com/hook', method: 'POST', headers: {}, body: {} },
    }),
  setFlag: ({ flags }, call) => flags.setFlag(call, { key: 'sale', enabled: true }),
  exportOrders: ({ exports }, call) => exports.exportOrders(call, { format: 'csv' }),
} as const satisfies Record<
  string,
  (ports: Ports, call: ReturnType<typeof callOf>) => Promise<AttemptOutcome>
>;
type Use = keyof typeof USES;

/** What it came to: `embedded`, the host that was asked, `binding`, or the code of an error. */
async function served(
  use: Use,
  given: readonly (readonly [Name, 'set' | 'shut'])[],
  more: Partial<PortEnv>,
): Promise<string> {
  const call = callOf();
  const { tenantId } = call;
  const connections: SealedConnection[] = [];
  for (const [name, state] of given) connections.push(await connectionOf(name, state, tenantId));
  const binding = openBinding(['shop.example.com', 'example.com']);
  const { SHOPIFY_ORIGIN: _s, STRIPE_ORIGIN: _t, RESEND_ORIGIN: _r, ...rest } = env;
  const ports = openPorts({ ...rest, EMAIL: binding, ...more }, tenantId, connections);
  const outcome = await USES[use](ports, call);
  if (asked[0] !== undefined) return asked[0];
  if (binding.mails.length > 0) return 'binding';
  if (outcome.kind !== 'failed') return 'embedded';
  const { code, message } = outcome.error;
  if (/not_configured|no_signing/.test(code)) expect(message, code).toMatch(/: |open|no |not /);
  // The embedded shop has no such order.
  return code === 'order_not_found' ? 'embedded' : code;
}

const development = { ENVIRONMENT: 'development' };
const production = { ENVIRONMENT: 'production' };
const NONE = 'commerce_not_configured';
const NO_MAIL = 'email_not_configured';
const SHOP = 'demo.myshopify.com';
const STRIPE = 'api.stripe.com';
const RESEND = 'api.resend.com';

/** Use; connections; what serves in development; what serves in production. */
const table: [Use, [Name, 'set' | 'shut'][], string, string][] = [
  ['tagOrder', [], 'embedded', NONE],
  ['refundOrder', [], 'embedded', NONE],
  ['cancelOrder', [], 'embedded', NONE],
  ['tagOrder', [['shopify', 'set']], SHOP, SHOP],
  ['refundOrder', [['shopify', 'set']], SHOP, SHOP],
  ['cancelOrder', [['shopify', 'set']], SHOP, SHOP],
  ['tagOrder', [['shopify', 'shut']], NONE, NONE],
  ['refundOrder', [['shopify', 'shut']], NONE, NONE],
  ['cancelOrder', [['shopify', 'shut']], NONE, NONE],
  ['tagOrder', [['stripe', 'set']], 'embedded', NONE],
  ['refundOrder', [['stripe', 'set']], STRIPE, STRIPE],
  ['cancelOrder', [['stripe', 'set']], 'embedded', NONE],
  ['refundOrder', [['stripe', 'shut']], NONE, NONE],
  [
    'refundOrder',
    [
      ['shopify', 'shut'],
      ['stripe', 'set'],
    ],
    NONE,
    NONE,
  ],
  ['mail', [], 'embedded', NO_MAIL],
  ['mail', [['resend', 'set']], RESEND, RESEND],
  ['mail', [['resend', 'shut']], NO_MAIL, NO_MAIL],
  ['mail', [['cloudflare', 'set']], 'binding', NO_MAIL],
  ['ownMail', [], 'embedded', NO_MAIL],
  ['ownMail', [['resend', 'set']], RESEND, RESEND],
  ['ownMail', [['resend', 'shut']], NO_MAIL, NO_MAIL],
  ['ownMail', [['cloudflare', 'set']], 'binding', NO_MAIL],
  ['webhook', [], 'no_signing_secret', 'no_signing_secret'],
  ['webhook', [['webhook', 'set']], 'receiver.example.com', 'receiver.example.com'],
  ['webhook', [['webhook', 'shut']], 'no_signing_secret', 'no_signing_secret'],
  // What the product brings along for itself, wherever it runs.
  ['setFlag', [], 'embedded', 'embedded'],
  ['exportOrders', [], 'embedded', 'embedded'],
];

describe.each(table)(
  '%s with the connections %j',
  (use, connections, inDevelopment, inProduction) => {
    test(`is served by ${inDevelopment} in development`, async () => {
      expect(await served(use, connections, development)).toBe(inDevelopment);
    });
    test(`is served by ${inProduction} in production`, async () => {
      expect(await served(use, connections, production)).toBe(inProduction);
    });
  },
);

describe("the deployment's mail service in production", () => {
  const EMAIL_FROM = 'Signalbox <approvals@example.com>';
  const open = { EMAIL_DOMAINS: '{"shop.example.com": ["*"], "example.com": ["nobody"]}' };
  const cloudflare: [Name, 'set'][] = [['cloudflare', 'set']];

  test.each<[string, Use, [Name, 'set'][], Partial<PortEnv>, string]>([
    ['sends for a tenant whose domain it has opened', 'mail', cloudflare, open, 'binding'],
    ['and for none whose it has not', 'mail', cloudflare, { EMAIL_DOMAINS: '{}' }, NO_MAIL],
    ['nor while the list cannot be read', 'mail', cloudflare, { EMAIL_DOMAINS: '{' }, NO_MAIL],
    ['nor without the binding', 'mail', cloudflare, { ...open, EMAIL: undefined }, NO_MAIL],
    ['sends our own mails from its own address', 'ownMail', [], { EMAIL_FROM }, 'binding'],
    [
      'also past the connection of a tenant',
      'ownMail',
      [['resend', 'set']],
      { EMAIL_FROM },
      'binding',
    ],
    ['which workflows may not use', 'mail', [], { ...open, EMAIL_FROM }, NO_MAIL],
    [
      'unless the operator has opened its domain',
      'mail',
      [],
      { EMAIL_FROM, EMAIL_DOMAINS: '{"example.com": ["*"]}' },
      'binding',
    ],
    ['and says so where its address is none', 'ownMail', [], { EMAIL_FROM: 'me' }, NO_MAIL],
    ['or the binding is missing', 'ownMail', [], { EMAIL_FROM, EMAIL: undefined }, NO_MAIL],
  ])('%s', async (_what, use, connections, more, expected) => {
    expect(await served(use, connections, { ...production, ...more })).toBe(expected);
  });
});
