/** Runs in objects of their own, and how far their entries were taken: each number once. */

const SCHEMA = `CREATE TABLE IF NOT EXISTS live_runs (
  run_id TEXT PRIMARY KEY, seq INTEGER NOT NULL) WITHOUT ROWID`;
type Row = { run_id: string; seq: number };

export class LiveRuns {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec(SCHEMA);
  }

  /** The last entry taken from a run, or null when it is not (or no longer) live. */
  takenSeq(runId: string): number | null {
    const row = this.#sql.exec<Row>('SELECT * FROM live_runs WHERE run_id = ?', runId).toArray()[0];
    return row?.seq ?? null;
  }

  put(runId: string, seq: number): void {
    this.#sql.exec('INSERT OR REPLACE INTO live_runs (run_id, seq) VALUES (?, ?)', runId, seq);
  }

  remove(runId: string): void {
    this.#sql.exec('DELETE FROM live_runs WHERE run_id = ?', runId);
  }
}
