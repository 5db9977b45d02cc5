/** A run's own record: what it started from, and its entries, one row a transition. */
import type { Entry } from '../contract/runs.ts';
import type { Seed } from './messages.ts';

const SCHEMA = [
  'CREATE TABLE IF NOT EXISTS seed (one INTEGER PRIMARY KEY CHECK (one = 1), seed TEXT NOT NULL)',
  'CREATE TABLE IF NOT EXISTS journal (first_seq INTEGER PRIMARY KEY, entries TEXT NOT NULL)',
];
type SeedRow = { seed: string };
type JournalRow = { entries: string };

export class Journal {
  readonly #sql: SqlStorage;
  #seed: Seed | null = null;
  #entries: Entry[] = [];

  /** An object that was never given a run stores nothing, not even empty tables. */
  constructor(sql: SqlStorage) {
    this.#sql = sql;
    const tables = sql.exec(`SELECT 1 FROM sqlite_master WHERE name = 'journal'`).toArray();
    if (tables.length === 0) return;
    const row = sql.exec<SeedRow>('SELECT seed FROM seed').toArray()[0];
    if (row === undefined) return;
    this.#seed = JSON.parse(row.seed);
    this.#entries = sql
      .exec<JournalRow>('SELECT entries FROM journal ORDER BY first_seq')
      .toArray()
      .flatMap((part) => JSON.parse(part.entries));
  }

  seed(): Seed | null {
    return this.#seed;
  }

  entries(): Entry[] {
    return [...this.#entries];
  }

  begin(seed: Seed): void {
    for (const statement of SCHEMA) this.#sql.exec(statement);
    this.#sql.exec('INSERT INTO seed (one, seed) VALUES (1, ?)', JSON.stringify(seed));
    this.#seed = seed;
  }

  append(entries: readonly Entry[]): void {
    const [first] = entries;
    if (first === undefined) return;
    this.#sql.exec(
      'INSERT INTO journal (first_seq, entries) VALUES (?, ?)',
      first.seq,
      JSON.stringify(entries),
    );
    this.#entries.push(...entries);
  }

  /** Takes a person out of what is kept. Every entry stays, so the fold of them stays what it was. */
  erase(seed: Seed, erased: (entries: readonly Entry[]) => readonly Entry[]): void {
    this.#sql.exec('UPDATE seed SET seed = ?', JSON.stringify(seed));
    const rows = this.#sql
      .exec<JournalRow & { first_seq: number }>('SELECT * FROM journal ORDER BY first_seq')
      .toArray()
      .map((row) => ({ ...row, kept: erased(JSON.parse(row.entries)) }));
    for (const { first_seq: firstSeq, kept } of rows)
      this.#sql.exec(
        'UPDATE journal SET entries = ? WHERE first_seq = ?',
        JSON.stringify(kept),
        firstSeq,
      );
    this.#seed = seed;
    this.#entries = rows.flatMap(({ kept }) => kept);
  }
}
