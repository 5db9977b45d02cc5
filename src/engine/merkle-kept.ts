/**
 * Proofs of merkle.ts from few rows. Besides the leaves, the roots of the full subtrees over 256,
 * 65,536, … leaves are kept; all others are made of at most 128 of those below. So a proof about n
 * leaves reads in the order of 256 log n hashes, and keeping them costs one for each 256 leaves. The
 * same grid as https://c2sp.org/tlog-tiles.
 */
import { nodeHash, type Subtrees } from './merkle.ts';
import { subtreeKey } from './merkle-span.ts';

const GRID = 8;
/** What stands for a hash while nobody looks at it. */
const BLANK = '0'.repeat(64);

/** A full subtree that is kept: see Subtrees for `level` and `place` (its index there). */
export interface Subtree {
  readonly level: number;
  readonly place: number;
  readonly hash: string;
}

/** Hashes of one level, at places from `from` up to, and without, `to`. Level 0: the leaves. */
export interface Range {
  readonly level: number;
  readonly from: number;
  readonly to: number;
}

/** Whether the roots of a level are kept; leaves are there anyway. */
export function isKept(level: number): boolean {
  return level > 0 && level % GRID === 0;
}

/** Which hashes an answer is made of. Throws what `answer` throws: RangeError where there is none. */
export function rangesFor(answer: (subtrees: Subtrees) => unknown): Range[] {
  const ranges = new Map<string, Range>();
  answer((level, index) => {
    const width = 2 ** (level % GRID);
    const from = index * width;
    const range = { level: level - (level % GRID), from, to: from + width };
    ranges.set(JSON.stringify(range), range);
    return BLANK;
  });
  return [...ranges.values()];
}

/** Hashes of leaves and kept subtrees as they were found, and all subtrees that they make. */
export class FoundSubtrees {
  readonly #found = new Map<string, string>();

  add({ level, place, hash }: Subtree): void {
    this.#found.set(subtreeKey(level, place), hash);
  }

  /** What has to be looked for in the place of what is not there: throws for a leaf. */
  missing(ranges: readonly Range[]): Range[] {
    return ranges.flatMap(({ level, from, to }) =>
      Array.from({ length: to - from }, (_, index) => from + index).flatMap((place) => {
        if (this.#found.has(subtreeKey(level, place))) return [];
        if (level === 0) throw new Error(`leaf ${place} is missing`);
        const width = 2 ** GRID;
        return { level: level - GRID, from: place * width, to: (place + 1) * width };
      }),
    );
  }

  /** Any full subtree that can be made of what was found. Asked for another: Error. */
  readonly subtrees: Subtrees = (level, index) => {
    const found = this.#found.get(subtreeKey(level, index));
    if (found !== undefined) return found;
    if (level === 0) throw new Error(`leaf ${index} is missing`);
    const left = this.subtrees(level - 1, index * 2);
    return nodeHash(left, this.subtrees(level - 1, index * 2 + 1));
  };
}
