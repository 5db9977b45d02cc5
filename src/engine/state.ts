/**
 * A run's state is a fold of its entries. `evolve` never refuses and never looks at a clock: what an
 * entry says has happened. The fold is the view that callers see, plus the few fields that only
 * decisions need, such as `deadline`.
 */
import type { Entry } from '../contract/entries.ts';
import type { Json } from '../contract/json.ts';
import {
  isFinal,
  type Run,
  type RunItem,
  type RunStatus,
  type StepView,
} from '../contract/runs.ts';
import { type ApprovalState, evolveApprovals, viewApproval } from './approval-state.ts';

/** The code of an attempt that never reported back. */
export const ATTEMPT_LOST = 'attempt_lost';

export interface StepState extends StepView {
  /** An attempt is in flight while this is set; past it, its outcome counts as unknown. */
  readonly deadline: string | null;
  /** Set while the tenant has not said whether the step is within its budget. */
  readonly budgetAskedAt: string | null;
  /** The last attempt that brought the step on; failed ones are counted from there. */
  readonly progressedAttempt: number;
  /** An attempt never reported back, and nobody has said since whether it was carried out. */
  readonly lost: boolean;
  /**
   * Something may have been done that the status does not tell: an attempt's request left without an
   * answer and nobody has found out since, or one succeeded after the run had ended.
   */
  readonly inDoubt: boolean;
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
      progress: null,
      input: null,
      output: null,
      error: null,
      startedAt: null,
      finishedAt: null,
      deadline: null,
      budgetAskedAt: null,
      progressedAttempt: 0,
      lost: false,
      inDoubt: false,
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

/** The run as callers see it, with its history. That it was done again is told elsewhere. */
export function viewRun(run: RunState, timeline: Entry[]): Run {
  const { seq: _seq, steps, approvals, ...item } = run;
  const [first] = timeline;
  return {
    ...item,
    retryOf: (first?.type === 'run_created' ? first.retryOf : undefined) ?? null,
    retriedBy: null,
    steps: steps.map(viewStep),
    approvals: approvals.map(viewApproval),
    timeline,
  };
}

/** A step without what only decisions need. */
function viewStep({
  deadline: _deadline,
  budgetAskedAt: _asked,
  progressedAttempt: _progressed,
  lost: _lost,
  inDoubt: _inDoubt,
  ...step
}: StepState): StepView {
  return step;
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
      return { status: 'running', lost: false, inDoubt: false };
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
        ? { output: entry.output, deadline: null, inDoubt: true }
        : settled(entry.at, 'succeeded', { output: entry.output, error: null });
    case 'attempt_failed':
      return ended
        ? {
            error: entry.error,
            deadline: null,
            lost: step.lost || isLost(entry),
            inDoubt: step.inDoubt || entry.inDoubt === true,
          }
        : {
            status: 'waiting',
            error: entry.error,
            output: entry.output,
            nextAttemptAt: entry.retryAt,
            deadline: null,
            lost: step.lost || isLost(entry),
            inDoubt: step.inDoubt || entry.inDoubt === true,
          };
    case 'step_progressed':
      return {
        progress: entry.progress,
        progressedAttempt: entry.attempt,
        nextAttemptAt: entry.resumeAt,
        deadline: null,
        ...(ended ? {} : { error: null }),
      };
    case 'step_resolved':
      return settled(entry.at, 'succeeded', { output: entry.output, error: null });
    case 'step_failed':
      return settled(entry.at, 'failed', { error: entry.error });
  }
}

function isLost({ error }: Extract<Entry, { type: 'attempt_failed' }>): boolean {
  return error.code === ATTEMPT_LOST;
}

function settled(
  at: string,
  status: StepState['status'],
  result: { output?: Json; error?: StepState['error'] },
): Partial<StepState> {
  return { status, ...result, nextAttemptAt: null, deadline: null, finishedAt: at };
}
