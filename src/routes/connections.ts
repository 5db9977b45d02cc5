/** `/api/admin/connections…`: credentials for vendors and receivers, write-only. */
import * as z from 'zod';
import {
  type ConnectionSecrets,
  connectionCheck,
  connectionKind,
  connection as connectionSchema,
  connectionSet,
  connectionTest,
  SIGNING_KEY_FORM,
  SIGNING_SECRET_FORM,
} from '../contract/connections.ts';
import { later } from '../contract/later.ts';
import { parseMailbox } from '../contract/mail.ts';
import { type Fault, refusal } from '../contract/problems.ts';
import type { Env } from '../env.ts';
import { type Route, tenantRoute } from '../http/route.ts';
import { tenantObject } from '../objects/index.ts';
import { checkConnection } from '../ports/connection-checks.ts';
import { keepingFormerSecret, resealConnection, sealConnection } from '../ports/connections.ts';
import { checkDestination } from '../ports/destination.ts';
import { domainFault } from '../ports/email-domains.ts';
import { rotateWebhookKey, sealWebhookKeys, unusableKeys } from '../ports/webhook-connection.ts';
import { rulesOf } from './outgoing.ts';

const KEY_FORMS = { signingSecret: SIGNING_SECRET_FORM, signingKey: SIGNING_KEY_FORM } as const;

const oneConnection = later(() =>
  z.object({ connection: connectionSchema, requestId: z.string() }),
);

