/** A run's decisions: given a plan and what happens, then these entries and this status (I2). */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { entry } from '../../src/contract/entries.ts';
import type { JsonObject } from '../../src/contract/json.ts';
import { unusedBudgets } from '../../src/engine/budgets.ts';
import { cancelBeforeStart, isSettled, nextWake } from '../../src/engine/run.ts';
import { viewRun } from '../../src/engine/state.ts';
import {
  actionPolicy,
  at,
  note,
  pause,
  pay,
  person,
  planOf,
  RUN_ID,
  Story,
  T0,
  told,
} from './support/engine.ts';
import { assertRoles } from './support/gate-invariants.ts';
import { assertHistory, assertRun, assertUnused } from './support/invariants.ts';
import { always } from './support/properties.ts';
import { scenario } from './support/scenarios.ts';
import { finish, play, rightsOf } from './support/simulation.ts';

const story = (...steps: JsonObject[]) => new Story(planOf(steps));

describe('what a run does', () => {
  test('a run begins with its facts, and its first step starts at once', () => {
    const run = story(note('a'), note('b'));
    expect(run.entries).toEqual([
      {
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
          { id: 'a', action: 'note' },
          { id: 'b', action: 'note' },
        ],
      },
      {
        seq: 2,
        at: at(null),
        type: 'step_started',
        stepId: 'a',
        action: 'note',
        input: { text: 'hello' },
      },
      {
        seq: 3,
        at: at(null),
        type: 'attempt_started',
        stepId: 'a',
        attempt: 1,
        idempotencyKey: `${RUN_ID}_a`,
        deadline: at('45s'),
      },
    ]);
    expect(run.run.status).toBe('running');
    expect(nextWake(run.run)).toBe(T0 + 45_000);
  });

  const tables: [string, JsonObject[], (run: Story) => void, string[], string][] = [
    [
      'steps without needs follow one another',
      [note('a'), note('b')],
      (run) => run.succeed('a').succeed('b'),
      [
        'run_created',
        'step_started a',
        'attempt_started a 1',
        'attempt_succeeded a 1',
        'step_started b',
        'attempt_started b 1',
        'attempt_succeeded b 1',
        'run_succeeded',
      ],
      'succeeded',
    ],
    [
      'branches work at the same time, and what needs both waits for both',
      [note('a'), note('b', { needs: [] }), note('c', { needs: ['a', 'b'] })],
      (run) => run.succeed('b').succeed('a'),
      [
        'run_created',
        'step_started a',
        'attempt_started a 1',
        'step_started b',
        'attempt_started b 1',
        'attempt_succeeded b 1',
        'attempt_succeeded a 1',
        'step_started c',
        'attempt_started c 1',
      ],
      'running',
    ],
    [
      'a step whose condition is false is skipped, and those that need it still run',
      [note('a', { if: 'event.data.n > 100' }), note('b', { if: 'event.data.n == 7' })],
      (run) => run.succeed('b'),
      [
        'run_created',
        'step_skipped a',
        'step_started b',
        'attempt_started b 1',
        'attempt_succeeded b 1',
        'run_succeeded',
      ],
      'succeeded',
    ],
    [
      'a run whose steps are all skipped has succeeded',
      [
        note('a', { if: 'false' }),
        pay('b', { if: 'has(steps.a.output)' }),
        pause('c', '1h', { if: 'false' }),
      ],
      () => {},
      ['run_created', 'step_skipped a', 'step_skipped b', 'step_skipped c', 'run_succeeded'],
      'succeeded',
    ],
    [
      'a wait lasts as long as it says',
      [pause('a', '1h'), note('b')],
      (run) => run.pass('59m').tick(),
      ['run_created', 'delay_started a'],
      'waiting',
    ],
    [
      'a wait ends in the moment that was named',
      [pause('a', '1h'), note('b')],
      (run) => run.pass('1h').tick(),
      ['run_created', 'delay_started a', 'delay_ended a', 'step_started b', 'attempt_started b 1'],
      'running',
    ],
    [
      'a failed attempt is tried again when its delay is over, and not before',
      [note('a')],
      (run) => run.fail('a').pass('9s').tick(),
      ['run_created', 'step_started a', 'attempt_started a 1', 'attempt_failed a 1'],
      'waiting',
    ],
    [
      'attempts that have run out fail the step and the run',
      [note('a')],
      (run) => run.fail('a').pass('10s').tick().fail('a').pass('20s').tick().fail('a'),
      [
        'run_created',
        'step_started a',
        'attempt_started a 1',
        'attempt_failed a 1',
        'attempt_started a 2',
        'attempt_failed a 2',
        'attempt_started a 3',
        'attempt_failed a 3',
        'step_failed a',
        'run_failed',
      ],
      'failed',
    ],
    [
      'a failure that no repeat can mend is not repeated',
      [note('a'), note('b')],
      (run) => run.fail('a', { retryable: false }),
      [
        'run_created',
        'step_started a',
        'attempt_started a 1',
        'attempt_failed a 1',
        'step_failed a',
        'run_failed',
      ],
      'failed',
    ],
    [
      'an attempt that never reports back is lost at its deadline, and tried again',
      [note('a', { timeout: '5s' })],
      (run) => run.pass('35s').tick(),
      ['run_created', 'step_started a', 'attempt_started a 1', 'attempt_failed a 1'],
      'waiting',
    ],
    [
      'an attempt is given until its deadline',
      [note('a', { timeout: '5s' })],
      (run) => run.pass('34s').tick(),
      ['run_created', 'step_started a', 'attempt_started a 1'],
      'running',
    ],
    [
      'the last attempt that is lost fails the run',
      [note('a', { retry: { attempts: 1 } })],
      (run) => run.pass('1h').tick(),
      [
        'run_created',
        'step_started a',
        'attempt_started a 1',
        'attempt_failed a 1',
        'step_failed a',
        'run_failed',
      ],
      'failed',
    ],
    [
      'a gate opens with a request and holds the step, while another branch works',
      [pay('a'), note('b', { needs: [] })],
      () => {},
      [
        'run_created',
        'step_started a',
        'approval_requested a',
        'step_started b',
        'attempt_started b 1',
      ],
      'pending_approval',
    ],
  ];
  test.each(tables)('%s', (_name, steps, happens, entries, status) => {
    const run = story(...steps);
    happens(run);
    expect(told(run.entries)).toEqual(entries);
    expect(run.run.status).toBe(status);
    assertHistory(run.entries, run.run);
  });

  test('a step sees the outputs of those before it, with their types', () => {
    const run = story(
      note('a'),
      note('b', {
        with: { text: '{{ steps.a.output.word }}', count: '{{ steps.a.output.n + 1 }}' },
      }),
    );
    run.succeed('a', { word: 'x', n: 4 });
    expect(run.step('b').input).toEqual({ text: 'x', count: 5 });
  });

  test('a step sees the run and the tenant it belongs to', () => {
    const text =
      '{{ run.id }} {{ run.requestId }} {{ run.correlationId }} {{ tenant.id }} {{ tenant.name }}';
    expect(story(note('a', { with: { text } })).step('a').input).toEqual({
      text: `${RUN_ID} req-1 cor-1 acme Acme`,
    });
  });

  test('events that an action caused are kept with its attempt', () => {
    const run = story(note('a'));
    const events = [
      { id: 'e1', type: 'flags.changed', data: { flag: { key: 'k', enabled: true } } },
    ];
    const outcome = { kind: 'succeeded', output: null, events } as const;
    run.take({ type: 'attempt_ended', stepId: 'a', attempt: 1, outcome });
    expect(run.last('attempt_succeeded').events).toEqual(events);
  });
});

