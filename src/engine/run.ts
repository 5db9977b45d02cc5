/**
 * A run's decisions. `decide` is total and pure: the same plan, run, input and time give the same
 * entries, and nothing happens but what the entries say. The shell commits them, then performs the
 * attempts that they started. A refused input may still bring entries (an expiry that was due).
 *
 * Kept here and in turn.ts: I2, one final entry and no gap; I3, no attempt at a gated step before
 * its quorum.
 */
import type { Entry } from '../contract/entries.ts';
import { Draft } from './draft.ts';
import type { Decision, Plan, RunInput } from './plan.ts';
import { newRun, type RunState } from './state.ts';
import { Turn } from './turn.ts';

/** The first entries of a run: created, and whatever can start at once. */
export function start(plan: Plan, now: number): Decision {
  const turn = created(plan, now);
  turn.advance();
  return turn.decision();
}

/** A run that is cancelled before anything of it has started. */
export function cancelBeforeStart(
  plan: Plan,
  now: number,
  cancel: Extract<RunInput, { type: 'cancel' }>,
): Decision {
  const turn = created(plan, now);
  turn.take(cancel);
  return turn.decision();
}

function created(plan: Plan, now: number): Turn {
  const entry: Extract<Entry, { type: 'run_created' }> = {
    seq: 1,
    at: new Date(now).toISOString(),
    type: 'run_created',
    workflowId: plan.workflow.id,
    workflowName: plan.workflow.name,
    workflowVersion: plan.workflow.version,
    eventId: plan.eventId,
    eventType: plan.event.type,
    requestId: plan.requestId,
    correlationId: plan.event.correlationid,
    ...(plan.retryOf === null ? {} : { retryOf: plan.retryOf }),
    steps: plan.definition.steps.map((step) => ({
      id: step.id,
      action: step.kind === 'action' ? step.action : null,
    })),
  };
  return new Turn(new Draft(plan, newRun(plan.runId, entry), now, 0, [entry]));
}

/** What follows from an input at a time. `jitter` in [0, 1) spreads retries. */
export function decide(
  plan: Plan,
  run: RunState,
  input: RunInput,
  now: number,
  jitter: number,
): Decision {
  const turn = new Turn(new Draft(plan, run, now, jitter, []));
  turn.passTime(input);
  const refused = turn.take(input);
  turn.advance();
  return refused === null ? turn.decision() : { ...turn.decision(), refused };
}

/**
 * When the run next has something to do by itself: the earliest retry, delay, expiry or deadline. One
 * that waits for nothing is held back for want of a current policy, and is due.
 */
export function nextWake(run: RunState): number | null {
  const pending = run.approvals.filter((approval) => approval.status === 'pending');
  const times = [
    ...run.steps.map((step) => step.nextAttemptAt ?? step.deadline),
    ...run.steps.map(({ budgetAskedAt }) =>
      budgetAskedAt === null ? null : later(budgetAskedAt, BUDGET_ANSWER_MS),
    ),
    ...pending.flatMap((approval) => [approval.expiresAt, approval.remindAt]),
  ].flatMap((time) => (time === null ? [] : [Date.parse(time)]));
  if (times.length > 0) return Math.min(...times);
  return run.finishedAt === null ? Date.parse(run.createdAt) : null;
}

/** A question to the tenant that got no answer is asked again. */
const BUDGET_ANSWER_MS = 5_000;

function later(time: string, ms: number): string {
  return new Date(Date.parse(time) + ms).toISOString();
}

/** Final, and nothing in flight: no further entry can come. */
export function isSettled(run: RunState): boolean {
  return run.finishedAt !== null && run.steps.every((step) => step.deadline === null);
}
