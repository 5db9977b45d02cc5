/** One way to check a property: seeded, so that a failure comes back the next time. */
import * as fc from 'fast-check';

/** Throws with the smallest counterexample that it finds in that many cases. */
export const always = (seed: number, cases: number, property: fc.IProperty<unknown>): void =>
  fc.assert(property, { seed, numRuns: cases });
