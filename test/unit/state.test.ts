/** The fold: every entry's effect on the run, step and approval, and the whole from its history. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Entry, entry as entrySchema, type Fact } from '../../src/contract/entries.ts';
import {
  isFinal,
  RUN_STATUSES,
  type RunStatus,
  run as runSchema,
} from '../../src/contract/runs.ts';
import { evolve, newRun, type RunState, replay, viewRun } from '../../src/engine/state.ts';
import { at, frozen, note, person, planOf, policyRule, RUN_ID, Story } from './support/engine.ts';
import { always } from './support/properties.ts';
import { scenario } from './support/scenarios.ts';
import { play } from './support/simulation.ts';

const CREATED: Extract<Entry, { type: 'run_created' }> = {
  seq: 1,
  at: at(null),
  type: 'run_created',
  workflowId: 'wf_1',
  workflowName: 'Test',
  workflowVersion: 3,
  eventId: 'evt_1',
  eventType: 'order.created',
  requestId: 'req-1',
  correlationId: 'cor-1',
  steps: [
    { id: 'a', action: 'pay' },
    { id: 'w', action: null },
  ],
};
const RULE = policyRule({ approvals: 2 });
const FAILURE = { code: 'unreachable', message: 'Nobody answered.', stepId: 'a' };

const started: Fact = { type: 'step_started', stepId: 'a', action: 'pay', input: { cents: 5 } };
const requested: Extract<Fact, { type: 'approval_requested' }> = {
  type: 'approval_requested',
  kind: 'gate',
  stepId: 'a',
  approvalId: 'apr_1',
  rule: RULE,
  inputHash: 'f'.repeat(64),
  expiresAt: at('72h'),
  excluded: ['sender'],
};
const approvedBy = (id: string): Extract<Fact, { type: 'approval_approved' }> => ({
  type: 'approval_approved',
  stepId: 'a',
  approvalId: 'apr_1',
  actor: person(id),
  comment: null,
  requestId: 'r',
});
const onApproval = { stepId: 'a', approvalId: 'apr_1' } as const;
const attempt: Fact = {
  type: 'attempt_started',
  stepId: 'a',
  attempt: 1,
  idempotencyKey: 'k',
  deadline: at('45s'),
};
const cancelled: Fact = {
  type: 'run_cancelled',
  actor: person('boss'),
  comment: null,
  requestId: 'r',
};

/** Folds facts, each an hour after the one before. */
function fold(...facts: Fact[]): RunState {
  return facts.reduce(
    (run, fact, index) => evolve(run, { ...fact, seq: run.seq + 1, at: at(`${index + 1}h`) }),
    newRun(RUN_ID, CREATED),
  );
}

describe('a new run', () => {
  test('is queued, with every step pending and nothing known of them', () => {
    const run = newRun(RUN_ID, CREATED);
    expect(run).toMatchObject({
      id: RUN_ID,
      status: 'queued',
      seq: 1,
      createdAt: at(null),
      finishedAt: null,
    });
    expect(run.steps[1]).toEqual({
      id: 'w',
      action: null,
      status: 'pending',
      attempts: 0,
      nextAttemptAt: null,
      progress: null,
      progressedAttempt: 0,
      lost: false,
      inDoubt: false,
      input: null,
      output: null,
      error: null,
      startedAt: null,
      finishedAt: null,
      deadline: null,
      budgetAskedAt: null,
    });
  });

  test('a second beginning changes nothing', () => {
    const run = newRun(RUN_ID, CREATED);
    expect(evolve(run, CREATED)).toBe(run);
  });

  test('an empty history is no run, and one without a beginning neither', () => {
    expect(replay(RUN_ID, [])).toBeUndefined();
    expect(replay(RUN_ID, [{ seq: 1, at: at(null), type: 'run_succeeded' }])).toBeUndefined();
  });
});

