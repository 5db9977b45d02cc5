/** When a failed attempt is tried again. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
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