describe('retries', () => {
  test('delays double, and every attempt carries the same idempotency key', () => {
    const run = story(note('a', { retry: { attempts: 4, delay: '1m', maxDelay: '3m' } }));
    const delays = ['1m', '2m', '3m'].map((delay) => {
      const from = run.fail('a').now;
      const retryAt = run.last('attempt_failed').retryAt ?? '';
      run.pass(delay).tick();
      return Date.parse(retryAt) - from;
    });
    expect(delays).toEqual([60_000, 120_000, 180_000]);
    const keys = run.entries.flatMap((e) =>
      e.type === 'attempt_started' ? [e.idempotencyKey] : [],
    );
    expect(keys).toEqual(Array(4).fill(`${RUN_ID}_a`));
  });

  test('a receiver that asks for more patience gets it', () => {
    const run = story(note('a')).fail('a', { retryAfterMs: 3_600_000 });
    expect(run.step('a')).toMatchObject({
      status: 'waiting',
      attempts: 1,
      nextAttemptAt: at('1h'),
    });
    expect(nextWake(run.run)).toBe(T0 + 3_600_000);
  });

  test('the error of the last failure goes away with a success', () => {
    const run = story(note('a')).fail('a');
    expect(run.step('a').error?.code).toBe('unreachable');
    run.pass('10s').tick().succeed('a', { ok: true });
    expect(run.step('a')).toMatchObject({
      status: 'succeeded',
      attempts: 2,
      error: null,
      output: { ok: true },
    });
  });

  test('a failure may be worth fewer attempts than the step has', () => {
    const run = story(note('a', { retry: { attempts: 9 } }));
    run.fail('a', { attemptsMax: 2 }).pass('10s').tick().fail('a', { attemptsMax: 2 });
    expect(run.run).toMatchObject({ status: 'failed', steps: [{ attempts: 2 }] });
  });

  test('a lost attempt says so', () => {
    const run = story(note('a', { retry: { attempts: 1 } }))
      .pass('45s')
      .tick();
    expect(run.run.error).toMatchObject({ code: 'attempt_lost', stepId: 'a' });
  });
});

