/** The gate (I3): what a request is bound to, whose vote counts and when. */
import { describe, expect, test } from 'vitest';
import type { ActionPolicy } from '../../src/contract/approvals.ts';
import type { JsonObject } from '../../src/contract/json.ts';
import { type Binding, completesQuorum, inputHash, type Vote } from '../../src/engine/approval.ts';
import { bindingOf } from '../../src/engine/plan.ts';
import {
  actionPolicy,
  at,
  note,
  pay,
  person,
  planOf,
  policyRule,
  RUN_ID,
  Story,
  told,
} from './support/engine.ts';
import { assertHistory } from './support/invariants.ts';

const gated = (over: Partial<ActionPolicy> = {}) =>
  new Story(planOf([pay('a')], { policy: { pay: actionPolicy(over) } }));
const first = `apr_${RUN_ID.slice(4)}-1`;
const second = `apr_${RUN_ID.slice(4)}-2`;

describe('a gate opens', () => {
  test('with the rule of that moment, bound to the inputs, and the authors excluded', () => {
    const request = gated({ approvals: 2 }).last('approval_requested');
    expect(request).toMatchObject({
      stepId: 'a',
      approvalId: first,
      rule: policyRule({ approvals: 2 }),
      expiresAt: at('72h'),
      excluded: ['sender', 'author'],
    });
  });

  test('where the policy waives it there is no gate', () => {
    expect(told(gated({ required: false }).entries)).toEqual([
      'run_created',
      'step_started a',
      'attempt_started a 1',
    ]);
  });

  test('a safe action that a workflow gates waits too', () => {
    const story = new Story(planOf([note('a', { approval: { approvals: 2, expiresIn: '1h' } })]));
    expect(story.last('approval_requested')).toMatchObject({
      rule: { approvals: 2 },
      expiresAt: at('1h'),
    });
  });

  test('a later change of the policy does not loosen what was asked for', () => {
    const strict = gated({ approvals: 2 });
    const loose = planOf([pay('a')], { policy: { pay: actionPolicy({ required: false }) } });
    const story = Object.assign(strict, { plan: loose }).vote('p');
    expect(story.run.status).toBe('pending_approval');
    expect(story.run.approvals[0]).toMatchObject({ status: 'pending', required: 2 });
  });

  test('a gate that opens later follows the policy of then', () => {
    const story = new Story(planOf([note('n'), pay('a')]));
    const plan = planOf([note('n'), pay('a')], { policy: { pay: actionPolicy({ approvals: 5 }) } });
    expect(Object.assign(story, { plan }).succeed('n').run.approvals[0]?.required).toBe(5);
  });

  test('the hash is of exactly what will be sent, and when, where and under which rule', () => {
    const story = gated();
    const request = story.last('approval_requested');
    const step = { id: 'a', action: 'pay' };
    const input = { orderId: '7', cents: 500 };
    const binding = bindingOf(story.plan, step, input, request.rule, request.expiresAt);
    expect(inputHash(binding)).toBe(request.inputHash);
    const others: Partial<Binding>[] = [
      { tenant: 'other' },
      { run: 'run_2' },
      { step: 'b' },
      { action: 'note' },
      { input: { orderId: '7', cents: 501 } },
      { input: { orderId: 7, cents: 500 } },
      { workflow: { id: 'wf_1', version: 4 } },
      { workflow: { id: 'wf_2', version: 3 } },
      { rule: { ...request.rule, approvals: 2 } },
      { expiresAt: at('73h') },
    ];
    const hashes = others.map((over) => inputHash({ ...binding, ...over }));
    expect(new Set([request.inputHash, ...hashes]).size).toBe(others.length + 1);
    const reordered = { ...binding, input: { cents: 500, orderId: '7' } };
    expect(inputHash(reordered)).toBe(request.inputHash);
  });
});

