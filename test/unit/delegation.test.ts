/** Deciding in somebody's place: by their right, as their vote, and never twice by anyone. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ActionPolicy } from '../../src/contract/approvals.ts';
import type { JsonObject, Role } from '../../src/contract/json.ts';
import { rightsOf, type Vote } from '../../src/engine/approval.ts';
import { viewApproval } from '../../src/engine/approval-state.ts';
import { erasedApproval, erasedEntries } from '../../src/engine/erasure.ts';
import { actionPolicy, note, pay, person, planOf, Story, told } from './support/engine.ts';
import { assertHistory } from './support/invariants.ts';
import { always } from './support/properties.ts';

const gated = (over: Partial<ActionPolicy> = {}, more: JsonObject = {}) =>
  new Story(planOf([pay('a', more), note('b')], { policy: { pay: actionPolicy(over) } }));
const approval = (story: Story) => {
  const [only] = story.run.approvals;
  if (only === undefined) throw new Error('no approval');
  return only;
};
const CHEAPER = { orderId: '7', cents: 400 };

/** What somebody brings who stands in for these people, each in the role that they have now. */
const standingInFor = (people: Readonly<Record<string, Role>>) => ({
  standsInFor: Object.entries(people).map(([id, role]) => ({ actor: person(id), role })),
});
/** By the right of the first of them, in a role of one's own that decides nothing. */
const inPlaceOf = (id: string, role: Role = 'approver', own: Role = 'viewer'): Partial<Vote> => ({
  role: own,
  onBehalfOf: id,
  ...standingInFor({ [id]: role }),
});

function expectRefused(story: Story, happens: (it: Story) => Story, code: string): void {
  const { run } = story;
  expect(happens(story).refused?.code).toBe(code);
  expect(story.refused?.detail).toMatch(/\.$/);
  expect(story.run).toEqual(run);
}

