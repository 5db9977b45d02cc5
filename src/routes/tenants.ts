/** Tenants, for the operator; keys and approval policy, for a tenant's admins. */
import * as z from 'zod';
import { ACTION_RULES } from '../actions/index.ts';
import { approvalPolicy, approvalPolicyUpdate, notifyUrl } from '../contract/approvals.ts';
import { later } from '../contract/later.ts';
import { refusal } from '../contract/problems.ts';
import { apiKey, apiKeyCreate, newApiKey, tenant, tenantCreate } from '../contract/tenants.ts';
import { databaseForNew } from '../db/databases.ts';
import { listTenants } from '../db/tenants.ts';
import { policyFaults } from '../engine/policy.ts';
import { mintKey } from '../http/api-key.ts';
import { listAnswer, listFromObject, pageOf } from '../http/cursor.ts';
import { listOf, listQuery, platformRoute, type Route, tenantRoute } from '../http/route.ts';
import { tenantObject } from '../objects/index.ts';
import { sealConnection } from '../ports/connections.ts';
import { checkDestination } from '../ports/destination.ts';
import { newSigningSecret } from '../ports/webhook-keys.ts';
import { rulesOf } from './outgoing.ts';

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
      schema: later(() => z.object({ tenant, apiKey: newApiKey, requestId: z.string() })),
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
        env,
        id,
        { kind: 'webhook', signingSecret: newSigningSecret() },
        createdAt,
      );
      const database = databaseForNew(env, id);
      const result = await tenantObject(env, id).create(made, key, connection, by, database);
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
    query: later(() => z.strictObject(listQuery())),
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
    query: later(() => z.strictObject(listQuery())),
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
      schema: later(() => z.object({ apiKey: newApiKey, requestId: z.string() })),
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
    body: later(() => z.strictObject({ id: z.string().min(1).max(100) })),
    answer: {
      status: 200,
      description: 'The key',
      schema: later(() => z.object({ apiKey, requestId: z.string() })),
    },
    problems: [404, 409],
    async handle({ env, tenantId, by }, { body: { id } }) {
      const revoked = await tenantObject(env, tenantId).revokeKey(id, by);
      return revoked.ok ? { body: { apiKey: revoked.apiKey } } : revoked;
    },
  }),
];

const onePolicy = later(() =>
  z.object({ actions: approvalPolicy, notifyUrl, requestId: z.string() }),
);

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
        const destination = checkDestination(notifyUrl, await rulesOf(env, tenantId));
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

export const tenantRoutes: readonly Route[] = [...platformRoutes, ...keyRoutes, ...policyRoutes];
