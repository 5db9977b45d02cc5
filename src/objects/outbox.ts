/**
 * The way between two stores: the intent is put here in the transaction that changes the state, sent
 * after it, and deleted when the receiver has acknowledged it. Receivers take each parcel once. Who
 * sends, and when again after a failure, is the affair of drains.ts.
 */
import type { Json } from '../contract/json.ts';

/** What waits for an address stands together, so that one with a long queue slows no other. */
const SCHEMA = `CREATE TABLE IF NOT EXISTS outbox (
  address TEXT NOT NULL, id INTEGER NOT NULL, body TEXT NOT NULL,
  PRIMARY KEY (address, id)) WITHOUT ROWID`;
type Row = { id: number; body: string };

export interface Waiting {
  readonly id: number;
  readonly body: string;
}

export class Outbox {
  readonly #sql: SqlStorage;
  /** Addresses for which something may wait. */
  readonly #addresses: Set<string>;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec(SCHEMA);
    this.#addresses = new Set(
      sql
        .exec<{ address: string }>('SELECT DISTINCT address FROM outbox')
        .toArray()
        .map(({ address }) => address),
    );
  }

  /** Inside the caller's transaction. A message is made of plain JSON values. */
  put(address: string, message: object): void {
    this.putText(address, JSON.stringify(message));
  }

  /** The same with its JSON. */
  putText(address: string, body: string): void {
    this.#sql.exec(
      `INSERT INTO outbox (address, id, body)
       VALUES (?1, (SELECT ifnull(max(id), 0) + 1 FROM outbox WHERE address = ?1), ?2)`,
      address,
      body,
    );
    this.#addresses.add(address);
  }

  addresses(): ReadonlySet<string> {
    return this.#addresses;
  }

  /** The oldest that wait, of about so many characters at the most; one at least. */
  take(address: string, limit: number, characters: number): Waiting[] {
    if (!this.#addresses.has(address)) return [];
    const rows = this.#sql
      .exec<Row>(
        'SELECT id, body FROM outbox WHERE address = ? ORDER BY id LIMIT ?',
        address,
        limit,
      )
      .toArray();
    if (rows.length === 0) this.#addresses.delete(address);
    let room = characters;
    const fitting = rows.filter(({ body }) => {
      room -= body.length;
      return room >= 0;
    });
    return fitting.length > 0 ? fitting : rows.slice(0, 1);
  }

  /** Whether more waits than the oldest ones that were taken. */
  hasMore(address: string, taken: readonly Waiting[]): boolean {
    const last = taken.at(-1)?.id ?? 0;
    const more = 'SELECT 1 FROM outbox WHERE address = ? AND id > ? LIMIT 1';
    return this.#sql.exec(more, address, last).toArray().length > 0;
  }

  /** The receiver has them for good. */
  acknowledge(address: string, taken: readonly Waiting[]): void {
    const last = taken.at(-1);
    if (last !== undefined)
      this.#sql.exec('DELETE FROM outbox WHERE address = ? AND id <= ?', address, last.id);
  }

  /** How many parcels wait of which something holds. */
  countWhere(holds: (message: Json) => boolean): number {
    let count = 0;
    for (const { body } of this.#sql.exec<Pick<Row, 'body'>>('SELECT body FROM outbox'))
      if (holds(JSON.parse(body))) count += 1;
    return count;
  }
}
