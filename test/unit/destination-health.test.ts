/** A destination's health: what disables it, what enables it, and how many probes are let through. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type AttemptSeen,
  afterAttempt,
  type DestinationHealth,
  DISABLE_AFTER_FAILURES,
  DISABLE_AFTER_MS,
  disableByHand,
  FIRST_PROBE_MS,
  type HealthStep,
  PROBE_MAX_MS,
  passage,
} from '../../src/engine/destination-health.ts';
import { always } from './support/properties.ts';

const URL = 'https://example.com/hook';
const T0 = Date.parse('2026-03-01T12:00:00.000Z');
const HOUR = 3_600_000;

const success = (at: number): AttemptSeen => ({ at, code: null, status: 200 });
const failure = (at: number, status: number | null = 500): AttemptSeen => ({
  at,
  code: status === null ? 'timeout' : status === 410 ? 'endpoint_gone' : 'endpoint_failed',
  status,
});

/** What a series of attempts leaves behind, and what changed on the way. */
function outcomeOf(attempts: readonly AttemptSeen[], from: DestinationHealth | null = null) {
  const changes: HealthStep['change'][] = [];
  let health = from;
  for (const seen of attempts) {
    const step = afterAttempt(health, URL, seen);
    health = step.health;
    changes.push(step.change);
  }
  return { health, changes: changes.filter((change) => change !== null) };
}

/** As many failures as it takes, over five days. */
const dying = Array.from({ length: DISABLE_AFTER_FAILURES }, (_, n) =>
  failure(T0 + (n * DISABLE_AFTER_MS) / (DISABLE_AFTER_FAILURES - 1)),
);
const DEAD_AT = T0 + DISABLE_AFTER_MS;
const dead = outcomeOf(dying).health;

describe('a destination that takes what it is sent', () => {
  test('has no record', () => {
    expect(outcomeOf([success(T0), success(T0 + 1)])).toEqual({ health: null, changes: [] });
  });

  test('loses its record by one success, however long it failed', () => {
    expect(
      outcomeOf([...dying.slice(0, -1), success(DEAD_AT), failure(DEAD_AT + 1)]).health,
    ).toEqual({
      url: URL,
      failingSince: DEAD_AT + 1,
      failures: 1,
      lastFailureAt: DEAD_AT + 1,
      lastCode: 'endpoint_failed',
      lastStatus: 500,
      disabled: null,
    });
  });
});

describe('a destination is disabled', () => {
  test('by five days of nothing but failure, once', () => {
    const { health, changes } = outcomeOf([...dying, failure(DEAD_AT + HOUR, null)]);
    expect(changes).toEqual(['disabled']);
    expect(health).toMatchObject({
      failures: DISABLE_AFTER_FAILURES + 1,
      failingSince: T0,
      lastCode: 'timeout',
      lastStatus: null,
      disabled: {
        at: DEAD_AT,
        reason: 'failing',
        probes: 0,
        nextProbeAt: DEAD_AT + FIRST_PROBE_MS,
      },
    });
  });

  test('not by few failures, however far apart: one message has eight attempts', () => {
    const few = Array.from({ length: 8 }, (_, n) => failure(T0 + n * 48 * HOUR));
    expect(outcomeOf(few)).toMatchObject({ health: { failures: 8, disabled: null }, changes: [] });
  });

  test('not by many failures within less than five days', () => {
    const many = Array.from({ length: 500 }, (_, n) => failure(T0 + (n * DISABLE_AFTER_MS) / 501));
    expect(outcomeOf(many)).toMatchObject({
      health: { failures: 500, disabled: null },
      changes: [],
    });
  });

  test('by one 410, at once and until an admin enables it', () => {
    const { health, changes } = outcomeOf([failure(T0, 410)]);
    expect(changes).toEqual(['disabled']);
    expect(health?.disabled).toEqual({ at: T0, reason: 'gone', probes: 0, nextProbeAt: null });
    expect(passage(health, T0 + 1_000 * HOUR)).toEqual({ allowed: false, retryAt: null });
  });

  test('by an admin, whom no 410 and no success overrules', () => {
    const health = disableByHand(null, URL, T0);
    expect(health?.disabled?.reason).toBe('by_hand');
    expect(disableByHand(health, URL, T0 + 1)).toBeNull();
    const { health: later, changes } = outcomeOf([success(T0 + 1), failure(T0 + 2, 410)], health);
    expect(changes).toEqual([]);
    expect(later?.disabled?.reason).toBe('by_hand');
  });
});

