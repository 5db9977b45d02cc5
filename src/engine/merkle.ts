/**
 * The Merkle tree over a tenant's audit entries (RFC 6962, section 2.1): a leaf is
 * SHA-256(0x00 || the 32 bytes of an entry's hash), a node SHA-256(0x01 || left || right). Hashes are
 * lower-case hex, leaves count from 0, sizes are whole numbers up to 2^53 - 1, so halves are taken by
 * division and never by bit operators, which end at 2^32. Proofs are checked in merkle-proof.ts.
 */
import { portableSha256, type Sha256 } from './sha256.ts';

const HASH_DIGITS = 64;

/** The leaf of an entry. @param entryHash the entry's `hash`, in hex */
export function leafHash(entryHash: string, sha256: Sha256 = portableSha256): string {
  return sha256.ofHex(`00${entryHash}`);
}

/** The node above two nodes. */
export function nodeHash(left: string, right: string, sha256: Sha256 = portableSha256): string {
  return sha256.ofHex(`01${left}${right}`);
}

/**
 * A tree in O(log n) hashes: the roots of the perfect subtrees that it is made of, the largest (and
 * oldest) first. Enough to append to it and to know its root, and small enough for one row.
 */
export type CompactRange = { readonly size: number; readonly hashes: readonly string[] };

export const EMPTY_RANGE: CompactRange = { size: 0, hashes: [] };

/** The tree with one leaf more. Throws RangeError for a leaf that is no hash, or a broken range. */
export function append(
  { size, hashes }: CompactRange,
  leaf: string,
  sha256: Sha256 = portableSha256,
): CompactRange {
  if (leaf.length !== HASH_DIGITS) throw new RangeError('a leaf is a hash of 32 bytes in hex');
  const kept = [...hashes];
  let node = leaf;
  for (let count = size; count % 2 === 1; count = (count - 1) / 2) {
    const left = kept.pop();
    if (left === undefined) throw new RangeError(`a tree of ${size} leaves needs more hashes`);
    node = nodeHash(left, node, sha256);
  }
  return { size: size + 1, hashes: [...kept, node] };
}

/** The tree's root. The root of the empty tree is the hash of nothing. */
export function rootOfRange({ hashes }: CompactRange, sha256: Sha256 = portableSha256): string {
  const [smallest, ...larger] = hashes.toReversed();
  if (smallest === undefined) return sha256.ofHex('');
  return larger.reduce((root, left) => nodeHash(left, root, sha256), smallest);
}

/**
 * The root of the perfect subtree over the leaves from `index * 2^level` up to, and without,
 * `(index + 1) * 2^level`. Only asked for subtrees that are full.
 */
export type Subtrees = (level: number, index: number) => string;

/** All full subtrees over leaves that are at hand: about twice as many hashes as leaves. */
export function subtreesOf(leaves: readonly string[], sha256: Sha256 = portableSha256): Subtrees {
  const levels = [leaves];
  for (let below = leaves; below.length > 1; ) {
    below = pairsOf(below, sha256);
    levels.push(below);
  }
  return (level, index) => {
    const hash = levels[level]?.[index];
    if (hash === undefined) throw new RangeError(`no full subtree ${index} at level ${level}`);
    return hash;
  };
}

/** One level up: a node for each whole pair. */
function pairsOf(below: readonly string[], sha256: Sha256): string[] {
  return below.flatMap((right, index) => {
    const left = below[index - 1];
    return index % 2 === 1 && left !== undefined ? [nodeHash(left, right, sha256)] : [];
  });
}

/** The root of the tree over these leaves. */
export function rootOf(leaves: readonly string[], sha256: Sha256 = portableSha256): string {
  if (leaves.length === 0) return sha256.ofHex('');
  return rootOfFirst(subtreesOf(leaves, sha256), leaves.length, sha256);
}

/** The root of the tree over the first `size` leaves, of which there is one at least. */
export function rootOfFirst(
  subtrees: Subtrees,
  size: number,
  sha256: Sha256 = portableSha256,
): string {
  return rootBetween(subtrees, 0, size, sha256);
}

/**
 * That a leaf is in the tree of that size: the hashes beside its way up, from the bottom.
 * Throws RangeError for a leaf outside the tree.
 */
export function inclusionProof(
  subtrees: Subtrees,
  index: number,
  size: number,
  sha256: Sha256 = portableSha256,
): string[] {
  if (!isCount(size) || !isCount(index) || index >= size)
    throw new RangeError(`no leaf ${index} in a tree of ${size}`);
  return path(index, 0, size);

  function path(leaf: number, from: number, to: number): string[] {
    if (to - from === 1) return [];
    const middle = from + largestPowerBelow(to - from);
    return leaf < middle
      ? [...path(leaf, from, middle), rootBetween(subtrees, middle, to, sha256)]
      : [...path(leaf, middle, to), rootBetween(subtrees, from, middle, sha256)];
  }
}

/**
 * That the tree of size `to` began as the tree of size `from` (RFC 6962, 2.1.2).
 * Throws RangeError unless 0 < from <= to: every tree began as the empty one. From itself: no hashes.
 */
export function consistencyProof(
  subtrees: Subtrees,
  from: number,
  to: number,
  sha256: Sha256 = portableSha256,
): string[] {
  if (!isCount(from) || !isCount(to) || from === 0 || from > to)
    throw new RangeError(`a tree of ${to} did not begin as one of ${from}`);
  return subproof(0, to, true);

  function subproof(begin: number, end: number, isOldRoot: boolean): string[] {
    if (from === end) return isOldRoot ? [] : [rootBetween(subtrees, begin, end, sha256)];
    const middle = begin + largestPowerBelow(end - begin);
    return from <= middle
      ? [...subproof(begin, middle, isOldRoot), rootBetween(subtrees, middle, end, sha256)]
      : [...subproof(middle, end, false), rootBetween(subtrees, begin, middle, sha256)];
  }
}

/** The root over the leaves from `from` up to, and without, `to`, as the RFC splits a tree. */
function rootBetween(subtrees: Subtrees, from: number, to: number, sha256: Sha256): string {
  const below = largestPowerBelow(to - from);
  const isPerfect = to - from === 1 || to - from === below * 2;
  if (isPerfect) return subtrees(Math.log2(to - from), from / (to - from));
  const left = rootBetween(subtrees, from, from + below, sha256);
  return nodeHash(left, rootBetween(subtrees, from + below, to, sha256), sha256);
}

/** The largest power of two that is smaller than the number; 1 for 1, which nobody splits. */
function largestPowerBelow(count: number): number {
  let power = 1;
  while (power * 2 < count) power *= 2;
  return power;
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}
