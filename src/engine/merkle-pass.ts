/**
 * Makes a proof of merkle.ts in one pass over the leaves with O(log n) memory: it is asked first
 * which subtrees it will need, and those alone are kept while the leaves go by.
 */
import { rootOfRange, type Subtrees } from './merkle.ts';
import { appendToSpan, emptySpan, type Span, subtreeKey } from './merkle-span.ts';

/** What stands for a hash while nobody looks at it. */
const BLANK = '0'.repeat(64);

export class ProofPass {
  readonly #prove: (subtrees: Subtrees) => string[];
  readonly #kept = new Map<string, string>();
  #tree: Span = emptySpan(0);

  /** Throws what `prove` throws: RangeError for a proof that there cannot be. */
  constructor(prove: (subtrees: Subtrees) => string[]) {
    this.#prove = prove;
    prove((level, index) => {
      this.#kept.set(subtreeKey(level, index), BLANK);
      return BLANK;
    });
  }

  /** How many leaves were taken. */
  get size(): number {
    return this.#tree.end;
  }

  /** The root of the tree over the leaves so far. */
  get root(): string {
    return rootOfRange({ size: this.#tree.end, hashes: this.#tree.hashes });
  }

  /** The next leaf hash, from leaf 0. */
  take(leaf: string): void {
    this.#tree = appendToSpan(this.#tree, leaf, (level, index, hash) => {
      const key = subtreeKey(level, index);
      if (this.#kept.has(key)) this.#kept.set(key, hash);
    });
  }

  /** To be asked for when as many leaves were taken as the proof is about. */
  proof(): string[] {
    return this.#prove((level, index) => this.#kept.get(subtreeKey(level, index)) ?? BLANK);
  }
}
