/**
 * A run's state is a fold of its entries. `evolve` never refuses and never looks at a clock: what an
 * entry says has happened. The fold is the view that callers see, plus the few fields that only
 * decisions need (`deadline`, `rule`, `excluded`).
 */
import type { ApprovalRule } from '../contract/approvals.ts';
import { durationMs, type Json } from '../contract/json.ts';
import {
  type ApprovalView,
  type Entry,
  isFinal,
  type Run,
  type RunItem,
  type RunStatus,
  type StepView,
} from '../contract/runs.ts';

export interface StepState extends StepView {
  /** An attempt is in flight while this is set; past it, its outcome counts as unknown. */
  readonly deadline: string | null;
  /** Set while the tenant has not said whether the step is within its budget. */
  readonly budgetAskedAt: string | null;
}

export interface ApprovalState extends ApprovalView {
  readonly rule: ApprovalRule;
  /** Ids of actors who may not decide this approval. */
  readonly excluded: readonly string[];
  /** Who has looked: each person is told of once. */
  readonly viewers: readonly string[];
  readonly remindAt: string | null;
  /** The expiry that the hash is bound to; an escalation moves the other one. */
  readonly boundUntil: string;
}

export interface RunState extends RunItem {
  /** The last entry's number; the timeline has no gap (I2). */
  readonly seq: number;
  readonly steps: readonly StepState[];
  readonly approvals: readonly ApprovalState[];
}

type RunCreated = Extract<Entry, { type: 'run_created' }>;
type OnStep = Extract<Entry, { stepId: string }>;
type OnRun = Exclude<Entry, OnStep | RunCreated>;

export function newRun(id: string, created: RunCreated): RunState {
  return {
    id,
    seq: created.seq,
    status: 'queued',
    workflowId: created.workflowId,
    workflowName: created.workflowName,
    workflowVersion: created.workflowVersion,
    eventId: created.eventId,
    eventType: created.eventType,
    requestId: created.requestId,
    correlationId: created.correlationId,
    createdAt: created.at,
    finishedAt: null,
    error: null,
    steps: created.steps.map((step) => ({
      ...step,
      status: 'pending',
      attempts: 0,
      nextAttemptAt: null,
      input: null,
      output: null,
      error: null,
      startedAt: null,
      finishedAt: null,
      deadline: null,
      budgetAskedAt: null,
    })),
    approvals: [],
  };
}

/** The state after an entry. Entries come in order, each once; the first is `run_created`. */
export function evolve(run: RunState, entry: Entry): RunState {
  if (entry.type === 'run_created') return run;
  const next = 'stepId' in entry ? evolveStep(run, entry) : finish(run, entry);
  return { ...next, seq: entry.seq, status: isFinal(next.status) ? next.status : liveStatus(next) };
}

/** Folds a whole history. Undefined for an empty one. */
export function replay(id: string, entries: Iterable<Entry>): RunState | undefined {
  let run: RunState | undefined;
  for (const entry of entries)
    if (run !== undefined) run = evolve(run, entry);
    else if (entry.type === 'run_created') run = newRun(id, entry);
  return run;
}

/** The run as callers see it, with its history. */
export function viewRun(run: RunState, timeline: Entry[]): Run {
  const { seq: _seq, steps, approvals, ...item } = run;
  return {
    ...item,
    steps: steps.map(({ deadline: _deadline, budgetAskedAt: _asked, ...step }) => step),
    approvals: approvals.map(viewApproval),
    timeline,
  };
}

/** An approval without what only decisions need. */
export function viewApproval({
  rule: _rule,
  excluded: _excluded,
  viewers: _viewers,
  remindAt: _remindAt,
  boundUntil: _boundUntil,
  ...approval
}: ApprovalState): ApprovalView {
  return approval;
}

/** A run that waits for a human says so even while another branch of it works. */
function liveStatus(run: RunState): RunStatus {
  if (run.approvals.some((approval) => approval.status === 'pending')) return 'pending_approval';
  if (run.steps.some((step) => step.status === 'running')) return 'running';
  if (run.steps.some((step) => step.status === 'waiting')) return 'waiting';
  return 'running';
}

const FINAL_STATUS = {
  run_succeeded: 'succeeded',
  run_failed: 'failed',
  run_denied: 'denied',
  run_expired: 'expired',
  run_cancelled: 'cancelled',
} as const satisfies Record<OnRun['type'], RunStatus>;

/** A final entry also ends whatever had not ended; attempts in flight keep their deadline. */
function finish(run: RunState, entry: OnRun): RunState {
  return {
    ...run,
    status: FINAL_STATUS[entry.type],
    finishedAt: entry.at,
    error: 'error' in entry ? entry.error : null,
    steps: run.steps.map((step) =>
      step.finishedAt === null
        ? {
            ...step,
            status: 'cancelled',
            nextAttemptAt: null,
            budgetAskedAt: null,
            finishedAt: entry.at,
          }
        : step,
    ),
  };
}

function evolveStep(run: RunState, entry: OnStep): RunState {
  const steps = run.steps.map((step) =>
    step.id === entry.stepId ? { ...step, ...stepChange(step, entry) } : step,
  );
  return 'approvalId' in entry
    ? { ...run, steps, approvals: evolveApprovals(run.approvals, entry) }
    : { ...run, steps };
}

