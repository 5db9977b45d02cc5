/**
 * A part of the tree of merkle.ts in O(log n) hashes: the roots of the largest full subtrees over the
 * leaves from `begin` up to, and without, `end`, from the left. The part up to a checkpoint and the
 * part after it are together all that a proof needs that the tree goes on from that checkpoint.
 */
import { nodeHash, type Subtrees } from './merkle.ts';

export type Span = {
  readonly begin: number;
  readonly end: number;
  readonly hashes: readonly string[];
};

/** Told of each full subtree of the span when its last leaf is there. */
export type OnSubtree = (level: number, index: number, hash: string) => void;

/** The span of no leaves, before leaf `place`. */
export function emptySpan(place: number): Span {
  return { begin: place, end: place, hashes: [] };
}

/** The span with one leaf hash more. Throws RangeError for a broken span. */
export function appendToSpan(
  { begin, end, hashes }: Span,
  leaf: string,
  onSubtree: OnSubtree = () => undefined,
): Span {
  const kept = [...hashes];
  let [level, index, node] = [0, end, leaf];
  onSubtree(level, index, node);
  while (index % 2 === 1 && (index - 1) * 2 ** level >= begin) {
    const left = kept.pop();
    if (left === undefined) throw new RangeError(`the span ${begin} to ${end} needs more hashes`);
    node = nodeHash(left, node);
    index = (index - 1) / 2;
    level += 1;
    onSubtree(level, index, node);
  }
  return { begin, end: end + 1, hashes: [...kept, node] };
}

/** The full subtrees that the spans are made of, to look up. Asked for another: RangeError. */
export function subtreesOfSpans(spans: readonly Span[]): Subtrees {
  const known = new Map<string, string>();
  for (const { begin, end, hashes } of spans) {
    let place = begin;
    for (const hash of hashes) {
      const level = largestLevel(place, end);
      known.set(subtreeKey(level, place / 2 ** level), hash);
      place += 2 ** level;
    }
  }
  return (level, index) => {
    const hash = known.get(subtreeKey(level, index));
    if (hash === undefined) throw new RangeError(`no subtree ${index} at level ${level} is known`);
    return hash;
  };
}

/** One name for each subtree. */
export function subtreeKey(level: number, index: number): string {
  return `${level}:${index}`;
}

/** Of the full subtrees that begin at a place and end by `end`, the largest one's level. */
function largestLevel(place: number, end: number): number {
  let level = 0;
  while (place % 2 ** (level + 1) === 0 && place + 2 ** (level + 1) <= end) level += 1;
  return level;
}
