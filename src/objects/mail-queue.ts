/**
 * Our own mails that wait to be sent: put in the transaction that they tell of, deleted when they were
 * sent. The outbox's idiom, but each is tried by itself at a time of its own, which its row keeps: some
 * services know no idempotency key, so what one mail has to be tried again for must send no other one
 * a second time.
 */
import type { Json } from '../contract/json.ts';
import { newId } from '../ids.ts';
import type { Left, OwnMail } from './own-mail.ts';

const SCHEMA = `CREATE TABLE IF NOT EXISTS mails (
  id TEXT PRIMARY KEY, body TEXT NOT NULL, due_at INTEGER NOT NULL, tries INTEGER NOT NULL
) WITHOUT ROWID`;
type Row = { id: string; body: string; due_at: number; tries: number };

const BACKOFF_FIRST_MS = 1_000;
const BACKOFF_MAX_MS = 10 * 60_000;
/** Nothing is sent until someone mends the account: whoever sets a connection is not kept waiting. */
const BLOCKED_MS = 30 * 60_000;
/** Whoever is sending one has told by then, or died with this instance. */
const SENDING_MS = 60_000;

export interface QueuedMail {
  readonly id: string;
  readonly mail: OwnMail;
  /** How often it was given out before. */
  readonly tries: number;
}

/** What is known of a mail without reading it. */
interface Waiting {
  readonly tries: number;
  readonly dueAt: number;
}

/**
 * Which mails are being sent is kept in memory alone: what an instance that died was sending is sent
 * again by the next one.
 */
export class MailQueue {
  readonly #sql: SqlStorage;
  /** Those that are not being sent, the oldest first. */
  readonly #waiting = new Map<string, Waiting>();
  /** Those that are: until when that is told (milliseconds). */
  readonly #sending = new Map<string, number>();

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec(SCHEMA);
    for (const { id, tries, due_at: dueAt } of sql.exec<Omit<Row, 'body'>>(
      'SELECT id, tries, due_at FROM mails ORDER BY id',
    ))
      this.#waiting.set(id, { tries, dueAt });
  }

  /** Inside the caller's transaction. */
  put(mail: OwnMail): void {
    const id = newId('msg');
    this.#sql.exec(
      'INSERT INTO mails (id, body, due_at, tries) VALUES (?, ?, 0, 0)',
      id,
      JSON.stringify(mail),
    );
    this.#waiting.set(id, { tries: 0, dueAt: 0 });
  }

  /** The mail that is due for longest, now the caller's; null when none is. */
  lease(now: number): QueuedMail | null {
    const first = this.#first();
    if (first === null || first.dueAt > now) return null;
    const { id, tries } = first;
    this.#waiting.delete(id);
    this.#sending.set(id, now + SENDING_MS);
    const [row] = this.#sql
      .exec<Pick<Row, 'body'>>('SELECT body FROM mails WHERE id = ?', id)
      .toArray();
    return row === undefined ? null : { id, mail: JSON.parse(row.body), tries };
  }

  /** When one has to be sent, or may have to be sent again (milliseconds); null when there is none. */
  nextDue(): number | null {
    const first = this.#first();
    const times = [...this.#sending.values(), ...(first === null ? [] : [first.dueAt])];
    return times.length === 0 ? null : Math.min(...times);
  }

  /** What became of a mail that was given out: `left` is what remains of it to be sent, if anything. */
  settle({ id, tries }: Pick<QueuedMail, 'id' | 'tries'>, left: Left | null, now: number): void {
    this.#sending.delete(id);
    if (left === null) {
      this.#sql.exec('DELETE FROM mails WHERE id = ?', id);
      return;
    }
    const backoff = Math.min(BACKOFF_FIRST_MS * 2 ** tries, BACKOFF_MAX_MS);
    const dueAt = now + Math.max(backoff, left.afterMs ?? 0);
    this.#sql.exec(
      'UPDATE mails SET due_at = ?, body = ?, tries = ? WHERE id = ?',
      dueAt,
      JSON.stringify(left.mail),
      tries + 1,
      id,
    );
    this.#waiting.set(id, { tries: tries + 1, dueAt });
    if (left.blocked) this.#postponeAll(now + BLOCKED_MS);
  }

  /** The way may be free again: a mail service was connected. What is being sent is left alone. */
  tryAllNow(): void {
    this.#sql.exec('UPDATE mails SET due_at = 0 WHERE due_at > 0');
    for (const [id, { tries }] of this.#waiting) this.#waiting.set(id, { tries, dueAt: 0 });
  }

  /** How many wait of which something holds. */
  countWhere(holds: (mail: Json) => boolean): number {
    return this.#sql
      .exec<Pick<Row, 'body'>>('SELECT body FROM mails')
      .toArray()
      .filter(({ body }) => holds(JSON.parse(body))).length;
  }

  #first(): (Waiting & { readonly id: string }) | null {
    let first: (Waiting & { readonly id: string }) | null = null;
    for (const [id, waiting] of this.#waiting)
      if (first === null || waiting.dueAt < first.dueAt) first = { id, ...waiting };
    return first;
  }

  #postponeAll(until: number): void {
    this.#sql.exec('UPDATE mails SET due_at = ?1 WHERE due_at < ?1', until);
    for (const [id, { tries, dueAt }] of this.#waiting)
      if (dueAt < until) this.#waiting.set(id, { tries, dueAt: until });
  }
}
