/** Plays scenarios against the engine, and drives what is left of a run to its rest. */
import { expect } from 'vitest';
import type { Entry } from '../../../src/contract/runs.ts';
import type { Outcome, Plan, RunInput } from '../../../src/engine/plan.ts';
import { decide, isSettled, nextWake, start } from '../../../src/engine/run.ts';
import { type RunState, replay } from '../../../src/engine/state.ts';
import { frozen, person, planOf, T0, vote } from './engine.ts';
import type { Happening, Scenario } from './scenarios.ts';

export interface Played {
  readonly plan: Plan;
  readonly run: RunState;
  readonly entries: readonly Entry[];
  readonly now: number;
}

export type Watch = (before: RunState, after: RunState, entries: readonly Entry[]) => void;

/** Plays all that happens; every decision is made twice, on frozen state, and must be the same. */
export function play(given: Scenario, watch: Watch): Played {
  const { policy, authors, happenings, jitter } = given;
  const plan = frozenPlan(planOf(given.steps, { policy, authors }));
  const begun = start(plan, T0);
  let played: Played = { plan, run: begun.run, entries: begun.entries, now: T0 };
  watch(begun.run, begun.run, begun.entries);
  for (const happening of happenings) {
    const now = played.now + (happening.kind === 'time' ? happening.ms : 7);
    const before = played.run;
    played = step({ ...played, now }, inputOf(happening, before), jitter);
    watch(before, played.run, played.entries);
  }
  return played;
}

/** Answers every attempt and lets every time pass until the run rests; fails if it never does. */
export function finish(played: Played, luck: Iterator<number>): Played {
  let at = played;
  for (let turn = 0; !isSettled(at.run); turn += 1) {
    if (turn > 500) throw new Error('the run never rests');
    const flying = at.run.steps.find(({ deadline }) => deadline !== null);
    const drawn: number = luck.next().value ?? 0;
    if (flying !== undefined && drawn < 9) {
      const outcome = outcomeOf(drawn < 6 ? 'success' : 'failure');
      const { id: stepId, attempts: attempt } = flying;
      at = step(at, { type: 'attempt_ended', stepId, attempt, outcome }, 0.5);
    } else {
      const wake = nextWake(at.run);
      if (wake === null) throw new Error('nothing would ever wake the run');
      at = step({ ...at, now: Math.max(at.now, wake) }, { type: 'tick' }, 0.5);
    }
  }
  return at;
}

function step(played: Played, input: RunInput, jitter: number): Played {
  const { plan, run, entries, now } = played;
  const decision = decide(plan, frozen(run), frozen(input), now, jitter);
  expect(decide(plan, run, input, now, jitter)).toEqual(decision);
  const all = [...entries, ...decision.entries];
  expect(replay(plan.runId, all)).toEqual(decision.run);
  return { plan, run: decision.run, entries: all, now };
}

/** The definition holds compiled code, which is nobody's to freeze. */
function frozenPlan(plan: Plan): Plan {
  frozen(plan.event);
  frozen(plan.policy);
  frozen(plan.authors);
  return Object.freeze(plan);
}

function inputOf(happening: Happening, run: RunState): RunInput {
  switch (happening.kind) {
    case 'time':
      return { type: 'tick' };
    case 'cancel':
      return { type: 'cancel', actor: person('boss'), comment: null, requestId: 'r' };
    case 'outcome': {
      const target = run.steps[happening.step % run.steps.length];
      return {
        type: 'attempt_ended',
        stepId: target?.id ?? 'none',
        attempt: (target?.attempts ?? 0) + happening.offset,
        outcome: outcomeOf(happening.result),
      };
    }
    case 'vote':
      return { type: 'vote', vote: voteOf(happening, run) };
  }
}

function voteOf(happening: Extract<Happening, { kind: 'vote' }>, run: RunState) {
  const { by, role, denied, approval, hash } = happening;
  const named = typeof approval === 'number' ? run.approvals[approval] : undefined;
  const shown = named ?? run.approvals.find(({ status }) => status === 'pending');
  const hashes = { none: undefined, right: shown?.inputHash, wrong: '0'.repeat(64) };
  return vote(by, {
    role,
    decision: denied ? 'denied' : 'approved',
    approvalId: approval === 'unnamed' ? undefined : (named?.id ?? 'apr_unknown'),
    inputHash: hashes[hash],
  });
}

function outcomeOf(result: 'success' | 'failure' | 'fatal' | 'patience'): Outcome {
  if (result === 'success') return { kind: 'succeeded', output: { x: true }, events: [] };
  const error = { code: 'unreachable', message: 'Nobody answered.' };
  const retryAfterMs = result === 'patience' ? 900_000 : null;
  return { kind: 'failed', error, output: null, retryable: result !== 'fatal', retryAfterMs };
}
