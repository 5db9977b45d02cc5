/**
 * Runs (and events that started none) of which the read model has yet to learn that all is over. Each
 * is told from its row in intake.ts, in any order: nothing of them stands in the audit chain, which
 * alone has an order to keep. A row is closed once the read model has it.
 */
import { type Intake, type Place, placeKey } from './intake.ts';
import type { Parcel } from './projection.ts';

export interface Ended {
  readonly place: Place;
  readonly parcel: Parcel;
  /** How long its text is. */
  readonly size: number;
}

/** So many are kept in memory; with the read model down for long the others are read when it is back. */
const HELD_MAX = 1_000;

export class EndedRuns {
  readonly #intake: Intake;
  readonly #held = new Map<string, Ended>();
  /** There may be rows that are not in memory. */
  #isMore = true;

  constructor(intake: Intake) {
    this.#intake = intake;
  }

  /** An event that starts nothing: its row begins here. */
  put(place: Place, id: string, parcel: Parcel): void {
    const body = JSON.stringify(parcel);
    this.#intake.put('ended', place, id, [], body);
    this.#hold({ place, parcel, size: body.length });
  }

  /** The run that was given out has ended, with nothing in flight. */
  end(place: Place, parcel: Parcel): void {
    const body = JSON.stringify(parcel);
    if (this.#intake.move(place, 'given', 'ended', body))
      this.#hold({ place, parcel, size: body.length });
  }

  /** Some that wait, of about so many characters at the most; one at least. */
  take(limit: number, characters: number): Ended[] {
    if (this.#held.size === 0 && this.#isMore) this.#load();
    const taken: Ended[] = [];
    let room = characters;
    for (const ended of this.#held.values()) {
      if (taken.length >= limit || (taken.length > 0 && ended.size > room)) break;
      room -= ended.size;
      taken.push(ended);
    }
    return taken;
  }

  /** The read model has them. */
  told(ended: readonly Ended[]): void {
    for (const { place } of ended) {
      this.#intake.close(place, 'ended');
      this.#held.delete(placeKey(place));
    }
  }

  #hold(ended: Ended): void {
    if (this.#held.size < HELD_MAX) this.#held.set(placeKey(ended.place), ended);
    else this.#isMore = true;
  }

  #load(): void {
    const rows = this.#intake.rows('ended', HELD_MAX);
    this.#isMore = rows.length === HELD_MAX;
    for (const { place, body } of rows)
      this.#held.set(placeKey(place), { place, parcel: JSON.parse(body), size: body.length });
  }
}