describe('steps that cannot start', () => {
  test.each<[string, JsonObject, string, RegExp]>([
    [
      'a condition over a missing field',
      note('b', { if: 'event.data.none == 1' }),
      'condition_failed',
      /event\.data has no field "none" \(1:12\)/,
    ],
    [
      'a condition that is neither true nor false',
      note('b', { if: 'event.data.n' }),
      'condition_failed',
      /must be true or false/,
    ],
    [
      'a condition over the output of a skipped step',
      note('b', { if: 'steps.a.output.x == 1' }),
      'condition_failed',
      /steps\.a has no field "output" \(1:9\)/,
    ],
    [
      'a template over a missing field',
      note('b', { with: { text: 'n is {{ event.data.none }}' } }),
      'input_failed',
      /^text: event\.data has no field "none" \(1:20\)/,
    ],
    [
      'an input that resolves to the wrong type',
      note('b', { with: { count: '{{ event.data.word }}' } }),
      'input_invalid',
      /^count: .*expected number/,
    ],
    [
      'an input nested in a list',
      pay('b', {
        with: { orderId: '{{ event.data.n }}', cents: 5, tags: ['x', '{{ event.data.n }}'] },
      }),
      'input_invalid',
      /orderId: .*string.*; tags\.1: .*string/,
    ],
  ])(
    '%s fails the step and the run, with the place and the reason',
    (_name, step, code, message) => {
      const run = story(note('a', { if: 'false' }), step, note('c'));
      expect(told(run.entries)).toEqual([
        'run_created',
        'step_skipped a',
        'step_failed b',
        'run_failed',
      ]);
      expect(run.run.error).toMatchObject({ code, stepId: 'b' });
      expect(run.run.error?.message).toMatch(message);
      expect(run.statuses()).toEqual({ a: 'skipped', b: 'failed', c: 'cancelled' });
      expect(isSettled(run.run)).toBe(true);
    },
  );

  test('text that no hash can be made of fails the step instead of the engine', () => {
    const run = story(note('a'), pay('b', { with: { orderId: '{{ steps.a.output }}', cents: 5 } }));
    run.succeed('a', '\ud800');
    expect(run.run.error).toMatchObject({ code: 'input_invalid', stepId: 'b' });
  });
});

describe('the first failure ends the run', () => {
  test('requests that are pending then are cancelled, waits and retries end', () => {
    const run = story(
      note('a'),
      pay('b', { needs: [] }),
      pause('c', '1h', { needs: [] }),
      note('d', { needs: [] }),
    ).fail('d');
    run.fail('a', { retryable: false });
    expect(told(run.entries).slice(-4)).toEqual([
      'attempt_failed a 1',
      'step_failed a',
      'approval_cancelled b',
      'run_failed',
    ]);
    expect(run.statuses()).toEqual({ a: 'failed', b: 'cancelled', c: 'cancelled', d: 'cancelled' });
    expect(nextWake(run.run)).toBeNull();
    expect(run.pass('7d').tick().entries.at(-1)?.type).toBe('run_failed');
  });

  const ended = () => story(note('a'), note('b', { needs: [] })).fail('a', { retryable: false });

  test('an attempt in flight is waited for', () => {
    const run = ended();
    expect(run.run.status).toBe('failed');
    expect(isSettled(run.run)).toBe(false);
    expect(nextWake(run.run)).toBe(T0 + 45_000);
  });

  test('its success is recorded late and changes no status', () => {
    const run = ended().succeed('b', { late: true });
    expect(run.entries.at(-1)).toMatchObject({ type: 'attempt_succeeded', stepId: 'b' });
    expect(run.step('b')).toMatchObject({ status: 'cancelled', output: { late: true } });
    expect(run.run.status).toBe('failed');
    expect(isSettled(run.run)).toBe(true);
    assertHistory(run.entries, run.run);
  });

  test('its failure is recorded late and is not tried again', () => {
    const run = ended().fail('b');
    expect(run.entries.at(-1)).toMatchObject({
      type: 'attempt_failed',
      stepId: 'b',
      retryAt: null,
    });
    expect(run.run.error?.stepId).toBe('a');
    expect(isSettled(run.run)).toBe(true);
  });

  test('its silence is recorded at its deadline', () => {
    const run = ended().pass('45s').tick();
    expect(run.entries.at(-1)).toMatchObject({
      type: 'attempt_failed',
      error: { code: 'attempt_lost' },
    });
    expect(isSettled(run.run)).toBe(true);
  });
});

