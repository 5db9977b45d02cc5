/**
 * Whole lines of a log, checked by themselves: that each entry fits and follows the one before it in
 * the same lines. Where in the chain they stand, their neighbours tell: so they can be checked in any
 * order, and by several threads.
 */
import { isUtf8 } from 'node:buffer';
import { isJsonObject, type Json, type JsonObject } from '../../src/contract/json.ts';
import type { CheckedEntries } from '../../src/engine/chain.ts';
import type { Sha256 } from '../../src/engine/sha256.ts';
import { type Bounds, boundsOf } from './lines.ts';
import { QuickReader } from './quick-entry.ts';

/** What is known of entries that all fit. */
export interface Segment extends CheckedEntries {
  readonly first: JsonObject;
  readonly last: JsonObject;
  /** Every hash after the other, where they were wanted; else empty. */
  readonly hashes: string;
}

export class SegmentReader {
  readonly #quick: QuickReader;
  readonly #wantsHashes: boolean;

  constructor(sha256: Sha256, wantsHashes: boolean) {
    this.#quick = new QuickReader(sha256);
    this.#wantsHashes = wantsHashes;
  }

  /** Null unless every line is an entry that fits, as far as can be seen quickly. */
  read(bytes: Buffer): Segment | null {
    if (!isUtf8(bytes)) return null;
    const lines = boundsOf(bytes);
    const [first, last] = [entryAt(bytes, lines[0]), entryAt(bytes, lines.at(-1))];
    if (typeof first?.seq !== 'number' || typeof first.prevHash !== 'string') return null;
    if (last === null) return null;
    const { seq, prevHash } = first;
    let [head, whole, erased, told] = [prevHash, 0, 0, 0];
    const hashes: string[] = [];
    for (const [index, bounds] of lines.entries()) {
      const entry = this.#quick.read(bytes, bounds, seq + index, head);
      if (entry === null) return null;
      head = entry.head;
      whole += entry.parts.whole;
      erased += entry.parts.erased;
      told += entry.parts.told;
      if (this.#wantsHashes) hashes.push(head);
    }
    const parts = { whole, erased, told };
    const checked = { seq, prevHash, entries: lines.length, head, parts };
    return { ...checked, first, last, hashes: hashes.join('') };
  }
}

/** The object on a line; null where there is none. */
function entryAt(bytes: Buffer, [from, to]: Bounds = [0, 0]): JsonObject | null {
  try {
    const value: Json = JSON.parse(bytes.toString('utf8', from, to));
    return isJsonObject(value) ? value : null;
  } catch {
    return null;
  }
}
