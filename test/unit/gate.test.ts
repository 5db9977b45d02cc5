/** What happens at an open gate: escalation, reminders, edits, overrides, looks, and who may decide. */
import { describe, expect, test } from 'vitest';
import type { ActionPolicy } from '../../src/contract/approvals.ts';
import { durationMs, type JsonObject } from '../../src/contract/json.ts';
import type { Claim } from '../../src/engine/approval.ts';
import type { Plan } from '../../src/engine/plan.ts';
import { nextWake } from '../../src/engine/run.ts';
import {
  actionPolicy,
  at,
  note,
  pause,
  pay,
  person,
  planOf,
  RULES,
  RUN_ID,
  Story,
  T0,
  told,
} from './support/engine.ts';
import { assertHistory } from './support/invariants.ts';

const gated = (over: Partial<ActionPolicy> = {}, more: JsonObject = {}) =>
  new Story(planOf([pay('a', more), note('b')], { policy: { pay: actionPolicy(over) } }));
const approval = (story: Story) => {
  const [only] = story.run.approvals;
  if (only === undefined) throw new Error('no approval');
  return only;
};
const INPUT = { orderId: '7', cents: 500 };
const CHEAPER = { orderId: '7', cents: 400 };
const first = `apr_${RUN_ID.slice(4)}-1`;

/** Nothing came of it but the answer. */
function expectRefused(story: Story, happens: (story: Story) => Story, code: string): void {
  const { run } = story;
  const count = story.entries.length;
  happens(story);
  expect(story.refused?.code).toBe(code);
  expect(story.refused?.detail).toMatch(/\.$/);
  expect(story.entries).toHaveLength(count);
  expect(story.run).toEqual(run);
}

describe('escalation', () => {
  const escalateTo: ActionPolicy['escalateTo'] = {
    roles: ['admin'],
    members: ['cfo'],
    expiresIn: '24h',
  };
  const escalating = (over: Partial<ActionPolicy> = {}) =>
    gated({ onExpire: 'escalate', escalateTo, ...over });

  test('silence hands the decision over, once, and silence after that denies', () => {
    const story = escalating().pass('72h').tick();
    expect(story.entries.at(-1)).toMatchObject({
      type: 'approval_escalated',
      roles: ['admin'],
      members: ['cfo'],
      expiresAt: at('96h'),
    });
    expect(story.run.status).toBe('pending_approval');
    expect(approval(story)).toMatchObject({
      escalated: true,
      roles: ['admin'],
      members: ['cfo'],
      expiresAt: at('96h'),
    });
    expect(nextWake(story.run)).toBe(T0 + durationMs('96h'));
    story.pass('24h').tick();
    expect(told(story.entries).slice(-2)).toEqual(['approval_expired a', 'run_expired']);
    assertHistory(story.entries, story.run);
  });

  test('the new time counts from when it was handed over', () => {
    const story = escalating().pass('80h').tick();
    expect(approval(story).expiresAt).toBe(at('104h'));
  });

  test('changes neither the hash nor what was approved so far', () => {
    const story = escalating({ approvals: 2 }).vote('p');
    const { inputHash } = approval(story);
    story.pass('72h').tick();
    expect(approval(story)).toMatchObject({ inputHash, boundUntil: at('72h') });
    expect(story.vote('boss', { role: 'admin', inputHash }).run.status).toBe('running');
    assertHistory(story.entries, story.run);
  });

  test.each([
    ['an approver', 'p', 'approver', 'forbidden'],
    ['an admin', 'p', 'admin', undefined],
    ['a member who is named', 'cfo', 'viewer', undefined],
    ['an admin who is an author', 'author', 'admin', 'self_approval'],
  ] as const)('then %s may decide, or not', (_name, by, role, code) => {
    const story = escalating().pass('72h').vote(by, { role });
    expect(story.refused?.code).toBe(code);
    expect(told(story.entries)).toContain('approval_escalated a');
    expect(story.run.status).toBe(code === undefined ? 'running' : 'pending_approval');
  });

  test('an edit after it is bound to the same time as before it', () => {
    const story = escalating().pass('72h').tick().edit('boss', CHEAPER).vote('cfo');
    expect(story.step('a').input).toEqual(CHEAPER);
    expect(story.run.status).toBe('running');
    assertHistory(story.entries, story.run);
  });

  test.each<[string, Partial<ActionPolicy>, JsonObject]>([
    ['where the policy says deny', { onExpire: 'deny' }, {}],
    ['where it names nobody to escalate to', { escalateTo: null }, {}],
    ['where the workflow asks for deny', {}, { approval: { onExpire: 'deny' } }],
  ])('%s there is none', (_name, over, more) => {
    const story = gated({ onExpire: 'escalate', escalateTo, ...over }, more)
      .pass('72h')
      .tick();
    expect(told(story.entries).slice(-2)).toEqual(['approval_expired a', 'run_expired']);
  });

  test('it opens to nobody whom the workflow leaves out', () => {
    const story = gated({ onExpire: 'escalate', escalateTo }, { approval: { members: ['p'] } });
    story.pass('72h').vote('boss', { role: 'admin' });
    expect(story.refused?.code).toBe('forbidden');
    expect(story.vote('cfo', { role: 'viewer' }).refused?.code).toBe('forbidden');
  });
});

