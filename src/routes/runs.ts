/** The run log, and what people do to runs: approve, deny, cancel. */
import * as z from 'zod';
import { timestamp } from '../contract/json.ts';
import { later } from '../contract/later.ts';
import { refusal } from '../contract/problems.ts';
import {
  approveBody,
  cancelBody,
  denyBody,
  editBody,
  overrideBody,
  retryBody,
} from '../contract/run-requests.ts';
import { isFinal, runItem, run as runSchema, runStatus } from '../contract/runs.ts';
import { findStoredEvent } from '../db/events.ts';
import { findRun } from '../db/find-runs.ts';
import { listRuns } from '../db/run-list.ts';
import type { Claim } from '../engine/approval.ts';
import { ERASED } from '../engine/audit-parts.ts';
import { listAnswer, pageOf } from '../http/cursor.ts';
import {
  type Answer,
  listOf,
  listQuery,
  type Route,
  type ServedCaller,
  tenantRoute,
} from '../http/route.ts';
import type { Known } from '../objects/identity.ts';
import { runObject, tenantObject } from '../objects/index.ts';
import type { RunAnswer } from '../objects/run.ts';
import { noSuchRun, onRun, readRun } from './on-run.ts';

const TAG = 'Runs';
const oneRun = later(() => z.object({ run: runSchema, requestId: z.string() }));

