/** The audit trail. */
import * as z from 'zod';
import { auditEntry } from '../contract/audit.ts';
import { timestamp } from '../contract/json.ts';
import { listAudit } from '../db/audit.ts';
import { listAnswer, pageOf } from '../http/cursor.ts';
import { listOf, listQuery, type Route, tenantRoute } from '../http/route.ts';

export const auditRoutes: readonly Route[] = [
  tenantRoute({
    method: 'GET',
    path: '/api/admin/audit',
    tag: 'Audit',
    summary: 'The audit trail, newest first: one hash chain per tenant',
    role: 'viewer',
    query: z.strictObject({
      ...listQuery,
      action: z.string().min(1).max(120).optional(),
      actor: z.string().min(1).max(256).optional().describe("An actor's id"),
      target: z.string().min(1).max(256).optional().describe("A target's id"),
      from: timestamp.optional(),
      to: timestamp.optional(),
    }),
    answer: { status: 200, description: 'A page of entries', schema: listOf(auditEntry) },
    async handle({ env, tenantId }, { query: { limit, cursor, ...filter } }) {
      const page = pageOf('audit', { limit, cursor }, /^\d{1,15}$/);
      if ('ok' in page) return page;
      return { body: listAnswer('audit', await listAudit(env.DB, tenantId, filter, page)) };
    },
  }),
];