describe('reminders', () => {
  const count = (story: Story) =>
    story.entries.filter(({ type }) => type === 'approval_reminded').length;

  test('come again and again while somebody is waited for', () => {
    const story = gated({ remindEvery: '24h' }).pass('23h').tick();
    expect(count(story)).toBe(0);
    expect(nextWake(story.run)).toBe(T0 + durationMs('24h'));
    story.pass('1h').tick();
    expect(count(story)).toBe(1);
    expect(nextWake(story.run)).toBe(T0 + durationMs('48h'));
    expect(story.tick().pass('23h').tick().pass('1h').tick().entries.at(-1)).toMatchObject({
      type: 'approval_reminded',
      approvalId: first,
      at: at('48h'),
    });
    assertHistory(story.entries, story.run);
  });

  test('that were missed are not made up for', () => {
    const story = gated({ remindEvery: '1h' }).pass('30h').tick();
    expect(count(story)).toBe(1);
    expect(nextWake(story.run)).toBe(T0 + durationMs('31h'));
  });

  test('change nothing of the decision', () => {
    const story = gated({ remindEvery: '1h', approvals: 2 }).vote('p');
    const before = approval(story);
    story.pass('1h').tick();
    expect(approval(story)).toEqual({ ...before, remindAt: at('2h') });
    expect(story.vote('q').run.status).toBe('running');
  });

  test('go on after an escalation', () => {
    const escalateTo = { roles: ['admin' as const], members: [], expiresIn: '24h' };
    const story = gated({ onExpire: 'escalate', escalateTo, remindEvery: '30h' });
    story.pass('30h').tick().pass('30h').tick().pass('12h').tick();
    expect(count(story)).toBe(2);
    expect(story.pass('18h').tick().entries.at(-1)?.type).toBe('approval_reminded');
  });

  test.each<[string, (story: Story) => Story]>([
    ['granted', (story) => story.vote('p').succeed('a')],
    ['denied', (story) => story.deny('p')],
    ['overridden', (story) => story.override('boss').succeed('a')],
    ['cancelled', (story) => story.cancel()],
    ['expired', (story) => story.pass('72h').tick()],
  ])('stop when it is %s', (_name, ends) => {
    const story = ends(gated({ remindEvery: '1h', breakGlass: true }));
    const before = count(story);
    expect(count(story.pass('10h').tick().pass('10h').tick())).toBe(before);
  });

  test('there are none unless they are asked for', () => {
    expect(count(gated().pass('71h').tick())).toBe(0);
  });
});

