/** Chance from a seed: the same draws in the same order for the same seed (Mulberry32). */

export interface Chance {
  /** In [0, 1). */
  next(): number;
  /** A whole number, both ends included. */
  between(low: number, high: number): number;
  happens(share: number): boolean;
  oneOf<Value>(from: readonly [Value, ...Value[]]): Value;
  /** A value by its share of all shares. */
  weighted<Value>(from: readonly (readonly [number, Value])[]): Value;
  /** Draws of its own, which do not depend on how many others are made. */
  branch(): Chance;
}

export function chanceOf(seed: number): Chance {
  let state = seed;
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const between = (low: number, high: number) => low + Math.floor(next() * (high - low + 1));
  return {
    next,
    between,
    happens: (share) => next() < share,
    oneOf: (from) => from[between(0, from.length - 1)] ?? from[0],
    weighted(from) {
      let rest = next() * from.reduce((sum, [share]) => sum + share, 0);
      for (const [share, value] of from) {
        if (rest < share) return value;
        rest -= share;
      }
      throw new Error('nothing to choose from');
    },
    branch: () => chanceOf(between(0, 2 ** 31)),
  };
}