describe('a vote in the place of somebody', () => {
  test('counts as theirs, and tells of both', () => {
    const story = gated().vote('dana', inPlaceOf('xavier'));
    expect(story.refused).toBeUndefined();
    expect(story.last('approval_approved')).toMatchObject({
      actor: person('dana'),
      onBehalfOf: person('xavier'),
    });
    expect(approval(story).decisions).toMatchObject([
      { actor: person('dana'), onBehalfOf: person('xavier'), decision: 'approved' },
    ]);
    expect(story.run.status).toBe('running');
    assertHistory(story.entries, story.run);
  });

  test('denies, and the run says who did, and for whom', () => {
    const story = gated().deny('dana', inPlaceOf('xavier'));
    expect(story.run).toMatchObject({
      status: 'denied',
      error: { message: 'Person dana for Person xavier denied it: No.' },
    });
    assertHistory(story.entries, story.run);
  });

  test('says what became of an attempt whose outcome nobody knew', () => {
    const story = gated().vote('p');
    const error = { code: 'outcome_unknown', message: 'No answer came.' };
    const outcome = { kind: 'unknown', error, output: null } as const;
    story.take({ type: 'attempt_ended', stepId: 'a', attempt: 1, outcome });
    story.vote('dana', { ...inPlaceOf('xavier'), resolution: 'happened' });
    expect(story.step('a').status).toBe('succeeded');
    assertHistory(story.entries, story.run);
  });

  test('has no mark of it where it is a vote by the own right', () => {
    const story = gated().vote('dana', standingInFor({ xavier: 'admin' }));
    expect(story.last('approval_approved')).not.toHaveProperty('onBehalfOf');
    expect(approval(story).decisions[0]).not.toHaveProperty('onBehalfOf');
  });

  test.each<[string, Partial<ActionPolicy>, JsonObject, Role, string | undefined]>([
    ['of an approver where an approver may', {}, {}, 'approver', undefined],
    ['of an approver where an admin has to', { roles: ['admin'] }, {}, 'approver', 'forbidden'],
    ['of an admin where an admin has to', { roles: ['admin'] }, {}, 'admin', undefined],
    ['of somebody demoted since', {}, {}, 'viewer', 'forbidden'],
    ['of a viewer who is named', { roles: [], members: ['xavier'] }, {}, 'viewer', undefined],
    ['of a viewer who is not', { roles: [], members: ['yves'] }, {}, 'viewer', 'forbidden'],
    ['of somebody among', {}, { approval: { members: ['xavier'] } }, 'approver', undefined],
    ['of somebody not among', {}, { approval: { members: ['dana'] } }, 'approver', 'forbidden'],
    ['of a sender', {}, {}, 'ingest', 'forbidden'],
  ])('is worth what the right is: %s', (_name, over, more, role, code) => {
    const story = gated(over, more).vote('dana', inPlaceOf('xavier', role));
    expect(story.refused?.code).toBe(code);
    expect(story.run.status).toBe(code === undefined ? 'running' : 'pending_approval');
  });

  test('does not borrow more than the one right: a role of the stand-in adds nothing to it', () => {
    const story = gated({ roles: ['admin'] });
    expectRefused(
      story,
      (it) => it.vote('dana', inPlaceOf('xavier', 'approver', 'admin')),
      'forbidden',
    );
    expect(story.vote('dana', { role: 'admin' }).run.status).toBe('running');
  });

  test('takes that they let this person, now', () => {
    const notLent = (id: string) => ({ onBehalfOf: id, ...standingInFor({ yves: 'admin' }) });
    for (const id of ['xavier', 'dana', ''])
      expectRefused(gated(), (it) => it.vote('dana', notLent(id)), 'forbidden');
    expectRefused(gated(), (it) => it.vote('dana', { onBehalfOf: 'xavier' }), 'forbidden');
  });

  test('follows the rule after an escalation', () => {
    const escalateTo = { roles: [], members: ['cfo'], expiresIn: '24h' };
    const story = gated({ onExpire: 'escalate', escalateTo }).pass('72h').tick();
    expectRefused(story, (it) => it.vote('dana', inPlaceOf('xavier')), 'forbidden');
    expect(story.vote('dana', inPlaceOf('cfo', 'viewer')).run.status).toBe('running');
    assertHistory(story.entries, story.run);
  });
});

describe('one human is one vote', () => {
  const two = () => gated({ approvals: 2 });
  type Ballot = readonly [by: string, over?: Partial<Vote>];
  test.each<[string, Ballot, Ballot]>([
    ['not for oneself and then for another', ['dana'], ['dana', inPlaceOf('xavier')]],
    ['nor for another and then for oneself', ['dana', inPlaceOf('xavier')], ['dana']],
    ['nor for two others', ['dana', inPlaceOf('xavier')], ['dana', inPlaceOf('yves')]],
    ['nor twice by one right', ['dana', inPlaceOf('xavier')], ['emil', inPlaceOf('xavier')]],
    ['nor for somebody who has decided', ['xavier'], ['dana', inPlaceOf('xavier')]],
    ['nor by somebody whose right is used', ['dana', inPlaceOf('xavier')], ['xavier']],
    [
      'nor for somebody who has decided for another',
      ['xavier', inPlaceOf('yves')],
      ['dana', inPlaceOf('xavier')],
    ],
    [
      'nor by two who stand in for each other',
      ['dana', inPlaceOf('xavier')],
      ['xavier', inPlaceOf('dana', 'approver', 'approver')],
    ],
  ])('%s', (_name, first, [by, over]) => {
    const story = two().vote(...first);
    expect(story.refused).toBeUndefined();
    expectRefused(story, (it) => it.vote(by, over), 'self_approval');
    expectRefused(story, (it) => it.deny(by, over), 'self_approval');
  });

  test('two people by two rights are two, whoever of them is away', () => {
    const story = two().vote('dana', inPlaceOf('xavier')).vote('emil', inPlaceOf('yves'));
    expect(story.run.status).toBe('running');
    assertHistory(story.entries, story.run);
  });

  test('an edit gives everybody their vote back', () => {
    const story = two().vote('dana', inPlaceOf('xavier')).edit('boss', CHEAPER);
    story.vote('dana', { role: 'approver' }).vote('xavier');
    expect(story.run.status).toBe('running');
    assertHistory(story.entries, story.run);
  });

  test('whoever is refused is told why, and by whom it was decided', () => {
    const story = two().vote('dana', inPlaceOf('xavier'));
    const detail = (by: string, over: Partial<Vote> = {}) => story.vote(by, over).refused?.detail;
    expect(detail('dana')).toBe('You have decided already; another person has to.');
    expect(detail('xavier')).toBe(
      'Person dana has decided for you already; another person has to.',
    );
    expect(detail('emil', inPlaceOf('xavier'))).toBe(
      'Person dana has decided for Person xavier already; another person has to.',
    );
    expect(story.vote('yves', inPlaceOf('zoe')).run.status).toBe('running');
  });
});

