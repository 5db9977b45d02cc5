/**
 * An object's storage: SQLite in memory. What was written since the last commit stands in an open
 * transaction, so a death takes all of it back, as the platform does with writes that it has not
 * confirmed. The alarm is part of it.
 */
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { deserialize, serialize } from 'node:v8';

/** What @types/node does not have yet. https://nodejs.org/api/sqlite.html */
declare module 'node:sqlite' {
  interface DatabaseSync {
    serialize(): Uint8Array;
    deserialize(bytes: Uint8Array): void;
  }
  interface StatementSync {
    setReturnArrays(on: boolean): void;
  }
}

export interface SavedStorage {
  readonly database: Uint8Array;
  readonly alarm: number | null;
}

/** Statements by their text: they are prepared once for each database. */
export class Statements {
  readonly #database: DatabaseSync;
  readonly #known = new Map<string, { statement: StatementSync; reads: boolean }>();

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  /** Rows, and how many were changed. @param asArrays a row is its values alone */
  run(text: string, values: readonly SQLInputValue[], asArrays = false) {
    const { statement, reads } = this.#prepared(text);
    if (!reads) return { rows: [], changes: Number(statement.run(...values).changes) };
    statement.setReturnArrays(asArrays);
    const rows: readonly unknown[] = statement.all(...values);
    return { rows, changes: rows.length };
  }

  #prepared(text: string) {
    const known = this.#known.get(text);
    if (known !== undefined) return known;
    const statement = this.#database.prepare(text);
    const made = { statement, reads: statement.columns().length > 0 };
    this.#known.set(text, made);
    return made;
  }
}

export class ObjectStorage {
  readonly #database = new DatabaseSync(':memory:');
  readonly #statements = new Statements(this.#database);
  #isOpen = false;
  #alarm: number | null = null;
  #alarmOnDisk: number | null = null;
  readonly sql: ReturnType<typeof sqlOf>;
  readonly kv: ReturnType<typeof kvOf>;

  constructor(saved?: SavedStorage) {
    if (saved !== undefined && saved.database.length > 0)
      this.#database.deserialize(saved.database);
    this.#alarm = saved?.alarm ?? null;
    this.#alarmOnDisk = this.#alarm;
    const run: Run = (text, values) => {
      this.#begin();
      return this.#statements.run(text, values);
    };
    this.sql = sqlOf(run);
    this.kv = kvOf(run);
  }

  transactionSync<T>(work: () => T): T {
    this.#begin();
    this.#database.exec('SAVEPOINT work');
    try {
      const made = work();
      this.#database.exec('RELEASE work');
      return made;
    } catch (error) {
      this.#database.exec('ROLLBACK TO work; RELEASE work');
      throw error;
    }
  }

  async setAlarm(at: number | Date): Promise<void> {
    this.#alarm = Number(at);
  }

  async getAlarm(): Promise<number | null> {
    return this.#alarm;
  }

  async deleteAlarm(): Promise<void> {
    this.#alarm = null;
  }

  /** With the alarm, as since compatibility date 2026-02-24. */
  async deleteAll(): Promise<void> {
    this.#begin();
    const { rows } = this.#statements.run(
      `SELECT 'DROP TABLE "' || name || '"' FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'`,
      [],
      true,
    );
    for (const row of rows) if (Array.isArray(row)) this.#database.exec(String(row[0]));
    this.#alarm = null;
  }

  async sync(): Promise<void> {}

  /** Whether nothing is written that a death would take back. */
  get alarmOnDisk(): number | null {
    return this.#alarmOnDisk;
  }

  /** The platform uses the alarm up, or loses it. */
  dropAlarm(): void {
    this.#alarm = null;
    this.#alarmOnDisk = null;
  }

  /** @returns whether the alarm on disk is another one now */
  commit(): boolean {
    if (this.#isOpen) this.#database.exec('COMMIT');
    this.#isOpen = false;
    const isNew = this.#alarm !== this.#alarmOnDisk;
    this.#alarmOnDisk = this.#alarm;
    return isNew;
  }

  rollBack(): void {
    if (this.#isOpen) this.#database.exec('ROLLBACK');
    this.#isOpen = false;
    this.#alarm = this.#alarmOnDisk;
  }

  /** For those who look on: what is on disk, while nothing is open. Null: there is no such table. */
  read(table: string, text: string): readonly Record<string, unknown>[] | null {
    const there = this.#statements.run('SELECT 1 FROM sqlite_master WHERE name = ?', [table]);
    if (there.rows.length === 0) return null;
    return this.#statements.run(text, []).rows.flatMap((row) => (isRecord(row) ? [row] : []));
  }

  /** For those who look on: the values of the keys that begin so. */
  readKeys(prefix: string): readonly unknown[] {
    const rows = this.read(
      KEYS,
      `SELECT value FROM ${KEYS} WHERE key GLOB '${prefix}*' ORDER BY key`,
    );
    return (rows ?? []).map(({ value }) => unpacked(value));
  }

  save(): SavedStorage {
    return { database: this.#database.serialize(), alarm: this.#alarmOnDisk };
  }

  close(): void {
    this.#database.close();
  }

  #begin(): void {
    if (this.#isOpen) return;
    this.#database.exec('BEGIN');
    this.#isOpen = true;
  }
}

type Run = (
  text: string,
  values: readonly SQLInputValue[],
) => { rows: readonly unknown[]; changes: number };

/** Where the platform keeps them, too. */
const KEYS = '_cf_KV';

/** `ctx.storage.kv`, as far as it is used. */
function kvOf(run: Run) {
  const there = () => run('SELECT 1 FROM sqlite_master WHERE name = ?', [KEYS]).rows.length > 0;
  return {
    put(key: string, value: unknown): void {
      if (!there()) run(`CREATE TABLE ${KEYS} (key TEXT PRIMARY KEY, value BLOB)`, []);
      run(`INSERT OR REPLACE INTO ${KEYS} VALUES (?, ?)`, [key, serialize(value)]);
    },
    list({ prefix = '' }: { readonly prefix?: string } = {}): [string, unknown][] {
      if (!there()) return [];
      const text = `SELECT key, value FROM ${KEYS} WHERE key GLOB ? ORDER BY key`;
      const { rows } = run(text, [`${prefix}*`]);
      return rows.flatMap((row) => (isRecord(row) ? [pairOf(row)] : []));
    },
  };
}

function pairOf({ key, value }: Record<string, unknown>): [string, unknown] {
  return [String(key), unpacked(value)];
}

function unpacked(stored: unknown): unknown {
  return stored instanceof Uint8Array ? deserialize(stored) : null;
}

/** `ctx.storage.sql`, as far as it is used. */
function sqlOf(run: Run) {
  return {
    exec(text: string, ...values: SQLInputValue[]) {
      if (/;\s*\S/.test(text)) throw new Error('one statement at a time');
      const { rows, changes } = run(text, values);
      return {
        rowsWritten: changes,
        rowsRead: rows.length,
        toArray: () => [...rows],
        one() {
          if (rows.length !== 1) throw new Error(`expected one row, there are ${rows.length}`);
          return rows[0];
        },
        [Symbol.iterator]: () => rows[Symbol.iterator](),
      };
    },
    get databaseSize(): number {
      const { rows } = run('SELECT page_count * 4096 AS size FROM pragma_page_count', []);
      const [row] = rows;
      return isRecord(row) ? Number(row.size) : 0;
    },
  };
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