describe('an edit', () => {
  test('must not pass a condition of the policy under an approval that asks for less', () => {
    const when = [{ if: 'input.cents > 1000', approvals: 2 }];
    const story = gated({ when });
    const DEARER = { orderId: '7', cents: 2000 };
    expectRefused(story, (given) => given.edit('boss', DEARER), 'conflict');
    expect(approval(story.edit('boss', CHEAPER))).toMatchObject({ edits: 1, required: 1 });
  });

  test('is told with what changed, and has a hash of its own', () => {
    const story = gated();
    const before = approval(story).inputHash;
    story.edit('boss', CHEAPER, { comment: 'Half of it.' });
    expect(story.refused).toBeUndefined();
    expect(story.entries.at(-1)).toMatchObject({
      type: 'approval_edited',
      stepId: 'a',
      approvalId: first,
      actor: person('boss'),
      comment: 'Half of it.',
      requestId: 'req-boss',
      input: CHEAPER,
      changes: [{ path: 'cents', before: 500, after: 400 }],
    });
    expect(approval(story)).toMatchObject({ edits: 1, status: 'pending', decisions: [] });
    expect(approval(story).inputHash).not.toBe(before);
    expect(story.last('approval_edited').inputHash).toBe(approval(story).inputHash);
    expect(story.step('a').input).toEqual(CHEAPER);
  });

  test('lists every place that changed', () => {
    const story = gated().edit('boss', { orderId: '8', cents: 500, tags: ['x'] });
    expect(story.last('approval_edited').changes).toEqual([
      { path: 'orderId', before: '7', after: '8' },
      { path: 'tags', before: null, after: ['x'] },
    ]);
  });

  test('resets the votes: whoever approved the old inputs may approve the new ones', () => {
    const story = gated({ approvals: 2 }).vote('p').edit('boss', CHEAPER);
    expect(story.vote('q').run.status).toBe('pending_approval');
    expect(story.vote('p').run.status).toBe('running');
    expect(approval(story).decisions.map(({ actor }) => actor.id)).toEqual(['q', 'p']);
    assertHistory(story.entries, story.run);
  });

  test('a quorum after it takes as many different people as before it', () => {
    const story = gated({ approvals: 3 }).vote('p').vote('q').edit('boss', CHEAPER);
    story.vote('p').vote('p');
    expect(story.refused?.code).toBe('self_approval');
    story.vote('r');
    expect(story.run.status).toBe('pending_approval');
    expect(story.vote('s').run.status).toBe('running');
    assertHistory(story.entries, story.run);
  });

  test('excludes the editor, who has written what is decided', () => {
    const story = gated().edit('boss', CHEAPER).vote('boss', { role: 'admin' });
    expect(story.refused?.code).toBe('self_approval');
    expect(approval(story).excluded).toEqual(['sender', 'author', 'boss']);
    expect(story.deny('boss', { role: 'admin' }).refused?.code).toBe('self_approval');
    expect(story.vote('p').run.status).toBe('running');
  });

  test('excludes each of several editors', () => {
    const story = gated({ edit: 'approver' }).edit('p', CHEAPER).edit('q', INPUT);
    expect(story.vote('p').refused?.code).toBe('self_approval');
    expect(story.vote('q').refused?.code).toBe('self_approval');
    expect(approval(story).edits).toBe(2);
    expect(story.vote('r').run.status).toBe('running');
  });

  test('where authors may decide, editors may too, but only once', () => {
    const story = gated({ selfApproval: true, approvals: 2 }).edit('boss', CHEAPER).vote('boss');
    expect(story.vote('boss').refused?.code).toBe('self_approval');
    expect(story.vote('p').run.status).toBe('running');
  });

  test('makes the hash that was shown before it an old one', () => {
    const story = gated();
    const { inputHash } = approval(story);
    story.edit('boss', CHEAPER);
    expectRefused(story, (it) => it.vote('p', { inputHash }), 'approval_mismatch');
    expectRefused(story, (it) => it.edit('q', INPUT, { inputHash }), 'approval_mismatch');
    story.vote('p', { inputHash: approval(story).inputHash });
    expect(story.run.status).toBe('running');
  });

  test('and back again gives the first hash, and the votes do not come back', () => {
    const story = gated({ approvals: 2 });
    const { inputHash } = approval(story);
    story.vote('p').edit('boss', CHEAPER).edit('chief', INPUT);
    expect(approval(story)).toMatchObject({ inputHash, decisions: [], edits: 2 });
  });

  test('moves neither the time it expires nor the rule', () => {
    const story = gated({ approvals: 2 });
    const { expiresAt, rule } = approval(story);
    story.pass('71h').edit('boss', CHEAPER);
    expect(approval(story)).toMatchObject({ expiresAt, rule });
    expect(story.pass('1h').tick().run.status).toBe('expired');
  });

  test('is what is sent: its text is no template', () => {
    const text = '{{ event.data.n }}';
    const plan = planOf([note('a', { approval: {} })]);
    const story = new Story(plan).edit('boss', { text }).vote('p');
    expect(story.step('a')).toMatchObject({ status: 'running', input: { text } });
  });

  test.each<[string, JsonObject, string[]]>([
    ['a field that is missing', { orderId: '7' }, ['input.cents']],
    [
      'several faults, each with its place',
      { orderId: 7, cents: 0 },
      ['input.orderId', 'input.cents'],
    ],
    ['a fault in a list', { ...INPUT, tags: ['x', 1] }, ['input.tags.1']],
    ['a field that there is not', { ...INPUT, extra: true }, ['input.extra']],
    ['text that no hash can be made of', { ...INPUT, orderId: '\ud800' }, ['input']],
  ])('with %s is refused', (_name, input, paths) => {
    const story = gated();
    expectRefused(story, (it) => it.edit('boss', input), 'validation_failed');
    expect(story.refused?.errors?.map(({ path }) => path)).toEqual(paths);
  });

  test('a fault of the whole input is told at the input', () => {
    const { plan } = gated();
    const [step] = plan.definition.steps;
    if (step?.kind !== 'action') throw new Error('no action');
    const faults = [{ path: '', message: 'text, html or both' }];
    const rule = { ...step.rule, check: () => ({ ok: false as const, faults }) };
    const picky: Plan = { ...plan, definition: { ...plan.definition, steps: [{ ...step, rule }] } };
    const story = Object.assign(gated(), { plan: picky }).edit('boss', CHEAPER);
    expect(story.refused?.errors).toEqual([{ path: 'input', message: 'text, html or both' }]);
  });

  test('shows all that will be sent, also what the action takes from the event by itself', () => {
    const { plan } = gated();
    const [step] = plan.definition.steps;
    if (step?.kind !== 'action' || RULES.pay === undefined) throw new Error('no action');
    const rule = { ...RULES.pay, complete: (input: JsonObject) => ({ tags: ['event'], ...input }) };
    const whole: Plan = { ...plan, definition: { ...plan.definition, steps: [{ ...step, rule }] } };
    const story = new Story(whole);
    expect(story.step('a').input).toEqual({ ...INPUT, tags: ['event'] });
    story.edit('boss', CHEAPER);
    expect(story.last('approval_edited').input).toEqual({ ...CHEAPER, tags: ['event'] });
    expect(story.last('approval_edited').changes.map(({ path }) => path)).toEqual(['cents']);
    assertHistory(story.entries, story.run);
  });

  test.each([
    ['admin', 'approver', 'forbidden'],
    ['admin', 'viewer', 'forbidden'],
    ['approver', 'viewer', 'forbidden'],
    ['approver', 'ingest', 'forbidden'],
    ['nobody', 'admin', 'forbidden'],
    ['approver', 'approver', undefined],
    ['approver', 'admin', undefined],
    ['admin', 'admin', undefined],
  ] as const)('where the policy says %s, in the role %s: %s', (edit, role, code) => {
    if (code === undefined) expect(gated({ edit }).edit('p', CHEAPER, { role }).refused).toBe(code);
    else expectRefused(gated({ edit }), (story) => story.edit('p', CHEAPER, { role }), code);
  });

  test.each<[string, (story: Story) => Story, string]>([
    ['it is approved', (story) => story.vote('p'), 'approval_decided'],
    ['it is denied', (story) => story.deny('p'), 'approval_decided'],
    ['it is cancelled', (story) => story.cancel(), 'run_finished'],
    ['it has expired', (story) => story.pass('72h').tick(), 'approval_expired'],
  ])('after %s is refused', (_name, before, code) => {
    expectRefused(before(gated()), (story) => story.edit('boss', CHEAPER), code);
  });

  test('that changes nothing is refused, whatever the order of its fields', () => {
    expectRefused(gated(), (story) => story.edit('boss', { cents: 500, orderId: '7' }), 'conflict');
  });

  test('of one of two changes the other neither in hash nor in votes', () => {
    const policy = { pay: actionPolicy({ approvals: 2 }) };
    const story = new Story(planOf([pay('a'), pay('b', { needs: [] })], { policy }));
    const [one, two] = story.run.approvals;
    story.vote('p', { approvalId: one?.id }).edit('boss', CHEAPER, { approvalId: two?.id });
    expect(story.run.approvals[0]).toMatchObject({ inputHash: one?.inputHash, edits: 0 });
    expect(story.run.approvals[0]?.decisions).toHaveLength(1);
    expect(story.step('a').input).toEqual(INPUT);
    expect(story.step('b').input).toEqual(CHEAPER);
  });
});

