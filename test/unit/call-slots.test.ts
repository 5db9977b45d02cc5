/** When a tenant's next call to an executor may begin. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { CallSlots } from '../../src/objects/call-slots.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function slots() {
  const whenFree = vi.fn();
  return { whenFree, slots: new CallSlots(whenFree) };
}

describe('calls to executors', () => {
  test('begin at once when none is under way', () => {
    expect(slots().slots.mayBegin(false)).toBe(true);
  });

  test('that are not full wait until the last one is back, or has lasted a moment', () => {
    const { slots: one, whenFree } = slots();
    const end = one.begin();
    expect([one.mayBegin(false), one.mayBegin(true)]).toEqual([false, true]);
    end();
    expect(one.mayBegin(false)).toBe(true);
    vi.runAllTimers();
    expect(whenFree).not.toHaveBeenCalled();

    one.begin();
    vi.advanceTimersByTime(10);
    expect(whenFree).toHaveBeenCalledTimes(1);
    expect(one.mayBegin(false)).toBe(true);
  });

  test('are few at once while they are young, and many when they last', () => {
    const { slots: one, whenFree } = slots();
    const begun = () => {
      let count = 0;
      while (one.mayBegin(true)) {
        one.begin();
        count += 1;
      }
      return count;
    };
    expect(begun()).toBe(3);
    vi.advanceTimersByTime(149);
    expect(begun()).toBe(0);
    vi.advanceTimersByTime(1);
    expect(whenFree).toHaveBeenCalled();
    const later = Array.from({ length: 6 }, () => {
      const count = begun();
      vi.advanceTimersByTime(150);
      return count;
    });
    expect(later).toEqual([3, 3, 3, 3, 1, 0]);
  });

  test('that end make room for others, young or old', () => {
    const { slots: one } = slots();
    const ends = [one.begin(), one.begin(), one.begin()];
    expect(one.mayBegin(true)).toBe(false);
    ends[0]?.();
    expect(one.mayBegin(true)).toBe(true);
    vi.advanceTimersByTime(150);
    for (const end of ends.slice(1)) end();
    expect(one.mayBegin(false)).toBe(true);
  });
});