describe('separation of duties', () => {
  test.each(['sender', 'author'])('nobody decides in the place of the %s', (id) => {
    expectRefused(gated(), (it) => it.vote('dana', inPlaceOf(id, 'admin')), 'self_approval');
  });

  test.each(['sender', 'author'])('the %s decides in nobody’s place', (id) => {
    expectRefused(gated(), (it) => it.vote(id, inPlaceOf('xavier', 'admin')), 'self_approval');
  });

  test('whoever changed the inputs decides for nobody, and nobody for them', () => {
    const story = gated().edit('boss', CHEAPER);
    expectRefused(story, (it) => it.vote('boss', inPlaceOf('xavier', 'admin')), 'self_approval');
    expectRefused(story, (it) => it.vote('dana', inPlaceOf('boss', 'admin')), 'self_approval');
    expect(story.refused?.detail).toContain('nor anyone in their place');
  });

  test('where the policy lets authors decide, others may in their place', () => {
    const story = gated({ selfApproval: true }).vote('dana', inPlaceOf('author'));
    expect(story.run.status).toBe('running');
    assertHistory(story.entries, story.run);
  });
});

describe('a delegation lends the right to decide and no other', () => {
  test('no editing', () => {
    const lent = { role: 'approver', ...standingInFor({ xavier: 'admin' }) } as const;
    expectRefused(gated(), (it) => it.edit('dana', CHEAPER, lent), 'forbidden');
  });

  test('no breaking of the glass', () => {
    const lent = { role: 'approver', ...standingInFor({ xavier: 'admin' }) } as const;
    expectRefused(gated({ breakGlass: true }), (it) => it.override('dana', lent), 'forbidden');
  });

  test('a look of a stand-in is told of like that of any who may decide', () => {
    const story = gated()
      .view('dana', { role: 'viewer', ...standingInFor({ xavier: 'approver' }) })
      .view('emil', { role: 'viewer', ...standingInFor({ author: 'admin' }) })
      .view('author', { role: 'viewer', ...standingInFor({ xavier: 'approver' }) });
    expect(told(story.entries).filter((one) => one.startsWith('approval_viewed'))).toHaveLength(1);
    expect(story.last('approval_viewed').actor).toEqual(person('dana'));
  });
});

