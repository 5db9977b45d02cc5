/**
 * What the read model has yet to be told, in the order in which it came about. The newest parcel stands
 * with the head of the audit chain (audit-log.ts) until the next one takes its place: head, parcel and
 * that it was told cost one row written. A parcel that still waits then goes into the outbox. After a
 * sleep of the object the last one is told again, as parcels may be.
 */
import type { Json } from '../contract/json.ts';
import type { AuditLog } from './audit-log.ts';
import type { Outbox, Waiting } from './outbox.ts';
import type { Parcel } from './projection.ts';

const WAY = 'd1';

/** The oldest parcels, as text. */
export interface TakenParcels {
  readonly bodies: readonly string[];
  /** Of those, what stands in the outbox. */
  readonly waiting: readonly Waiting[];
  /** The newest of all, which stands with the head; null when it is not among them. */
  readonly last: string | null;
  /** Others wait behind them. */
  readonly more: boolean;
}

export class Parcels {
  readonly #outbox: Outbox;
  readonly #audit: AuditLog;

  constructor(outbox: Outbox, audit: AuditLog) {
    this.#outbox = outbox;
    this.#audit = audit;
  }

  /** Inside the caller's transaction. */
  put(parcel: Parcel): void {
    const before = this.#audit.untold();
    if (before !== null) this.#outbox.putText(WAY, before);
    this.#audit.leave(JSON.stringify(parcel));
  }

  /** The oldest that wait, of about so many characters at the most; one at least. */
  take(limit: number, characters: number): TakenParcels {
    const waiting = this.#outbox.take(WAY, limit, characters);
    const last = this.#audit.untold();
    const room = waiting.reduce((room, { body }) => room - body.length, characters);
    const fits = waiting.length === 0 || (waiting.length < limit && room >= (last?.length ?? 0));
    const isNext = last !== null && fits && !this.#outbox.hasMore(WAY, waiting);
    const bodies = waiting.map(({ body }) => body);
    if (isNext) return { bodies: [...bodies, last], waiting, last, more: false };
    const more = last !== null || (waiting.length > 0 && this.#outbox.hasMore(WAY, waiting));
    return { bodies, waiting, last: null, more };
  }

  /** The read model has them for good. */
  acknowledge({ waiting, last }: TakenParcels): void {
    this.#outbox.acknowledge(WAY, waiting);
    if (last !== null) this.#audit.told(last);
  }

  /** How many wait of which something holds, besides those in the outbox. */
  countWhere(holds: (parcel: Json) => boolean): number {
    const last = this.#audit.untold();
    return last !== null && holds(JSON.parse(last)) ? 1 : 0;
  }
}
