/**
 * Runs that have not ended and are in no object of their own: an executor drives them, or is to, or
 * they are on their way into one. The row in intake.ts stands until a run's outcome is taken: whoever
 * reports first is believed, later reports find no row and change nothing (I2). Who is at work on what
 * is kept in memory alone, so after a crash every run is simply given out again.
 */
import type { StoredEvent } from '../db/triggers.ts';
import { type Intake, type Place, placeOfRun } from './intake.ts';
import type { BegunRun, RunStart } from './messages.ts';

/** A run to be driven, with the event that started it. */
export interface GivenRun {
  readonly place: Place;
  readonly run: RunStart;
  readonly record: StoredEvent;
  /** The read model learns of the event by this run: it is the event's first. */
  readonly tells: boolean;
}

interface Held {
  readonly given: GivenRun;
  /** Until then it is not given out (milliseconds); 0: it waits to be. */
  heldUntil: number;
  /** Somebody is at work on it, or died while at work. */
  isOut: boolean;
  /** Since when the read model could know of it. */
  readonly since: number;
  /** How long its text is. */
  readonly size: number;
  isTold: boolean;
}

/** An executor that has not reported by then has died. */
const LEASE_MS = 60_000;
const BATCH_MAX = 20;

export class OpenRuns {
  readonly #intake: Intake;
  readonly #held = new Map<string, Held>();
  /** Runs that nobody is at work on, the oldest first. */
  #free: string[] = [];
  /** When the first of the others may have to be given out again. */
  #checkAt = Number.POSITIVE_INFINITY;
  readonly #handing = new Map<string, Place>();
  /** Who waits for a run that is out. */
  readonly #waiting = new Map<string, (() => void)[]>();

  constructor(intake: Intake) {
    this.#intake = intake;
    for (const { place, body } of intake.rows('given'))
      this.#add({ place, ...JSON.parse(body) }, body.length);
    for (const { place, body } of intake.rows('handing')) {
      const { run }: BegunRun = JSON.parse(body);
      this.#handing.set(run.runId, place);
    }
  }

  /** Inside the transaction that admits the event. @param runs all that the event starts */
  give(place: Place, record: StoredEvent, runs: readonly RunStart[]): void {
    const ids = runs.map(({ runId }) => runId);
    for (const [index, run] of runs.entries()) {
      const tells = index === 0;
      const own = tells ? place : placeOfRun(run.runId);
      const body = JSON.stringify({ run, record, tells });
      this.#intake.put('given', own, record.id, tells ? ids : [], body);
      this.#add({ place: own, run, record, tells }, body.length);
    }
  }

  /** The event of a run was told of long ago, and so is the run, by the caller. */
  giveAgain(place: Place, record: StoredEvent, run: RunStart): GivenRun {
    const given = { place, run, record, tells: false };
    const body = JSON.stringify({ run, record, tells: false });
    this.#intake.put('given', place, record.id, [run.runId], body);
    this.#add(given, body.length);
    this.told([given]);
    return given;
  }

  find(runId: string): GivenRun | null {
    return this.#held.get(runId)?.given ?? null;
  }

  /** Whether as many wait as are leased at once. */
  hasFullBatch(): boolean {
    return this.#free.length >= BATCH_MAX;
  }

