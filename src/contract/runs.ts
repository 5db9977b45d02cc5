/**
 * Runs: statuses, the entries that are a run's history, and the view that is folded from them.
 * An entry is a fact in the past tense. Everything else about a run is a fold of its entries:
 * its state, its timeline, its rows in D1, its audit entries, its log lines.
 */
import * as z from 'zod';
import { approvalRule, budget } from './approvals.ts';
import { deliveryRecord } from './deliveries.ts';
import { actor, json, jsonObject, money, utcTime } from './json.ts';
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

/** Why a step or a run failed: a stable code and a sentence for a person. */
export const failure = later(() =>
  z
    .object({ code: z.string(), message: z.string(), stepId: z.string().optional() })
    .meta({ id: 'Failure' }),
);
export type Failure = z.infer<typeof failure>;

/** An event that an action caused. The tenant admits it like any other, on the run's causation path. */
export const causedEvent = later(() =>
  z
    .object({ id: z.string(), type: z.string(), subject: z.string().optional(), data: jsonObject })
    .meta({ id: 'CausedEvent' }),
);
export type CausedEvent = z.infer<typeof causedEvent>;

/** One difference between two values: where, and what stood there before and after (null: nothing). */
export const change = later(() =>
  z.object({ path: z.string(), before: json, after: json }).meta({ id: 'Change' }),
);
export type Change = z.infer<typeof change>;

/** `gate`: may it be done; `resolve`: was it done, of which nobody could tell. */
export const approvalKind = later(() => z.enum(['gate', 'resolve']).meta({ id: 'ApprovalKind' }));
export type ApprovalKind = z.infer<typeof approvalKind>;

const resolution = later(() =>
  z
    .enum(['happened', 'retry'])
    .describe('Of an unknown outcome: it was carried out, or it was not and is tried again'),
);
export type Resolution = z.infer<typeof resolution>;

const base = () => ({ seq: z.int().min(1), at: utcTime });
const onStep = () => ({ ...base(), stepId: z.string() });
const onApproval = () => ({ ...onStep(), approvalId: z.string() });
const decisionFields = () => ({ actor, comment: z.string().nullable(), requestId: z.string() });
const onBehalfOf = later(() =>
  actor.optional().describe('Who lets the actor decide in their place: the vote counts as theirs'),
);
const entryType = <Name extends string>(name: Name) => z.literal(name);

