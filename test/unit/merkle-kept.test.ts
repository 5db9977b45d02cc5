/** Proofs from leaves and kept subtrees: the same as of the whole tree, from few hashes. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  consistencyProof,
  inclusionProof,
  leafHash,
  rootOf,
  rootOfFirst,
  type Subtrees,
  subtreesOf,
} from '../../src/engine/merkle.ts';
import { FoundSubtrees, isKept, type Range, rangesFor } from '../../src/engine/merkle-kept.ts';
import { always } from './support/properties.ts';

const LENGTH = 3_000;
const leaves = Array.from({ length: LENGTH }, (_, n) => leafHash(n.toString(16).padStart(64, '0')));
const whole = subtreesOf(leaves);
const sizes = fc
  .tuple(fc.integer({ min: 1, max: LENGTH }), fc.integer({ min: 1, max: LENGTH }))
  .map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const);

/** Reads as a store would that has kept subtrees from some place on. */
function read(found: FoundSubtrees, ranges: readonly Range[], keptFrom = 0): number {
  let hashes = 0;
  for (const { level, from, to } of ranges)
    for (let place = from; place < to; place += 1) {
      if (level > 0 && place < keptFrom) continue;
      found.add({ level, place, hash: whole(level, place) });
      hashes += 1;
    }
  return hashes;
}

const answerOf = (some: number, size: number) => (subtrees: Subtrees) => ({
  inclusion: inclusionProof(subtrees, some - 1, size),
  consistency: consistencyProof(subtrees, some, size),
  root: rootOfFirst(subtrees, size),
});

test('they make the proofs that the whole tree makes, and its root', () => {
  always(
    14,
    100,
    fc.property(sizes, ([some, size]) => {
      const answer = answerOf(some, size);
      const found = new FoundSubtrees();
      read(found, rangesFor(answer));
      expect(answer(found.subtrees)).toEqual(answer(whole));
    }),
  );
  for (const size of [1, 255, 256, 257, 2_049])
    expect(rootOfFirst(whole, size)).toBe(rootOf(leaves.slice(0, size)));
});

test('where subtrees were never kept, the leaves below them do', () => {
  always(
    15,
    40,
    fc.property(sizes, fc.nat(12), ([some, size], keptFrom) => {
      const answer = answerOf(some, size);
      const found = new FoundSubtrees();
      for (let ranges = rangesFor(answer); ranges.length > 0; ranges = found.missing(ranges))
        read(found, ranges, keptFrom);
      expect(answer(found.subtrees)).toEqual(answer(whole));
    }),
  );
});

test('a leaf that is missing is no part of any answer', () => {
  const answer = answerOf(700, LENGTH);
  const found = new FoundSubtrees();
  expect(() => found.missing([{ level: 0, from: 7, to: 8 }])).toThrow('leaf 7 is missing');
  expect(() => answer(found.subtrees)).toThrow('is missing');
});

test('a proof that there cannot be is refused before anything is read', () => {
  expect(() => rangesFor((subtrees) => inclusionProof(subtrees, 3, 3))).toThrow(RangeError);
  expect(() => rangesFor((subtrees) => consistencyProof(subtrees, 4, 3))).toThrow(RangeError);
});

test('some hundreds of hashes are enough for any length', () => {
  const hashesFor = (some: number, size: number) =>
    rangesFor(answerOf(some, size)).reduce((sum, { from, to }) => sum + to - from, 0);
  always(
    16,
    300,
    fc.property(fc.tuple(fc.nat(), fc.nat()), ([a, b]) => {
      const [some, size] = [Math.min(a, b) + 1, Math.max(a, b) + 1];
      const levels = Math.ceil(Math.log2(size + 1) / 8);
      expect(hashesFor(some, size)).toBeLessThanOrEqual(3 * 256 * levels);
    }),
  );
  expect(hashesFor(1_234, 1_000_000)).toBeLessThan(1_600);
});

test('what is kept is one hash for each 256 leaves, and few above', () => {
  expect([0, 1, 7, 8, 9, 15, 16, 24].filter(isKept)).toEqual([8, 16, 24]);
});
