/**
 * A run's own record: what it started from, its entries, and how far its tenant has taken them. Rows
 * written are the bill, so a transition writes one, the last part, until that is large enough.
 */
import type { Entry } from '../contract/runs.ts';
import type { Seed } from './messages.ts';

const SCHEMA = `CREATE TABLE IF NOT EXISTS journal (
  part INTEGER PRIMARY KEY, seed TEXT, entries TEXT NOT NULL, reported INTEGER NOT NULL)`;
type Row = { part: number; seed: string | null; entries: string; reported: number };

/** A part that has so many characters is written no more; the next entries begin another. */
const PART_CHARACTERS = 16_384;

export class Journal {
  readonly #sql: SqlStorage;
  #seed: Seed | null = null;
  #entries: Entry[] = [];
  /** The number of the last entry that the tenant has taken. */
  #reported = 0;
  /** Of the last part: its number, its length, and how many entries are in those before it. */
  #last = { part: 0, size: 0, before: 0 };

  /** An object that was never given a run stores nothing, not even empty tables. */
  constructor(sql: SqlStorage) {
    this.#sql = sql;
    const tables = sql.exec(`SELECT 1 FROM sqlite_master WHERE name = 'journal'`).toArray();
    if (tables.length === 0) return;
    for (const { part, seed, entries, reported } of sql.exec<Row>(
      'SELECT * FROM journal ORDER BY part',
    )) {
      if (seed !== null) this.#seed = JSON.parse(seed);
      this.#last = { part, size: entries.length, before: this.#entries.length };
      this.#entries.push(...JSON.parse(entries));
      this.#reported = reported;
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
    this.#sql.exec(SCHEMA);
    const reported = entries.at(-1)?.seq ?? 0;
    const json = JSON.stringify(entries);
    this.#sql.exec(
      'INSERT INTO journal (part, seed, entries, reported) VALUES (1, ?, ?, ?)',
      JSON.stringify(seed),
      json,
      reported,
    );
    this.#seed = seed;
    this.#entries = [...entries];
    this.#reported = reported;
    this.#last = { part: 1, size: json.length, before: 0 };
  }

  /** What could not be written has not happened: memory follows the store. */

  append(entries: readonly Entry[]): void {
    if (entries.length === 0) return;
    const isFull = this.#last.size >= PART_CHARACTERS;
    const part = isFull ? this.#last.part + 1 : this.#last.part;
    const before = isFull ? this.#entries.length : this.#last.before;
    const json = JSON.stringify([...this.#entries.slice(before), ...entries]);
    this.#sql.exec(
      isFull
        ? 'INSERT INTO journal (entries, reported, part) VALUES (?, ?, ?)'
        : 'UPDATE journal SET entries = ?, reported = ? WHERE part = ?',
      json,
      this.#reported,
      part,
    );
    this.#entries.push(...entries);
    this.#last = { part, size: json.length, before };
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
    this.#sql.exec('UPDATE journal SET seed = ? WHERE seed IS NOT NULL', JSON.stringify(seed));
    this.#seed = seed;
    this.#entries = [];
    for (const { part, entries } of this.#sql
      .exec<Row>('SELECT * FROM journal ORDER BY part')
      .toArray()) {
      const kept = erased(JSON.parse(entries));
      this.#sql.exec('UPDATE journal SET entries = ? WHERE part = ?', JSON.stringify(kept), part);
      this.#entries.push(...kept);
    }
  }

  /** The storage was emptied. */
  forget(): void {
    this.#seed = null;
    this.#entries = [];
    this.#reported = 0;
    this.#last = { part: 0, size: 0, before: 0 };
  }
}
