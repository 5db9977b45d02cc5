/** How long a tenant keeps what has ended: its admins say so. */
import * as z from 'zod';
import { later } from '../contract/later.ts';
import { retention, retentionUpdate } from '../contract/retention.ts';
import { type Route, tenantRoute } from '../http/route.ts';
import { tenantObject } from '../objects/index.ts';

const schema = later(() => z.object({ retention, requestId: z.string() }));
const answer = { status: 200, description: 'For how many days', schema } as const;

export const retentionRoutes: readonly Route[] = [
  tenantRoute({
    method: 'GET',
    path: '/api/admin/retention',
    tag: 'Privacy',
    summary: 'How long runs and events are kept; for ever, unless somebody has said otherwise',
    role: 'viewer',
    answer,
    async handle({ env, tenantId }) {
      return { body: { retention: await tenantObject(env, tenantId).getRetention() } };
    },
  }),
  tenantRoute({
    method: 'POST',
    path: '/api/admin/retention/update',
    tag: 'Privacy',
    summary: 'Say how long runs and events are kept; what is left out stays',
    description:
      'What is older and has ended goes within a day, for good: runs with their entries, approvals and deliveries; events, and that a repeat of one is known. What has not ended stays, and so does the audit trail, which tells of each day’s removal.',
    role: 'admin',
    body: retentionUpdate,
    answer,
    async handle({ env, tenantId, by }, { body }) {
      const updated = await tenantObject(env, tenantId).updateRetention(body, by);
      return updated.ok ? { body: { retention: updated.retention } } : updated;
    },
  }),
];
