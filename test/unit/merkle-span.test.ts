/** Parts of a tree in few hashes: they make the same proofs as the whole tree does. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { consistencyProof, leafHash, rootOf, subtreesOf } from '../../src/engine/merkle.ts';
import { verifyConsistency } from '../../src/engine/merkle-proof.ts';
import { appendToSpan, emptySpan, subtreesOfSpans } from '../../src/engine/merkle-span.ts';
import { always } from './support/properties.ts';

const leaves = Array.from({ length: 260 }, (_, n) => leafHash(n.toString(16).padStart(64, '0')));
const whole = subtreesOf(leaves);
const span = (begin: number, end: number) =>
  leaves.slice(begin, end).reduce((grown, leaf) => appendToSpan(grown, leaf), emptySpan(begin));
const sizes = fc
  .tuple(fc.integer({ min: 1, max: leaves.length }), fc.integer({ min: 1, max: leaves.length }))
  .map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const);

test('what was there at a checkpoint and what came after it prove that the tree goes on', () => {
  always(
    11,
    400,
    fc.property(sizes, ([from, to]) => {
      const proof = consistencyProof(subtreesOfSpans([span(0, from), span(from, to)]), from, to);
      expect(proof).toEqual(consistencyProof(whole, from, to));
    }),
  );
});

test('a span of another history proves nothing', () => {
  always(
    12,
    200,
    fc.property(sizes, ([from, to]) => {
      if (from === to) return;
      const other = appendToSpan(span(from, to - 1), 'ff'.repeat(32));
      const proof = consistencyProof(subtreesOfSpans([span(0, from), other]), from, to);
      const roots = {
        fromRoot: rootOf(leaves.slice(0, from)),
        toRoot: rootOf(leaves.slice(0, to)),
      };
      expect(verifyConsistency({ from, to, ...roots }, proof)).toBe(false);
    }),
  );
});

test('a span that begins elsewhere lacks a subtree, and says so', () => {
  const subtrees = subtreesOfSpans([span(0, 5), span(6, 9)]);
  expect(() => consistencyProof(subtrees, 5, 9)).toThrow(RangeError);
});

test('a span holds no more hashes than twice the logarithm of its length', () => {
  always(
    13,
    200,
    fc.property(sizes, ([from, to]) => {
      const { hashes } = span(from, to);
      expect(hashes.length).toBeLessThanOrEqual(2 * Math.ceil(Math.log2(to - from + 2)));
    }),
  );
});