describe('outcomes that change nothing', () => {
  test.each<[string, (run: Story) => Story]>([
    ['a second success', (run) => run.succeed('a', 1).succeed('a', 2, 1)],
    ['a failure after the success', (run) => run.succeed('a', 1).fail('a', { attempt: 1 })],
    [
      'an attempt that is not the one in flight',
      (run) => run.succeed('a', 2, 2).succeed('a', 1, 1),
    ],
    [
      'a step that there is not',
      (run) => {
        const outcome = { kind: 'succeeded', output: 9, events: [] } as const;
        run.take({ type: 'attempt_ended', stepId: 'zz', attempt: 1, outcome });
        return run.succeed('a', 1);
      },
    ],
    [
      'a step that has not started',
      (run) => run.succeed('b', 9, 1).succeed('b', 9, 0).succeed('a', 1),
    ],
  ])('%s', (_name, happens) => {
    const run = happens(story(note('a'), note('b')));
    expect(run.step('a')).toMatchObject({ status: 'succeeded', output: 1, attempts: 1 });
    expect(run.step('b').status).toBe('running');
    expect(run.entries).toHaveLength(6);
  });

  test('the outcome of an attempt that was lost before', () => {
    const run = story(note('a')).pass('45s').tick().pass('10s').tick();
    expect(run.step('a').attempts).toBe(2);
    const before = run.entries.length;
    expect(run.succeed('a', 'stale', 1).entries).toHaveLength(before);
    expect(run.succeed('a', 'fresh', 2).step('a').output).toBe('fresh');
  });

  test('an outcome that comes past the deadline counts, while nobody has given it up', () => {
    const run = story(note('a')).pass('45s').succeed('a', 'late', 1);
    expect(run.step('a')).toMatchObject({ status: 'succeeded', output: 'late' });
  });

  test('a wait is no attempt', () => {
    const run = story(pause('a', '1h')).succeed('a', 1, 0);
    expect(run.step('a').status).toBe('waiting');
  });
});

describe('cancel', () => {
  test.each<[string, JsonObject[], (run: Story) => void, string[]]>([
    ['while an attempt runs', [note('a'), note('b')], () => {}, ['run_cancelled']],
    ['while a retry waits', [note('a')], (run) => run.fail('a'), ['run_cancelled']],
    ['while a delay lasts', [pause('a', '1d')], () => {}, ['run_cancelled']],
    [
      'while two approvals are pending',
      [pay('a'), pay('b', { needs: [] })],
      () => {},
      ['approval_cancelled a', 'approval_cancelled b', 'run_cancelled'],
    ],
  ])('%s', (_name, steps, before, entries) => {
    const run = story(...steps);
    before(run);
    const count = run.entries.length;
    run.cancel();
    expect(told(run.entries.slice(count))).toEqual(entries);
    expect(run.last('run_cancelled')).toMatchObject({
      actor: person('boss'),
      comment: 'Enough.',
      requestId: 'req-boss',
    });
    expect(run.run).toMatchObject({ status: 'cancelled', error: null, finishedAt: at(null) });
    expect(new Set(Object.values(run.statuses()))).toEqual(new Set(['cancelled']));
  });

  test.each<[string, (run: Story) => Story]>([
    ['succeeded', (run) => run.vote('p').succeed('a')],
    ['failed', (run) => run.vote('p').fail('a', { retryable: false })],
    ['denied', (run) => run.deny('p')],
    ['expired', (run) => run.pass('72h').tick()],
    ['cancelled', (run) => run.cancel('first')],
  ])('a run that has %s cannot be cancelled', (status, happens) => {
    const run = happens(story(pay('a')));
    expect(run.run.status).toBe(status);
    const count = run.entries.length;
    run.cancel();
    expect(run.refused).toMatchObject({ code: 'run_finished' });
    expect(run.refused?.detail).toContain(status);
    expect(run.entries).toHaveLength(count);
  });

  test('what was due before comes first: the run has expired and cannot be cancelled', () => {
    const run = story(pay('a')).pass('72h').cancel();
    expect(run.refused?.code).toBe('run_finished');
    expect(told(run.entries).slice(-2)).toEqual(['approval_expired a', 'run_expired']);
  });

  test('a run that has not started yet has two entries and nothing else', () => {
    const cancel = {
      type: 'cancel',
      actor: person('boss'),
      comment: null,
      requestId: 'r',
    } as const;
    const { run, entries, refused } = cancelBeforeStart(planOf([note('a'), pay('b')]), T0, cancel);
    expect(told(entries)).toEqual(['run_created', 'run_cancelled']);
    expect(run.status).toBe('cancelled');
    expect(refused).toBeUndefined();
    assertHistory(entries, run);
  });
});