function stepChange(step: StepState, entry: OnStep): Partial<StepState> {
  const ended = step.finishedAt !== null;
  switch (entry.type) {
    case 'step_skipped':
      return { status: 'skipped', finishedAt: entry.at };
    case 'step_started':
      return { status: 'running', input: entry.input, startedAt: entry.at };
    case 'budget_asked':
      return { budgetAskedAt: entry.at };
    case 'budget_reserved':
    case 'budget_exceeded':
      return { budgetAskedAt: null };
    case 'delay_started':
      return { status: 'waiting', startedAt: entry.at, nextAttemptAt: entry.until };
    case 'delay_ended':
      return { status: 'succeeded', nextAttemptAt: null, finishedAt: entry.at };
    case 'approval_requested':
      return { status: 'pending_approval' };
    case 'approval_granted':
      return { status: 'running' };
    case 'approval_denied':
      return { status: 'denied', finishedAt: entry.at };
    case 'approval_expired':
      return { status: 'expired', finishedAt: entry.at };
    case 'approval_edited':
      return { input: entry.input };
    case 'approval_approved':
    case 'approval_overridden':
    case 'approval_viewed':
    case 'approval_reminded':
    case 'approval_escalated':
    case 'approval_cancelled':
      return {};
    case 'attempt_started':
      return {
        status: 'running',
        attempts: entry.attempt,
        nextAttemptAt: null,
        deadline: entry.deadline,
      };
    case 'attempt_succeeded':
      return ended
        ? { output: entry.output, deadline: null }
        : settled(entry.at, 'succeeded', { output: entry.output, error: null });
    case 'attempt_failed':
      return ended
        ? { error: entry.error, deadline: null }
        : {
            status: 'waiting',
            error: entry.error,
            output: entry.output,
            nextAttemptAt: entry.retryAt,
            deadline: null,
          };
    case 'step_failed':
      return settled(entry.at, 'failed', { error: entry.error });
  }
}

function settled(
  at: string,
  status: StepState['status'],
  result: { output?: Json; error?: StepState['error'] },
): Partial<StepState> {
  return { status, ...result, nextAttemptAt: null, deadline: null, finishedAt: at };
}

type OnApproval = Extract<Entry, { approvalId: string }>;

function evolveApprovals(
  approvals: readonly ApprovalState[],
  entry: OnApproval,
): readonly ApprovalState[] {
  if (entry.type === 'approval_requested')
    return [
      ...approvals,
      {
        id: entry.approvalId,
        stepId: entry.stepId,
        status: 'pending',
        required: entry.rule.approvals,
        roles: entry.rule.roles,
        members: entry.rule.members,
        reasonRequired: entry.rule.reasonRequired,
        edits: 0,
        escalated: false,
        overridden: false,
        inputHash: entry.inputHash,
        requestedAt: entry.at,
        expiresAt: entry.expiresAt,
        decisions: [],
        rule: entry.rule,
        excluded: entry.excluded,
        viewers: [],
        remindAt: nextReminder(entry.rule, entry.at),
        boundUntil: entry.expiresAt,
      },
    ];
  return approvals.map((approval) =>
    approval.id === entry.approvalId
      ? { ...approval, ...approvalChange(approval, entry) }
      : approval,
  );
}

function approvalChange(
  approval: ApprovalState,
  entry: Exclude<OnApproval, { type: 'approval_requested' }>,
): Partial<ApprovalState> {
  switch (entry.type) {
    case 'approval_approved':
      return { decisions: [...approval.decisions, decisionOf(entry, 'approved')] };
    case 'approval_denied':
      return { status: 'denied', decisions: [...approval.decisions, decisionOf(entry, 'denied')] };
    case 'approval_viewed':
      return { viewers: [...approval.viewers, entry.actor.id] };
    case 'approval_reminded':
      return { remindAt: nextReminder(approval.rule, entry.at) };
    case 'approval_escalated': {
      const { roles, members, expiresAt } = entry;
      return { roles, members, expiresAt, escalated: true };
    }
    case 'approval_edited':
      return {
        inputHash: entry.inputHash,
        edits: approval.edits + 1,
        decisions: [],
        excluded: approval.rule.selfApproval
          ? approval.excluded
          : [...approval.excluded, entry.actor.id],
      };
    case 'approval_overridden':
      return {
        overridden: true,
        decisions: [...approval.decisions, decisionOf(entry, 'approved')],
      };
    case 'approval_granted':
      return { status: 'approved' };
    case 'approval_expired':
      return { status: 'expired' };
    case 'approval_cancelled':
      return { status: 'cancelled' };
  }
}

function nextReminder({ remindEvery }: ApprovalRule, after: string): string | null {
  return remindEvery === null
    ? null
    : new Date(Date.parse(after) + durationMs(remindEvery)).toISOString();
}

function decisionOf(
  entry: Extract<Entry, { type: 'approval_approved' | 'approval_denied' | 'approval_overridden' }>,
  decision: 'approved' | 'denied',
): ApprovalView['decisions'][number] {
  return { actor: entry.actor, decision, comment: entry.comment, at: entry.at };
}
