/** Conditions that are known to be false without evaluating them: no other verdict, and no other work. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Json, JsonObject } from '../../src/contract/json.ts';
import type { Fault } from '../../src/contract/problems.ts';
import { type CompiledTrigger, compileTrigger } from '../../src/engine/definition.ts';
import { matchEvent } from '../../src/engine/match.ts';
import { type Candidate, TriggerIndex } from '../../src/engine/trigger-index.ts';

const TENANT = { id: 'acme', name: 'Acme' };
const OUTSIDE = { path: [] };

/** Null for what cannot be saved: its types do not fit. */
function triggerOf(condition: string): CompiledTrigger | null {
  const faults: Fault[] = [];
  const trigger = compileTrigger({ event: 'custom.go', if: condition }, faults);
  return faults.length > 0 ? null : trigger;
}

function candidatesOf(conditions: readonly string[]): Candidate[] {
  return conditions.flatMap((condition, n) => {
    const trigger = triggerOf(condition);
    return trigger === null ? [] : [{ workflowId: `wf_${n}`, version: 1, trigger }];
  });
}

/** The same, each to be evaluated. */
function unindexed({ trigger, ...candidate }: Candidate): Candidate {
  const { condition } = trigger;
  const whole = condition === null ? null : { ...condition, first: null };
  return { ...candidate, trigger: { ...trigger, condition: whole } };
}

function saidOf(candidates: readonly Candidate[], event: Json) {
  return matchEvent({ event, tenant: TENANT }, OUTSIDE, new TriggerIndex(candidates)).map(
    ({ candidate, ...said }) => ({ workflowId: candidate.workflowId, ...said }),
  );
}

// What conditions and events are made of: few names and values, so that they meet.

const NUMBERS = [0, -1, 1, 5, 1.5, 10_000, 9_007_199_254_740_991, 9_007_199_254_740_992, 1e300];
const TEXTS = ['', 'a', 'A', '5', 'true', 'x'.repeat(200), 'é', '__proto__'];
const NAMES = ['n', 's', 'data', 'constructor', 'toString', 'a-b'];

const scalar = fc.oneof(
  fc.constantFrom(...NUMBERS),
  fc.constantFrom(...TEXTS),
  fc.boolean(),
  fc.constant(null),
);
const shallow: fc.Arbitrary<Json> = fc.oneof(
  { weight: 4, arbitrary: scalar },
  { weight: 1, arbitrary: fc.array(scalar, { maxLength: 2 }) },
  { weight: 2, arbitrary: fc.dictionary(fc.constantFrom(...NAMES), scalar) },
);
const event: fc.Arbitrary<JsonObject> = fc
  .dictionary(fc.constantFrom(...NAMES), shallow)
  .map((data) => ({ id: 'e', type: 'custom.go', data }));

const literal = fc.oneof(
  fc.constantFrom(...NUMBERS.filter(Number.isSafeInteger)).map((n) => `${n}`),
  fc.constantFrom(
    '1.5',
    '0.0',
    '-1.5',
    '1e300',
    '9007199254740992',
    '9007199254740993',
    '5u',
    'null',
  ),
  fc.constantFrom(...TEXTS).map((text) => JSON.stringify(text)),
  fc.constantFrom('true', 'false', '[1]', '{"n": 1}', 'b"a"', 'tenant.id', 'event.data.s'),
);
const field = fc.constantFrom(
  'event.data.n',
  'event.data.s',
  'event.data.data.n',
  'event.data.data.s',
  'event.data["n"]',
  'event.data.constructor',
  'event.data',
  'event.id',
  'event.none',
  'event.data.?n.orValue(5)',
  'event.data.n.n',
  'tenant.name',
);
const operator = fc.constantFrom('==', '==', '!=', '<', '<=', '>', '>=', 'in', '+', '-');
const comparison = fc
  .tuple(field, operator, literal, fc.boolean())
  .map(([left, op, right, turned]) =>
    turned ? `${right} ${op} ${left}` : `${left} ${op} ${right}`,
  );
const atom = fc.oneof(
  { weight: 6, arbitrary: comparison },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      'true',
      'false',
      'has(event.data.n)',
      '!has(event.data.none)',
      'event.data.n',
      'event.data.none',
      'event.data.s.startsWith("a")',
      'event.data.data.exists(x, x == "n")',
      '[1, 2].all(x, x < event.data.n)',
      'cel.bind(y, event.data.n, y == 5)',
      '(event.data.n == 5 ? event.data.s == "a" : false)',
      '1 / 0 == 1',
    ),
  },
);
const { condition } = fc.letrec<{ condition: string }>((tie) => ({
  condition: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    atom,
    fc
      .tuple(
        tie('condition'),
        fc.constantFrom('&&', '&&', '&&', '||'),
        tie('condition'),
        fc.boolean(),
      )
      .map(([left, op, right, grouped]) =>
        grouped ? `(${left}) ${op} (${right})` : `${left} ${op} ${right}`,
      ),
    tie('condition').map((inner) => `!(${inner})`),
  ),
}));

