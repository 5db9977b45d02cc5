/** What has its place by convention (RFC 8615): the public keys of audit checkpoints and webhooks. */
import * as z from 'zod';
import { auditKeys } from '../contract/audit-keys.ts';
import { tenantId as tenantIdSchema, utcTime } from '../contract/json.ts';
import { later } from '../contract/later.ts';
import { refusal } from '../contract/problems.ts';
import { openRoute, type Route } from '../http/route.ts';
import { isFlooding, slowDown, wrongCredential } from '../http/wrong-credentials.ts';
import { logError } from '../log.ts';
import { auditKeyList } from '../objects/audit-keys.ts';
import { tenantObject } from '../objects/index.ts';
import { publicKeys } from '../ports/webhook-connection.ts';

const webhookKeys = later(() =>
  z.object({
    keys: z.array(
      z.object({
        publicKey: z.string().describe('whpk_ and the base64 of 32 bytes (Ed25519)'),
        until: utcTime.nullable(),
      }),
    ),
    requestId: z.string(),
  }),
);

const NO_KEY = refusal('not_found', 'There is no public key of that name.');

export const wellKnownRoutes: readonly Route[] = [
  openRoute({
    method: 'GET',
    path: '/.well-known/signalbox-audit-keys.json',
    tag: 'Audit',
    summary: 'The public keys of audit checkpoints, the one in use first',
    description: 'Keep a copy elsewhere: keys from the same place as the log prove little.',
    access: { tier: 'anyone' },
    answer: { status: 200, description: 'The keys', schema: auditKeys },
    problems: [503],
    async handle({ env, requestId }) {
      try {
        const keys = await auditKeyList(env);
        const headers = {
          'content-type': 'application/json',
          'cache-control': 'public, max-age=300',
        };
        return new Response(JSON.stringify({ keys }), { headers });
      } catch (error) {
        logError({ what: 'audit_keys_failed', requestId }, error);
        return refusal('unavailable', 'The keys are not configured as they should be.');
      }
    },
  }),
  openRoute({
    method: 'GET',
    path: '/.well-known/webhook-keys/:tenantId',
    tag: 'Deliveries',
    summary:
      "The public keys of a tenant's webhooks (Standard Webhooks, scheme v1a), the newest first",
    description:
      'Whoever receives webhooks verifies them by one of these, without any shared secret. `until` is when a former key ends.',
    access: { tier: 'anyone' },
    answer: { status: 200, description: 'The keys', schema: webhookKeys },
    problems: [404, 429],
    async handle(served) {
      const { env, params, request } = served;
      if (isFlooding(request)) return slowDown();
      const { tenantId = '' } = params;
      const known = tenantIdSchema.safeParse(tenantId).success
        ? await tenantObject(env, tenantId).sealedConnection('webhook')
        : null;
      const keys = publicKeys(known, Date.now());
      return keys.length === 0 ? await wrongCredential(served, NO_KEY) : { body: { keys } };
    },
  }),
];
