/**
 * What must hold of every run, checked from its history alone and not with the engine's own code:
 * I2 (no gap, one end, nothing after it but late attempts) and I3 (no attempt before the quorum).
 */
import { expect } from 'vitest';
import type { Entry } from '../../../src/contract/entries.ts';
import type { RunState } from '../../../src/engine/state.ts';
import { TENANT_ID } from './engine.ts';
import {
  assertBound,
  assertGranted,
  assertResolved,
  assertWaiting,
  withoutQuestions,
} from './gate-invariants.ts';

const FINAL = ['run_succeeded', 'run_failed', 'run_denied', 'run_expired', 'run_cancelled'];

/** Checks a whole history against the state that it led to. */
export function assertHistory(
  entries: readonly Entry[],
  run: RunState,
  tenantId: string = TENANT_ID,
): void {
  expect(entries.map(({ seq }) => seq)).toEqual(entries.map((_, index) => index + 1));
  expect(run.seq).toBe(entries.length);
  expect(entries.filter(({ type }) => type === 'run_created')).toEqual([entries[0]]);
  assertOneEnd(entries, run);
  for (const [index, entry] of entries.entries())
    if (entry.type === 'attempt_started') assertMayStart(entry, entries.slice(0, index));
  assertWaiting(entries);
  assertBound(entries, run, tenantId);
  assertRun(run, entries);
}

function assertOneEnd(entries: readonly Entry[], run: RunState): void {
  const ends = entries.filter(({ type }) => FINAL.includes(type));
  expect(ends.length).toBeLessThanOrEqual(1);
  expect(run.finishedAt).toBe(ends[0]?.at ?? null);
  if (ends[0] === undefined) return;
  expect(run.status).toBe(ends[0].type.slice('run_'.length));
  const inFlight = attemptsInFlight(entries.slice(0, ends[0].seq));
  for (const late of entries.slice(ends[0].seq)) {
    if (!endsAttempt(late)) throw new Error(`${late.type} after the end`);
    expect(inFlight.delete(`${late.stepId} ${late.attempt}`)).toBe(true);
    if (late.type === 'attempt_failed') expect(late.retryAt).toBeNull();
    if (late.type === 'step_progressed') expect(late.resumeAt).toBeNull();
  }
}

type AttemptEnd = 'attempt_succeeded' | 'attempt_failed' | 'step_progressed';

function endsAttempt(entry: Entry): entry is Extract<Entry, { type: AttemptEnd }> {
  const ends: readonly Entry['type'][] = ['attempt_succeeded', 'attempt_failed', 'step_progressed'];
  return ends.includes(entry.type);
}

function attemptsInFlight(entries: readonly Entry[]): Set<string> {
  const inFlight = new Set<string>();
  for (const entry of entries) {
    if (entry.type === 'attempt_started') inFlight.add(`${entry.stepId} ${entry.attempt}`);
    if (endsAttempt(entry)) inFlight.delete(`${entry.stepId} ${entry.attempt}`);
  }
  return inFlight;
}

/** I3, and attempts one after the other: `before` is the history up to the attempt. */
function assertMayStart(
  attempt: Extract<Entry, { type: 'attempt_started' }>,
  before: readonly Entry[],
): void {
  const ofStep = before.filter((entry) => 'stepId' in entry && entry.stepId === attempt.stepId);
  expect(ofStep.filter(({ type }) => type === 'attempt_started')).toHaveLength(attempt.attempt - 1);
  expect(ofStep.filter(endsAttempt)).toHaveLength(attempt.attempt - 1);
  expect(ofStep.filter(({ type }) => type === 'attempt_succeeded')).toEqual([]);
  expect(ofStep.filter(({ type }) => type === 'step_started')).toHaveLength(1);
  assertResolved(ofStep);
  const ofGate = withoutQuestions(ofStep);
  assertWithinBudget(ofGate);
  assertGranted(ofGate);
}

/** What asked for a part of the budget got it, or went through a gate instead. */
function assertWithinBudget(ofStep: readonly Entry[]): void {
  const answered = (type: Entry['type']) => ofStep.some((entry) => entry.type === type);
  if (!answered('budget_asked')) return;
  expect(answered('budget_reserved')).toBe(!answered('approval_granted'));
  expect(answered('budget_exceeded')).toBe(answered('approval_granted'));
}

/** A budget gets back just what was surely not used: nothing done, nothing in flight, nothing in doubt. */
export function assertUnused(
  unused: readonly string[],
  run: RunState,
  entries: readonly Entry[],
): void {
  for (const { id, action, status, startedAt } of run.steps) {
    if (action === null) continue;
    const own = entries.filter((entry) => 'stepId' in entry && entry.stepId === id);
    const done = own.some(({ type }) => type === 'attempt_succeeded' || type === 'step_resolved');
    const started = own.filter(({ type }) => type === 'attempt_started').length;
    const inFlight = started > own.filter(endsAttempt).length;
    const doubt = own.findLastIndex(
      (entry) =>
        entry.type === 'attempt_failed' &&
        (entry.inDoubt === true || entry.error.code === 'attempt_lost'),
    );
    const cleared = own.findLastIndex(({ type }) => type === 'approval_granted');
    const isOver = status === 'failed' || (run.finishedAt !== null && startedAt !== null);
    const isUnused = isOver && !done && !inFlight && doubt <= cleared;
    expect(unused.includes(id), `${id} is ${status}`).toBe(isUnused);
  }
}

/** The status is what its steps imply, and its steps are what their entries say. */
export function assertRun(run: RunState, entries: readonly Entry[]): void {
  const steps = run.steps.map(({ status }) => status);
  const has = (status: string) => steps.some((one) => one === status);
  const only = (...allowed: string[]) => steps.every((one) => allowed.includes(one));
  // A run that cannot ask for the policy begins nothing for a while, and waits for nothing else.
  const isHeld = only('succeeded', 'skipped', 'pending') && has('pending');
  const holds = {
    queued: false,
    pending_approval: has('pending_approval'),
    running: (has('running') && !has('pending_approval')) || isHeld,
    waiting: has('waiting') && !has('running') && !has('pending_approval'),
    succeeded: only('succeeded', 'skipped'),
    failed: has('failed') && only('failed', 'succeeded', 'skipped', 'cancelled'),
    denied: has('denied') && only('denied', 'succeeded', 'skipped', 'cancelled'),
    expired: has('expired') && only('expired', 'succeeded', 'skipped', 'cancelled'),
    cancelled: has('cancelled') && only('succeeded', 'skipped', 'cancelled'),
  };
  expect(holds[run.status], `${run.status} with ${steps.join(', ')}`).toBe(true);
  for (const step of run.steps) {
    const started = entries.filter((e) => e.type === 'attempt_started' && e.stepId === step.id);
    expect(step.attempts).toBe(started.length);
    if (run.finishedAt !== null) expect(step.finishedAt).not.toBeNull();
  }
  const pending = run.approvals.filter(({ status }) => status === 'pending');
  expect(pending.length).toBe(steps.filter((status) => status === 'pending_approval').length);
}
