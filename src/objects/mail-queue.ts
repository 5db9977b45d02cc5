/**
 * Our own mails that wait to be sent: put in the transaction that they tell of, deleted when they were
 * sent. The outbox's idiom, but each is tried by itself at a time of its own, which its row keeps: some
 * services know no idempotency key, so what one mail has to be tried again for must send no other one
 * a second time.
 */
import type { Json } from '../contract/json.ts';
import type { Left, OwnMail } from './own-mail.ts';

const SCHEMA = [
  `CREATE TABLE IF NOT EXISTS mails (
    id INTEGER PRIMARY KEY AUTOINCREMENT, body TEXT NOT NULL, due_at INTEGER NOT NULL,
    tries INTEGER NOT NULL)`,
  'CREATE INDEX IF NOT EXISTS mails_by_due ON mails (due_at)',
];
/** Not being sent by this instance. */
const IS_HERE = 'id NOT IN (SELECT value FROM json_each(?))';
type Row = { id: number; body: string; due_at: number; tries: number };

/** What an instance that died was sending is sent again after this long. */
const LEASE_MS = 90_000;
const BACKOFF_FIRST_MS = 1_000;
const BACKOFF_MAX_MS = 10 * 60_000;
/** Nothing is sent until someone mends the account: whoever sets a connection is not kept waiting. */
const BLOCKED_MS = 30 * 60_000;

export interface QueuedMail {
  readonly id: number;
  readonly mail: OwnMail;
  /** How often it was given out before. */
  readonly tries: number;
}

export class MailQueue {
  readonly #sql: SqlStorage;
  /** Ids of those that this instance has given out. */
  readonly #out = new Set<number>();

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    for (const statement of SCHEMA) sql.exec(statement);
  }

  /** Inside the caller's transaction. */
  put(mail: OwnMail): void {
    this.#sql.exec(
      'INSERT INTO mails (body, due_at, tries) VALUES (?, 0, 0)',
      JSON.stringify(mail),
    );
  }

  /** The mail that is due for longest, now leased; null when none is. */
  lease(now: number): QueuedMail | null {
    const [row] = this.#sql
      .exec<Row>(
        `SELECT * FROM mails WHERE due_at <= ? AND ${IS_HERE} ORDER BY due_at, id LIMIT 1`,
        now,
        this.#outIds(),
      )
      .toArray();
    if (row === undefined) return null;
    this.#sql.exec(
      'UPDATE mails SET due_at = ?, tries = tries + 1 WHERE id = ?',
      now + LEASE_MS,
      row.id,
    );
    this.#out.add(row.id);
    return { id: row.id, mail: JSON.parse(row.body), tries: row.tries };
  }

  /** When one may have to be sent, or sent again (milliseconds); null when none waits. */
  nextDue(): number | null {
    const [row] = this.#sql
      .exec<{ due: number | null }>(
        `SELECT min(due_at) AS due FROM mails WHERE ${IS_HERE}`,
        this.#outIds(),
      )
      .toArray();
    return row?.due ?? null;
  }

  /** What became of a mail that was given out: `left` is what remains of it to be sent, if anything. */
  settle({ id, tries }: Pick<QueuedMail, 'id' | 'tries'>, left: Left | null, now: number): void {
    this.#out.delete(id);
    if (left === null) {
      this.#sql.exec('DELETE FROM mails WHERE id = ?', id);
      return;
    }
    const backoff = Math.min(BACKOFF_FIRST_MS * 2 ** tries, BACKOFF_MAX_MS);
    const due = now + Math.max(backoff, left.afterMs ?? 0);
    const body = JSON.stringify(left.mail);
    this.#sql.exec('UPDATE mails SET due_at = ?, body = ? WHERE id = ?', due, body, id);
    if (left.blocked) this.#postponeAll(now + BLOCKED_MS);
  }

  /** The way may be free again: a mail service was connected. What is being sent is left alone. */
  tryAllNow(): void {
    this.#sql.exec(`UPDATE mails SET due_at = 0 WHERE ${IS_HERE}`, this.#outIds());
  }

  /** How many wait of which something holds. */
  countWhere(holds: (mail: Json) => boolean): number {
    return this.#sql
      .exec<Pick<Row, 'body'>>('SELECT body FROM mails')
      .toArray()
      .filter(({ body }) => holds(JSON.parse(body))).length;
  }

  #outIds(): string {
    return JSON.stringify([...this.#out]);
  }

  #postponeAll(until: number): void {
    this.#sql.exec('UPDATE mails SET due_at = ? WHERE due_at < ?', until, until);
  }
}
