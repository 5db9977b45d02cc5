/**
 * D1: SQLite in memory behind a network. It refuses, does what it was told and is not heard, takes its
 * time, or is down for hours. A batch is one transaction.
 * https://developers.cloudflare.com/d1/worker-api/d1-database/
 */
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import { isRecord, Statements } from './storage.ts';
import { askStore } from './store.ts';
import type { World } from './world.ts';

interface Result {
  readonly results: readonly unknown[];
  readonly success: true;
  readonly meta: { readonly changes: number };
}

export class SimulatedD1 {
  readonly #world: World;
  readonly #database = new DatabaseSync(':memory:');
  readonly #statements = new Statements(this.#database);
  /** Called after something was written. */
  written: () => void = () => undefined;

  constructor(world: World, saved: Uint8Array) {
    this.#world = world;
    this.#database.deserialize(saved);
  }

  prepare(text: string): Statement {
    return new Statement(this, text, []);
  }

  async batch(statements: readonly Statement[]): Promise<Result[]> {
    return await this.ask(() => statements.map((statement) => statement.execute()));
  }

  /** All of it or nothing. */
  async ask<T>(work: () => T): Promise<T> {
    return await askStore(this.#world, 'D1', () => {
      this.#database.exec('BEGIN');
      try {
        const made = work();
        this.#database.exec('COMMIT');
        this.written();
        return made;
      } catch (error) {
        this.#database.exec('ROLLBACK');
        throw new Error(`D1_ERROR: ${error instanceof Error ? error.message : error}`);
      }
    });
  }

  execute(text: string, values: readonly SQLInputValue[], asArrays: boolean): Result {
    if (values.length > 100) throw new Error('too many SQL variables');
    const { rows, changes } = this.#statements.run(text, values, asArrays);
    return { results: rows, success: true, meta: { changes } };
  }

  /** For those who look on. */
  read(text: string): readonly Record<string, unknown>[] {
    return this.#statements.run(text, []).rows.flatMap((row) => (isRecord(row) ? [row] : []));
  }

  save(): Uint8Array {
    return this.#database.serialize();
  }

  close(): void {
    this.#database.close();
  }
}

class Statement {
  readonly #d1: SimulatedD1;
  readonly #text: string;
  readonly #values: readonly SQLInputValue[];

  constructor(d1: SimulatedD1, text: string, values: readonly SQLInputValue[]) {
    this.#d1 = d1;
    this.#text = text;
    this.#values = values;
  }

  bind(...values: readonly (SQLInputValue | boolean)[]): Statement {
    const bound = values.map((value) => (typeof value === 'boolean' ? Number(value) : value));
    return new Statement(this.#d1, this.#text, bound);
  }

  execute(asArrays = false): Result {
    return this.#d1.execute(this.#text, this.#values, asArrays);
  }

  async all(): Promise<Result> {
    return await this.#d1.ask(() => this.execute());
  }

  async run(): Promise<Result> {
    return await this.all();
  }

  async raw(): Promise<readonly unknown[]> {
    return await this.#d1.ask(() => this.execute(true).results);
  }

  async first(): Promise<unknown> {
    return await this.#d1.ask(() => this.execute().results[0] ?? null);
  }
}

/** A database with the migrations applied, to begin from. */
export function migrated(migrations: readonly string[]): Uint8Array {
  const database = new DatabaseSync(':memory:');
  for (const migration of migrations) database.exec(migration);
  const bytes = database.serialize();
  database.close();
  return bytes;
}
