/**
 * The one way between two stores: the intent is put here in the transaction that changes the state,
 * sent after it, and deleted when the receiver has acknowledged it. Receivers take each parcel once.
 * Every address drains and backs off alone, so one that is down delays only itself (I6, I7).
 */
import type { Json } from '../contract/json.ts';
import { logError } from '../log.ts';

const SCHEMA = `CREATE TABLE IF NOT EXISTS outbox (
  id INTEGER PRIMARY KEY AUTOINCREMENT, address TEXT NOT NULL, body TEXT NOT NULL)`;
type Row = { id: number; address: string; body: string };

/** How many parcels, and about how many characters of them, one delivery takes. */
const PARCELS_MAX = 200;
const CHARACTERS_MAX = 1_000_000;
const BACKOFF_FIRST_MS = 500;
const BACKOFF_MAX_MS = 60_000;

/** Sends parcels, oldest first. Resolves when the receiver has them for good. */
export type Deliver = (bodies: readonly string[]) => Promise<void>;

export class Outbox {
  readonly #sql: SqlStorage;
  readonly #draining = new Map<string, Promise<void>>();
  readonly #backoff = new Map<string, { failures: number; until: number }>();

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec(SCHEMA);
  }

  /** Inside the caller's transaction. A message is made of plain JSON values. */
  put(address: string, message: object): void {
    this.#sql.exec(
      'INSERT INTO outbox (address, body) VALUES (?, ?)',
      address,
      JSON.stringify(message),
    );
  }

  /** How many parcels wait of which something holds. */
  countWhere(holds: (message: Json) => boolean): number {
    let count = 0;
    for (const { body } of this.#sql.exec<Pick<Row, 'body'>>('SELECT body FROM outbox'))
      if (holds(JSON.parse(body))) count += 1;
    return count;
  }

  addresses(): string[] {
    return this.#sql
      .exec<Pick<Row, 'address'>>('SELECT DISTINCT address FROM outbox')
      .toArray()
      .map((row) => row.address);
  }

  /** An address that waits, is not backing off and is not being sent to; null when there is none. */
  idleAddress(now: number): string | null {
    const rows = this.#sql
      .exec<Pick<Row, 'address'>>(
        'SELECT DISTINCT address FROM outbox LIMIT ?',
        this.#draining.size + this.#backoff.size + 1,
      )
      .toArray();
    const idle = rows.find(
      ({ address }) => !this.#draining.has(address) && !this.isBackingOff(address, now),
    );
    return idle?.address ?? null;
  }

  /** When something should be tried again: now for what nobody sends yet, null for nothing. */
  nextTry(now: number): number | null {
    if (this.idleAddress(now) !== null) return now;
    const times = [...this.#backoff.values()].map(({ until }) => until);
    return times.length === 0 ? null : Math.min(...times);
  }

  /**
   * Sends what waits for an address until nothing does. Never throws: a failure is logged and backed
   * off. Whoever calls while a drain is under way waits for that one, which also takes their rows.
   */
  drain(address: string, deliver: Deliver): Promise<void> {
    const running = this.#draining.get(address);
    if (running !== undefined) return running;
    const drain = this.#drainAll(address, deliver);
    this.#draining.set(address, drain);
    return drain;
  }

  isBackingOff(address: string, now: number): boolean {
    return (this.#backoff.get(address)?.until ?? 0) > now;
  }

  /** Ends in the turn in which it saw nothing more: a row that is put later begins a new drain. */
  async #drainAll(address: string, deliver: Deliver): Promise<void> {
    await Promise.resolve();
    for (let rows = this.#take(address); rows.length > 0; rows = this.#take(address)) {
      try {
        await deliver(rows.map((row) => row.body));
      } catch (error) {
        this.#fail(address, error);
        break;
      }
      this.#backoff.delete(address);
      const last = rows.at(-1)?.id ?? 0;
      this.#sql.exec('DELETE FROM outbox WHERE address = ? AND id <= ?', address, last);
    }
    this.#draining.delete(address);
  }

  #take(address: string): Row[] {
    const rows = this.#sql
      .exec<Row>(
        'SELECT id, address, body FROM outbox WHERE address = ? ORDER BY id LIMIT ?',
        address,
        PARCELS_MAX,
      )
      .toArray();
    let characters = 0;
    const fitting = rows.filter((row) => {
      characters += row.body.length;
      return characters <= CHARACTERS_MAX;
    });
    return fitting.length > 0 ? fitting : rows.slice(0, 1);
  }

  #fail(address: string, error: unknown): void {
    const failures = (this.#backoff.get(address)?.failures ?? 0) + 1;
    const wait = Math.min(BACKOFF_FIRST_MS * 2 ** (failures - 1), BACKOFF_MAX_MS);
    this.#backoff.set(address, { failures, until: Date.now() + wait });
    logError({ what: 'outbox_failed', code: address.split(':')[0], count: failures }, error);
  }
}
