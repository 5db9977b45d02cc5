/**
 * First outcomes by `Idempotency-Key`, for 24 hours. Answers are kept sealed: some show a secret once.
 * A request may die after its change and before its answer, so a change notes here, in its own
 * transaction, that it was made: it is not made again.
 */

const SCHEMA = `CREATE TABLE IF NOT EXISTS idempotency (
  key TEXT PRIMARY KEY, request TEXT NOT NULL, at INTEGER NOT NULL, status INTEGER,
  answer TEXT) WITHOUT ROWID`;
/** The requests under a key that have no answer yet. */
const CHANGES = `CREATE TABLE IF NOT EXISTS keyed_changes (
  request_id TEXT NOT NULL, key TEXT NOT NULL, at INTEGER NOT NULL, changed INTEGER NOT NULL,
  PRIMARY KEY (request_id, key)) WITHOUT ROWID`;
type Row = {
  key: string;
  request: string;
  at: number;
  status: number | null;
  answer: string | null;
};

const KEPT_MS = 24 * 3_600_000;
/** After this long without an outcome the first request has died, and another may begin. */
const ABANDONED_MS = 60_000;

export type Begun =
  | { state: 'fresh' }
  | { state: 'mismatch' }
  | { state: 'in_progress' }
  /** It was carried out, and died before it could answer. */
  | { state: 'unheard' }
  | { state: 'done'; status: number; answer: string };

/** A sealed answer. */
export type KeyedAnswer = { key: string; answer: string };

/** Whom an answer is sealed for. */
export function answerOwner(tenantId: string, key: string): string {
  return `${tenantId}|idempotency|${key}`;
}

export class Idempotency {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec(SCHEMA);
    sql.exec(CHANGES);
  }

  /** `request` is a digest of the route and the body. */
  begin(key: string, request: string, requestId: string, now: number): Begun {
    this.#sql.exec('DELETE FROM idempotency WHERE at < ?', now - KEPT_MS);
    this.#sql.exec('DELETE FROM keyed_changes WHERE at < ?', now - KEPT_MS);
    const row = this.#sql.exec<Row>('SELECT * FROM idempotency WHERE key = ?', key).toArray()[0];
    if (row !== undefined && row.request !== request) return { state: 'mismatch' };
    if (row !== undefined && row.status !== null && row.answer !== null)
      return { state: 'done', status: row.status, answer: row.answer };
    if (row !== undefined && now - row.at < ABANDONED_MS) return { state: 'in_progress' };
    if (row !== undefined && this.#hasChanged(key)) return { state: 'unheard' };
    this.#sql.exec(
      'INSERT OR REPLACE INTO idempotency (key, request, at) VALUES (?, ?, ?)',
      key,
      request,
      now,
    );
    this.#sql.exec('DELETE FROM keyed_changes WHERE key = ?', key);
    this.#sql.exec('INSERT INTO keyed_changes VALUES (?, ?, ?, 0)', requestId, key, now);
    return { state: 'fresh' };
  }

  /** Inside the transaction of a change that a request has asked for. */
  noteChange(requestId: string): void {
    this.#sql.exec('UPDATE keyed_changes SET changed = 1 WHERE request_id = ?', requestId);
  }

  #hasChanged(key: string): boolean {
    const found = this.#sql.exec('SELECT 1 FROM keyed_changes WHERE key = ? AND changed = 1', key);
    return found.toArray().length > 0;
  }

  finish(key: string, status: number, answer: string): void {
    this.#sql.exec(
      'UPDATE idempotency SET status = ?, answer = ? WHERE key = ?',
      status,
      answer,
      key,
    );
    this.#sql.exec('DELETE FROM keyed_changes WHERE key = ?', key);
  }

  /** What was answered is forgotten, not that it was: a repeat still does nothing. */
  eraseAnswers(): void {
    this.#sql.exec("UPDATE idempotency SET answer = '' WHERE answer IS NOT NULL");
  }

  /** A page of answers, by key, that are not sealed under the sealing key. At least one, if any. */
  answersAfter(
    key: string,
    sealKeyId: string,
    limit: number,
    charactersMax: number,
  ): KeyedAnswer[] {
    const prefix = `v1.${sealKeyId}.`;
    const answers: KeyedAnswer[] = [];
    let characters = 0;
    for (const row of this.#sql.exec<KeyedAnswer>(
      `SELECT key, answer FROM idempotency
       WHERE key > ? AND answer <> '' AND substr(answer, 1, ?) <> ? ORDER BY key LIMIT ?`,
      key,
      prefix.length,
      prefix,
      limit,
    )) {
      characters += row.answer.length;
      if (answers.length > 0 && characters > charactersMax) break;
      answers.push(row);
    }
    return answers;
  }

  /** The same answer, sealed anew. False when another one stands there by now. */
  replaceAnswer(key: string, from: string, to: string): boolean {
    return (
      this.#sql.exec(
        'UPDATE idempotency SET answer = ? WHERE key = ? AND answer = ?',
        to,
        key,
        from,
      ).rowsWritten > 0
    );
  }

  /** How many keys there are of which something holds. */
  countWhere(holds: (key: string) => boolean): number {
    return this.#sql
      .exec<Pick<Row, 'key'>>('SELECT key FROM idempotency')
      .toArray()
      .filter(({ key }) => holds(key)).length;
  }

  /** A fault of ours: the key is free again, unless something was changed before it. */
  forget(key: string): void {
    if (this.#hasChanged(key)) return;
    this.#sql.exec('DELETE FROM idempotency WHERE key = ? AND status IS NULL', key);
  }
}