describe('breaking the glass', () => {
  test('an admin opens the gate alone, against the quorum, and the run goes on', () => {
    const story = gated({ breakGlass: true, approvals: 3 }).override('boss');
    expect(told(story.entries).slice(-3)).toEqual([
      'approval_overridden a',
      'approval_granted a',
      'attempt_started a 1',
    ]);
    expect(story.last('approval_overridden')).toMatchObject({
      actor: person('boss'),
      comment: 'The house is on fire.',
      requestId: 'req-boss',
    });
    expect(approval(story)).toMatchObject({
      status: 'approved',
      overridden: true,
      required: 3,
      decisions: [
        { actor: person('boss'), decision: 'approved', comment: 'The house is on fire.' },
      ],
    });
    expect(story.succeed('a').succeed('b').run.status).toBe('succeeded');
    assertHistory(story.entries, story.run);
  });

  test('an approval that was given by its quorum does not say so', () => {
    expect(approval(gated({ breakGlass: true }).vote('p')).overridden).toBe(false);
  });

  test.each<[string, Partial<ActionPolicy>, Partial<Claim>, string]>([
    ['where the policy does not allow it', {}, {}, 'forbidden'],
    ['by an approver', { breakGlass: true }, { role: 'approver' }, 'forbidden'],
    ['by a viewer', { breakGlass: true }, { role: 'viewer' }, 'forbidden'],
    [
      'by a named member who is no admin',
      { breakGlass: true, members: ['boss'] },
      { role: 'approver' },
      'forbidden',
    ],
    ['without a reason', { breakGlass: true }, { comment: null }, 'validation_failed'],
    [
      'of other inputs than those that were shown',
      { breakGlass: true },
      { inputHash: '0'.repeat(64) },
      'approval_mismatch',
    ],
    [
      'of an approval that there is not',
      { breakGlass: true },
      { approvalId: 'apr_none' },
      'not_found',
    ],
  ])('%s it is refused', (_name, over, claim, code) => {
    expectRefused(gated(over), (story) => story.override('boss', claim), code);
  });

  test('the reason that is missing is named', () => {
    const story = gated({ breakGlass: true }).override('boss', { comment: null });
    expect(story.refused?.errors?.map(({ path }) => path)).toEqual(['comment']);
  });

  test.each<[string, (story: Story) => Story, string]>([
    ['approved', (story) => story.vote('p'), 'approval_decided'],
    ['overridden', (story) => story.override('chief'), 'approval_decided'],
    ['denied', (story) => story.deny('p'), 'approval_decided'],
    ['cancelled', (story) => story.cancel(), 'run_finished'],
    ['expired', (story) => story.pass('72h').tick(), 'approval_expired'],
  ])('what is %s cannot be overridden', (_name, before, code) => {
    expectRefused(before(gated({ breakGlass: true })), (story) => story.override('boss'), code);
  });

  test('a later policy that allows it opens no gate that was asked for without it', () => {
    const strict = gated();
    const { plan } = gated({ breakGlass: true });
    expectRefused(Object.assign(strict, { plan }), (it) => it.override('boss'), 'forbidden');
  });
});

