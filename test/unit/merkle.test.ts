/** The Merkle tree over audit entries: RFC 6962's definitions, its proofs, the public vectors. */
import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as z from 'zod';
import {
  append,
  consistencyProof,
  EMPTY_RANGE,
  inclusionProof,
  leafHash,
  rootOf,
  rootOfRange,
  subtreesOf,
} from '../../src/engine/merkle.ts';
import { verifyConsistency, verifyInclusion } from '../../src/engine/merkle-proof.ts';
import { always } from './support/properties.ts';
import { readVectors } from './support/vectors.ts';

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest();
const hex = (base64: string) => Buffer.from(base64, 'base64').toString('hex');
const entryHash = (index: number) => sha256(Buffer.from(`entry ${index}`)).toString('hex');
const leavesOf = (count: number) =>
  Array.from({ length: count }, (_, index) => leafHash(entryHash(index)));

/** MTH of RFC 6962, section 2.1, written down as it stands there. */
function definition(entries: readonly Buffer[]): Buffer {
  const [only] = entries;
  if (only === undefined) return sha256(Buffer.alloc(0));
  if (entries.length === 1) return sha256(Buffer.concat([Buffer.of(0), only]));
  let k = 1;
  while (k * 2 < entries.length) k *= 2;
  const [left, right] = [entries.slice(0, k), entries.slice(k)].map(definition);
  return sha256(Buffer.concat([Buffer.of(1), left ?? only, right ?? only]));
}

const rootBy = (count: number) =>
  definition(
    Array.from({ length: count }, (_, index) => Buffer.from(entryHash(index), 'hex')),
  ).toString('hex');

/** The text with one of its bits turned. */
function flipped(text: string, bit: number): string {
  const bytes = Buffer.from(text, 'hex');
  const place = Math.floor(bit / 8) % bytes.length;
  bytes.writeUInt8(bytes.readUInt8(place) ^ (1 << (bit % 8)), place);
  return bytes.toString('hex');
}

describe('the root', () => {
  test('of nothing is the hash of nothing', () => {
    const empty = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
    expect(rootOf([])).toBe(empty);
    expect(rootOfRange(EMPTY_RANGE)).toBe(empty);
  });

  test('is RFC 6962’s for every size up to 130, at once and leaf by leaf', () => {
    let range = EMPTY_RANGE;
    for (let size = 1; size <= 130; size += 1) {
      range = append(range, leafHash(entryHash(size - 1)));
      expect(rootOfRange(range)).toBe(rootBy(size));
      expect(rootOf(leavesOf(size))).toBe(rootBy(size));
    }
  });

  test('needs as many hashes as the size has ones in binary', () => {
    let range = EMPTY_RANGE;
    for (const leaf of leavesOf(1_000)) range = append(range, leaf);
    expect(range.size).toBe(1_000);
    expect(range.hashes).toHaveLength(6);
    expect(append(JSON.parse(JSON.stringify(range)), entryHash(0)).size).toBe(1_001);
  });

  test('a state that lacks hashes, or a leaf that is none, is refused', () => {
    expect(() => append({ size: 3, hashes: [entryHash(1)] }, entryHash(2))).toThrow(RangeError);
    expect(() => append(EMPTY_RANGE, 'abc')).toThrow(RangeError);
    expect(() => leafHash('xyz')).toThrow();
  });
});