describe('approving', () => {
  test('one approval opens a gate that asks for one', () => {
    const story = gated().vote('p', { comment: 'Fine.' });
    expect(told(story.entries).slice(-3)).toEqual([
      'approval_approved a',
      'approval_granted a',
      'attempt_started a 1',
    ]);
    expect(story.last('approval_approved')).toMatchObject({
      actor: person('p'),
      comment: 'Fine.',
      requestId: 'req-p',
    });
    expect(story.run.status).toBe('running');
    expect(story.refused).toBeUndefined();
  });

  test.each([2, 3, 7])('a quorum of %i takes that many different people', (approvals) => {
    const story = gated({ approvals });
    for (let n = 1; n < approvals; n += 1) {
      story.vote(`p${n}`);
      story.vote(`p${n}`);
      expect(story.refused?.code).toBe('self_approval');
      expect(story.run.status).toBe('pending_approval');
    }
    story.vote('last');
    expect(story.run.status).toBe('running');
    expect(story.run.approvals[0]).toMatchObject({ status: 'approved' });
    expect(story.run.approvals[0]?.decisions).toHaveLength(approvals);
    assertHistory(story.entries, story.run);
  });

  test('people are counted, not decisions', () => {
    const [approval] = gated({ approvals: 2 }).vote('p').run.approvals;
    if (approval === undefined) throw new Error('no approval');
    expect(completesQuorum(approval, voteOf('p'))).toBe(false);
    expect(completesQuorum(approval, voteOf('q'))).toBe(true);
  });

  test('the attempts after a failure need no new approval', () => {
    const story = gated().vote('p').fail('a').pass('10s').tick();
    expect(told(story.entries).at(-1)).toBe('attempt_started a 2');
    assertHistory(story.entries, story.run);
  });
});

describe('denying', () => {
  test('one denial ends the run, whatever was approved before', () => {
    const story = gated({ approvals: 2 }).vote('p').deny('q', { comment: 'Too much.' });
    expect(told(story.entries).slice(-2)).toEqual(['approval_denied a', 'run_denied']);
    expect(story.run).toMatchObject({
      status: 'denied',
      error: { code: 'approval_denied', stepId: 'a', message: 'Person q denied it: Too much.' },
    });
    expect(story.step('a').status).toBe('denied');
  });

  test('the other requests of the run are cancelled', () => {
    const story = new Story(planOf([pay('a'), pay('b', { needs: [] })])).deny('p', {
      approvalId: second,
    });
    expect(told(story.entries).slice(-3)).toEqual([
      'approval_denied b',
      'approval_cancelled a',
      'run_denied',
    ]);
    expect(story.statuses()).toEqual({ a: 'cancelled', b: 'denied' });
  });

  test('whoever approved may not deny afterwards', () => {
    expect(gated({ approvals: 2 }).vote('p').deny('p').refused?.code).toBe('self_approval');
  });
});

