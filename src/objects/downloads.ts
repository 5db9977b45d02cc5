/**
 * Who has downloaded which export lately. A file that is read in ranges, or fetched again and again by
 * whoever holds a link, is one entry of the audit an hour, not one for each request.
 */
const SCHEMA = `CREATE TABLE IF NOT EXISTS downloads (
  export_id TEXT NOT NULL, via TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (export_id, via)
) WITHOUT ROWID`;

const GRAIN_MS = 3_600_000;

export class Downloads {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec(SCHEMA);
  }

  /** `via`: the id of a link, or of whoever came with a credential. */
  isKnown(exportId: string, via: string, now: number): boolean {
    return (
      this.#sql
        .exec(
          'SELECT 1 FROM downloads WHERE export_id = ? AND via = ? AND at > ?',
          ...[exportId, via, now - GRAIN_MS],
        )
        .toArray().length > 0
    );
  }

  put(exportId: string, via: string, now: number): void {
    this.#sql.exec('DELETE FROM downloads WHERE at <= ?', now - GRAIN_MS);
    this.#sql.exec('INSERT OR REPLACE INTO downloads VALUES (?, ?, ?)', exportId, via, now);
  }
}
