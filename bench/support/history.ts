/**
 * Fills a stopped product's state with history, as if runs like one that it has made itself had come
 * evenly over the last month: in every table of the read model and of the tenants' objects, each row
 * that names the model run or its event is written again under new ids and times. A month's runs over
 * HTTP would take the product an hour; what it would have stored is the same.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync, type SQLInputValue, type SQLOutputValue } from 'node:sqlite';
import { type Model, type PastRun, pastRun, rewritten } from './past-run.ts';

const STORES = ['d1/miniflare-D1DatabaseObject', 'do/signalbox-TenantObject'];
const MONTH_MS = 30 * 86_400_000;
const TRANSACTION = 10_000;

type Row = Record<string, SQLOutputValue>;
interface Insert {
  readonly run: (past: PastRun) => void;
}

/** @returns how many rows were written */
export function fillHistory(stateDir: string, model: Model, runs: number): number {
  let rows = 0;
  for (const file of filesOf(stateDir)) {
    const db = new DatabaseSync(file);
    // A crash of the bench leaves a state that nobody needs.
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; PRAGMA cache_size = -400000');
    const inserts = insertsOf(db, model);
    if (inserts.length > 0)
      for (let from = 0; from < runs; from += TRANSACTION) {
        db.exec('BEGIN');
        for (let n = from; n < Math.min(from + TRANSACTION, runs); n++) {
          const past = pastRun(n, Date.now() - MONTH_MS, MONTH_MS / runs);
          for (const { run } of inserts) run(past);
        }
        db.exec('COMMIT');
      }
    rows += inserts.length * runs;
    db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    db.close();
  }
  return rows;
}

function filesOf(stateDir: string): string[] {
  return STORES.map((store) => join(stateDir, 'data', 'v3', store))
    .filter((dir) => existsSync(dir))
    .flatMap((dir) =>
      readdirSync(dir)
        .filter((name) => name.endsWith('.sqlite') && name !== 'metadata.sqlite')
        .map((name) => join(dir, name)),
    );
}

function insertsOf(db: DatabaseSync, model: Model): Insert[] {
  const tables = db
    .prepare(`SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE '\\_%' ESCAPE '\\'
      AND name NOT LIKE 'sqlite%'`)
    .all();
  return tables.flatMap(({ name }) => {
    const table = String(name);
    const naming = db
      .prepare(`SELECT * FROM "${table}"`)
      .all()
      .filter((row) => Object.values(row).some((value) => namesModel(value, model)));
    return naming.map((row) => insertOf(db, table, row, model));
  });
}

function namesModel(value: SQLOutputValue | undefined, model: Model): boolean {
  return typeof value === 'string' && model.ids.some((id) => value.includes(id));
}

function insertOf(db: DatabaseSync, table: string, row: Row, model: Model): Insert {
  const columns = Object.keys(row);
  const insert = db.prepare(
    `INSERT INTO "${table}" (${columns.map((name) => `"${name}"`).join(', ')})
     VALUES (${columns.map(() => '?').join(', ')})`,
  );
  return {
    run(past) {
      const values = Object.entries(row).map(
        ([column, value]): SQLInputValue =>
          typeof value === 'string' ? rewritten(table, column, value, model, past) : value,
      );
      insert.run(...values);
    },
  };
}
