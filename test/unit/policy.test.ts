/** Which rule holds: the risk's default, the tenant's conditions in order, what the workflow adds. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ActionPolicy, ApprovalRule } from '../../src/contract/approvals.ts';
import { durationMs, type Role } from '../../src/contract/json.ts';
import { mayDecide } from '../../src/engine/approval.ts';
import {
  deadlockFaults,
  defaultPolicy,
  policyFaults,
  resolvePolicy,
  stricterRule,
} from '../../src/engine/policy.ts';
import { actionPolicy, note, pay, planOf, policyRule, Story, told } from './support/engine.ts';
import { always } from './support/properties.ts';

const SCOPE = {
  input: { cents: 500, tags: ['vip'] },
  event: { data: { n: 7 } },
  tenant: { id: 'acme', name: 'Acme' },
};
const ruleFor = (over: Partial<ActionPolicy>, scope = SCOPE): ApprovalRule => {
  const resolved = resolvePolicy(actionPolicy(over), scope);
  if (!resolved.ok) throw new Error(resolved.message);
  return resolved.rule;
};

describe('the default', () => {
  test.each([
    ['safe', false],
    ['commerce', true],
    ['bulk', true],
    ['config', true],
  ] as const)('risk %s: approval needed is %s', (risk, required) => {
    expect(defaultPolicy(risk)).toEqual({
      required,
      approvals: 1,
      roles: ['approver'],
      members: [],
      expiresIn: '72h',
      onExpire: 'deny',
      escalateTo: null,
      remindEvery: null,
      selfApproval: false,
      reasonRequired: false,
      edit: 'admin',
      breakGlass: false,
      when: [],
      budget: null,
    });
  });

  test('holds for an action of which the policy says nothing', () => {
    const story = new Story(planOf([note('a'), pay('b')], { policy: { flip: actionPolicy() } }));
    expect(story.succeed('a').last('approval_requested').rule).toEqual(policyRule());
  });
});

describe('conditions', () => {
  const when = [
    { if: 'input.cents > 100', approvals: 2, reasonRequired: true },
    { if: 'input.cents > 400', approvals: 3 },
    { if: 'input.cents > 1000', approvals: 9, roles: ['admin' as const] },
  ];

  test.each<[number, Partial<ApprovalRule>]>([
    [50, { approvals: 1, reasonRequired: false, roles: ['approver'] }],
    [200, { approvals: 2, reasonRequired: true, roles: ['approver'] }],
    [500, { approvals: 3, reasonRequired: true, roles: ['approver'] }],
    [5_000, { approvals: 9, reasonRequired: true, roles: ['admin'] }],
  ])('of %i cents, the last one that is true wins, field by field', (cents, rule) => {
    expect(ruleFor({ when }, { ...SCOPE, input: { cents, tags: [] } })).toMatchObject(rule);
  });

  test('their order counts, and not which is the stricter', () => {
    const turned = [...when].reverse();
    expect(ruleFor({ when: turned }).approvals).toBe(2);
  });

  test('see the inputs, the event and the tenant', () => {
    const seen = "input.tags[0] == 'vip' && event.data.n == 7 && tenant.id == 'acme'";
    expect(ruleFor({ when: [{ if: seen, required: false }] }).required).toBe(false);
  });

  test('change nothing of what they do not name, and become no part of the rule', () => {
    const { approvals, ...rest } = ruleFor({ when: [{ if: 'true', approvals: 4 }] });
    expect({ approvals, ...rest }).toEqual({ ...policyRule(), approvals: 4 });
    expect(rest).not.toHaveProperty('if');
  });

  test('can make a gate of what needs none, for the inputs that they describe', () => {
    const gate = { if: 'has(input.count) && input.count > 5', required: true };
    const policy = { note: actionPolicy({ required: false, when: [gate] }) };
    const open = new Story(planOf([note('a')], { policy }));
    const closed = new Story(planOf([note('a', { with: { count: 9 } })], { policy }));
    expect([open.run.status, closed.run.status]).toEqual(['running', 'pending_approval']);
  });

  test.each([
    ['a field that is not there', 'input.none == 1', /input has no field "none"/],
    ['what is neither true nor false', 'input.cents', /must be true or false/],
    ['what is not CEL', 'input.cents >', /./],
  ])(
    'that fail are no answer: over %s the step fails and nothing is sent',
    (_name, source, why) => {
      const policy = {
        pay: actionPolicy({ when: [{ if: 'true' }, { if: source, approvals: 2 }] }),
      };
      const story = new Story(planOf([pay('a'), note('b')], { policy }));
      expect(told(story.entries)).toEqual(['run_created', 'step_failed a', 'run_failed']);
      expect(story.run.error).toMatchObject({ code: 'policy_failed', stepId: 'a' });
      expect(story.run.error?.message).toMatch(/^The approval policy: /);
      expect(story.run.error?.message).toMatch(why);
    },
  );

  test('that are wrong are told when they are saved, each with its path', () => {
    const faulty = [
      { if: 'input.cents >' },
      { if: 'input.cents > 5' },
      { if: 'steps.a.output == 1' },
      { if: 'run.id' },
    ];
    const faults = policyFaults({ when: faulty }, 'actions.pay');
    expect(faults.map(({ path }) => path)).toEqual([
      'actions.pay.when.0.if',
      'actions.pay.when.2.if',
      'actions.pay.when.3.if',
    ]);
    expect(faults.every(({ message }) => message.length > 0)).toBe(true);
    expect(policyFaults({ when: [] }, 'actions.pay')).toEqual([]);
  });
});

describe('what the workflow adds', () => {
  test.each<
    [string, Partial<ApprovalRule>, Parameters<typeof stricterRule>[1], Partial<ApprovalRule>]
  >([
    ['asking for nothing leaves the policy', { required: false }, undefined, { required: false }],
    ['asking at all makes a gate', { required: false }, {}, { required: true, approvals: 1 }],
    ['more people than the policy', { approvals: 1 }, { approvals: 3 }, { approvals: 3 }],
    ['fewer people than the policy', { approvals: 3 }, { approvals: 1 }, { approvals: 3 }],
    ['a higher role', {}, { roles: ['admin'] }, { roles: ['admin'] }],
    ['a role that the policy has', {}, { roles: ['approver', 'admin'] }, { roles: ['approver'] }],
    [
      'roles, where the policy names people alone',
      { roles: [], members: ['m'] },
      { roles: ['approver'] },
      { roles: [], members: ['m'] },
    ],
    ['some of those who may', {}, { members: ['m', 'n'] }, { among: ['m', 'n'], members: [] }],
    ['a reason', {}, { reasonRequired: true }, { reasonRequired: true }],
    [
      'no reason, where the policy wants one',
      { reasonRequired: true },
      {},
      { reasonRequired: true },
    ],
    [
      'silence to deny, where the policy escalates',
      { onExpire: 'escalate' },
      { onExpire: 'deny' },
      { onExpire: 'deny' },
    ],
    [
      'nothing of what only a policy may give',
      { edit: 'nobody', breakGlass: false, remindEvery: '1h' },
      { approvals: 2 },
      { edit: 'nobody', breakGlass: false, remindEvery: '1h', escalateTo: null },
    ],
    [
      'a role that the policy does not have',
      { roles: ['admin'] },
      { roles: ['approver'] },
      { roles: ['admin'] },
    ],
    ['more roles', { roles: ['admin'] }, { roles: ['approver', 'admin'] }, { roles: ['admin'] }],
    ['a shorter time', {}, { expiresIn: '1h' }, { expiresIn: '1h' }],
    ['a longer time', { expiresIn: '1h' }, { expiresIn: '72h' }, { expiresIn: '1h' }],
    [
      'a longer time, by its length and not its text',
      { expiresIn: '2h' },
      { expiresIn: '30m' },
      { expiresIn: '30m' },
    ],
    [
      'a longer time where the policy asks for nothing',
      { required: false, expiresIn: '1h' },
      { expiresIn: '72h' },
      { required: true, expiresIn: '72h' },
    ],
    ['no step may let the author decide', { selfApproval: false }, {}, { selfApproval: false }],
  ])('%s', (_name, policy, asked, rule) => {
    expect(stricterRule(policyRule(policy), asked)).toMatchObject(rule);
  });

  const anyRoles = fc.constantFrom<ApprovalRule['roles'][]>(
    [],
    ['approver'],
    ['admin'],
    ['approver', 'admin'],
  );
  const askedRoles = fc.constantFrom<ApprovalRule['roles'][]>(
    ['approver'],
    ['admin'],
    ['approver', 'admin'],
  );
  const expiresIn = fc.constantFrom('30s', '15m', '24h', '1d', '7d');
  const approvals = fc.integer({ min: 1, max: 20 });
  const people = fc.subarray(['m', 'n', 'o']);
  const policies = fc
    .record({
      required: fc.boolean(),
      approvals,
      roles: anyRoles,
      members: people,
      expiresIn,
      onExpire: fc.constantFrom<ApprovalRule['onExpire'][]>('deny', 'escalate'),
      selfApproval: fc.boolean(),
      reasonRequired: fc.boolean(),
      edit: fc.constantFrom<ApprovalRule['edit'][]>('nobody', 'approver', 'admin'),
      breakGlass: fc.boolean(),
    })
    .map(policyRule);
  const asks = fc.option(
    fc.record(
      {
        approvals,
        roles: askedRoles,
        expiresIn,
        onExpire: fc.constant('deny' as const),
        members: fc.subarray(['m', 'n', 'p'], { minLength: 1 }),
        reasonRequired: fc.constant(true as const),
      },
      { requiredKeys: [] },
    ),
    { nil: undefined },
  );

  test('is never less than the policy, whatever it asks for', () => {
    always(
      20_260_305,
      2_000,
      fc.property(policies, asks, (policy, asked) => {
        const rule = stricterRule(policy, asked);
        expect(rule.required).toBe(policy.required || asked !== undefined);
        expect(rule.approvals).toBeGreaterThanOrEqual(
          Math.max(policy.approvals, asked?.approvals ?? 1),
        );
        if (policy.required)
          expect(durationMs(rule.expiresIn)).toBeLessThanOrEqual(durationMs(policy.expiresIn));
        expect(rule.reasonRequired).toBe(policy.reasonRequired || asked?.reasonRequired === true);
        if (policy.onExpire === 'deny') expect(rule.onExpire).toBe('deny');
        const { selfApproval, edit, breakGlass, members, escalateTo, remindEvery } = policy;
        expect(rule).toMatchObject({ selfApproval, edit, breakGlass, members });
        expect(rule).toMatchObject({ escalateTo, remindEvery });
      }),
    );
  });

  test('lets nobody decide whom the policy does not', () => {
    const roles = fc.constantFrom<Role[]>('ingest', 'viewer', 'approver', 'admin');
    always(
      20_260_306,
      2_000,
      fc.property(
        policies,
        asks,
        fc.constantFrom('m', 'n', 'p', 'q'),
        roles,
        (policy, asked, id, role) => {
          const decides = (rule: ApprovalRule) => mayDecide({ ...rule, rule }, id, role);
          if (decides(stricterRule(policy, asked))) expect(decides(policy)).toBe(true);
          if (asked?.members?.includes(id) === false)
            expect(decides(stricterRule(policy, asked))).toBe(false);
        },
      ),
    );
  });
});

describe('a policy under which nobody could decide', () => {
  const faultsOf = (change: Partial<ActionPolicy>) =>
    deadlockFaults({ ...defaultPolicy('commerce'), ...change }, 'p').map(({ path }) => path);
  const admins = { roles: ['admin' as const], members: [], expiresIn: '1h' };

  test.each<[string, Partial<ActionPolicy>, string[]]>([
    ['the default', {}, []],
    ['members alone', { roles: [], members: ['a'] }, []],
    ['escalation', { onExpire: 'escalate', escalateTo: admins }, []],
    ['no role and no members', { roles: [] }, ['p.roles']],
    ['fewer members than approvals', { roles: [], members: ['a'], approvals: 2 }, ['p.approvals']],
    ['one member twice', { roles: [], members: ['a', 'a'], approvals: 2 }, ['p.approvals']],
    ['nobody to escalate to', { onExpire: 'escalate' }, ['p.escalateTo']],
    ['escalation to none', { escalateTo: { ...admins, roles: [] } }, ['p.escalateTo']],
    [
      'escalation to fewer than have to approve',
      { approvals: 2, escalateTo: { ...admins, roles: [], members: ['a'] } },
      ['p.escalateTo'],
    ],
    ['reminders by the second', { remindEvery: '59s' }, ['p.remindEvery']],
    ['a condition that leaves nobody', { when: [{ if: 'true', roles: [] }] }, ['p.when.0.roles']],
    [
      'a condition that asks for too many',
      { roles: [], members: ['a'], when: [{ if: 'true' }, { if: 'true', approvals: 2 }] },
      ['p.when.1.approvals'],
    ],
  ])('%s', (_what, change, paths) => {
    expect(faultsOf(change)).toEqual(paths);
  });
});
