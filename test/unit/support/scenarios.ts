/** Arbitrary workflows and arbitrary things that happen to their runs, in any order. */
import * as fc from 'fast-check';
import type { ActionPolicy, ApprovalPolicy } from '../../../src/contract/approvals.ts';
import type { JsonObject } from '../../../src/contract/json.ts';
import { actionPolicy } from './engine.ts';

/** What a person does to an approval, who they are, and what they have seen. */
interface ByPerson {
  readonly by: string;
  readonly role: 'ingest' | 'viewer' | 'approver' | 'admin';
  readonly commented: boolean;
  /** Members who let them decide in their place, in the roles of that moment. */
  readonly standsInFor: readonly { readonly who: string; readonly role: ByPerson['role'] }[];
  /** Which approval: none named, the first, the second …, or one that there is not. */
  readonly approval: number | 'unnamed' | 'unknown';
  readonly hash: 'none' | 'right' | 'wrong';
}

/** Something that happens to a run: named by positions, so that every one fits every run. */
export type Happening =
  | { readonly kind: 'time'; readonly ms: number }
  | {
      readonly kind: 'outcome';
      readonly step: number;
      /** 0 for the attempt in flight; others are stale or never were. */
      readonly offset: number;
      readonly result: 'success' | 'failure' | 'fatal' | 'patience' | 'unknown' | 'part';
    }
  | (ByPerson & {
      readonly kind: 'vote';
      readonly denied: boolean;
      /** By which right: their own, that of somebody who has lent it, or of somebody who may not have. */
      readonly place: 'own' | 'lent' | string;
      /** What the approval takes, or what it may not. */
      readonly says: 'fitting' | 'nothing' | 'happened' | 'retry';
    })
  | (ByPerson & { readonly kind: 'override' | 'view' })
  | (ByPerson & { readonly kind: 'edit'; readonly draft: number })
  | { readonly kind: 'budget'; readonly step: number; readonly granted: boolean }
  /** The tenant can be asked for its policy, or cannot. */
  | { readonly kind: 'reach'; readonly policyIsCurrent: boolean }
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
        expiresIn: fc.constantFrom('10m', '12h', '20h'),
        members: fc.constantFrom(['ann', 'bob', 'cyd'], ['ann', 'dan']),
        reasonRequired: fc.constant(true),
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

const roleNow = fc.constantFrom<ByPerson['role'][]>(
  'ingest',
  'viewer',
  'approver',
  'approver',
  'approver',
  'admin',
  'admin',
  'admin',
);

const byPerson = {
  by: fc.constantFrom(...PEOPLE),
  role: roleNow,
  standsInFor: fc.uniqueArray(fc.record({ who: fc.constantFrom(...PEOPLE), role: roleNow }), {
    maxLength: 2,
    selector: ({ who }) => who,
  }),
  commented: fc.integer({ min: 0, max: 3 }).map((n) => n > 0),
  approval: fc.constantFrom<ByPerson['approval'][]>('unnamed', 'unnamed', 0, 0, 1, 2, 'unknown'),
  hash: fc.constantFrom<ByPerson['hash'][]>('none', 'none', 'none', 'right', 'right', 'wrong'),
};

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
      result: fc.constantFrom(
        ...(['success', 'success', 'success', 'success', 'failure', 'failure'] as const),
        ...(['fatal', 'patience', 'unknown', 'unknown', 'part'] as const),
      ),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('vote'),
      ...byPerson,
      denied: fc.integer({ min: 0, max: 11 }).map((n) => n === 0),
      place: fc.constantFrom('own', 'own', 'own', 'lent', 'lent', 'lent', 'ann', 'author'),
      says: fc.constantFrom(
        ...(['fitting', 'fitting', 'fitting', 'fitting', 'nothing', 'happened', 'retry'] as const),
      ),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('edit'), ...byPerson, draft: fc.nat(5) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constantFrom('override', 'view'), ...byPerson }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('budget'),
      step: fc.nat(5),
      granted: fc.boolean(),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('reach'), policyIsCurrent: fc.boolean() }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'cancel' }) },
);

const roles = fc.constantFrom<ActionPolicy['roles'][]>(['approver'], ['approver'], ['admin'], []);
const members = fc.constantFrom<string[][]>([], ['cyd'], ['ann', 'bob', 'author']);

/** How many, who, and what else they may do. */
const deciders = fc.record({
  required: fc.integer({ min: 0, max: 3 }).map((n) => n > 0),
  approvals: fc.integer({ min: 1, max: 3 }),
  roles,
  members,
  selfApproval: fc.boolean(),
  reasonRequired: fc.boolean(),
  edit: fc.constantFrom<ActionPolicy['edit'][]>('nobody', 'approver', 'approver', 'admin'),
  breakGlass: fc.boolean(),
});

/** What time does to a request: minutes all through, or hours, so that reminders stay few. */
const clock = fc
  .constantFrom(
    { expiresIn: '5m', escalation: '3m', remindEvery: '4m' },
    { expiresIn: '24h', escalation: '24h', remindEvery: '5h' },
    { expiresIn: '24h', escalation: '7d', remindEvery: '20h' },
  )
  .chain(({ expiresIn, escalation, remindEvery }) =>
    fc.record({
      expiresIn: fc.constant(expiresIn),
      onExpire: fc.constantFrom<ActionPolicy['onExpire'][]>('deny', 'escalate'),
      escalateTo: fc.option(fc.record({ roles, members, expiresIn: fc.constant(escalation) }), {
        freq: 3,
      }),
      remindEvery: fc.option(fc.constant(remindEvery)),
    }),
  );

/** Conditions that hold, that do not, that read the inputs, and now and then one that fails. */
const when = fc.oneof(
  { weight: 6, arbitrary: fc.constant<ActionPolicy['when']>([]) },
  {
    weight: 3,
    arbitrary: fc.constant<ActionPolicy['when']>([
      { if: 'event.data.n > 5', approvals: 2 },
      { if: 'has(input.cents) && input.cents > 100', reasonRequired: true, breakGlass: true },
      { if: 'event.data.n > 100', required: false },
    ]),
  },
  { weight: 1, arbitrary: fc.constant<ActionPolicy['when']>([{ if: 'input.none', approvals: 2 }]) },
);

const ownPolicy: fc.Arbitrary<ActionPolicy> = fc
  .tuple(deciders, clock, when, fc.option(fc.constant({ count: 1, window: '1h' }), { freq: 2 }))
  .map(([who, until, conditions, budget]) =>
    actionPolicy({ ...who, ...until, when: conditions, budget }),
  );

const policy: fc.Arbitrary<ApprovalPolicy> = fc
  .record({ pay: ownPolicy, flip: ownPolicy, note: ownPolicy }, { requiredKeys: [] })
  .map((given) => ({ ...given }));

export const scenario: fc.Arbitrary<Scenario> = fc.record({
  steps,
  policy,
  authors: fc.constantFrom([], ['sender'], ['sender', 'author']),
  happenings: fc.array(happening, { maxLength: 30 }),
  jitter: fc.double({ min: 0, max: 0.999, noNaN: true }),
});