describe('a probe', () => {
  test('is one in an hour at first, then ever fewer, one in a day at the least', () => {
    let health = dead;
    const gaps: number[] = [];
    let now = DEAD_AT;
    for (let n = 0; n < 8; n += 1) {
      const due = health?.disabled?.nextProbeAt ?? 0;
      expect(passage(health, due - 1)).toEqual({ allowed: false, retryAt: due });
      const passed = passage(health, due);
      if (!passed.allowed) throw new Error('a probe that was due was not let through');
      expect(passage(passed.health, due)).toMatchObject({ allowed: false });
      gaps.push(due - now);
      now = due;
      health = afterAttempt(passed.health, URL, failure(due)).health;
    }
    expect(gaps.map((gap) => gap / HOUR)).toEqual([1, 2, 4, 8, 16, 24, 24, 24]);
    expect(Math.max(...gaps)).toBe(PROBE_MAX_MS);
  });

  test('that succeeds enables the destination', () => {
    const due = DEAD_AT + FIRST_PROBE_MS;
    const passed = passage(dead, due);
    expect(outcomeOf([success(due)], passed.allowed ? passed.health : null)).toEqual({
      health: null,
      changes: ['enabled'],
    });
  });

  test('that is answered 410 is the last one, and nothing is told twice', () => {
    const { health, changes } = outcomeOf([failure(DEAD_AT + HOUR, 410)], dead);
    expect(changes).toEqual([]);
    expect(health?.disabled).toMatchObject({ reason: 'gone', nextProbeAt: null });
  });

  test('a success that began before the destination was disabled says nothing', () => {
    expect(outcomeOf([success(DEAD_AT - 1)], dead)).toEqual({ health: dead, changes: [] });
  });
});

const seen = fc.record({
  gap: fc.integer({ min: -HOUR, max: 30 * HOUR }),
  status: fc.constantFrom(200, 200, 500, 500, 500, 500, 429, 410, null),
});

test('any series: changes alternate, a record means a failure since the last success, disabled is earned', () => {
  always(
    20_261_124,
    2_000,
    fc.property(fc.array(seen, { maxLength: 120 }), (series) => {
      let now = T0;
      let health: DestinationHealth | null = null;
      let disabled = false;
      let streak = 0;
      for (const { gap, status } of series) {
        now += gap;
        const before: DestinationHealth | null = health;
        const attempt = status === 200 ? success(now) : failure(now, status);
        const step: HealthStep = afterAttempt(before, URL, attempt);
        health = step.health;
        if (step.change !== null) {
          expect(step.change).toBe(disabled ? 'enabled' : 'disabled');
          disabled = !disabled;
        }
        expect((health?.disabled ?? null) !== null).toBe(disabled);
        streak = health === null ? 0 : status === 200 ? streak : streak + 1;
        expect(health?.failures ?? 0).toBe(streak);
        if (health === null) continue;
        const { failingSince, lastFailureAt, disabled: end } = health;
        expect(lastFailureAt ?? 0).toBeGreaterThanOrEqual(failingSince ?? 0);
        if (end?.reason !== 'failing') continue;
        expect(health.failures).toBeGreaterThanOrEqual(DISABLE_AFTER_FAILURES);
        expect((lastFailureAt ?? 0) - (failingSince ?? 0)).toBeGreaterThanOrEqual(DISABLE_AFTER_MS);
      }
    }),
  );
});
