/** Tenants, for the operator; keys, approval policy and connections, for a tenant's admins. */
import * as z from 'zod';
import { ACTION_RULES } from '../actions/index.ts';
import { approvalPolicy, approvalPolicyUpdate, notifyUrl } from '../contract/approvals.ts';
import { refusal } from '../contract/problems.ts';
import {
  apiKey,
  apiKeyCreate,
  connectionKind,
  connection as connectionSchema,
  connectionSet,
  newApiKey,
  tenant,
  tenantCreate,
} from '../contract/tenants.ts';
import { listTenants } from '../db/tenants.ts';
import { policyFaults } from '../engine/policy.ts';
import { mintKey } from '../http/api-key.ts';
import { listAnswer, listFromObject, pageOf } from '../http/cursor.ts';
import { listOf, listQuery, platformRoute, type Route, tenantRoute } from '../http/route.ts';
import { tenantObject } from '../objects/index.ts';
import { sealConnection } from '../ports/connections.ts';
import { checkDestination } from '../ports/destination.ts';
import { destinationRules } from '../ports/webhook-port.ts';
import { isSigningSecret, newSigningSecret } from '../ports/webhook-signature.ts';

/** The former signing secret signs too for this long, so that receivers can change over. */
const ROTATION_OVERLAP_MS = 24 * 3_600_000;

const platformRoutes: readonly Route[] = [
  platformRoute({
    method: 'POST',
    path: '/api/platform/tenants/create',
    tag: 'Tenants',
    summary: 'Create a tenant and its first admin key, shown once',
    body: tenantCreate,
    answer: {
      status: 201,
      description: 'The tenant and its first key',
      schema: z.object({ tenant, apiKey: newApiKey, requestId: z.string() }),
    },
    problems: [409],
    async handle({ env, by }, { body: { id, name } }) {
      const createdAt = new Date().toISOString();
      const made = { id, name, createdAt };
      const { key, secret } = await mintKey(env.KEY_SECRET, id, {
        name: 'First admin key',
        role: 'admin',
      });
      const connection = await sealConnection(
        env.SEAL_KEY,
        id,
        { kind: 'webhook', signingSecret: newSigningSecret() },
        createdAt,
      );
      const result = await tenantObject(env, id).create(made, key, connection, by);
      if (!result.ok) return result;
      const { role, id: keyId, name: keyName } = result.apiKey;
      const shown = { id: keyId, name: keyName, role, secret };
      return { status: 201, body: { tenant: made, apiKey: shown } };
    },
  }),
  platformRoute({
    method: 'GET',
    path: '/api/platform/tenants',
    tag: 'Tenants',
    summary: 'List tenants',
    query: z.strictObject(listQuery),
    answer: { status: 200, description: 'A page of tenants', schema: listOf(tenant) },
    async handle({ env }, { query }) {
      const page = pageOf('tenants', query);
      if ('ok' in page) return page;
      return { body: listAnswer('tenants', await listTenants(env.DB, page)) };
    },
  }),
];

const keyRoutes: readonly Route[] = [
  tenantRoute({
    method: 'GET',
    path: '/api/admin/api-keys',
    tag: 'API keys',
    summary: 'List keys: prefixes, roles, last use; no secrets',
    role: 'admin',
    query: z.strictObject(listQuery),
    answer: { status: 200, description: 'A page of keys', schema: listOf(apiKey) },
    async handle({ env, tenantId }, { query }) {
      const tenant = tenantObject(env, tenantId);
      return await listFromObject('api-keys', query, (page) => tenant.listKeys(page));
    },
  }),
  tenantRoute({
    method: 'POST',
    path: '/api/admin/api-keys/create',
    tag: 'API keys',
    summary: 'Create a key; its secret is shown once',
    role: 'admin',
    body: apiKeyCreate,
    answer: {
      status: 201,
      description: 'The key with its secret',
      schema: z.object({ apiKey: newApiKey, requestId: z.string() }),
    },
    problems: [404, 422],
    async handle({ env, tenantId, by }, { body }) {
      const { key, secret } = await mintKey(env.KEY_SECRET, tenantId, body);
      const { name, role } = body;
      const made = await tenantObject(env, tenantId).createKey(key, by);
      return made.ok ? { status: 201, body: { apiKey: { id: key.id, name, role, secret } } } : made;
    },
  }),
  tenantRoute({
    method: 'POST',
    path: '/api/admin/api-keys/revoke',
    tag: 'API keys',
    summary: 'Revoke a key, from the next request on',
    role: 'admin',
    body: z.strictObject({ id: z.string().min(1).max(100) }),
    answer: {
      status: 200,
      description: 'The key',
      schema: z.object({ apiKey, requestId: z.string() }),
    },
    problems: [404, 409],
    async handle({ env, tenantId, by }, { body: { id } }) {
      const revoked = await tenantObject(env, tenantId).revokeKey(id, by);
      return revoked.ok ? { body: { apiKey: revoked.apiKey } } : revoked;
    },
  }),
];

const onePolicy = z.object({ actions: approvalPolicy, notifyUrl, requestId: z.string() });

