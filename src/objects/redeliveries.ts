/**
 * Messages that are to be delivered once more, in parcels. As with dispatch.ts, a row stands until the
 * outcome of its parcel is taken, so a crash gives it out again, under the same webhook ids. Of each
 * destination one parcel is out at a time, and one that fails backs off alone: it holds up no other
 * (I6). Until when the oldest parcel of a destination waits, or is out, is told by its row. A message
 * that is refused while others are taken goes to the end, so that it holds up none of them either.
 */
import type { Json } from '../contract/json.ts';
import type { Message } from '../db/deliveries.ts';
import type { RedeliveryResult } from './messages.ts';

const SCHEMA = `CREATE TABLE IF NOT EXISTS redeliveries (
  id INTEGER PRIMARY KEY AUTOINCREMENT, destination TEXT NOT NULL, parcel TEXT NOT NULL,
  until INTEGER NOT NULL DEFAULT 0)`;
type Row = { id: number; destination: string; parcel: string; until: number };

interface RedeliveryRequest {
  /** Also messages that were delivered already. */
  readonly force: boolean;
  readonly requestId: string;
}

interface RedeliveryParcel extends RedeliveryRequest {
  readonly messages: readonly Message[];
  /** Rounds in a row in which nothing was taken. */
  readonly tries: number;
}

interface QueuedParcel extends RedeliveryParcel {
  readonly id: number;
  readonly destination: string;
}

const PARCEL_SIZE = 20;
/** An executor that has not reported by then has died. */
const LEASE_MS = 90_000;
/** Some four minutes in all; after that the log has the failures, and they can be redelivered again. */
const TRIES_MAX = 6;
const BACKOFF_FIRST_MS = 4_000;

export class Redeliveries {
  readonly #sql: SqlStorage;
  /** Most of the time nothing waits, and then no look is needed to know it. */
  #mayWait = true;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec(SCHEMA);
  }

  /** Answers how many were put: what waits already is not put twice. */
  put(destination: string, messages: readonly Message[], request: RedeliveryRequest): number {
    const waiting = new Set(
      this.#of(destination)
        .filter(({ force }) => force === request.force)
        .flatMap((parcel) => parcel.messages.map(keyOf)),
    );
    const fresh = messages.filter((message) => !waiting.has(keyOf(message)));
    for (let from = 0; from < fresh.length; from += PARCEL_SIZE)
      this.#insert(destination, fresh.slice(from, from + PARCEL_SIZE), request);
    return fresh.length;
  }

  /** The oldest parcel of a destination that nobody is at work on, now leased; null when none is. */
  lease(now: number): QueuedParcel | null {
    const row = this.#oldest().find(({ until }) => until <= now);
    if (row === undefined) return null;
    this.postpone(row.id, now + LEASE_MS);
    return queued(row);
  }

  /** When something may have to be given out; null when nothing waits. */
  nextDue(): number | null {
    const times = this.#oldest().map(({ until }) => until);
    return times.length === 0 ? null : Math.min(...times);
  }

  find(id: number): QueuedParcel | null {
    const row = this.#sql.exec<Row>('SELECT * FROM redeliveries WHERE id = ?', id).toArray()[0];
    return row === undefined ? null : queued(row);
  }

  /** What is left of a parcel waits on, unless nothing was taken too many times. */
  finish(parcel: QueuedParcel, results: readonly RedeliveryResult[], now: number): void {
    const { id, destination, force, requestId } = parcel;
    const isTaken = results.some(({ left }) => !left);
    const over = new Set(results.filter(({ left }) => isTaken || !left).map(keyOf));
    const refused = isTaken ? results.filter(({ left }) => left) : [];
    const messages = parcel.messages.filter((message) => !over.has(keyOf(message)));
    const tries = isTaken ? 0 : parcel.tries + 1;
    if (messages.length === 0 || tries >= TRIES_MAX)
      this.#sql.exec('DELETE FROM redeliveries WHERE id = ?', id);
    else this.#update(id, { messages, force, requestId, tries });
    this.#putLast(destination, refused.map(messageOf), { force, requestId });
    const backoff = tries === 0 ? 0 : BACKOFF_FIRST_MS * 2 ** (tries - 1);
    const wait = Math.max(backoff, ...results.map(({ retryAfterMs }) => retryAfterMs ?? 0));
    const next = this.#of(destination)[0];
    if (next !== undefined) this.postpone(next.id, wait === 0 ? 0 : now + wait);
  }

  /** It is given out again at a time (milliseconds). */
  postpone(id: number, until: number): void {
    this.#sql.exec('UPDATE redeliveries SET until = ? WHERE id = ?', until, id);
  }

  /** The destination was disabled: nothing more is sent. */
  drop(destination: string): void {
    this.#sql.exec('DELETE FROM redeliveries WHERE destination = ?', destination);
  }

  /** How many parcels wait of which something holds. */
  countWhere(holds: (parcel: Json) => boolean): number {
    return this.#sql
      .exec<Row>('SELECT * FROM redeliveries')
      .toArray()
      .filter(({ destination, parcel }) => holds([destination, parcel])).length;
  }

  /** Joins what was refused before it, when there is room. */
  #putLast(destination: string, messages: readonly Message[], request: RedeliveryRequest): void {
    if (messages.length === 0) return;
    const last = this.#of(destination).at(-1);
    const joins =
      last !== undefined &&
      last.force === request.force &&
      last.requestId === request.requestId &&
      last.messages.length + messages.length <= PARCEL_SIZE;
    if (joins)
      this.#update(last.id, { ...request, tries: 0, messages: [...last.messages, ...messages] });
    else this.#insert(destination, messages, request);
  }

  #insert(destination: string, messages: readonly Message[], request: RedeliveryRequest): void {
    const parcel: RedeliveryParcel = { messages, ...request, tries: 0 };
    this.#mayWait = true;
    this.#sql.exec(
      'INSERT INTO redeliveries (destination, parcel) VALUES (?, ?)',
      destination,
      JSON.stringify(parcel),
    );
  }

  #update(id: number, { messages, force, requestId, tries }: RedeliveryParcel): void {
    this.#sql.exec(
      'UPDATE redeliveries SET parcel = ? WHERE id = ?',
      JSON.stringify({ messages, force, requestId, tries }),
      id,
    );
  }

  /** The parcels of a destination, the oldest first. */
  #of(destination: string): QueuedParcel[] {
    return this.#sql
      .exec<Row>('SELECT * FROM redeliveries WHERE destination = ? ORDER BY id', destination)
      .toArray()
      .map(queued);
  }

  #oldest(): Row[] {
    if (!this.#mayWait) return [];
    const rows = this.#sql
      .exec<Row>(
        `SELECT * FROM redeliveries WHERE id IN
           (SELECT min(id) FROM redeliveries GROUP BY destination) ORDER BY id`,
      )
      .toArray();
    this.#mayWait = rows.length > 0;
    return rows;
  }
}

function queued({ id, destination, parcel }: Row): QueuedParcel {
  const read: RedeliveryParcel = JSON.parse(parcel);
  return { id, destination, ...read };
}

function messageOf({ runId, stepId }: Message): Message {
  return { runId, stepId };
}

function keyOf({ runId, stepId }: Message): string {
  return `${runId} ${stepId}`;
}