describe('whoever may decide by another right alone', () => {
  const lent = {
    role: 'viewer',
    ...standingInFor({ xavier: 'approver', yves: 'viewer' }),
  } as const;

  test('is told by whose', () => {
    const story = gated().vote('dana', lent);
    expect(story.refused).toMatchObject({ code: 'forbidden' });
    expect(story.refused?.detail).toBe(
      'Deciding takes the role approver. You may in the place of Person xavier (xavier): send onBehalfOf.',
    );
  });

  test('is not told so once that right is used, or barred', () => {
    const used = gated({ approvals: 2 }).vote('xavier').vote('dana', lent);
    expect(used.refused?.detail).toBe('Deciding takes the role approver.');
    const barred = gated().edit('xavier', CHEAPER).vote('dana', lent);
    expect(barred.refused?.detail).toBe('Deciding takes the role approver.');
  });

  test('has that right in the list of rights, and the own one before it', () => {
    const open = approval(gated());
    const ids = (barred: string[], role: Role) =>
      rightsOf(open, barred, { ...lent, actor: person('dana'), role }).map(({ actor }) => actor.id);
    expect(ids([], 'viewer')).toEqual(['xavier']);
    expect(ids([], 'approver')).toEqual(['dana', 'xavier']);
    expect(ids(['xavier'], 'approver')).toEqual(['dana']);
    expect(ids(['dana'], 'approver')).toEqual([]);
  });
});

test('whoever votes for whom, in whatever order, no vote names anybody twice', () => {
  const someone = fc.constantFrom('ann', 'bob', 'cyd', 'dan', 'author');
  const ballot = fc.record({
    by: someone,
    role: fc.constantFrom<Role>('viewer', 'approver', 'admin'),
    whose: fc.option(someone, { nil: undefined, freq: 4 }),
    whoseRole: fc.constantFrom<Role>('viewer', 'approver', 'admin'),
    does: fc.constantFrom('vote', 'vote', 'vote', 'vote', 'vote', 'vote', 'edit', 'look'),
  });
  let [lent, quorums] = [0, 0];
  always(
    20_261_125,
    2_000,
    fc.property(
      fc.integer({ min: 2, max: 4 }),
      fc.array(ballot, { maxLength: 14 }),
      (n, ballots) => {
        const story = gated({ approvals: n, edit: 'approver', selfApproval: n === 4 });
        for (const [turn, { by, role, whose, whoseRole, does }] of ballots.entries()) {
          const person = whose === undefined ? {} : standingInFor({ [whose]: whoseRole });
          if (does === 'edit') story.edit(by, { orderId: '7', cents: turn + 1 }, { role });
          else if (does === 'look') story.view(by, { role, ...person });
          else story.vote(by, { role, onBehalfOf: whose, ...person });
        }
        assertHistory(story.entries, story.run);
        const votes = story.entries.filter(({ type }) => type === 'approval_approved');
        lent += votes.filter((entry) => 'onBehalfOf' in entry).length;
        if (story.run.status === 'running') quorums += 1;
      },
    ),
  );
  expect(lent).toBeGreaterThan(1_000);
  expect(quorums).toBeGreaterThan(100);
});

test('the name of either is forgotten when they are, and the other’s stays', () => {
  const { entries, run } = gated().vote('dana', { ...inPlaceOf('xavier'), comment: 'Fine.' });
  const nameless = (id: string) => ({ ...person(id), name: '[erased]' });
  const marks = (id: string) => ({ emails: [], customerIds: [], names: [], actorIds: [id] });
  const votes = (id: string) =>
    erasedEntries(entries, marks(id), () => false, false).find(
      ({ type }) => type === 'approval_approved',
    );
  const left = { actor: person('dana'), onBehalfOf: nameless('xavier'), comment: 'Fine.' };
  expect(votes('xavier')).toMatchObject(left);
  const gone = { actor: nameless('dana'), onBehalfOf: person('xavier'), comment: '[erased]' };
  expect(votes('dana')).toMatchObject(gone);
  const [open] = run.approvals;
  if (open === undefined) throw new Error('no approval');
  const of = { runId: run.id, workflowId: 'wf_1', workflowName: 'Test', workflowVersion: 3 };
  const what = { eventType: 'order.created', action: 'pay', input: CHEAPER, error: null };
  const item = { ...viewApproval(open), ...of, ...what };
  expect(erasedApproval(item, marks('xavier'), false).decisions).toMatchObject([left]);
  expect(erasedApproval(item, marks('dana'), false).decisions).toMatchObject([gone]);
});