export const runRoutes: readonly Route[] = [
  tenantRoute({
    method: 'GET',
    path: '/api/admin/workflow-runs',
    tag: TAG,
    summary: 'List runs, newest first',
    role: 'viewer',
    query: later(() =>
      z.strictObject({
        ...listQuery(),
        status: runStatus.optional(),
        workflowId: z.string().min(1).max(100).optional(),
        eventType: z.string().min(1).max(120).optional(),
        correlationId: z.string().min(1).max(256).optional(),
        from: timestamp.optional(),
        to: timestamp.optional(),
        q: z
          .string()
          .trim()
          .min(1)
          .max(256)
          .optional()
          .describe(
            'What somebody looks for: the id of a run (`run_…`) or an event (`evt_…`) or the beginning of ' +
              'one; or, to the letter, a correlation id, or an order’s id as events have it in ' +
              '`data.order.id`: that is found in the newest 5,000 events, and in those that came with ' +
              'the order itself',
          ),
      }),
    ),
    answer: { status: 200, description: 'A page of runs', schema: listOf(runItem) },
    async handle({ env, tenantId }, { query: { limit, cursor, ...filter } }) {
      const page = pageOf('runs', { limit, cursor });
      if ('ok' in page) return page;
      return { body: listAnswer('runs', await listRuns(env.DB, tenantId, filter, page)) };
    },
  }),
  tenantRoute({
    method: 'GET',
    path: '/api/admin/workflow-runs/get',
    tag: TAG,
    summary: 'One run: steps, approvals, timeline',
    role: 'viewer',
    query: later(() => z.strictObject({ id: z.string().min(1).max(100) })),
    answer: { status: 200, description: 'The run', schema: oneRun },
    problems: [404],
    async handle({ env, tenantId }, { query: { id } }) {
      const run = await readRun(env, tenantId, id);
      return run === null ? noSuchRun() : { body: { run } };
    },
  }),
  tenantRoute({
    method: 'POST',
    path: '/api/admin/workflow-runs/approve',
    tag: TAG,
    summary: 'Approve what a run waits for',
    description:
      'An approval of kind `resolve` asks whether an attempt was carried out of which nobody knows: ' +
      'it takes a `resolution`, `happened` or `retry`. To give up, deny it. ' +
      'A member of any role may decide where the rule names them, or somebody whom they stand in for.',
    role: 'approver',
    orInPerson: true,
    perCaller: true,
    actsOnRun: true,
    body: approveBody,
    answer: { status: 200, description: 'The run', schema: oneRun },
    problems: [403, 404, 409],
    handle: async (served, { body }) => await vote(served, 'approved', body),
  }),
  tenantRoute({
    method: 'POST',
    path: '/api/admin/workflow-runs/deny',
    tag: TAG,
    summary: 'Deny what a run waits for; a comment is required',
    description: 'By whom: as for an approval.',
    role: 'approver',
    orInPerson: true,
    perCaller: true,
    actsOnRun: true,
    body: denyBody,
    answer: { status: 200, description: 'The run', schema: oneRun },
    problems: [403, 404, 409],
    handle: async (served, { body }) => await vote(served, 'denied', body),
  }),
  tenantRoute({
    method: 'POST',
    path: '/api/admin/workflow-runs/edit',
    tag: TAG,
    summary: 'Change the inputs that wait for approval: a new hash, and the votes start again',
    role: 'approver',
    perCaller: true,
    actsOnRun: true,
    body: editBody,
    answer: { status: 200, description: 'The run', schema: oneRun },
    problems: [403, 404, 409],
    handle: async (served, { body: { input, ...claim } }) =>
      // Made twice, it would undo an edit that somebody made in between.
      await onApproval(
        served,
        claim,
        (run, claim, lent) => run.editInput(claim, input, lent),
        false,
      ),
  }),
  tenantRoute({
    method: 'POST',
    path: '/api/admin/workflow-runs/override',
    tag: TAG,
    summary: 'Break the glass: decide alone, where the policy allows it; a comment is required',
    role: 'admin',
    perCaller: true,
    actsOnRun: true,
    body: overrideBody,
    answer: { status: 200, description: 'The run', schema: oneRun },
    problems: [403, 404, 409],
    handle: async (served, { body }) =>
      await onApproval(served, body, (run, claim, lent) => run.breakGlass(claim, lent)),
  }),
  tenantRoute({
    method: 'POST',
    path: '/api/admin/workflow-runs/cancel',
    tag: TAG,
    summary: 'Cancel a run that has not ended',
    description:
      'What is being carried out just now is waited for, three seconds at most, and then told as it ' +
      'was; a run whose attempt takes longer is refused with `conflict`.',
    role: 'admin',
    actsOnRun: true,
    body: cancelBody,
    answer: { status: 200, description: 'The run', schema: oneRun },
    problems: [404, 409],
    async handle({ env, tenantId, by, lent }, { body: { runId, comment = null } }) {
      const tenant = tenantObject(env, tenantId);
      const queued = await tenant.cancelQueued(runId, by, comment);
      if (queued !== null) return 'ok' in queued ? queued : { body: { run: queued } };
      return await onRun(env, tenantId, runId, null, () =>
        runObject(env, tenantId, runId).cancel(by.actor, comment, by.requestId, lent),
      );
    },
  }),
  tenantRoute({
    method: 'POST',
    path: '/api/admin/workflow-runs/retry',
    tag: TAG,
    summary: 'Do a run that has ended without success again, as a new run',
    description:
      'The same event and the same version of the workflow, or with `latest` the current one; its ' +
      'condition is not asked again. All steps are done again, those that had succeeded too, under ' +
      'new idempotency keys, and every approval is asked for anew. Whoever retries counts as one of ' +
      'those who asked for it. A run is retried once: then its retry can be.',
    role: 'admin',
    body: retryBody,
    answer: { status: 201, description: 'The new run', schema: oneRun },
    problems: [404, 409, 422],
    async handle({ env, tenantId, by }, { body: { runId, latest, comment = null } }) {
      const found = await findRun(env.DB, tenantId, runId);
      if (found === null) return noSuchRun();
      const { item, origin } = found;
      if (!isFinal(item.status))
        return refusal('conflict', `The run has not ended: it is ${item.status}.`);
      if (item.status === 'succeeded')
        return refusal('conflict', 'The run has succeeded: there is nothing to do again.');
      const record = await findStoredEvent(env.DB, tenantId, item.eventId);
      if (record === null || record.data === ERASED)
        return refusal('conflict', 'Its event is not kept any more.');
      const ended = { item, origin, record };
      const retried = await tenantObject(env, tenantId).retryRun(ended, { latest, comment }, by);
      return retried.ok ? { status: 201, body: { run: retried.run } } : retried;
    },
  }),
];

async function vote(
  served: ServedCaller,
  decision: 'approved' | 'denied',
  body: z.infer<typeof approveBody>,
): Promise<Answer> {
  const { resolution, onBehalfOf, ...claim } = body;
  return await onApproval(served, claim, (run, claim, lent) =>
    run.vote({ ...claim, decision, onBehalfOf, resolution }, lent),
  );
}

type ClaimBody = Omit<z.infer<typeof approveBody>, 'resolution' | 'onBehalfOf'>;

/** Whoever asks, asks as themselves: the object checks what they may. */
async function onApproval(
  { env, tenantId, by, role, standsInFor, lent }: ServedCaller,
  { runId, approvalId, inputHash, comment: said }: ClaimBody,
  ask: (run: ReturnType<typeof runObject>, claim: Claim, lent: Known['lent']) => Promise<RunAnswer>,
  isRepeatable = true,
): Promise<Answer> {
  const { actor, requestId } = by;
  const comment = said ?? null;
  const claim = { approvalId, inputHash, actor, role, standsInFor, comment, requestId };
  const asked = () => ask(runObject(env, tenantId, runId), claim, lent);
  return await onRun(env, tenantId, runId, claim, asked, isRepeatable);
}