describe('an index of conditions', () => {
  test('says what evaluating each of them says, and why', () => {
    fc.assert(
      fc.property(
        fc.array(condition, { maxLength: 12 }),
        fc.array(event, { maxLength: 6 }),
        (of, events) => {
          const candidates = candidatesOf(of);
          for (const one of events)
            expect(saidOf(candidates, one)).toEqual(saidOf(candidates.map(unindexed), one));
        },
      ),
      { numRuns: 400 },
    );
  });

  test('of one field that many are about, too', () => {
    const digit = fc.integer({ min: 0, max: 9 });
    const compared = fc
      .tuple(digit, fc.constantFrom('==', '<', '<=', '>', '>='), fc.boolean(), digit)
      .map(([n, op, turned, other]) => {
        const whole = turned ? `${n} ${op} event.data.n` : `event.data.n ${op} ${n}`;
        return other < 5 ? whole : `${whole} && event.data.n != ${other}`;
      });
    fc.assert(
      fc.property(fc.array(compared, { maxLength: 30 }), digit, (of, n) => {
        const candidates = candidatesOf(of);
        const about = { data: { n } };
        expect(saidOf(candidates, about)).toEqual(saidOf(candidates.map(unindexed), about));
      }),
    );
  });

  test.each<[string, string | number | boolean | null]>([
    ['event.data.n == 5', 5],
    ['event.data.n == 5 && event.data.none == 1', 5],
    ['((5.0 == event.data.n) && true) && event.data.none', 5],
    ['10000 < event.data.order.total.amount && glob(event.data.s, "a*")', 10_000],
    ['event.data.s == "a"', 'a'],
    ['event.data.b == true && true', true],
  ])('%s begins with a comparison', (source, value) => {
    expect(triggerOf(source)?.condition?.first?.literal).toBe(value);
  });

  test.each([
    'event.data.n == 5 || event.data.s == "a"',
    '(event.data.n == 5 || true) && event.data.s == "a"',
    '!(event.data.n == 5)',
    'event.data.n != 5',
    'event.data.n == event.data.m',
    'event.data.n == 9007199254740993',
    'event.data.s < "a"',
    'event.data.n == null',
    'tenant.id == "acme"',
    'event.data["n"] == 5',
    'has(event.data.n) && event.data.n == 5',
    'event.data.list.exists(x, x == 5)',
    'event.data.n == 5 ? true : false',
  ])('%s does not', (source) => {
    expect(triggerOf(source)?.condition?.first).toBeNull();
  });
});

describe('of a thousand conditions', () => {
  /** @returns which were evaluated for an event */
  function evaluated(conditions: readonly string[], data: JsonObject): string[] {
    const asked: string[] = [];
    const candidates = candidatesOf(conditions).map((candidate): Candidate => {
      const { trigger } = candidate;
      const { condition: own } = trigger;
      if (own === null) throw new Error('it has a condition');
      const evaluate: typeof own.evaluate = (...args) => {
        asked.push(own.source);
        return own.evaluate(...args);
      };
      return { ...candidate, trigger: { ...trigger, condition: { ...own, evaluate } } };
    });
    saidOf(candidates, { type: 'custom.go', data });
    return asked;
  }
  const thousand = (of: (n: number) => string) => Array.from({ length: 1_000 }, (_, n) => of(n));

  test.each<[string, (n: number) => string, JsonObject, number]>([
    ['that compare a text, one', (n) => `event.data.s == "s${n}"`, { s: 's7' }, 1],
    ['none, of one that nobody asks for', (n) => `event.data.s == "s${n}"`, { s: 'other' }, 0],
    ['none, of another kind', (n) => `event.data.s == "s${n}"`, { s: null }, 0],
    ['above a limit, those that are below', (n) => `event.data.n > ${n}`, { n: 10 }, 10],
    ['or equal', (n) => `event.data.n >= ${n}`, { n: 10 }, 11],
    ['below a limit, those that are above', (n) => `event.data.n < ${n}`, { n: 990 }, 9],
    ['or equal, from the other side', (n) => `${n} >= event.data.n`, { n: 990 }, 10],
    ['all, of a field that is not there', (n) => `event.data.s == "s${n}"`, {}, 1_000],
    ['all, of a text beside a number', (n) => `event.data.n > ${n}`, { n: '5' }, 1_000],
    ['all that begin otherwise', (n) => `event.data.n != ${n} && false`, { n: 5 }, 1_000],
  ])('%s is evaluated', (_what, of, data, count) => {
    expect(evaluated(thousand(of), data)).toHaveLength(count);
  });

  test('those that may hold are asked in the order of the workflows', () => {
    const found = evaluated(
      ['event.data.n < 9', 'true', 'event.data.n == 7', 'event.data.n > 5', 'event.data.n > 6'],
      { n: 7 },
    );
    expect(found).toEqual([
      'event.data.n < 9',
      'true',
      'event.data.n == 7',
      'event.data.n > 5',
      'event.data.n > 6',
    ]);
  });
});

/**
 * What is not evaluated costs nothing of what all conditions share: once that is used up, more is left
 * for the others than if each were asked.
 */
test('costly conditions of which the event is known not to be leave the others their work', () => {
  const loops = 'event.data.list.all(x, event.data.list.all(y, x + y > -1))';
  const list = Array.from({ length: 1_000 }, (_, index) => index);
  const costly = Array.from({ length: 500 }, (_, n) => `event.data.n == ${n + 1} && ${loops}`);
  const said = saidOf(candidatesOf([...costly, loops]), { data: { n: 0, list } });
  expect(said).toMatchObject([
    { workflowId: 'wf_500', reason: expect.stringContaining('more than 50000 steps') },
  ]);
});