export const entry = later(() =>
  z
    .discriminatedUnion('type', [
      z.object({
        ...base(),
        type: entryType('run_created'),
        workflowId: z.string(),
        workflowName: z.string(),
        workflowVersion: z.int(),
        eventId: z.string(),
        eventType: z.string(),
        requestId: z.string(),
        correlationId: z.string(),
        retryOf: z.string().optional().describe('The run that is done again by this one'),
        steps: z.array(z.object({ id: z.string(), action: z.string().nullable() })),
      }),
      z.object({ ...onStep(), type: entryType('step_skipped'), reason: z.string() }),
      z.object({
        ...onStep(),
        type: entryType('step_started'),
        action: z.string().nullable(),
        input: json,
      }),
      z.object({
        ...onStep(),
        type: entryType('budget_asked'),
        budget,
        amount: money.nullable().describe('What it costs; null when the inputs do not say'),
      }),
      z.object({ ...onStep(), type: entryType('budget_reserved') }),
      z.object({ ...onStep(), type: entryType('budget_exceeded'), detail: z.string() }),
      z.object({ ...onStep(), type: entryType('delay_started'), until: utcTime }),
      z.object({ ...onStep(), type: entryType('delay_ended') }),
      z.object({
        ...onApproval(),
        type: entryType('approval_requested'),
        kind: approvalKind,
        rule: approvalRule,
        inputHash: z.string(),
        expiresAt: utcTime,
        excluded: z.array(z.string()).describe('Ids of the actors who may not decide'),
      }),
      z.object({
        ...onApproval(),
        type: entryType('approval_approved'),
        ...decisionFields(),
        onBehalfOf,
        resolution: resolution.optional(),
      }),
      z.object({
        ...onApproval(),
        type: entryType('approval_denied'),
        ...decisionFields(),
        onBehalfOf,
      }),
      z.object({
        ...onApproval(),
        type: entryType('approval_viewed'),
        actor,
        requestId: z.string(),
      }),
      z.object({ ...onApproval(), type: entryType('approval_reminded') }),
      z.object({
        ...onApproval(),
        type: entryType('approval_escalated'),
        roles: approvalRule.unwrap().shape.roles,
        members: approvalRule.unwrap().shape.members,
        expiresAt: utcTime,
      }),
      z.object({
        ...onApproval(),
        type: entryType('approval_edited'),
        ...decisionFields(),
        input: jsonObject,
        inputHash: z.string(),
        changes: z.array(change),
      }),
      z.object({ ...onApproval(), type: entryType('approval_overridden'), ...decisionFields() }),
      z.object({ ...onApproval(), type: entryType('approval_granted') }),
      z.object({ ...onApproval(), type: entryType('approval_expired') }),
      z.object({ ...onApproval(), type: entryType('approval_cancelled') }),
      z.object({
        ...onStep(),
        type: entryType('attempt_started'),
        attempt: z.int(),
        idempotencyKey: z.string(),
        deadline: utcTime,
      }),
      z.object({
        ...onStep(),
        type: entryType('attempt_succeeded'),
        attempt: z.int(),
        output: json,
        events: z.array(causedEvent),
        delivery: deliveryRecord.optional(),
      }),
      z.object({
        ...onStep(),
        type: entryType('attempt_failed'),
        attempt: z.int(),
        error: failure,
        output: json,
        retryAt: utcTime.nullable(),
        inDoubt: z
          .literal(true)
          .optional()
          .describe('The request had left: what was asked may have been done'),
        delivery: deliveryRecord.optional(),
      }),
      z.object({
        ...onStep(),
        type: entryType('step_progressed'),
        attempt: z.int(),
        progress: jsonObject.describe('How far it is, such as {"rows": 96000}'),
        resumeAt: utcTime
          .nullable()
          .describe('When the next slice begins; null once the run ended'),
      }),
      z.object({
        ...onStep(),
        type: entryType('step_resolved'),
        output: json.describe('What was known of it before somebody said that it happened'),
      }),
      z.object({ ...onStep(), type: entryType('step_failed'), error: failure }),
      z.object({ ...base(), type: entryType('run_succeeded') }),
      z.object({ ...base(), type: entryType('run_failed'), error: failure }),
      z.object({ ...base(), type: entryType('run_denied'), error: failure }),
      z.object({ ...base(), type: entryType('run_expired'), error: failure }),
      z.object({
        ...base(),
        type: entryType('run_cancelled'),
        actor,
        comment: z.string().nullable(),
        requestId: z.string(),
      }),
    ])
    .meta({ id: 'RunEntry' }),
);
export type Entry = z.infer<typeof entry>;
export type EntryType = Entry['type'];
/** An entry before it has its number and time: what a decision produces. */
export type Fact = Entry extends infer E
  ? E extends Entry
    ? Omit<E, 'seq' | 'at'>
    : never
  : never;

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

const comment = later(() => z.string().trim().min(1).max(2_000));
const decisionBody = () => ({
  runId: z.string().min(1).max(100),
  approvalId: z
    .string()
    .min(1)
    .max(100)
    .optional()
    .describe('May be left out while just one approval is pending'),
  inputHash: z
    .string()
    .regex(/^[0-9a-f]{64}$/, '64 hex digits')
    .optional()
    .describe('The hash of the inputs that were shown; another one now: 409 approval_mismatch'),
});
const voteBody = () => ({
  ...decisionBody(),
  onBehalfOf: z
    .string()
    .min(1)
    .max(100)
    .optional()
    .describe('A member who lets the caller decide in their place: the vote counts as theirs'),
});
export const approveBody = later(() =>
  z
    .strictObject({
      ...voteBody(),
      comment: comment.optional(),
      resolution: resolution.optional().describe('Needed for an approval of kind `resolve`'),
    })
    .meta({ id: 'Approve' }),
);
export const denyBody = later(() =>
  z.strictObject({ ...voteBody(), comment }).meta({ id: 'Deny' }),
);
export const editBody = later(() =>
  z
    .strictObject({ ...decisionBody(), input: jsonObject, comment: comment.optional() })
    .meta({ id: 'EditInputs' }),
);
export const overrideBody = later(() =>
  z.strictObject({ ...decisionBody(), comment }).meta({ id: 'Override' }),
);
export const viewBody = later(() =>
  z
    .strictObject({ runId: decisionBody().runId, approvalId: decisionBody().approvalId })
    .meta({ id: 'NoteView' }),
);
export const cancelBody = later(() =>
  z
    .strictObject({ runId: z.string().min(1).max(100), comment: comment.optional() })
    .meta({ id: 'Cancel' }),
);
export const retryBody = later(() =>
  z
    .strictObject({
      runId: z.string().min(1).max(100),
      latest: z
        .boolean()
        .default(false)
        .describe('By the current version of the workflow, not by the one that the run was of'),
      comment: comment.optional(),
    })
    .meta({ id: 'RetryRun' }),
);