describe('what an entry does to its step', () => {
  test.each<[string, Fact[], Partial<RunState['steps'][number]>, RunStatus]>([
    [
      'started',
      [started],
      { status: 'running', input: { cents: 5 }, startedAt: at('1h') },
      'running',
    ],
    [
      'skipped',
      [{ type: 'step_skipped', stepId: 'a', reason: 'x' }],
      { status: 'skipped', startedAt: null, finishedAt: at('1h') },
      'running',
    ],
    [
      'gated',
      [started, requested],
      { status: 'pending_approval', finishedAt: null },
      'pending_approval',
    ],
    [
      'half approved',
      [started, requested, approvedBy('p')],
      { status: 'pending_approval' },
      'pending_approval',
    ],
    [
      'granted',
      [started, requested, { type: 'approval_granted', ...onApproval }],
      { status: 'running' },
      'running',
    ],
    [
      'denied',
      [started, requested, { ...approvedBy('p'), type: 'approval_denied' }],
      { status: 'denied', finishedAt: at('3h') },
      'running',
    ],
    [
      'expired',
      [started, requested, { type: 'approval_expired', ...onApproval }],
      { status: 'expired', finishedAt: at('3h') },
      'running',
    ],
    [
      'attempted',
      [started, attempt],
      { status: 'running', attempts: 1, deadline: at('45s') },
      'running',
    ],
    [
      'failed once',
      [
        started,
        attempt,
        {
          type: 'attempt_failed',
          stepId: 'a',
          attempt: 1,
          error: FAILURE,
          output: 'no',
          retryAt: at('9h'),
        },
      ],
      { status: 'waiting', nextAttemptAt: at('9h'), error: FAILURE, output: 'no', deadline: null },
      'waiting',
    ],
    [
      'succeeded',
      [
        started,
        attempt,
        { type: 'attempt_succeeded', stepId: 'a', attempt: 1, output: 5, events: [] },
      ],
      { status: 'succeeded', output: 5, deadline: null, finishedAt: at('3h') },
      'running',
    ],
    [
      'failed for good',
      [started, attempt, { type: 'step_failed', stepId: 'a', error: FAILURE }],
      { status: 'failed', error: FAILURE, deadline: null, finishedAt: at('3h') },
      'running',
    ],
  ])('%s', (_name, facts, step, status) => {
    const run = fold(...facts);
    expect(run.steps[0]).toMatchObject(step);
    expect(run.status).toBe(status);
    expect(run.steps[1]?.status).toBe('pending');
    expect(run.seq).toBe(facts.length + 1);
  });

  test('a delay waits until its time and then has succeeded, without an attempt', () => {
    const delay: Fact = { type: 'delay_started', stepId: 'w', until: at('5h') };
    expect(fold(delay)).toMatchObject({ status: 'waiting' });
    expect(fold(delay).steps[1]).toMatchObject({ status: 'waiting', nextAttemptAt: at('5h') });
    expect(fold(delay, { type: 'delay_ended', stepId: 'w' }).steps[1]).toMatchObject({
      status: 'succeeded',
      attempts: 0,
      nextAttemptAt: null,
      finishedAt: at('2h'),
    });
  });
});

describe('what an entry does to its approval', () => {
  test('decisions gather, in order, with who, when and why', () => {
    const run = fold(started, requested, approvedBy('p'), {
      ...approvedBy('q'),
      type: 'approval_denied',
      comment: 'No.',
    });
    expect(run.approvals).toMatchObject([
      {
        id: 'apr_1',
        status: 'denied',
        required: 2,
        requestedAt: at('2h'),
        expiresAt: at('72h'),
        excluded: ['sender'],
        decisions: [
          { actor: person('p'), decision: 'approved', comment: null, at: at('3h') },
          { actor: person('q'), decision: 'denied', comment: 'No.', at: at('4h') },
        ],
      },
    ]);
  });

  test.each([
    ['approval_granted', 'approved'],
    ['approval_expired', 'expired'],
    ['approval_cancelled', 'cancelled'],
  ] as const)('%s makes it %s, and no other', (type, status) => {
    const other: Fact = { ...requested, approvalId: 'apr_2', stepId: 'w' };
    const run = fold(started, requested, other, { type, ...onApproval });
    expect(run.approvals.map((approval) => approval.status)).toEqual([status, 'pending']);
    expect(run.status).toBe('pending_approval');
  });
});

