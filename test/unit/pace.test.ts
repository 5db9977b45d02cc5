/** When it is time again for what is done again and again. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Pace } from '../../src/objects/pace.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** When each of so many turns came, in milliseconds from the first one. */
function turnsOf(pace: Pace, count: number): number[] {
  const begun = Date.now();
  const came: number[] = [];
  void (async () => {
    for (let n = 0; n < count; n++) {
      await pace.turn();
      came.push(Date.now() - begun);
    }
  })();
  return came;
}

test('the first turn comes at once, others as far apart as is said', async () => {
  const came = turnsOf(new Pace(100), 3);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(came).toEqual([0, 100, 200]);
});

test('whoever waits has their turn when it is skipped, and the next one waits again', async () => {
  const pace = new Pace(100);
  const came = turnsOf(pace, 3);
  await vi.advanceTimersByTimeAsync(30);
  pace.skip();
  await vi.advanceTimersByTimeAsync(1_000);
  expect(came).toEqual([0, 30, 130]);
});

test('what is skipped while nobody waits is not waited for later', async () => {
  const pace = new Pace(100);
  await pace.turn();
  pace.skip();
  const came = turnsOf(pace, 2);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(came).toEqual([0, 100]);
});

test('while somebody hurries nobody waits', async () => {
  const pace = new Pace(100);
  const came = turnsOf(pace, 4);
  await vi.advanceTimersByTimeAsync(10);
  expect(pace.isHurried()).toBe(false);
  const hurried = pace.hurry(() => new Promise((resolve) => setTimeout(resolve, 5)));
  expect(pace.isHurried()).toBe(true);
  await vi.advanceTimersByTimeAsync(1_000);
  await hurried;
  expect(came).toEqual([0, 10, 10, 10]);
});
