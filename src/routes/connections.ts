/** `/api/admin/connections…`: credentials for vendors and receivers, write-only. */
import * as z from 'zod';
import {
  connectionKind,
  connection as connectionSchema,
  connectionSet,
} from '../contract/connections.ts';
import { refusal } from '../contract/problems.ts';
import { type Route, tenantRoute } from '../http/route.ts';
import { tenantObject } from '../objects/index.ts';
import { sealConnection } from '../ports/connections.ts';
import { isSigningSecret, newSigningSecret } from '../ports/webhook-signature.ts';

/** The former signing secret signs too for this long, so that receivers can change over. */
const ROTATION_OVERLAP_MS = 24 * 3_600_000;

const oneConnection = z.object({ connection: connectionSchema, requestId: z.string() });

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
