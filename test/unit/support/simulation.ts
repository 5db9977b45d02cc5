/** Plays scenarios against the engine, and drives what is left of a run to its rest. */
import { expect } from 'vitest';
import type { Entry, Resolution } from '../../../src/contract/entries.ts';
import { isJsonObject, type JsonObject, ROLES } from '../../../src/contract/json.ts';
import type { Claim } from '../../../src/engine/approval.ts';
import type { AttemptOutcome, Plan, RunInput } from '../../../src/engine/plan.ts';
import { decide, isSettled, nextWake, start } from '../../../src/engine/run.ts';
import { type RunState, replay } from '../../../src/engine/state.ts';
import { claim, frozen, person, planOf, T0 } from './engine.ts';
import type { HeldRight } from './gate-invariants.ts';
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
    if (happening.kind === 'reach') played = withPolicy(played, happening.policyIsCurrent);
    played = step({ ...played, now }, inputOf(happening, before), jitter);
    watch(before, played.run, played.entries);
  }
  return played;
}

/** Answers every attempt and lets every time pass until the run rests; fails if it never does. */
export function finish(played: Played, luck: Iterator<number>): Played {
  let at = withPolicy(played, true);
  for (let turn = 0; !isSettled(at.run); turn += 1) {
    if (turn > 500) throw new Error('the run never rests');
    const flying = at.run.steps.find(({ deadline }) => deadline !== null);
    const asking = at.run.steps.find(({ budgetAskedAt }) => budgetAskedAt !== null);
    const drawn: number = luck.next().value ?? 0;
    if (asking !== undefined) {
      const answer = { stepId: asking.id, granted: drawn < 5, detail: 'All is spent.' };
      at = step(at, { type: 'budget_answered', ...answer }, 0.5);
    } else if (flying !== undefined && drawn < 9) {
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

function withPolicy(played: Played, policyIsCurrent: boolean): Played {
  return { ...played, plan: Object.freeze({ ...played.plan, policyIsCurrent }) };
}

/** Each decision is made again by a host that knows nothing but the entries that were stored. */
function step(played: Played, input: RunInput, jitter: number): Played {
  const { plan, run, entries, now } = played;
  const decision = decide(plan, frozen(run), frozen(input), now, jitter);
  const restarted = replay(plan.runId, stored(entries));
  if (restarted === undefined) throw new Error('no beginning');
  expect(decide(plan, restarted, input, now, jitter)).toEqual(decision);
  const all = [...entries, ...decision.entries];
  expect(replay(plan.runId, all)).toEqual(decision.run);
  return { plan, run: decision.run, entries: all, now };
}

function stored(entries: readonly Entry[]): Entry[] {
  return JSON.parse(JSON.stringify(entries));
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
    case 'reach':
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
    case 'budget': {
      const asked = run.steps[happening.step % run.steps.length]?.id ?? 'none';
      const { granted } = happening;
      return { type: 'budget_answered', stepId: asked, granted, detail: 'All is spent.' };
    }
    case 'vote': {
      const decision = happening.denied ? 'denied' : 'approved';
      const resolution = resolutionOf(happening, run);
      const onBehalfOf = placeOf(happening);
      return {
        type: 'vote',
        vote: { decision, resolution, onBehalfOf, ...claimOf(happening, run) },
      };
    }
    case 'override':
    case 'view':
      return { type: happening.kind, claim: claimOf(happening, run) };
    case 'edit':
      return { type: 'edit', claim: claimOf(happening, run), input: draftOf(happening, run) };
  }
}

type ByPerson = Extract<Happening, { kind: 'vote' | 'override' | 'view' | 'edit' }>;

function shownTo({ approval }: ByPerson, run: RunState): RunState['approvals'][number] | undefined {
  const named = typeof approval === 'number' ? run.approvals[approval] : undefined;
  return named ?? run.approvals.find(({ status }) => status === 'pending');
}

function placeOf({ place, standsInFor }: Extract<Happening, { kind: 'vote' }>): string | undefined {
  if (place === 'own') return undefined;
  return place === 'lent' ? standsInFor[0]?.who : place;
}

/** The request id tells the rights, which entries do not keep: see `rightsOf`. */
function claimOf(happening: ByPerson, run: RunState): Claim {
  const { by, role, standsInFor, commented, approval, hash } = happening;
  const shown = shownTo(happening, run);
  const hashes = { none: undefined, right: shown?.inputHash, wrong: '0'.repeat(64) };
  const named = typeof approval === 'number' ? run.approvals[approval]?.id : undefined;
  return claim(by, {
    role,
    approvalId: approval === 'unnamed' ? undefined : (named ?? 'apr_unknown'),
    inputHash: hashes[hash],
    comment: commented ? 'Because.' : null,
    standsInFor: standsInFor.map((lent) => ({ actor: person(lent.who), role: lent.role })),
    requestId: [{ who: by, role }, ...standsInFor].map((one) => `${one.who}=${one.role}`).join(),
  });
}

function resolutionOf(
  happening: Extract<Happening, { kind: 'vote' }>,
  run: RunState,
): Resolution | undefined {
  const { says, denied } = happening;
  if (says === 'nothing') return undefined;
  if (says !== 'fitting') return says;
  const shown = shownTo(happening, run);
  if (shown?.kind !== 'resolve' || denied) return undefined;
  return shown.stepId === run.steps[0]?.id ? 'happened' : 'retry';
}

/** The rights of whoever did what an entry says, their own first. */
export function rightsOf({ requestId }: { readonly requestId: string }): readonly HeldRight[] {
  return requestId.split(',').map((text) => {
    const [who = '', named] = text.split('=');
    const role = ROLES.find((candidate) => candidate === named);
    if (role === undefined) throw new Error(`no role in ${requestId}`);
    return { who, role };
  });
}

/** New inputs: as they are, as no action takes them, or with another value in one place. */
function draftOf(happening: Extract<Happening, { kind: 'edit' }>, run: RunState): JsonObject {
  const shown = shownTo(happening, run);
  const input = run.steps.find(({ id }) => id === shown?.stepId)?.input ?? null;
  const before = isJsonObject(input) ? input : {};
  const { draft } = happening;
  if (draft === 0) return before;
  if (draft === 1) return { ...before, unknown: true };
  if ('cents' in before) return { ...before, cents: draft };
  return 'key' in before ? { key: 'abcd'.slice(0, draft) } : { count: draft };
}

function outcomeOf(result: Extract<Happening, { kind: 'outcome' }>['result']): AttemptOutcome {
  if (result === 'part') return { kind: 'progressed', progress: { rows: 1 } };
  if (result === 'success') return { kind: 'succeeded', output: { x: true }, events: [] };
  const error = { code: 'unreachable', message: 'Nobody answered.' };
  if (result === 'unknown') return { kind: 'unknown', error, output: { half: true } };
  const retryAfterMs = result === 'patience' ? 900_000 : null;
  return { kind: 'failed', error, output: null, retryable: result !== 'fatal', retryAfterMs };
}
