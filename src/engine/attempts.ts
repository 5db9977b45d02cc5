/**
 * Attempts at a step: one starts, ends, brings the step on or is lost. Each function adds the entries
 * of that to a draft; what the step then needs is for the turn to do.
 */
import type { DeliveryRecord } from '../contract/deliveries.ts';
import type { Failure } from '../contract/entries.ts';
import type { CompiledAction } from './definition.ts';
import type { Draft } from './draft.ts';
import type { AttemptOutcome, Outcome } from './plan.ts';
import { retryDelayMs } from './retry.ts';
import { ATTEMPT_LOST, type StepState } from './state.ts';

/** How long past its timeout an attempt may be silent before it counts as lost. */
const ATTEMPT_GRACE_MS = 30_000;

/**
 * The next slice begins by the run's alarm, not within the call that brought the last one: a chain of
 * calls may only go so deep, and each call may only make so many.
 * https://developers.cloudflare.com/workers/platform/limits/#subrequests
 */
const SLICE_PAUSE_MS = 50;

/** An attempt that never reported back. */
export const LOST: Outcome = {
  kind: 'failed',
  error: { code: ATTEMPT_LOST, message: 'The attempt never reported back.' },
  output: null,
  retryable: true,
  retryAfterMs: null,
};

/** What an attempt's end leaves to do: nothing, to fail the step, or to ask what has happened. */
export type Ended = null | { readonly kind: 'failed' | 'unknown'; readonly error: Failure };

/** The key is the same for every attempt at this step of this run: receivers tell repeats by it. */
export function startAttempt(draft: Draft, step: CompiledAction, attempt: number): void {
  draft.add({
    type: 'attempt_started',
    stepId: step.id,
    attempt,
    idempotencyKey: `${draft.plan.runId}_${step.id}`,
    deadline: draft.time(step.timeoutMs + ATTEMPT_GRACE_MS),
  });
}

/** Only the attempt that is in flight can end; a repeat or a stale one changes nothing. */
export function endAttempt(
  draft: Draft,
  action: CompiledAction,
  step: StepState,
  attempt: number,
  outcome: AttemptOutcome,
): Ended {
  const { id: stepId, deadline, attempts } = step;
  if (deadline === null || attempts !== attempt) return null;
  if (outcome.kind === 'succeeded') {
    const { output, events } = outcome;
    const made = { output, events: [...events], ...measured(outcome) };
    draft.add({ type: 'attempt_succeeded', stepId, attempt, ...made });
    return null;
  }
  if (outcome.kind === 'progressed') {
    const resumeAt = draft.hasEnded() ? null : draft.time(SLICE_PAUSE_MS);
    const { progress } = outcome;
    draft.add({ type: 'step_progressed', stepId, attempt, progress, resumeAt });
    return null;
  }
  const { error, output } = outcome;
  const delay = draft.hasEnded() ? null : delayAfter(draft, action, step, outcome);
  const retryAt = delay === null ? null : draft.time(delay);
  const isUnknown = outcome.kind === 'unknown' || outcome.inDoubt === true;
  const doubt = isUnknown ? ({ inDoubt: true } as const) : {};
  const failed = { error, output, retryAt, ...doubt, ...measured(outcome) };
  draft.add({ type: 'attempt_failed', stepId, attempt, ...failed });
  if (retryAt !== null || draft.hasEnded()) return null;
  return { kind: nobodyKnows(step, outcome) ? 'unknown' : 'failed', error };
}

/** A plain no is an answer. Attempts that were used up are none, if one of them left it in doubt. */
function nobodyKnows(step: StepState, outcome: Exclude<Outcome, { kind: 'succeeded' }>): boolean {
  if (outcome.kind === 'unknown') return true;
  return outcome.retryable && (step.inDoubt || outcome.inDoubt === true);
}

/** In milliseconds; null: it is not tried again by itself. */
function delayAfter(
  { jitter }: Draft,
  { retry }: CompiledAction,
  { attempts, progressedAttempt }: StepState,
  outcome: Outcome,
): number | null {
  if (outcome.kind !== 'failed' || !outcome.retryable) return null;
  const { attemptsMax = retry.attempts, retryAfterMs } = outcome;
  const plan = { ...retry, attempts: Math.min(retry.attempts, attemptsMax) };
  return retryDelayMs(plan, attempts - progressedAttempt, jitter, retryAfterMs);
}

/** What was measured of a request, when one was made. */
function measured(outcome: Outcome): { delivery?: DeliveryRecord } {
  return outcome.kind === 'unknown' || outcome.delivery === undefined
    ? {}
    : { delivery: outcome.delivery };
}
