/** The inbox: what waits for a decision. Deciding is done on the run. */
import * as z from 'zod';
import { approvalItem, approvalStatus } from '../contract/runs.ts';
import { listApprovals } from '../db/approvals.ts';
import { listAnswer, pageOf } from '../http/cursor.ts';
import { listOf, listQuery, type Route, tenantRoute } from '../http/route.ts';

export const approvalRoutes: readonly Route[] = [
  tenantRoute({
    method: 'GET',
    path: '/api/admin/approvals',
    tag: 'Runs',
    summary: 'The inbox: approvals by expiry, the earliest first',
    description: '`mine=true`: only what the caller may decide and has not decided yet.',
    role: 'viewer',
    query: z.strictObject({
      ...listQuery,
      status: approvalStatus.default('pending'),
      mine: z.enum(['true', 'false']).default('false'),
    }),
    answer: { status: 200, description: 'A page of approvals', schema: listOf(approvalItem) },
    async handle({ env, tenantId, actor, role }, { query: { limit, cursor, status, mine } }) {
      const page = pageOf('approvals', { limit, cursor });
      if ('ok' in page) return page;
      const decider = mine === 'true' ? { id: actor.id, role } : undefined;
      const found = await listApprovals(env.DB, tenantId, { status, mine: decider }, page);
      return { body: listAnswer('approvals', found) };
    },
  }),
];
