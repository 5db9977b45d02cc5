/** The inbox: what waits for a decision, and who has looked. Deciding is done on the run. */
import * as z from 'zod';
import { later } from '../contract/later.ts';
import { viewBody } from '../contract/run-requests.ts';
import { approvalStatus, inboxItem, run as runSchema } from '../contract/runs.ts';
import { type ApprovalRow, listApprovals } from '../db/approvals.ts';
import { type Person, rightsOf } from '../engine/approval.ts';
import { listAnswer, pageOf } from '../http/cursor.ts';
import { listOf, listQuery, type Route, tenantRoute } from '../http/route.ts';
import { runObject } from '../objects/index.ts';
import { whatOf } from '../objects/notice-words.ts';
import { onRun } from './on-run.ts';

export const approvalRoutes: readonly Route[] = [
  tenantRoute({
    method: 'GET',
    path: '/api/admin/approvals',
    tag: 'Runs',
    summary: 'The inbox: what waits by expiry, the earliest first; what was decided newest first',
    description:
      '`mine=true`: only what the caller may decide and has not decided yet, by their own right or ' +
      'in the place of a member for whom they stand in; `onBehalfOf` says whose.',
    role: 'viewer',
    query: later(() =>
      z.strictObject({
        ...listQuery(),
        status: approvalStatus.default('pending'),
        mine: z.enum(['true', 'false']).default('false'),
      }),
    ),
    answer: { status: 200, description: 'A page of approvals', schema: listOf(inboxItem) },
    async handle({ env, tenantId, actor, role, standsInFor }, { query }) {
      const { limit, cursor, status, mine } = query;
      const page = pageOf('approvals', { limit, cursor });
      if ('ok' in page) return page;
      const caller = mine === 'true' ? { actor, role, standsInFor } : undefined;
      const found = await listApprovals(
        env.DB,
        tenantId,
        { status, mine: deciderOf(caller) },
        page,
      );
      const items = found.items.map((row) => itemFor(row, caller));
      return { body: listAnswer('approvals', { ...found, items }) };
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
    orInPerson: true,
    perCaller: true,
    actsOnRun: true,
    body: viewBody,
    answer: {
      status: 200,
      description: 'The run',
      schema: later(() => z.object({ run: runSchema, requestId: z.string() })),
    },
    problems: [404, 409],
    async handle({ env, tenantId, by, role, standsInFor, lent }, { body: { runId, approvalId } }) {
      const person = { ...by, role, standsInFor };
      const claim = { ...person, approvalId, inputHash: undefined, comment: null };
      return await onRun(env, tenantId, runId, claim, () =>
        runObject(env, tenantId, runId).noteView(claim, lent),
      );
    },
  }),
];

function deciderOf(caller: Required<Person> | undefined) {
  if (caller === undefined) return undefined;
  const { actor, role, standsInFor = [] } = caller;
  const rights = [{ actor, role }, ...standsInFor];
  return {
    id: actor.id,
    rights: rights.map((right) => ({ id: right.actor.id, role: right.role })),
  };
}

/** By whose right it is the caller's to decide: the same check as at the vote. */
function itemFor({ item, barred, among }: ApprovalRow, caller: Person | undefined) {
  const shown = { ...item, summary: whatOf(item) };
  if (caller === undefined) return shown;
  const deciders = { roles: item.roles, members: item.members, rule: { among } };
  const rights = rightsOf(deciders, barred, caller).map(({ actor: { id, name } }) => ({
    id,
    name,
  }));
  return { ...shown, onBehalfOf: rights[0]?.id === caller.actor.id ? [] : rights };
}
