/** The inbox: what waits for a decision, and who has looked. Deciding is done on the run. */
import * as z from 'zod';
import { approvalItem, approvalStatus, run as runSchema, viewBody } from '../contract/runs.ts';
import { listApprovals } from '../db/approvals.ts';
import { listAnswer, pageOf } from '../http/cursor.ts';
import { listOf, listQuery, type Route, tenantRoute } from '../http/route.ts';
import { runObject } from '../objects/index.ts';
import { onRun } from './on-run.ts';

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
  tenantRoute({
    method: 'POST',
    path: '/api/admin/approvals/view',
    tag: 'Runs',
    summary: 'Record that the caller has looked at what waits; told once for each person',
    description:
      'For frontends that show a request to somebody who may decide it. It decides nothing.',
    role: 'approver',
    body: viewBody,
    answer: {
      status: 200,
      description: 'The run',
      schema: z.object({ run: runSchema, requestId: z.string() }),
    },
    problems: [404, 409],
    async handle({ env, tenantId, by, role }, { body: { runId, approvalId } }) {
      const claim = { ...by, role, approvalId, inputHash: undefined, comment: null };
      return await onRun(env, tenantId, runId, 'approval_decided', () =>
        runObject(env, tenantId, runId).noteView(claim),
      );
    },
  }),
];
