/** Which workflows an event starts, the reasons for each, and the guard against loops. */
import { describe, expect, test } from 'vitest';
import type { Fault } from '../../src/contract/problems.ts';
import { compileTrigger } from '../../src/engine/definition.ts';
import {
  type Causation,
  HOPS_MAX,
  type MatchScope,
  matchEvent,
  reasonOfFalse,
} from '../../src/engine/match.ts';
import { type Candidate, TriggerIndex } from '../../src/engine/trigger-index.ts';

const scope = {
  event: { type: 'order.created', data: { n: 7, order: { tags: ['vip'] } } },
  tenant: { id: 'acme', name: 'Acme' },
};
const OUTSIDE = { path: [] };

function candidate(workflowId: string, condition?: string): Candidate {
  const faults: Fault[] = [];
  const trigger = compileTrigger({ event: 'order.created', if: condition }, faults);
  if (faults.length > 0) throw new Error(JSON.stringify(faults));
  return { workflowId, version: 2, trigger };
}

interface Answer {
  readonly workflowId: string;
  readonly version: number;
  readonly matched: boolean;
  readonly reason: string;
  readonly loop: boolean;
}

/** One answer for each candidate: with those of which nothing is said, since their conditions are false. */
function answersTo(
  scope: MatchScope,
  causation: Causation,
  candidates: readonly Candidate[],
): Answer[] {
  const said = matchEvent(scope, causation, new TriggerIndex(candidates));
  const of = new Map(said.map((match) => [match.candidate, match]));
  return candidates.map((candidate) => {
    const { workflowId, version, trigger } = candidate;
    const { matched, reason, loop } = of.get(candidate) ?? {
      matched: false,
      reason: reasonOfFalse(trigger.condition?.source ?? ''),
      loop: false,
    };
    return { workflowId, version, matched, reason, loop };
  });
}

const matchOne = (condition?: string, path: readonly string[] = []) =>
  answersTo(scope, { path }, [candidate('wf_1', condition)])[0];

describe('the reason', () => {
  test.each<[string, string | undefined, boolean, string | RegExp]>([
    ['without a condition', undefined, true, 'Every order.created starts it.'],
    ['when it holds', 'event.data.n == 7', true, 'The condition is true.'],
    [
      'when it does not, with its text',
      'event.data.n > 7',
      false,
      'The condition is false: event.data.n > 7',
    ],
    ['over the tenant', 'tenant.id == "acme"', true, 'The condition is true.'],
    [
      'when a field is missing, with the place',
      'event.data.none == 1',
      false,
      'The condition failed: event.data has no field "none" (1:12)',
    ],
    [
      'when it is no truth value',
      'event.data.n',
      false,
      /^The condition failed: must be true or false/,
    ],
    ['when types do not fit', 'event.data.order < 5', false, /^The condition failed: .*\(1:\d+\)$/],
    [
      'when a missing field is asked for',
      'has(event.data.none)',
      false,
      'The condition is false: has(event.data.none)',
    ],
  ])('%s', (_name, condition, matched, reason) => {
    expect(matchOne(condition)).toEqual({
      workflowId: 'wf_1',
      version: 2,
      matched,
      reason: typeof reason === 'string' ? reason : expect.stringMatching(reason),
      loop: false,
    });
  });

  test('a condition that fails is never taken as false and turned around', () => {
    expect(matchOne('!(event.data.none == 1)')).toMatchObject({ matched: false });
    expect(matchOne('!(event.data.none == 1)')?.reason).toMatch(/failed/);
  });

  test('each candidate gets its own, in their order', () => {
    const found = answersTo(scope, OUTSIDE, [
      candidate('wf_1', 'event.data.none'),
      candidate('wf_2'),
      candidate('wf_3', 'false'),
    ]);
    expect(found.map(({ workflowId, matched }) => [workflowId, matched])).toEqual([
      ['wf_1', false],
      ['wf_2', true],
      ['wf_3', false],
    ]);
  });

  test('nobody asks, nobody is answered', () => {
    expect(answersTo(scope, OUTSIDE, [])).toEqual([]);
  });
});

describe('the loop guard', () => {
  test.each([0, 1, 2])(
    'a workflow that led to the event does not start again (place %i)',
    (place) => {
      const path = ['wf_8', 'wf_9', 'wf_7'].with(place, 'wf_1');
      expect(matchOne(undefined, path)).toMatchObject({
        matched: false,
        loop: true,
        reason: 'The workflow is among those that led to this event.',
      });
    },
  );

  test('others still start, and ids are compared whole', () => {
    expect(matchOne(undefined, ['wf_11', 'wf_', 'WF_1'])).toMatchObject({
      matched: true,
      loop: false,
    });
  });

  test('nothing starts at eight hops', () => {
    const hops = (count: number) => Array.from({ length: count }, (_, hop) => `wf_other_${hop}`);
    expect(HOPS_MAX).toBe(8);
    expect(matchOne(undefined, hops(7))).toMatchObject({ matched: true });
    expect(matchOne(undefined, hops(8))).toMatchObject({
      matched: false,
      loop: true,
      reason: 'The event is 8 hops from its cause.',
    });
    expect(matchOne(undefined, hops(9))).toMatchObject({ matched: false, loop: true });
  });

  test('a workflow that would not have started anyway was not stopped by the guard', () => {
    expect(matchOne('false', ['wf_1'])).toMatchObject({ matched: false, loop: false });
    expect(matchOne('event.data.none', ['wf_1'])).toMatchObject({ matched: false, loop: false });
  });
});

describe('costly conditions', () => {
  const list = Array.from({ length: 1_000 }, (_, index) => index);
  const large = { ...scope, event: { ...scope.event, data: { n: 7, list } } };
  const loops = 'event.data.list.all(x, event.data.list.all(y, x + y > -1))';
  const matched = (candidates: readonly Candidate[]) => answersTo(large, OUTSIDE, candidates);

  test('of ten thousand workflows take no longer than those of a hundred or so', () => {
    const costly = candidate('wf_costly', loops);
    const timed = (count: number) => {
      const begun = performance.now();
      matched(Array.from({ length: count }, () => costly));
      return performance.now() - begun;
    };
    timed(10);
    // Without a limit that all of them share, it would be fifty times as long.
    expect(timed(10_000)).toBeLessThan(10 * timed(200));
  });

  test('do not keep small ones from being looked at, before them or behind', () => {
    const costly = Array.from({ length: 500 }, (_, index) => candidate(`wf_${index}`, loops));
    const small = candidate('wf_small', 'event.data.n == 7 && event.data.list.size() == 1000');
    const answers = matched([small, ...costly, small]);
    expect(answers.filter((one) => one.matched).map(({ workflowId }) => workflowId)).toEqual([
      'wf_small',
      'wf_small',
    ]);
    expect(answers[1]?.reason).toContain('takes too much work: more than 50000 steps');
    expect(answers[500]?.reason).toContain('takes too much work: more than 1000 steps');
  });
});
