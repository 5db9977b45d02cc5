/** When a failed attempt is tried again. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ACTION_RULES } from '../../src/actions/index.ts';
import type { JsonObject } from '../../src/contract/json.ts';
import { definition } from '../../src/contract/workflows.ts';
import { compileDefinition } from '../../src/engine/definition.ts';
import { RETRY_AFTER_MAX_MS, type RetryPlan, retryDelayMs } from '../../src/engine/retry.ts';
import { always } from './support/properties.ts';

const PLAN: RetryPlan = { attempts: 6, delayMs: 5_000, maxDelayMs: 30_000 };
const MIDDLE = 0.5;

describe('the delay', () => {
  test.each([
    [1, 5_000],
    [2, 10_000],
    [3, 20_000],
    [4, 30_000],
    [5, 30_000],
    [6, null],
    [7, null],
  ])('after attempt %i: %s ms', (attempt, delay) => {
    expect(retryDelayMs(PLAN, attempt, MIDDLE, null)).toBe(delay);
  });

  test.each([
    [0, 4_000],
    [0.25, 4_500],
    [0.5, 5_000],
    [0.75, 5_500],
  ])('a jitter of %f makes 5,000 ms into %i ms', (jitter, delay) => {
    expect(retryDelayMs(PLAN, 1, jitter, null)).toBe(delay);
  });

  test('one attempt is one attempt', () => {
    expect(retryDelayMs({ ...PLAN, attempts: 1 }, 1, MIDDLE, null)).toBeNull();
    expect(retryDelayMs({ ...PLAN, attempts: 1 }, 1, MIDDLE, 60_000)).toBeNull();
  });

  test('a first delay above the largest is cut to it', () => {
    expect(
      retryDelayMs({ attempts: 3, delayMs: 90_000, maxDelayMs: 60_000 }, 1, MIDDLE, null),
    ).toBe(60_000);
  });
});

describe('a schedule', () => {
  const SCHEDULE: RetryPlan = { ...PLAN, attempts: 6, delaysMs: [5_000, 300_000, 1_800_000] };

  test.each([
    [1, 5_000],
    [2, 300_000],
    [3, 1_800_000],
    [4, 1_800_000],
    [5, 1_800_000],
    [6, null],
  ])('after attempt %i: %s ms; its last delay goes on', (attempt, delay) => {
    expect(retryDelayMs(SCHEDULE, attempt, MIDDLE, null)).toBe(delay);
  });

  test('is spread by a fifth, and a longer Retry-After wins', () => {
    expect(retryDelayMs(SCHEDULE, 2, 0, null)).toBe(240_000);
    expect(retryDelayMs(SCHEDULE, 2, 1, null)).toBe(360_000);
    expect(retryDelayMs(SCHEDULE, 1, MIDDLE, 60_000)).toBe(60_000);
    expect(retryDelayMs(SCHEDULE, 2, MIDDLE, 60_000)).toBe(300_000);
  });

  test('that is empty gives way to doubling', () => {
    expect(retryDelayMs({ ...PLAN, delaysMs: [] }, 2, MIDDLE, null)).toBe(10_000);
  });
});

describe('the schedule of notify.webhook', () => {
  const standard = ACTION_RULES['notify.webhook']?.retry;
  const planOf = (retry?: JsonObject) => {
    const step = { id: 'a', action: 'notify.webhook', with: { url: 'https://example.com/' } };
    const steps = [retry === undefined ? step : { ...step, retry }];
    const parsed = definition.parse({ name: 'x', trigger: { event: 'custom.go' }, steps });
    const compiled = compileDefinition(parsed, ACTION_RULES);
    if (!compiled.ok || compiled.compiled.steps[0]?.kind !== 'action') throw new Error('no step');
    return compiled.compiled.steps[0];
  };

  test('is 0, 5 s, 5 m, 30 m, 2 h, 5 h, 10 h, 10 h', () => {
    const delays = Array.from({ length: 8 }, (_, n) =>
      standard === undefined ? undefined : retryDelayMs(standard, n + 1, MIDDLE, null),
    );
    const minute = 60_000;
    expect(delays).toEqual(
      [5_000, 5, 30, 120, 300, 600, 600, null].map((delay) =>
        delay === null || delay === 5_000 ? delay : delay * minute,
      ),
    );
    expect(planOf().timeoutMs).toBe(15_000);
    expect(planOf().retry).toEqual(standard);
  });

  test('is kept by a step that changes the number of attempts alone', () => {
    expect(planOf({ attempts: 3 }).retry).toEqual({ ...standard, attempts: 3 });
  });

  test('gives way to a step that says how long to wait', () => {
    const own = planOf({ attempts: 4, delay: '1s' }).retry;
    expect(own).toEqual({ attempts: 4, delayMs: 1_000, maxDelayMs: 3_600_000 });
    expect(retryDelayMs(own, 3, MIDDLE, null)).toBe(4_000);
    expect(planOf({ maxDelay: '10s' }).retry).not.toHaveProperty('delaysMs');
  });
});

describe('what is done at a shop or a payment service', () => {
  test.each(['order.refund', 'order.cancel', 'tag.order'])(
    '%s outlasts an outage of a day, and is asked for within three hours of its end',
    (action) => {
      const plan = ACTION_RULES[action]?.retry ?? PLAN;
      const delays = Array.from({ length: 20 }, (_, n) => retryDelayMs(plan, n + 1, 0, null) ?? 0);
      expect(delays[0]).toBe(4_000);
      expect(delays.reduce((sum, delay) => sum + delay, 0)).toBeGreaterThan(21 * 3_600_000);
      expect(retryDelayMs(plan, 1, 1, null)).toBe(6_000);
      expect(retryDelayMs(plan, 19, MIDDLE, null)).toBe(3 * 3_600_000);
    },
  );
});

describe('Retry-After', () => {
  test.each([
    ['longer than the delay: it holds, without jitter', 45_000, 45_000],
    ['shorter than the delay: the delay holds', 1_000, 5_000],
    ['at once: the delay holds', 0, 5_000],
    ['in the past: the delay holds', -60_000, 5_000],
    ['above the largest delay: it still holds', 7_200_000, 7_200_000],
    ['longer than a day: a day', 30 * 86_400_000, RETRY_AFTER_MAX_MS],
    ['for ever: a day', Number.POSITIVE_INFINITY, 86_400_000],
  ])('%s', (_name, asked, delay) => {
    expect(retryDelayMs(PLAN, 1, MIDDLE, asked)).toBe(delay);
  });
});

test('any delay is whole, within a fifth of its step, and never shorter than asked for', () => {
  const plans = fc.record({
    attempts: fc.integer({ min: 1, max: 20 }),
    delayMs: fc.integer({ min: 1_000, max: 86_400_000 }),
    maxDelayMs: fc.integer({ min: 1_000, max: 366 * 86_400_000 }),
  });
  const jitters = fc.double({ min: 0, max: 0.999_999, noNaN: true });
  const asks = fc.option(fc.integer({ min: 0, max: 100_000_000 }));
  always(
    20_260_307,
    3_000,
    fc.property(
      plans,
      fc.integer({ min: 1, max: 20 }),
      jitters,
      asks,
      (plan, attempt, jitter, asked) => {
        const delay = retryDelayMs(plan, attempt, jitter, asked);
        expect(delay === null).toBe(attempt >= plan.attempts);
        if (delay === null) return;
        const plain = Math.min(plan.delayMs * 2 ** (attempt - 1), plan.maxDelayMs);
        const wish = Math.min(asked ?? 0, RETRY_AFTER_MAX_MS);
        expect(Number.isSafeInteger(delay)).toBe(true);
        expect(delay).toBeGreaterThanOrEqual(Math.max(wish, Math.floor(plain * 0.8)));
        expect(delay).toBeLessThanOrEqual(Math.max(wish, Math.ceil(plain * 1.2)));
      },
    ),
  );
});
