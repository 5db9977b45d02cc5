/**
 * A run's own record: what it started from, its entries, and how far its tenant has taken them. Rows
 * written are the bill, so a transition writes one, the last part, until that is large enough; and a
 * part is a key of the storage, since a table would have to be made in each object.
 */
import type { Entry } from '../contract/entries.ts';
import type { Seed } from './messages.ts';

/** As text, so that its length is known. */
interface Part {
  /** With the first part alone. */
  readonly seed: string | null;
  readonly entries: string;
  readonly reported: number;
}

/** A part that has so many characters is written no more; the next entries begin another. */
const PART_CHARACTERS = 16_384;
const PREFIX = 'journal-';
const NUMBER_DIGITS = 6;
const NONE = { seed: null, entries: '', reported: 0, before: 0 };

export class Journal {
  readonly #kv: SyncKvStorage;
  #seed: Seed | null = null;
  #entries: Entry[] = [];
  /** The number of the last entry that the tenant has taken. */
  #reported = 0;
  #parts = 0;
  /** The last part, and how many entries are in those before it. */
  #last: Part & { readonly before: number } = NONE;

  /** An object that was never given a run stores nothing. */
  constructor(kv: SyncKvStorage) {
    this.#kv = kv;
    for (const [, part] of kv.list<Part>({ prefix: PREFIX })) {
      if (part.seed !== null) this.#seed = JSON.parse(part.seed);
      this.#parts += 1;
      this.#last = { ...part, before: this.#entries.length };
      this.#entries.push(...JSON.parse(part.entries));
      this.#reported = part.reported;
    }
  }

  seed(): Seed | null {
    return this.#seed;
  }

  entries(): Entry[] {
    return [...this.#entries];
  }

  /** The tenant knows the entries with which a run comes. */
  begin(seed: Seed, entries: readonly Entry[]): void {
    const reported = entries.at(-1)?.seq ?? 0;
    const first = { seed: JSON.stringify(seed), entries: JSON.stringify(entries), reported };
    this.#put(1, first);
    this.#seed = seed;
    this.#entries = [...entries];
    this.#reported = reported;
    this.#parts = 1;
    this.#last = { ...first, before: 0 };
  }

  /** What could not be written has not happened: memory follows the store. */
  append(entries: readonly Entry[]): void {
    if (entries.length === 0) return;
    const isFull = this.#last.entries.length >= PART_CHARACTERS;
    const number = isFull ? this.#parts + 1 : this.#parts;
    const before = isFull ? this.#entries.length : this.#last.before;
    const part = {
      seed: isFull ? null : this.#last.seed,
      entries: JSON.stringify([...this.#entries.slice(before), ...entries]),
      reported: this.#reported,
    };
    this.#put(number, part);
    this.#entries.push(...entries);
    this.#parts = number;
    this.#last = { ...part, before };
  }

  /** Entries that the tenant has not taken, as far as is known: it takes each number once. */
  unreported(): Entry[] {
    return this.#entries.filter(({ seq }) => seq > this.#reported);
  }

  /** Written down with the next transition: after a crash some are told twice. */
  reported(seq: number): void {
    this.#reported = Math.max(this.#reported, seq);
  }

  /** Takes a person out of what is kept. Every entry stays, so the fold of them stays what it was. */
  erase(seed: Seed, erased: (entries: readonly Entry[]) => readonly Entry[]): void {
    this.#seed = seed;
    this.#entries = [];
    for (const [key, part] of [...this.#kv.list<Part>({ prefix: PREFIX })]) {
      const kept = erased(JSON.parse(part.entries));
      const left = {
        ...part,
        seed: part.seed === null ? null : JSON.stringify(seed),
        entries: JSON.stringify(kept),
      };
      this.#kv.put(key, left);
      this.#last = { ...left, before: this.#entries.length };
      this.#entries.push(...kept);
    }
  }

  /** The storage was emptied. */
  forget(): void {
    this.#seed = null;
    this.#entries = [];
    this.#reported = 0;
    this.#parts = 0;
    this.#last = NONE;
  }

  #put(number: number, part: Part): void {
    this.#kv.put(PREFIX + String(number).padStart(NUMBER_DIGITS, '0'), part);
  }
}