describe('the end of a run', () => {
  test.each<[Fact, RunStatus]>([
    [{ type: 'run_succeeded' }, 'succeeded'],
    [{ type: 'run_failed', error: FAILURE }, 'failed'],
    [{ type: 'run_denied', error: FAILURE }, 'denied'],
    [{ type: 'run_expired', error: FAILURE }, 'expired'],
    [cancelled, 'cancelled'],
  ])('$type is its status, and ends what had not ended', (fact, status) => {
    const run = fold(started, attempt, fact);
    expect(run).toMatchObject({
      status,
      finishedAt: at('3h'),
      error: 'error' in fact ? FAILURE : null,
    });
    expect(run.steps).toMatchObject([
      { status: 'cancelled', finishedAt: at('3h'), deadline: at('45s') },
      { status: 'cancelled', finishedAt: at('3h'), deadline: null },
    ]);
  });

  test('a late success keeps its output and no more', () => {
    const late: Fact = {
      type: 'attempt_succeeded',
      stepId: 'a',
      attempt: 1,
      output: 5,
      events: [],
    };
    const run = fold(started, attempt, cancelled, late);
    expect(run).toMatchObject({ status: 'cancelled', finishedAt: at('3h'), seq: 5 });
    expect(run.steps[0]).toMatchObject({
      status: 'cancelled',
      finishedAt: at('3h'),
      output: 5,
      deadline: null,
    });
  });

  test('a late failure keeps its error and no more', () => {
    const late: Fact = {
      type: 'attempt_failed',
      stepId: 'a',
      attempt: 1,
      error: FAILURE,
      output: null,
      retryAt: null,
    };
    const run = fold(started, attempt, cancelled, late);
    expect(run.steps[0]).toMatchObject({ status: 'cancelled', error: FAILURE, deadline: null });
    expect(run.error).toBeNull();
  });

  test('the last five statuses are final, and no other', () => {
    expect(RUN_STATUSES.filter(isFinal)).toEqual([
      'succeeded',
      'failed',
      'denied',
      'expired',
      'cancelled',
    ]);
  });
});

describe('the fold as a whole', { timeout: 60_000 }, () => {
  test('any history can be folded again from what was stored of it, and from any point on', () => {
    always(
      20_260_303,
      700,
      fc.property(scenario, fc.nat(), (given, cut) => {
        const { run, entries } = play(given, () => {});
        const stored: Entry[] = JSON.parse(JSON.stringify(entries));
        expect(replay(RUN_ID, stored)).toEqual(run);
        const middle = (cut % entries.length) + 1;
        const half = replay(RUN_ID, frozen(stored.slice(0, middle)));
        if (half === undefined) throw new Error('no beginning');
        expect(stored.slice(middle).reduce(evolve, frozen(half))).toEqual(run);
      }),
    );
  });

  test('every run and entry has the shape that the API document promises', () => {
    always(
      20_260_304,
      400,
      fc.property(scenario, (given) => {
        const { run, entries } = play(given, () => {});
        for (const entry of entries) expect(entrySchema.parse(entry)).toEqual(entry);
        const view = viewRun(run, [...entries]);
        expect(runSchema.parse(view)).toEqual(view);
      }),
    );
  });

  test('a history without its last entries is the run as it was then', () => {
    const story = new Story(planOf([note('a'), note('b')]));
    const early = story.run;
    story.succeed('a').succeed('b');
    expect(replay(RUN_ID, story.entries.slice(0, early.seq))).toEqual(early);
  });
});
