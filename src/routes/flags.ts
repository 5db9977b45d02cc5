/** Flags: what a frontend evaluates, and what an admin sees, sets by hand and looks back on. */
import * as z from 'zod';
import {
  evaluatedFlags,
  type FlagChangeView,
  flag,
  flagChange,
  flagKey,
  flagSet,
  flagState,
} from '../contract/flags.ts';
import { later } from '../contract/later.ts';
import { refusal } from '../contract/problems.ts';
import { type RunWorkflow, workflowsOfRuns } from '../db/find-runs.ts';
import { conditionalJson } from '../http/conditional.ts';
import { listAnswer, pageOf } from '../http/cursor.ts';
import { keptElsewhere } from '../http/flag-reader.ts';
import { flagRoute, listOf, listQuery, type Route, tenantRoute } from '../http/route.ts';
import { tenantObject } from '../objects/index.ts';
import { listFlagChanges, type RecordedChange } from '../ports/flag-changes.ts';
import { listFlags } from '../ports/flags.ts';

const TAG = 'Flags';

/**
 * A change is seen within ten seconds by whoever asks again, and within a minute at the latest; so long
 * does a revoked key read on from a cache that has its answer. The same URL answers another tenant for
 * another key, hence `Vary`.
 */
const CACHED = {
  'cache-control': 'private, max-age=10, stale-while-revalidate=50',
  vary: 'Authorization',
} as const;

export const flagRoutes: readonly Route[] = [
  flagRoute({
    method: 'GET',
    path: '/api/flags',
    tag: TAG,
    summary: 'The flags as a frontend needs them',
    description:
      'With a key of the role `frontend`, which may be published with the page. May be cached for ten seconds, and served for fifty more while it is asked for anew; with the ETag of an answer as `If-None-Match`, 304 until a flag changes.',
    query: later(() =>
      z.strictObject({
        key: flagKey.optional().describe('This flag alone; false when it was never set'),
      }),
    ),
    answer: { status: 200, description: 'Every flag, or the one', schema: evaluatedFlags },
    problems: [409],
    others: [{ status: 304, description: 'As the client has them' }],
    async handle({ request, reader }, { query: { key } }) {
      if (reader.service !== null) return refusal('conflict', keptElsewhere(reader.service));
      const wanted = key === undefined ? reader.flags : [[key, reader.flags.get(key) ?? false]];
      return conditionalJson(request, { flags: Object.fromEntries(wanted) }, CACHED);
    },
  }),
  tenantRoute({
    method: 'GET',
    path: '/api/admin/flags',
    tag: TAG,
    summary: 'Flags that were ever set here, by key',
    role: 'viewer',
    query: later(() => z.strictObject(listQuery())),
    answer: { status: 200, description: 'A page of flags', schema: listOf(flag) },
    async handle({ env, tenantId }, { query }) {
      const page = pageOf('flags', query);
      if ('ok' in page) return page;
      return { body: listAnswer('flags', await listFlags(env.DB, tenantId, page)) };
    },
  }),
  tenantRoute({
    method: 'GET',
    path: '/api/admin/flags/history',
    tag: TAG,
    summary: 'Changes of flags, newest first: who or what made them',
    description:
      'What runs and people have changed through Signalbox; what somebody does at a connected service is in its own history.',
    role: 'viewer',
    query: later(() => z.strictObject({ ...listQuery(), key: flagKey.optional() })),
    answer: { status: 200, description: 'A page of changes', schema: listOf(flagChange) },
    async handle({ env, tenantId }, { query: { key, ...query } }) {
      const page = pageOf('flags-history', query);
      if ('ok' in page) return page;
      const { items, next } = await listFlagChanges(env.DB, tenantId, key, page);
      const runIds = items.flatMap(({ runId }) => (runId === '' ? [] : [runId]));
      const workflows = await workflowsOfRuns(env.DB, tenantId, runIds);
      const shown = items.map((change) => viewOf(change, workflows.get(change.runId) ?? null));
      return { body: listAnswer('flags-history', { items: shown, next }) };
    },
  }),
  tenantRoute({
    method: 'POST',
    path: '/api/admin/flags/set',
    tag: TAG,
    summary: 'Set a flag by hand',
    description:
      'Asks for no approval: the audit trail tells of it, and `flags.changed` is caused as by the actions. While the service that keeps the flags does not answer, 503: it is tried again for ten minutes, and orders for one flag keep their order.',
    role: 'admin',
    body: flagSet,
    answer: {
      status: 200,
      description: 'The flag, and whether it was changed',
      schema: later(() => z.object({ flag: flagState, requestId: z.string() })),
    },
    problems: [404, 409, 422, 503],
    async handle({ env, tenantId, by }, { body }) {
      const set = await tenantObject(env, tenantId).setFlag(body, by);
      return set.ok ? { body: { flag: set.flag } } : set;
    },
  }),
];

function viewOf(change: RecordedChange, workflow: RunWorkflow | null): FlagChangeView {
  const { key, enabled, at, service, runId, stepId, actor, comment } = change;
  const run = {
    id: runId,
    stepId: stepId === '' ? null : stepId,
    workflowId: workflow?.workflowId ?? null,
    workflowName: workflow?.workflowName ?? null,
    workflowVersion: workflow?.workflowVersion ?? null,
  };
  const made = { run: runId === '' ? null : run, actor, comment };
  return { key, from: !enabled, to: enabled, at, service, ...made };
}