describe('a look', () => {
  const views = (story: Story) =>
    story.entries.flatMap((entry) => (entry.type === 'approval_viewed' ? [entry.actor.id] : []));

  test('is told once for each person, and changes nothing of the decision', () => {
    const story = gated();
    const { viewers: _none, ...before } = approval(story);
    story.view('p').view('p').view('q').view('p');
    expect(views(story)).toEqual(['p', 'q']);
    expect(approval(story)).toEqual({ ...before, viewers: ['p', 'q'] });
    expect(story.vote('p').run.status).toBe('running');
  });

  test.each<[string, string, Claim['role'], Partial<ActionPolicy>, boolean]>([
    ['an approver', 'p', 'approver', {}, true],
    ['an admin', 'p', 'admin', {}, true],
    ['a viewer', 'p', 'viewer', {}, false],
    ['a sender', 'p', 'ingest', {}, false],
    ['an approver where an admin is asked for', 'p', 'approver', { roles: ['admin'] }, false],
    ['a viewer who is named', 'p', 'viewer', { members: ['p'] }, true],
    ['an author, who may not decide', 'author', 'admin', {}, false],
    ['an author, who may decide', 'author', 'admin', { selfApproval: true }, true],
  ])('of %s: told is %s', (_name, by, role, over, isTold) => {
    const story = gated(over).view(by, { role });
    expect(story.refused).toBeUndefined();
    expect(views(story)).toEqual(isTold ? [by] : []);
  });

  test('of an editor, who may not decide any more, is not told', () => {
    expect(views(gated().edit('boss', CHEAPER).view('boss', { role: 'admin' }))).toEqual([]);
  });

  test('at what is decided is not told', () => {
    const story = gated().vote('p').view('q', { approvalId: first });
    expect(views(story)).toEqual([]);
    expect(story.refused).toBeUndefined();
  });

  test('at an approval that there is not is refused', () => {
    expectRefused(gated(), (story) => story.view('p', { approvalId: 'apr_none' }), 'not_found');
  });
});

