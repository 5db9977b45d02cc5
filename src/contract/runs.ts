/** Runs as they are shown: statuses, and the views that are folded from a run's entries (entries.ts). */
import * as z from 'zod';
import { approvalRule } from './approvals.ts';
import { approvalKind, entry, failure, onBehalfOf, resolution } from './entries.ts';
import { actor, json, jsonObject, utcTime } from './json.ts';
import { later } from './later.ts';

export const RUN_STATUSES = [
  'queued',
  'running',
  'waiting',
  'pending_approval',
  'succeeded',
  'failed',
  'denied',
  'expired',
  'cancelled',
] as const;
export const runStatus = later(() => z.enum(RUN_STATUSES).meta({ id: 'RunStatus' }));
export type RunStatus = z.infer<typeof runStatus>;

const FINAL: ReadonlySet<RunStatus> = new Set([
  'succeeded',
  'failed',
  'denied',
  'expired',
  'cancelled',
]);
export function isFinal(status: RunStatus): boolean {
  return FINAL.has(status);
}

export const stepStatus = later(() =>
  z
    .enum([
      'pending',
      'running',
      'waiting',
      'pending_approval',
      'succeeded',
      'failed',
      'skipped',
      'denied',
      'expired',
      'cancelled',
    ])
    .meta({ id: 'StepStatus' }),
);

export const stepView = later(() =>
  z
    .object({
      id: z.string(),
      action: z.string().nullable().describe('null for a step that waits'),
      status: stepStatus,
      attempts: z.int().describe('Each slice of work that is done in slices is one'),
      nextAttemptAt: utcTime.nullable().describe('The next retry or slice, or the end of a wait'),
      progress: jsonObject.nullable().describe('How far work that is done in slices is'),
      input: json,
      output: json,
      error: failure.nullable(),
      startedAt: utcTime.nullable(),
      finishedAt: utcTime.nullable(),
    })
    .meta({ id: 'RunStep' }),
);
export type StepView = z.infer<typeof stepView>;

export const approvalStatus = later(() =>
  z.enum(['pending', 'approved', 'denied', 'expired', 'cancelled']).meta({ id: 'ApprovalStatus' }),
);

export const approvalView = later(() =>
  z
    .object({
      id: z.string(),
      stepId: z.string(),
      kind: approvalKind,
      status: approvalStatus,
      required: z.int().describe('How many different people have to approve'),
      roles: approvalRule.unwrap().shape.roles,
      members: approvalRule.unwrap().shape.members,
      reasonRequired: z.boolean(),
      edits: z.int().describe('How often the inputs were changed; each change reset the votes'),
      escalated: z.boolean(),
      overridden: z.boolean().describe('An admin broke the glass'),
      inputHash: z.string(),
      requestedAt: utcTime,
      expiresAt: utcTime,
      decisions: z.array(
        z.object({
          actor,
          onBehalfOf,
          decision: z.enum(['approved', 'denied']),
          resolution: resolution.optional(),
          comment: z.string().nullable(),
          at: utcTime,
        }),
      ),
    })
    .meta({ id: 'Approval' }),
);
export type ApprovalView = z.infer<typeof approvalView>;

/** What waits in an inbox: an approval with all that a person needs to decide it. */
export const approvalItem = later(() =>
  approvalView
    .unwrap()
    .extend({
      runId: z.string(),
      workflowId: z.string(),
      workflowName: z.string(),
      workflowVersion: z.int(),
      eventType: z.string(),
      action: z.string(),
      input: json,
      error: failure
        .nullable()
        .describe('Of kind `resolve`: why nobody knows whether it was carried out'),
    })
    .meta({ id: 'ApprovalItem' }),
);
export type ApprovalItem = z.infer<typeof approvalItem>;

/** The inbox's item, for one caller. */
export const inboxItem = later(() =>
  approvalItem
    .unwrap()
    .extend({
      summary: z.string().describe('What will be done, in plain words'),
      onBehalfOf: z
        .array(z.object({ id: z.string(), name: z.string() }))
        .optional()
        .describe(
          'With `mine=true`: in whose place the caller may decide it; empty: by their own right',
        ),
    })
    .meta({ id: 'InboxItem' }),
);
export type InboxItem = z.infer<typeof inboxItem>;

export const runItem = later(() =>
  z
    .object({
      id: z.string(),
      workflowId: z.string(),
      workflowName: z.string(),
      workflowVersion: z.int(),
      eventId: z.string(),
      eventType: z.string(),
      status: runStatus,
      requestId: z.string(),
      correlationId: z.string(),
      createdAt: utcTime,
      finishedAt: utcTime.nullable(),
      error: failure.nullable(),
    })
    .meta({ id: 'RunItem' }),
);
export type RunItem = z.infer<typeof runItem>;

export const run = later(() =>
  runItem
    .unwrap()
    .extend({
      retryOf: z.string().nullable().describe('The run that is done again by this one'),
      retriedBy: z.string().nullable().describe('The run that does this one again'),
      steps: z.array(stepView),
      approvals: z.array(approvalView),
      timeline: z.array(entry),
    })
    .meta({ id: 'Run' }),
);
export type Run = z.infer<typeof run>;
