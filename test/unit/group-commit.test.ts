/** What comes in the same moment is done together, and followed once. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { GroupCommit } from '../../src/objects/group-commit.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function group() {
  const afterCommit = vi.fn(async () => {});
  return { afterCommit, commits: new GroupCommit(afterCommit) };
}

describe('what is written down', () => {
  test('is done at once when it comes alone', async () => {
    const { commits, afterCommit } = group();
    expect(await commits.run(1, () => 'one')).toBe('one');
    expect(afterCommit).toHaveBeenCalledTimes(1);
    await vi.runAllTimersAsync();
    expect(await commits.run(1, () => 'two')).toBe('two');
    expect(afterCommit).toHaveBeenCalledTimes(2);
  });

  test('in the same moment is done together, in order, and followed once', async () => {
    const { commits, afterCommit } = group();
    const done: number[] = [];
    const all = Promise.all([1, 2, 3, 4].map((n) => commits.run(1, () => done.push(n))));
    expect(done).toEqual([1]);
    await vi.runAllTimersAsync();
    expect(await all).toEqual([1, 2, 3, 4]);
    expect(done).toEqual([1, 2, 3, 4]);
    expect(afterCommit).toHaveBeenCalledTimes(2);
  });

  test('fails for its own caller alone', async () => {
    const { commits } = group();
    const fail = () => {
      throw new Error('full');
    };
    const all = Promise.allSettled([
      commits.run(1, fail),
      commits.run(1, () => 'two'),
      commits.run(1, fail),
      commits.run(1, () => 'four'),
    ]);
    await vi.runAllTimersAsync();
    const ends = (await all).map((end) => (end.status === 'fulfilled' ? end.value : 'failed'));
    expect(ends).toEqual(['failed', 'two', 'failed', 'four']);
  });

  test('is nobody’s success when what follows fails', async () => {
    const { commits, afterCommit } = group();
    const first = commits.run(1, () => 'one');
    afterCommit.mockRejectedValueOnce(new Error('no alarm'));
    const others = Promise.allSettled([commits.run(1, () => 'two'), commits.run(1, () => 'three')]);
    expect(await first).toBe('one');
    await vi.runAllTimersAsync();
    expect((await others).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(await commits.run(1, () => 'four')).toBe('four');
  });

  test('is not too much at once', async () => {
    const { commits, afterCommit } = group();
    const all = Promise.all(Array.from({ length: 7 }, () => commits.run(20, () => null)));
    await vi.runAllTimersAsync();
    await all;
    // One at once, then three times two.
    expect(afterCommit).toHaveBeenCalledTimes(1 + 2);
  });
});