const policyRoutes: readonly Route[] = [
  tenantRoute({
    method: 'GET',
    path: '/api/admin/approval-policy',
    tag: 'Approval policy',
    summary: 'What each action needs before it may run',
    role: 'viewer',
    answer: { status: 200, description: 'A rule for every action', schema: onePolicy },
    async handle({ env, tenantId }) {
      const tenant = tenantObject(env, tenantId);
      const [actions, notifyUrl] = await Promise.all([tenant.getPolicy(), tenant.getNotifyUrl()]);
      return { body: { actions, notifyUrl } };
    },
  }),
  tenantRoute({
    method: 'POST',
    path: '/api/admin/approval-policy/update',
    tag: 'Approval policy',
    summary: 'Change rules; null takes an action back to its default',
    role: 'admin',
    body: approvalPolicyUpdate,
    answer: { status: 200, description: 'A rule for every action', schema: onePolicy },
    async handle({ env, tenantId, by }, { body: { actions = {}, notifyUrl } }) {
      const unknown = Object.keys(actions).filter((name) => !Object.hasOwn(ACTION_RULES, name));
      if (unknown.length > 0)
        return refusal(
          'validation_failed',
          `Actions are ${Object.keys(ACTION_RULES).join(', ')}.`,
          unknown.map((name) => ({ path: `actions.${name}`, message: 'unknown action' })),
        );
      const faults = Object.entries(actions).flatMap(([name, change]) =>
        policyFaults({ when: change?.when ?? [] }, `actions.${name}`),
      );
      if (typeof notifyUrl === 'string') {
        const destination = checkDestination(notifyUrl, destinationRules(env));
        if (!destination.ok) faults.push({ path: 'notifyUrl', message: destination.reason });
      }
      if (faults.length > 0)
        return refusal('validation_failed', 'The policy was not changed. See errors.', faults);
      const tenant = tenantObject(env, tenantId);
      const updated = await tenant.updatePolicy(actions, by, notifyUrl);
      if (!updated.ok) return updated;
      return { body: { actions: updated.policy, notifyUrl: await tenant.getNotifyUrl() } };
    },
  }),
];

const oneConnection = z.object({ connection: connectionSchema, requestId: z.string() });

const connectionRoutes: readonly Route[] = [
  tenantRoute({
    method: 'GET',
    path: '/api/admin/connections',
    tag: 'Connections',
    summary: 'Which connections are set; secrets are never read back',
    role: 'admin',
    answer: {
      status: 200,
      description: 'The connections',
      schema: z.object({ items: z.array(connectionSchema), requestId: z.string() }),
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
    role: 'admin',
    body: connectionSet,
    answer: { status: 200, description: 'The connection', schema: oneConnection },
    async handle({ env, tenantId, by }, { body }) {
      if (body.kind === 'webhook' && !isSigningSecret(body.signingSecret))
        return refusal('validation_failed', 'The secret could sign nothing.', [
          { path: 'signingSecret', message: 'whsec_ and the base64 of 24 to 64 bytes' },
        ]);
      const at = new Date().toISOString();
      const sealed = await sealConnection(env.SEAL_KEY, tenantId, body, at);
      const tenant = tenantObject(env, tenantId);
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
    body: z.strictObject({ kind: connectionKind }),
    answer: {
      status: 200,
      description: 'Removed',
      schema: z.object({ removed: connectionKind, requestId: z.string() }),
    },
    problems: [404],
    async handle({ env, tenantId, by }, { body: { kind } }) {
      const removed = await tenantObject(env, tenantId).removeConnection(kind, by);
      return removed.ok ? { body: { removed: kind } } : removed;
    },
  }),
  tenantRoute({
    method: 'POST',
    path: '/api/admin/connections/rotate',
    tag: 'Connections',
    summary: 'Make a new signing secret, shown once; the former one signs too for 24 hours',
    role: 'admin',
    body: z.strictObject({ kind: z.literal('webhook') }),
    answer: {
      status: 200,
      description: 'The connection, and the new secret',
      schema: oneConnection.extend({ signingSecret: z.string() }),
    },
    async handle({ env, tenantId, by }, { body: { kind } }) {
      const tenant = tenantObject(env, tenantId);
      const former = (await tenant.sealedConnection(kind))?.secrets.signingSecret;
      const now = Date.now();
      const signingSecret = newSigningSecret();
      const at = new Date(now).toISOString();
      const made = await sealConnection(env.SEAL_KEY, tenantId, { kind, signingSecret }, at);
      const previousUntil = new Date(now + ROTATION_OVERLAP_MS).toISOString();
      const rotated =
        former === undefined
          ? made
          : {
              ...made,
              settings: { previousUntil },
              secrets: { ...made.secrets, previousSigningSecret: former },
            };
      const set = await tenant.setConnection(rotated, 'connection.rotated', by);
      return set.ok ? { body: { connection: set.connection, signingSecret } } : set;
    },
  }),
];

export const tenantRoutes: readonly Route[] = [
  ...platformRoutes,
  ...keyRoutes,
  ...policyRoutes,
  ...connectionRoutes,
];