describe('the view of a run', () => {
  test('shows steps, approvals and timeline, and nothing that only decisions need', () => {
    const run = new Story(planOf([pay('a')], { policy: { pay: actionPolicy({ approvals: 2 }) } }));
    const view = viewRun(run.vote('p', { comment: 'Fine.' }).run, run.entries);
    expect(view).not.toHaveProperty('seq');
    expect(view.timeline).toBe(run.entries);
    expect(view.steps).toEqual([
      {
        id: 'a',
        action: 'pay',
        status: 'pending_approval',
        attempts: 0,
        nextAttemptAt: null,
        progress: null,
        input: { orderId: '7', cents: 500 },
        output: null,
        error: null,
        startedAt: at(null),
        finishedAt: null,
      },
    ]);
    expect(view.approvals).toEqual([
      {
        id: `apr_${RUN_ID.slice(4)}-1`,
        stepId: 'a',
        kind: 'gate',
        status: 'pending',
        required: 2,
        roles: ['approver'],
        members: [],
        reasonRequired: false,
        edits: 0,
        escalated: false,
        overridden: false,
        inputHash: expect.stringMatching(/^[0-9a-f]{64}$/),
        requestedAt: at(null),
        expiresAt: at('72h'),
        decisions: [{ actor: person('p'), decision: 'approved', comment: 'Fine.', at: at(null) }],
      },
    ]);
  });
});

describe('whatever happens, in whatever order', { timeout: 60_000 }, () => {
  test('the timeline has no gap and one end, the state is the fold of it, and deciding is pure', () => {
    always(
      20_260_301,
      2_500,
      fc.property(scenario, (given) => {
        const { run, entries } = play(given, (_before, after, soFar) => assertRun(after, soFar));
        assertHistory(entries, run);
        assertRoles(entries, rightsOf);
        assertUnused(unusedBudgets(run), run, entries);
      }),
    );
  });

  test('a run comes to rest with one final status once attempts are answered and time goes by', () => {
    const seen = new Set<string>();
    const happened = new Set<string>();
    always(
      20_260_302,
      2_000,
      fc.property(scenario, fc.infiniteStream(fc.nat(9)), (given, luck) => {
        const { run, entries } = finish(
          play(given, () => {}),
          luck,
        );
        assertHistory(entries, run);
        expect(isSettled(run)).toBe(true);
        assertUnused(unusedBudgets(run), run, entries);
        expect(nextWake(run)).toBeNull();
        assertRoles(entries, rightsOf);
        seen.add(run.status);
        for (const entry of entries) {
          happened.add(entry.type);
          if ('onBehalfOf' in entry) happened.add(`${entry.type} for another`);
        }
      }),
    );
    expect([...seen].sort()).toEqual(['cancelled', 'denied', 'expired', 'failed', 'succeeded']);
    const entryTypes = entry.unwrap().options.map(({ shape }) => shape.type.value);
    const lent = ['approval_approved for another', 'approval_denied for another'];
    expect([...entryTypes, ...lent].filter((type) => !happened.has(type))).toEqual([]);
  });
});