describe('who may decide', () => {
  test.each<[string, Partial<ActionPolicy>, string, Claim['role'], boolean]>([
    ['a role is the least that is asked for', { roles: ['approver'] }, 'p', 'admin', true],
    ['a lower role is not enough', { roles: ['admin'] }, 'p', 'approver', false],
    ['a member who is named, whatever the role', { members: ['p'] }, 'p', 'viewer', true],
    ['a member who is not named', { members: ['q'] }, 'p', 'viewer', false],
    ['names come besides roles', { members: ['q'] }, 'p', 'approver', true],
    ['names alone, and one of them', { roles: [], members: ['p'] }, 'p', 'viewer', true],
    ['names alone, and an admin', { roles: [], members: ['q'] }, 'p', 'admin', false],
    ['nobody at all', { roles: [] }, 'p', 'admin', false],
    ['a key that only sends, of a member who is named', { members: ['p'] }, 'p', 'ingest', false],
  ])('%s', (_name, over, by, role, counts) => {
    for (const decision of ['approved', 'denied'] as const) {
      const story = gated(over).vote(by, { role, decision, comment: 'Because.' });
      expect(story.refused?.code).toBe(counts ? undefined : 'forbidden');
      expect(story.run.status === 'pending_approval').toBe(!counts);
    }
  });

  test.each<[string, Partial<ActionPolicy>, string, Claim['role'], boolean]>([
    ['one of those, in the role', {}, 'p', 'approver', true],
    ['one of those, without the role', {}, 'p', 'viewer', false],
    ['one of those, whom the policy names', { members: ['p'] }, 'p', 'viewer', true],
    ['an admin who is not one of those', {}, 'r', 'admin', false],
    ['a named member who is not one of those', { members: ['r'] }, 'r', 'viewer', false],
    ['one of those who is an author', {}, 'author', 'admin', false],
  ])('where the workflow names some: %s', (_name, over, by, role, counts) => {
    const story = gated(over, { approval: { members: ['p', 'q', 'author'] } }).vote(by, { role });
    expect(story.refused === undefined).toBe(counts);
    expect(story.run.status).toBe(counts ? 'running' : 'pending_approval');
  });

  test('whoever may not is told who may', () => {
    const over = { roles: ['admin' as const], members: ['x', 'y'] };
    expect(gated(over).vote('p').refused?.detail).toBe(
      'Deciding takes the role admin, or one of 2 named members.',
    );
    const among = gated({}, { approval: { members: ['q'] } }).vote('p');
    expect(among.refused?.detail).toContain('The workflow names who may decide');
  });
});

