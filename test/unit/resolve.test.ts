/** Outcomes that nobody knows: a person says what happened, and nothing is tried again before. */
import { describe, expect, test } from 'vitest';
import type { ActionPolicy } from '../../src/contract/approvals.ts';
import type { Vote } from '../../src/engine/approval.ts';
import { actionPolicy, at, note, pay, planOf, Story, told } from './support/engine.ts';

/** A payment that was approved by two, sent, and never answered for; `note` comes after it. */
function unknownOutcome(over: Partial<ActionPolicy> = {}): Story {
  const policy = {
    pay: actionPolicy({ approvals: 2, edit: 'approver', breakGlass: true, ...over }),
  };
  const story = new Story(planOf([pay('a'), note('n')], { policy }));
  if (over.required !== false) story.vote('ann').vote('bob');
  return unanswered(story);
}

function unanswered(story: Story): Story {
  const error = { code: 'outcome_unknown', message: 'The connection broke.' };
  const outcome = { kind: 'unknown', error, output: { mail: 'half' } } as const;
  const attempt = story.step('a').attempts;
  story.take({ type: 'attempt_ended', stepId: 'a', attempt, outcome });
  return story;
}

const happened: Partial<Vote> = { resolution: 'happened' };
const retry: Partial<Vote> = { resolution: 'retry' };

describe('an outcome that nobody knows', () => {
  test('waits for one person, whatever the quorum, and is not tried again', () => {
    const story = unknownOutcome();
    expect(told(story.entries).slice(-2)).toEqual(['attempt_failed a 1', 'approval_requested a']);
    expect(story.last('attempt_failed').retryAt).toBeNull();
    expect(story.run.status).toBe('pending_approval');
    expect(story.run.approvals.at(-1)).toMatchObject({ kind: 'resolve', required: 1 });
    expect(story.step('a').error).toMatchObject({ code: 'outcome_unknown' });
    story.pass('1h').tick();
    expect(story.step('a').attempts).toBe(1);
  });

  test('also where the action itself needs no approval', () => {
    const story = unknownOutcome({ required: false });
    expect(story.run.approvals).toMatchObject([{ kind: 'resolve', status: 'pending' }]);
  });

  test('it happened: the step has succeeded, and the run goes on', () => {
    const story = unknownOutcome().vote('cyd', happened);
    expect(story.refused).toBeUndefined();
    expect(story.step('a')).toMatchObject({
      status: 'succeeded',
      output: { mail: 'half' },
      error: null,
      attempts: 1,
    });
    expect(story.step('n').status).toBe('running');
    expect(story.succeed('n').run.status).toBe('succeeded');
    expect(story.run.approvals.at(-1)?.decisions).toMatchObject([{ resolution: 'happened' }]);
  });

  test('try again: the next attempt has the same key, and may fail or be unknown again', () => {
    const story = unknownOutcome().vote('cyd', retry);
    expect(told(story.entries).at(-1)).toBe('attempt_started a 2');
    const keys = story.entries.flatMap((entry) =>
      entry.type === 'attempt_started' ? entry.idempotencyKey : [],
    );
    expect(new Set(keys).size).toBe(1);
    unanswered(story).vote('cyd', retry);
    expect(story.step('a').attempts).toBe(3);
    expect(story.succeed('a').succeed('n').run.status).toBe('succeeded');
  });

  test('give up: the run is denied, and says that nobody knows', () => {
    const story = unknownOutcome().deny('cyd');
    expect(story.run.status).toBe('denied');
    expect(story.run.error?.message).toBe('Person cyd gave up, whether it happened or not: No.');
  });

  test('silence gives up too', () => {
    const story = unknownOutcome().pass('73h').tick();
    expect(story.run.status).toBe('expired');
    expect(story.run.error?.message).toBe('Nobody said in time whether it happened.');
  });

  test.each<[string, Partial<Vote>]>([
    ['nothing', {}],
    ['something, for a denial', { decision: 'denied', comment: 'No.', ...happened }],
  ])('a vote that says %s is refused, and tells where', (_, over) => {
    const story = unknownOutcome().vote('cyd', over);
    expect(story.refused).toMatchObject({
      code: 'validation_failed',
      errors: [{ path: 'resolution' }],
    });
    expect(story.run.status).toBe('pending_approval');
  });

  test('a gate takes no resolution', () => {
    const story = new Story(planOf([pay('a')])).vote('ann', happened);
    expect(story.refused).toMatchObject({ errors: [{ path: 'resolution' }] });
    expect(story.step('a').attempts).toBe(0);
  });

  test('the rules of the action hold: roles, self-approval, reasons', () => {
    expect(unknownOutcome().vote('sender', happened).refused?.code).toBe('self_approval');
    const viewer = unknownOutcome().vote('cyd', { role: 'viewer', ...happened });
    expect(viewer.refused?.code).toBe('forbidden');
    const silent = new Story(
      planOf([pay('a')], { policy: { pay: actionPolicy({ reasonRequired: true }) } }),
    );
    silent.vote('ann', { comment: 'Fine.' });
    expect(unanswered(silent).vote('ann', happened).refused?.errors?.[0]?.path).toBe('comment');
  });

  test('neither edits nor the breaking of glass, though the policy has both', () => {
    const edited = unknownOutcome().edit('cyd', { orderId: '7', cents: 1 });
    expect(edited.refused?.code).toBe('forbidden');
    expect(unknownOutcome().override('cyd').refused?.code).toBe('forbidden');
  });

  test('who approved the action may also say what became of it', () => {
    expect(unknownOutcome().vote('ann', happened).step('a').status).toBe('succeeded');
  });

  test('one that arrives after the end of the run is recorded, and asks nothing', () => {
    const story = new Story(planOf([pay('a')])).vote('ann').cancel();
    unanswered(story);
    expect(told(story.entries).at(-1)).toBe('attempt_failed a 1');
    expect(story.run.status).toBe('cancelled');
  });
});