  /** The oldest runs that nobody is at work on, now leased to the caller. */
  lease(now: number): GivenRun[] {
    if (now >= this.#checkAt) this.#takeBack(now);
    const leased: GivenRun[] = [];
    while (leased.length < BATCH_MAX) {
      const runId = this.#free.shift();
      if (runId === undefined) break;
      const held = this.#held.get(runId);
      if (held === undefined) continue;
      held.isOut = true;
      this.#hold(held, now + LEASE_MS);
      leased.push(held.given);
    }
    return leased;
  }

  /** The executor did not take them: they are given out again at a time. */
  postpone(runIds: readonly string[], until: number): void {
    for (const runId of runIds) {
      const held = this.#held.get(runId);
      if (held === undefined) continue;
      held.isOut = false;
      this.#hold(held, until);
    }
  }

  /** When a run may have to be given out (again); null when none waits. */
  nextLease(now: number): number | null {
    if (this.#held.size === 0) return null;
    return this.#free.length > 0 ? now : this.#checkAt;
  }

  /** Somebody may be at work on it: what of it has happened is not known here. */
  isOut(runId: string, now: number): boolean {
    const held = this.#held.get(runId);
    return held?.isOut === true && held.heldUntil > now;
  }

  /** Once the outcome of a run that is out has been taken. */
  whenBack(runId: string): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.set(runId, [...(this.#waiting.get(runId) ?? []), resolve]);
    });
  }

  /** Its outcome is taken, or it will not be driven. The row stands as it is: the caller moves it on. */
  take(runId: string): { given: GivenRun; isTold: boolean } | null {
    const held = this.#held.get(runId);
    if (held === undefined) return null;
    this.#held.delete(runId);
    for (const tell of this.#waiting.get(runId) ?? []) tell();
    this.#waiting.delete(runId);
    return held;
  }

  /** All of the run that was given out is over, and on its way to whom it concerns. */
  close({ place }: GivenRun): void {
    this.#intake.close(place, 'given');
  }

  /** A run that has to wait goes into an object of its own. */
  handOver({ place, run, record, tells }: GivenRun, entries: BegunRun['entries']): void {
    const body = JSON.stringify({ run, record, tells, entries });
    this.#intake.move(place, 'given', 'handing', body);
    this.#handing.set(run.runId, place);
  }

  /** Runs on their way into their objects, the oldest first. */
  handing(): Iterable<string> {
    return this.#handing.keys();
  }

  /** With what a run goes into its object; null when it is not on its way. */
  handover(runId: string): (BegunRun & { readonly place: Place }) | null {
    const place = this.#handing.get(runId);
    const body = place === undefined ? null : this.#intake.body(place, 'handing');
    if (place !== undefined && body !== null) return { place, ...JSON.parse(body) };
    this.#handing.delete(runId);
    return null;
  }

  /** The object has it. @param seq the last entry that the tenant has taken */
  handedOver(runId: string, seq: number): void {
    const place = this.#handing.get(runId);
    if (place !== undefined) this.#intake.move(place, 'handing', 'live', String(seq));
    this.#handing.delete(runId);
  }

  /** The last entry taken from a run in an object of its own, or null when it is not (or no longer) live. */
  takenSeq(place: Place): number | null {
    const live = this.#intake.body(place, 'live');
    if (live !== null) return Number(live);
    const handing = this.#intake.body(place, 'handing');
    return handing === null ? null : seqOf(JSON.parse(handing));
  }

  /** The run reports, so its object has it. Whoever is giving it away finds that out: see `handover`. */
  took(place: Place, seq: number): void {
    if (!this.#intake.move(place, 'live', 'live', String(seq)))
      this.#intake.move(place, 'handing', 'live', String(seq));
  }

  /** No report will follow. */
  ended(place: Place): void {
    if (!this.#intake.close(place, 'live')) this.#intake.close(place, 'handing');
  }

  /**
   * Runs that the read model does not know of and that have been here since a time or longer, of about
   * so many characters at the most.
   */
  untold(since: number, limit: number, characters: number): GivenRun[] {
    const found: GivenRun[] = [];
    let room = characters;
    for (const held of this.#held.values()) {
      if (held.since > since || found.length >= limit || room <= 0) break;
      if (held.isTold) continue;
      room -= held.size;
      found.push(held.given);
    }
    return found;
  }

  told(runs: readonly GivenRun[]): void {
    for (const { run } of runs) {
      const held = this.#held.get(run.runId);
      if (held !== undefined) held.isTold = true;
    }
  }

  /** Runs that are here with an event of which something holds. */
  idsWhere(holds: (record: StoredEvent) => boolean): string[] {
    return [...this.#held].flatMap(([id, { given }]) => (holds(given.record) ? [id] : []));
  }

  #add(given: GivenRun, size: number): void {
    const { runId } = given.run;
    const since = Date.now();
    this.#held.set(runId, { given, heldUntil: 0, isOut: false, since, size, isTold: false });
    this.#free.push(runId);
  }

  #hold(held: Held, until: number): void {
    held.heldUntil = until;
    this.#checkAt = Math.min(this.#checkAt, until);
  }

  /** Those whose time has come. */
  #takeBack(now: number): void {
    this.#checkAt = Number.POSITIVE_INFINITY;
    for (const [runId, held] of this.#held) {
      if (held.heldUntil === 0) continue;
      if (held.heldUntil > now) this.#checkAt = Math.min(this.#checkAt, held.heldUntil);
      else {
        held.heldUntil = 0;
        this.#free.push(runId);
      }
    }
  }
}

function seqOf({ entries }: BegunRun): number {
  return entries.at(-1)?.seq ?? 0;
}