export const connectionRoutes: readonly Route[] = [
  tenantRoute({
    method: 'GET',
    path: '/api/admin/connections',
    tag: 'Connections',
    summary: 'Which connections are set; secrets are never read back',
    role: 'admin',
    answer: {
      status: 200,
      description: 'The connections',
      schema: later(() => z.object({ items: z.array(connectionSchema), requestId: z.string() })),
    },
    async handle({ env, tenantId }) {
      return { body: { items: await tenantObject(env, tenantId).listConnections() } };
    },
  }),
  tenantRoute({
    method: 'POST',
    path: '/api/admin/connections/set',
    tag: 'Connections',
    summary: 'Set a connection: its secrets are encrypted and write-only',
    description:
      'A Shopify or Stripe webhook secret that differs from the one before it begins a rotation: webhooks that either of them signs are taken for 24 hours, then the new one alone. `dropPrevious` ends the former one at once, as after a leak.',
    role: 'admin',
    body: connectionSet,
    answer: { status: 200, description: 'The connection', schema: oneConnection },
    async handle({ env, tenantId, by }, { body }) {
      const faults = await faultsIn(env, tenantId, body);
      if (faults.length > 0)
        return refusal('validation_failed', 'The connection would not work. See errors.', faults);
      const now = Date.now();
      const at = new Date(now).toISOString();
      const made =
        body.kind === 'webhook'
          ? await sealWebhookKeys(env, tenantId, body, at)
          : await sealConnection(env, tenantId, body, at);
      const tenant = tenantObject(env, tenantId);
      const read = await tenant.sealedConnection(body.kind);
      const former = read === null ? null : await resealConnection(env, tenantId, read);
      const sealed =
        'dropPrevious' in body && body.dropPrevious === true
          ? made
          : await keepingFormerSecret(env, tenantId, made, former, now);
      const set = await tenant.setConnection(sealed, 'connection.set', by);
      return set.ok ? { body: { connection: set.connection } } : set;
    },
  }),
  tenantRoute({
    method: 'POST',
    path: '/api/admin/connections/remove',
    tag: 'Connections',
    summary: 'Remove a connection and its secrets',
    role: 'admin',
    body: later(() => z.strictObject({ kind: connectionKind })),
    answer: {
      status: 200,
      description: 'Removed',
      schema: later(() => z.object({ removed: connectionKind, requestId: z.string() })),
    },
    problems: [404],
    async handle({ env, tenantId, by }, { body: { kind } }) {
      const removed = await tenantObject(env, tenantId).removeConnection(kind, by);
      return removed.ok ? { body: { removed: kind } } : removed;
    },
  }),
  tenantRoute({
    method: 'POST',
    path: '/api/admin/connections/test',
    tag: 'Connections',
    summary: 'Try a connection out, harmlessly: what works, and what to do where it does not',
    description:
      'Vendors are asked what the credentials may do; nothing is changed there, no mail is sent. A webhook connection sends one signed message of type `ping` to the given `url`. One test of a tenant runs at a time.',
    role: 'admin',
    body: connectionTest,
    answer: {
      status: 200,
      description: 'What was found',
      schema: later(() =>
        z.object({
          kind: connectionKind,
          ok: z.boolean().describe('Whether everything is in order'),
          checks: z.array(connectionCheck),
          requestId: z.string(),
        }),
      ),
    },
    problems: [429],
    async handle({ env, tenantId, by }, { body }) {
      const { kind } = body;
      const begun = await tenantObject(env, tenantId).beginConnectionTest();
      if (!begun.ok) return begun;
      const connection = await tenantObject(env, tenantId).sealedConnection(kind);
      const deps = { fetch, now: Date.now(), rules: await rulesOf(env, tenantId) };
      const checks = await checkConnection(env, tenantId, body, connection, deps);
      await tenantObject(env, tenantId).endConnectionTest(kind, checks, by);
      return { body: { kind, ok: checks.every(({ ok }) => ok), checks } };
    },
  }),
  tenantRoute({
    method: 'POST',
    path: '/api/admin/connections/rotate',
    tag: 'Connections',
    summary: 'Make a new signing key; the former one signs too for 24 hours',
    description:
      'A new `signingSecret` is shown once. Of a new `signingKey` nobody needs the private part: its public key is in the settings of the connection, and at /.well-known/webhook-keys/{tenantId}. The first `signingKey` begins to sign beside the secret.',
    role: 'admin',
    body: later(() =>
      z.strictObject({
        kind: z.literal('webhook'),
        key: z.enum(['signingSecret', 'signingKey']).default('signingSecret'),
      }),
    ),
    answer: {
      status: 200,
      description: 'The connection, and a new secret',
      schema: later(() =>
        oneConnection.unwrap().extend({
          signingSecret: z
            .string()
            .optional()
            .describe('Not there when the signingKey was rotated'),
        }),
      ),
    },
    problems: [409],
    async handle({ env, tenantId, by }, { body: { kind, key } }) {
      const tenant = tenantObject(env, tenantId);
      const read = await tenant.sealedConnection(kind);
      const former = read === null ? null : await resealConnection(env, tenantId, read);
      const made = await rotateWebhookKey(env, tenantId, former, key, Date.now());
      const set = await tenant.setConnection(made.connection, 'connection.rotated', by, read);
      if (!set.ok) return set;
      const shown = made.secret === null ? {} : { signingSecret: made.secret };
      return { body: { connection: set.connection, ...shown } };
    },
  }),
];

/** What is wrong with a connection besides its form. */
async function faultsIn(env: Env, tenantId: string, body: ConnectionSecrets): Promise<Fault[]> {
  if (body.kind === 'webhook') {
    const unusable = await unusableKeys(body);
    return unusable.map((path) => ({ path, message: KEY_FORMS[path] }));
  }
  if (body.kind === 'flags') {
    const led = checkDestination(body.url, await rulesOf(env, tenantId));
    return led.ok ? [] : [{ path: 'url', message: `Nothing may be sent there: ${led.reason}` }];
  }
  const from =
    body.kind === 'email' && body.service === 'cloudflare' ? parseMailbox(body.from) : null;
  if (from === null) return [];
  if (env.EMAIL === undefined)
    return [{ path: 'service', message: 'This deployment has no email binding of Cloudflare.' }];
  const fault = domainFault(env, tenantId, from);
  return fault === null ? [] : [{ path: 'from', message: fault }];
}