describe('an attempt that was lost', () => {
  test('makes the attempts after it unsure, until somebody says what happened', () => {
    const story = new Story(planOf([pay('a')])).vote('ann');
    expect(story.step('a').lost).toBe(false);
    story.pass('1m').tick();
    expect(story.last('attempt_failed').error.code).toBe('attempt_lost');
    story.pass('1m').tick();
    expect(story.step('a')).toMatchObject({ attempts: 2, lost: true });
    unanswered(story);
    expect(story.vote('ann', retry).step('a')).toMatchObject({ attempts: 3, lost: false });
  });
});

/** The plan has three attempts for each step. */
describe('a failure that leaves it in doubt whether the action was carried out', () => {
  const begun = () => new Story(planOf([pay('a'), note('n')])).vote('ann');

  test('is tried again while there are attempts, and the history says of which it holds', () => {
    const story = begun().fail('a', { inDoubt: true });
    expect(story.run.status).toBe('waiting');
    expect(story.last('attempt_failed')).toMatchObject({ inDoubt: true, retryAt: at('10s') });
    story.pass('10s').tick();
    expect(story.succeed('a').succeed('n').run.status).toBe('succeeded');
  });

  test.each([
    ['the last attempt', [false, false, true]],
    ['an earlier one', [true, false, false]],
  ])('of %s: a person is asked when the attempts are used up', (_which, doubts) => {
    const story = begun();
    for (const inDoubt of doubts)
      story
        .fail('a', inDoubt ? { inDoubt } : {})
        .pass('1m')
        .tick();
    expect(story.run.status).toBe('pending_approval');
    expect(story.run.approvals.at(-1)).toMatchObject({ kind: 'resolve', status: 'pending' });
    expect(story.step('a')).toMatchObject({ attempts: 3, error: { code: 'unreachable' } });
    expect(story.vote('ann', happened).step('a').status).toBe('succeeded');
  });

  test('is over once somebody has said that it did not happen', () => {
    const story = begun();
    for (const _ of [1, 2, 3]) story.fail('a', { inDoubt: true }).pass('1m').tick();
    story.vote('ann', retry).fail('a');
    expect(story.run).toMatchObject({ status: 'failed', error: { code: 'unreachable' } });
  });

  test('is answered by a later attempt that is refused', () => {
    const story = begun().fail('a', { inDoubt: true }).pass('10s').tick();
    story.fail('a', { retryable: false });
    expect(story.run.status).toBe('failed');
  });
});
