/**
 * Compares a log with signed checkpoints while it is read: the tree over its first entries must have
 * the root that was signed for that many. What comes after the last checkpoint, only the chain holds.
 */
import type { ChainFault } from '../../src/engine/chain.ts';
import type { Checkpoint } from '../../src/engine/checkpoint.ts';
import { append, EMPTY_RANGE, leafHash, rootOfRange } from '../../src/engine/merkle.ts';
import type { Sha256 } from '../../src/engine/sha256.ts';

/** A checkpoint whose signature was verified. */
export type TrustedCheckpoint = {
  /** How to call it in a sentence, such as its file's name. */
  readonly label: string;
  readonly checkpoint: Checkpoint;
  /** When the key that signed it was retired (RFC 3339, UTC); null while it is in use. */
  readonly until: string | null;
};

export class CheckpointWatch {
  /** Those that are not reached yet, the smallest first. */
  readonly #open: TrustedCheckpoint[];
  readonly #sha256: Sha256;
  #tree = EMPTY_RANGE;
  /** The size of the last checkpoint that matched. */
  #vouchedFor = 0;
  #matched = 0;

  constructor(checkpoints: readonly TrustedCheckpoint[], sha256: Sha256) {
    this.#open = checkpoints.toSorted((a, b) => a.checkpoint.size - b.checkpoint.size);
    this.#sha256 = sha256;
  }

  /** How many matched. */
  get matched(): number {
    return this.#matched;
  }

  /** Before the first entry. Why the checkpoints cannot all be true, whatever the log; or null. */
  begin(): string | null {
    const wrong = this.#open.find(({ checkpoint }, index) => {
      const before = this.#open[index - 1]?.checkpoint;
      return before?.size === checkpoint.size && before.root !== checkpoint.root;
    });
    if (wrong !== undefined)
      return `${wrong.label} and another signed checkpoint of ${wrong.checkpoint.size} entries contradict each other`;
    return this.#compare(() => null)?.reason ?? null;
  }

  /** After each entry that the chain accepted. @param at when the entry says it was written */
  take(entryHash: string, at: () => string | null): ChainFault | null {
    if (this.#open.length === 0) return null;
    this.#tree = append(this.#tree, leafHash(entryHash, this.#sha256), this.#sha256);
    return this.#compare(at);
  }

  /** After the last entry: null when every checkpoint was reached. */
  end(entries: number): ChainFault | null {
    const largest = this.#open.at(-1);
    if (largest === undefined) return null;
    const seq = entries + 1;
    const { label, checkpoint } = largest;
    const reason = `entry ${seq} is missing: the log was cut off, ${label} is signed over ${checkpoint.size} entries`;
    return { seq, reason };
  }

  #compare(at: () => string | null): ChainFault | null {
    const { size } = this.#tree;
    for (let next = this.#open[0]; next?.checkpoint.size === size; next = this.#open[0]) {
      const fault = this.#rewritten(next) ?? retired(next, at());
      if (fault !== null) return fault;
      this.#open.shift();
      this.#vouchedFor = size;
      this.#matched += 1;
    }
    return null;
  }

  #rewritten({ label, checkpoint: { size, root } }: TrustedCheckpoint): ChainFault | null {
    if (rootOfRange(this.#tree, this.#sha256) === root) return null;
    const seq = this.#vouchedFor + 1;
    const reason = `the log was written anew: its entries ${seq} to ${size} are not those that ${label} is signed over`;
    return { seq, reason };
  }
}

/** A key that was retired before the entry was written cannot have signed over it in its time. */
function retired({ label, checkpoint, until }: TrustedCheckpoint, at: string | null) {
  if (until === null || at === null || at < until) return null;
  const { size } = checkpoint;
  return { seq: size, reason: `the key of ${label} was retired before entry ${size} was written` };
}