describe('a reason', () => {
  test('that the policy asks for is needed for an approval', () => {
    const story = gated({ reasonRequired: true });
    expectRefused(story, (it) => it.vote('p'), 'validation_failed');
    expect(story.refused?.errors).toEqual([
      { path: 'comment', message: 'required by the approval policy' },
    ]);
    expect(story.vote('p', { comment: 'Fine.' }).run.status).toBe('running');
  });

  test('may be asked for by the workflow', () => {
    const story = gated({}, { approval: { reasonRequired: true } });
    expectRefused(story, (it) => it.vote('p'), 'validation_failed');
  });

  test('does not help whoever may not decide', () => {
    const story = gated({ reasonRequired: true });
    expectRefused(story, (it) => it.vote('author', { comment: 'Fine.' }), 'self_approval');
    expectRefused(story, (it) => it.vote('p', { role: 'viewer' }), 'forbidden');
  });
});

describe('while the policy of now is not known', () => {
  const unknown = (plan: Plan): Plan => ({ ...plan, policyIsCurrent: false });
  const steps = () => planOf([note('n'), pay('a'), pause('w', '1h', { needs: ['n'] })]);

  test('no action begins and no gate opens; what waits for a time does, and all goes on later', () => {
    const story = new Story(steps());
    Object.assign(story, { plan: unknown(steps()) }).succeed('n');
    expect(story.statuses()).toEqual({ n: 'succeeded', a: 'pending', w: 'waiting' });
    story.pass('2h').tick();
    expect(story.statuses()).toEqual({ n: 'succeeded', a: 'pending', w: 'succeeded' });
    expect(nextWake(story.run)).toBeLessThanOrEqual(story.now);
    Object.assign(story, { plan: steps() }).tick();
    expect(story.run.status).toBe('pending_approval');
    assertHistory(story.entries, story.run);
  });

  test('a run that has not begun waits for it', () => {
    const story = new Story(unknown(steps()));
    expect(told(story.entries)).toEqual(['run_created']);
    Object.assign(story, { plan: steps() }).tick();
    expect(told(story.entries)).toContain('attempt_started n 1');
  });

  test('votes, denials and expiries count, and what was approved is attempted', () => {
    const held = () => Object.assign(gated(), { plan: unknown(gated().plan) });
    expect(told(held().vote('p').entries)).toContain('attempt_started a 1');
    expect(held().deny('p').run.status).toBe('denied');
    expect(held().pass('72h').tick().run.status).toBe('expired');
    expect(held().cancel().run.status).toBe('cancelled');
  });

  test('nobody edits past a rule that nobody knows', () => {
    const story = Object.assign(gated(), { plan: unknown(gated().plan) });
    expectRefused(story, (it) => it.edit('boss', CHEAPER), 'unavailable');
  });

  test('what is over its budget asks for it again', () => {
    const budget = { count: 1, window: '1h' };
    const plan = planOf([pay('a')], { policy: { pay: actionPolicy({ required: false, budget }) } });
    const story = Object.assign(new Story(plan), { plan: unknown(plan) });
    const answer = { type: 'budget_answered', stepId: 'a', detail: 'Spent.' } as const;
    story.take({ ...answer, granted: false });
    expect(told(story.entries).at(-1)).toBe('budget_asked a');
    Object.assign(story, { plan }).take({ ...answer, granted: false });
    expect(story.run.status).toBe('pending_approval');
  });
});