describe('votes that do not count', () => {
  type Case = [string, () => Story, string, Partial<Vote>, string];
  const two = () => new Story(planOf([pay('a'), pay('b', { needs: [] })]));
  test.each<Case>([
    ['of the sender of the event', () => gated(), 'sender', {}, 'self_approval'],
    ['of the author of the workflow', () => gated(), 'author', {}, 'self_approval'],
    ['of an author who is an admin', () => gated(), 'author', { role: 'admin' }, 'self_approval'],
    ['of a viewer', () => gated(), 'p', { role: 'viewer' }, 'forbidden'],
    ['of a sender key', () => gated(), 'p', { role: 'ingest' }, 'forbidden'],
    [
      'of an approver where an admin is asked for',
      () => gated({ roles: ['admin'] }),
      'p',
      {},
      'forbidden',
    ],
    ['on other inputs', () => gated(), 'p', { inputHash: '0'.repeat(64) }, 'approval_mismatch'],
    [
      'on an approval that there is not',
      () => gated(),
      'p',
      { approvalId: 'apr_none' },
      'not_found',
    ],
    ['on one of two without naming it', two, 'p', {}, 'approval_ambiguous'],
    ['where nothing waits', () => new Story(planOf([note('a')])), 'p', {}, 'conflict'],
    [
      'on a finished run that never asked',
      () => new Story(planOf([note('a')])).succeed('a'),
      'p',
      {},
      'run_finished',
    ],
    ['on what is approved', () => gated().vote('q'), 'p', {}, 'approval_decided'],
    [
      'on what is approved, by name',
      () => gated().vote('q'),
      'p',
      { approvalId: first },
      'approval_decided',
    ],
    ['on what is denied', () => gated().deny('q'), 'p', {}, 'approval_decided'],
    ['on what has expired', () => gated().pass('72h').tick(), 'p', {}, 'approval_expired'],
    ['on what was cancelled', () => gated().cancel(), 'p', {}, 'run_finished'],
    [
      'on a finished run whose approval was given',
      () => gated().vote('q').succeed('a'),
      'p',
      { approvalId: first },
      'approval_decided',
    ],
  ])('%s', (_name, before, by, over, code) => {
    for (const decision of ['approved', 'denied'] as const) {
      const story = before();
      const { run } = story;
      expect(story.take({ type: 'vote', vote: { ...voteOf(by), ...over, decision } })).toEqual([]);
      expect(story.refused?.code).toBe(code);
      expect(story.refused?.detail).toMatch(/\.$/);
      expect(story.run).toEqual(run);
    }
  });

  test('the ambiguous answer names what is pending', () => {
    expect(two().vote('p').refused?.detail).toContain(`${first}, ${second}`);
  });

  test('a named one of two counts, and then the other needs no name', () => {
    const story = two().vote('p', { approvalId: second }).vote('q');
    expect(story.refused).toBeUndefined();
    expect(story.statuses()).toEqual({ a: 'running', b: 'running' });
  });

  test('the right hash counts', () => {
    const story = gated();
    story.vote('p', { inputHash: story.last('approval_requested').inputHash });
    expect(story.run.status).toBe('running');
  });

  test('where the policy allows it the author decides, but only once', () => {
    const story = gated({ selfApproval: true, approvals: 2 }).vote('author').vote('author');
    expect(story.refused?.code).toBe('self_approval');
    expect(story.vote('sender').run.status).toBe('running');
  });
});

describe('silence denies', () => {
  test('a request ends in the moment that was named, and the run with it', () => {
    const story = gated().pass('71h').tick();
    expect(story.run.status).toBe('pending_approval');
    story.pass('1h').tick();
    expect(told(story.entries).slice(-2)).toEqual(['approval_expired a', 'run_expired']);
    expect(story.run).toMatchObject({
      status: 'expired',
      error: { code: 'approval_expired', stepId: 'a' },
    });
  });

  test('the first of two requests to expire cancels the other', () => {
    const soon: JsonObject = { needs: [], approval: { expiresIn: '1h' } };
    const story = new Story(planOf([pay('a'), pay('b', soon)])).pass('1h').tick();
    expect(told(story.entries).slice(-3)).toEqual([
      'approval_expired b',
      'approval_cancelled a',
      'run_expired',
    ]);
    expect(story.statuses()).toEqual({ a: 'cancelled', b: 'expired' });
  });

  test.each(['approved', 'denied'] as const)(
    'a vote that comes after that moment and before the alarm is too late: %s',
    (decision) => {
      const story = gated().pass('72h').vote('p', { decision });
      expect(story.refused?.code).toBe('approval_expired');
      expect(told(story.entries).slice(-2)).toEqual(['approval_expired a', 'run_expired']);
      expect(story.run.status).toBe('expired');
      assertHistory(story.entries, story.run);
    },
  );

  test('half a quorum is not enough', () => {
    const story = gated({ approvals: 2 }).vote('p').pass('72h').vote('q');
    expect(story.refused?.code).toBe('approval_expired');
    expect(story.run.approvals[0]?.decisions).toHaveLength(1);
  });

  test('a vote in the last millisecond counts', () => {
    const story = gated();
    story.now = Date.parse(story.last('approval_requested').expiresAt) - 1;
    expect(story.vote('p').run.status).toBe('running');
  });
});

function voteOf(by: string): Vote {
  return {
    decision: 'approved',
    approvalId: undefined,
    inputHash: undefined,
    actor: person(by),
    role: 'approver',
    comment: 'Because.',
    requestId: 'r',
  };
}
