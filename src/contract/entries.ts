/**
 * The entries that are a run's history. An entry is a fact in the past tense. Everything else about a run is
 * a fold of its entries: its state, its timeline, its rows in D1, its audit entries, its log lines.
 */
import * as z from 'zod';
import { approvalRule, budget } from './approvals.ts';
import { deliveryRecord } from './deliveries.ts';
import { actor, json, jsonObject, money, utcTime } from './json.ts';
import { later } from './later.ts';

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

export const resolution = later(() =>
  z
    .enum(['happened', 'retry'])
    .describe('Of an unknown outcome: it was carried out, or it was not and is tried again'),
);
export type Resolution = z.infer<typeof resolution>;

const base = () => ({ seq: z.int().min(1), at: utcTime });
const onStep = () => ({ ...base(), stepId: z.string() });
const onApproval = () => ({ ...onStep(), approvalId: z.string() });
const decisionFields = () => ({ actor, comment: z.string().nullable(), requestId: z.string() });
export const onBehalfOf = later(() =>
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
