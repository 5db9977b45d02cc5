/**
 * Runs that a stateless executor may finish at once. A row stands until the run's outcome is taken:
 * whoever reports first is believed, later reports find no row and change nothing (I2). Who is at
 * work on what is kept in memory alone, so after a crash every row is simply given out again.
 */
import type { CloudEvent } from '../contract/events.ts';
import type { Seed } from './messages.ts';

const SCHEMA = `CREATE TABLE IF NOT EXISTS dispatch (run_id TEXT PRIMARY KEY, seed TEXT NOT NULL) WITHOUT ROWID`;
type Row = { run_id: string; seed: string };

/** An executor that has not reported by then has died. */
const LEASE_MS = 60_000;
const BATCH_MAX = 20;

export class Dispatch {
  readonly #sql: SqlStorage;
  readonly #leases = new Map<string, number>();
  /** Who waits for a run that is out. */
  readonly #waiting = new Map<string, (() => void)[]>();

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec(SCHEMA);
  }

  put(seed: Seed): void {
    this.#sql.exec(
      'INSERT INTO dispatch (run_id, seed) VALUES (?, ?)',
      seed.runId,
      JSON.stringify(seed),
    );
  }

  find(runId: string): Seed | null {
    const row = this.#sql.exec<Row>('SELECT * FROM dispatch WHERE run_id = ?', runId).toArray()[0];
    return row === undefined ? null : JSON.parse(row.seed);
  }

  remove(runId: string): void {
    this.#sql.exec('DELETE FROM dispatch WHERE run_id = ?', runId);
    this.#leases.delete(runId);
    for (const tell of this.#waiting.get(runId) ?? []) tell();
    this.#waiting.delete(runId);
  }

  /** Somebody may be at work on it: what of it has happened is not known here. */
  isOut(runId: string, now: number): boolean {
    return (this.#leases.get(runId) ?? 0) > now;
  }

  /** Once the outcome of a run that is out has been taken. */
  whenBack(runId: string): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.set(runId, [...(this.#waiting.get(runId) ?? []), resolve]);
    });
  }

  /** Runs that wait to be given out, or are out, with an event of which something holds. */
  idsWhere(holds: (event: CloudEvent) => boolean): string[] {
    const ids: string[] = [];
    for (const { run_id: id, seed } of this.#sql.exec<Row>('SELECT * FROM dispatch')) {
      const { event }: Seed = JSON.parse(seed);
      if (holds(event)) ids.push(id);
    }
    return ids;
  }

  /** The oldest runs that nobody is at work on, now leased to the caller. */
  lease(now: number): Seed[] {
    const free = this.#sql
      .exec<Row>('SELECT * FROM dispatch ORDER BY run_id LIMIT ?', BATCH_MAX + this.#leases.size)
      .toArray()
      .filter((row) => (this.#leases.get(row.run_id) ?? 0) <= now)
      .slice(0, BATCH_MAX);
    for (const row of free) this.#leases.set(row.run_id, now + LEASE_MS);
    return free.map((row) => JSON.parse(row.seed));
  }

  /** The executor did not take them: they are given out again at a time. */
  postpone(runIds: readonly string[], until: number): void {
    for (const runId of runIds) this.#leases.set(runId, until);
  }

  /** When a run may have to be given out again; null when none waits. */
  nextLease(now: number): number | null {
    const any = this.#sql.exec<{ n: number }>('SELECT count(*) AS n FROM dispatch').one().n > 0;
    return any ? Math.min(now + LEASE_MS, ...this.#leases.values()) : null;
  }
}