describe('proofs', () => {
  const SIZE = 40;
  const subtrees = subtreesOf(leavesOf(SIZE));
  const leaf = (index: number) => leafHash(entryHash(index));

  test('every leaf of every tree up to 40 is shown to be in it', () => {
    for (let size = 1; size <= SIZE; size += 1)
      for (let index = 0; index < size; index += 1) {
        const proof = inclusionProof(subtrees, index, size);
        const claim = { index, size, leaf: leaf(index), root: rootBy(size) };
        expect(verifyInclusion(claim, proof), `${index} of ${size}`).toBe(true);
      }
  });

  test('every tree up to 40 is shown to have begun as every smaller one', () => {
    for (let to = 1; to <= SIZE; to += 1)
      for (let from = 1; from <= to; from += 1) {
        const proof = consistencyProof(subtrees, from, to);
        const claim = { from, fromRoot: rootBy(from), to, toRoot: rootBy(to) };
        expect(verifyConsistency(claim, proof), `${from} of ${to}`).toBe(true);
      }
  });

  test('no hash is left out, put in or turned in one bit', () => {
    const sizes = fc
      .integer({ min: 2, max: SIZE })
      .chain((size) =>
        fc.record({ size: fc.constant(size), index: fc.nat(size - 1), bit: fc.nat(1 << 20) }),
      );
    always(
      20_260_401,
      300,
      fc.property(sizes, ({ size, index, bit }) => {
        const proof = inclusionProof(subtrees, index, size);
        const claim = { index, size, leaf: leaf(index), root: rootBy(size) };
        const place = bit % proof.length;
        expect(verifyInclusion(claim, proof.toSpliced(place, 1))).toBe(false);
        expect(verifyInclusion(claim, proof.toSpliced(place, 0, leaf(index)))).toBe(false);
        const turned = proof.map((one, at) => (at === place ? flipped(one, bit) : one));
        expect(verifyInclusion(claim, turned)).toBe(false);
        expect(verifyInclusion({ ...claim, leaf: flipped(claim.leaf, bit) }, proof)).toBe(false);
        expect(verifyInclusion({ ...claim, root: flipped(claim.root, bit) }, proof)).toBe(false);
        expect(verifyInclusion({ ...claim, index: (index + 1) % size }, proof)).toBe(false);
      }),
    );
  });

  test('no other past is accepted', () => {
    always(
      20_260_402,
      300,
      fc.property(fc.integer({ min: 2, max: SIZE }), fc.nat(1 << 20), (to, bit) => {
        const from = 1 + (bit % (to - 1));
        const proof = consistencyProof(subtrees, from, to);
        const claim = { from, fromRoot: rootBy(from), to, toRoot: rootBy(to) };
        const turned = proof.map((one, at) =>
          at === bit % proof.length ? flipped(one, bit) : one,
        );
        expect(verifyConsistency(claim, turned)).toBe(false);
        expect(verifyConsistency({ ...claim, fromRoot: flipped(claim.fromRoot, bit) }, proof)).toBe(
          false,
        );
        expect(verifyConsistency({ ...claim, toRoot: flipped(claim.toRoot, bit) }, proof)).toBe(
          false,
        );
        expect(verifyConsistency(claim, proof.slice(1))).toBe(false);
        expect(verifyConsistency(claim, [...proof, leaf(0)])).toBe(false);
      }),
    );
  });

  test.each([
    [-1, 3],
    [3, 3],
    [0, 0],
    [0.5, 3],
    [0, Number.NaN],
    [0, 2 ** 53],
  ])('of leaf %d in a tree of %d there is none', (index, size) => {
    expect(() => inclusionProof(subtrees, index, size)).toThrow(RangeError);
    expect(verifyInclusion({ index, size, leaf: leaf(0), root: leaf(0) }, [])).toBe(false);
  });

  test.each([
    [4, 3],
    [0, 3],
    [0, 0],
    [-1, 3],
    [1.5, 3],
    [1, Number.POSITIVE_INFINITY],
  ])('from a tree of %d to one of %d there is none', (from, to) => {
    expect(() => consistencyProof(subtrees, from, to)).toThrow(RangeError);
    const claim = { from, fromRoot: leaf(0), to, toRoot: leaf(0) };
    expect(verifyConsistency(claim, [])).toBe(false);
  });

  test('hashes that are not at hand are not guessed', () => {
    expect(() => inclusionProof(subtrees, 0, SIZE + 30)).toThrow('no full subtree');
  });

  test('a proof in capitals or with text that is no hash is refused', () => {
    const proof = inclusionProof(subtrees, 3, 8);
    const claim = { index: 3, size: 8, leaf: leaf(3), root: rootBy(8) };
    expect(
      verifyInclusion(
        claim,
        proof.map((one) => one.toUpperCase()),
      ),
    ).toBe(false);
    expect(verifyInclusion(claim, ['', ...proof.slice(1)])).toBe(false);
    expect(verifyConsistency({ from: 3, fromRoot: 'x', to: 8, toRoot: rootBy(8) }, ['x'])).toBe(
      false,
    );
  });

  test('sizes beyond 2^32 are counted right', () => {
    const size = 2 ** 40 + 1;
    const [left, last] = [entryHash(1), leaf(0)];
    const root = rootOfRange({ size, hashes: [left, last] });
    expect(verifyInclusion({ index: 2 ** 40, size, leaf: last, root }, [left])).toBe(true);
    expect(
      verifyConsistency({ from: 2 ** 40, fromRoot: left, to: size, toRoot: root }, [last]),
    ).toBe(true);
  });
});

describe('the public vectors (transparency-dev/merkle)', () => {
  const base64Proof = z.array(z.string()).nullable();
  const inclusion = readVectors(
    'merkle/inclusion/**/*.json',
    z.object({
      leafIdx: z.number(),
      treeSize: z.number(),
      root: z.string().nullable(),
      leafHash: z.string().nullable(),
      proof: base64Proof,
      wantErr: z.boolean(),
    }),
  );
  const consistency = readVectors(
    'merkle/consistency/**/*.json',
    z.object({
      size1: z.number(),
      size2: z.number(),
      root1: z.string().nullable(),
      root2: z.string().nullable(),
      proof: base64Proof,
      wantErr: z.boolean(),
    }),
  );

  test.skipIf(inclusion.length === 0)('inclusion: all are judged as they should be', () => {
    for (const { name, vector } of inclusion) {
      const claim = {
        index: vector.leafIdx,
        size: vector.treeSize,
        leaf: hex(vector.leafHash ?? ''),
        root: hex(vector.root ?? ''),
      };
      const proof = (vector.proof ?? []).map(hex);
      expect(verifyInclusion(claim, proof), name).toBe(!vector.wantErr);
    }
    expect(inclusion.some(({ vector }) => !vector.wantErr)).toBe(true);
  });

  test.skipIf(consistency.length === 0)('consistency: all are judged as they should be', () => {
    for (const { name, vector } of consistency) {
      const claim = {
        from: vector.size1,
        fromRoot: hex(vector.root1 ?? ''),
        to: vector.size2,
        toRoot: hex(vector.root2 ?? ''),
      };
      const proof = (vector.proof ?? []).map(hex);
      expect(verifyConsistency(claim, proof), name).toBe(!vector.wantErr);
    }
    expect(consistency.some(({ vector }) => !vector.wantErr)).toBe(true);
  });
});
