/** A short memory: what is over, or too much, is forgotten. */
import { expect, test } from 'vitest';
import { Recent } from '../../src/recent.ts';

test('a thing is known until its time is over', () => {
  const recent = new Recent<number>({ max: 10, keptMs: 1_000 });
  recent.put('a', 1, 0);
  expect(recent.get('a', 999)).toBe(1);
  expect(recent.get('a', 1_000)).toBeUndefined();
  expect(recent.get('b', 0)).toBeUndefined();
});

test('the one that was put longest ago gives way, and putting again counts', () => {
  const recent = new Recent<number>({ max: 2, keptMs: 1_000 });
  recent.put('a', 1, 0);
  recent.put('b', 2, 0);
  recent.put('a', 3, 1);
  recent.put('c', 4, 1);
  expect(['a', 'b', 'c'].map((key) => recent.get(key, 2))).toEqual([3, undefined, 4]);
});
