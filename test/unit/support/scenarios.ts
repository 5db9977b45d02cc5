/** Arbitrary workflows and arbitrary things that happen to their runs, in any order. */
import * as fc from 'fast-check';
import type { ApprovalPolicy } from '../../../src/contract/approvals.ts';
import type { JsonObject } from '../../../src/contract/json.ts';
import { policyRule } from './engine.ts';

/** Something that happens to a run: named by positions, so that every one fits every run. */
export type Happening =
  | { readonly kind: 'time'; readonly ms: number }
  | {
      readonly kind: 'outcome';
      readonly step: number;
      /** 0 for the attempt in flight; others are stale or never were. */
      readonly offset: number;
      readonly result: 'success' | 'failure' | 'fatal' | 'patience';
    }
  | {
      readonly kind: 'vote';
      readonly by: string;
      readonly role: 'viewer' | 'approver' | 'admin';
      readonly denied: boolean;
      /** Which approval: none named, the first, the second …, or one that there is not. */
      readonly approval: number | 'unnamed' | 'unknown';
      readonly hash: 'none' | 'right' | 'wrong';
    }
  | { readonly kind: 'cancel' };

export interface Scenario {
  readonly steps: readonly JsonObject[];
  readonly policy: ApprovalPolicy;
  readonly authors: readonly string[];
  readonly happenings: readonly Happening[];
  readonly jitter: number;
}

const WITH: Record<'note' | 'pay' | 'flip', JsonObject> = {
  note: { text: '{{ event.data.word }}', count: '{{ event.data.n }}' },
  pay: { orderId: '{{ event.data.order.id }}', cents: 500 },
  flip: { key: 'k' },
};

const condition = fc.oneof(
  { weight: 12, arbitrary: fc.constant(undefined) },
  { weight: 2, arbitrary: fc.constantFrom('true', 'event.data.n == 7', 'has(event.data.word)') },
  { weight: 2, arbitrary: fc.constantFrom('false', 'event.data.n > 100') },
  {
    weight: 1,
    arbitrary: fc.constantFrom('event.data.none == 1', 'event.data.n', 'event.data.n.x'),
  },
);

const approval = fc.oneof(
  { weight: 3, arbitrary: fc.constant(undefined) },
  {
    weight: 1,
    arbitrary: fc.record(
      {
        approvals: fc.integer({ min: 1, max: 3 }),
        roles: fc.constantFrom(['admin'], ['approver', 'admin']),
        expiresIn: fc.constantFrom('10m', '12h', '100h'),
      },
      { requiredKeys: [] },
    ),
  },
);

const actionBody: fc.Arbitrary<JsonObject> = fc
  .record({
    action: fc.constantFrom('note', 'pay', 'flip'),
    retry: fc.option(fc.record({ attempts: fc.integer({ min: 1, max: 4 }) }), { nil: undefined }),
    approval,
    flaw: fc.integer({ min: 0, max: 14 }),
  })
  .map(({ action, retry, approval: asked, flaw }) => ({
    action,
    with: flaw === 0 ? { ...WITH[action], key: '{{ event.data.none }}' } : WITH[action],
    ...(retry === undefined ? {} : { retry }),
    ...(asked === undefined ? {} : { approval: { ...asked } }),
  }));
const waitBody: fc.Arbitrary<JsonObject> = fc
  .constantFrom('1s', '5m', '2h')
  .map((wait) => ({ wait }));

/** Steps `s0` … in an order in which each needs only earlier ones, then perhaps turned around. */
const steps: fc.Arbitrary<readonly JsonObject[]> = fc
  .tuple(
    fc.array(
      fc.record({
        body: fc.oneof({ weight: 5, arbitrary: actionBody }, { weight: 1, arbitrary: waitBody }),
        needs: fc.uniqueArray(fc.nat(4), { maxLength: 3 }),
        condition,
      }),
      { minLength: 1, maxLength: 6 },
    ),
    fc.constantFrom('chain', 'graph', 'graph', 'reversed'),
  )
  .map(([drawn, shape]) => {
    const made = drawn.map(({ body, needs, condition: holds }, index) => ({
      id: `s${index}`,
      ...body,
      ...(holds === undefined ? {} : { if: holds }),
      ...(shape === 'chain'
        ? {}
        : { needs: needs.filter((need) => need < index).map((need) => `s${need}`) }),
    }));
    return shape === 'reversed' ? made.reverse() : made;
  });

const PEOPLE = ['sender', 'author', 'ann', 'bob', 'cyd', 'dan'];

const happening: fc.Arbitrary<Happening> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('time'),
      ms: fc.constantFrom(0, 1, 1_000, 12_000, 45_000, 600_000, 7_200_000, 300_000_000),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('outcome'),
      step: fc.nat(5),
      offset: fc.constantFrom(0, 0, 0, 0, 0, -1, 1),
      result: fc.constantFrom('success', 'success', 'success', 'failure', 'fatal', 'patience'),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('vote'),
      by: fc.constantFrom(...PEOPLE),
      role: fc.constantFrom('viewer', 'approver', 'approver', 'admin', 'admin'),
      denied: fc.integer({ min: 0, max: 11 }).map((n) => n === 0),
      approval: fc.constantFrom<number | 'unnamed' | 'unknown'>(
        'unnamed',
        'unnamed',
        0,
        0,
        1,
        2,
        'unknown',
      ),
      hash: fc.constantFrom('none', 'none', 'right', 'right', 'wrong'),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'cancel' }) },
);

const policy: fc.Arbitrary<ApprovalPolicy> = fc
  .option(
    fc.record({
      required: fc.boolean(),
      approvals: fc.integer({ min: 1, max: 3 }),
      selfApproval: fc.boolean(),
      expiresIn: fc.constantFrom('5m', '24h'),
    }),
    { nil: undefined },
  )
  .map((over): ApprovalPolicy => (over === undefined ? {} : { pay: policyRule(over) }));

export const scenario: fc.Arbitrary<Scenario> = fc.record({
  steps,
  policy,
  authors: fc.constantFrom([], ['sender'], ['sender', 'author']),
  happenings: fc.array(happening, { maxLength: 30 }),
  jitter: fc.double({ min: 0, max: 0.999, noNaN: true }),
});
