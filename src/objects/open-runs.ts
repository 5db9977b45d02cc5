/**
 * Runs that have not ended and are in no object of their own: an executor drives them, or is to. The row
 * in intake.ts stands until a run's outcome is taken: whoever reports first is believed, later reports find
 * no row and change nothing (I2). Who is at work on what is kept in memory, so after a crash a run is given
 * out again. Only of a run that takes long it is written down: its tenant may fall asleep meanwhile, and
 * would do it a second time when it wakes.
 */
import type { StoredEvent } from '../db/triggers.ts';
import { LANES_OUT } from '../in-lanes.ts';
import { type Intake, type Place, placeOfRun } from './intake.ts';
import type { RunStart } from './messages.ts';
import { RunQueue } from './run-queue.ts';

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

/** Runs to be driven in one call. */
export interface Batch {
  readonly given: readonly GivenRun[];
  /** The workflow that is set apart, if they are of one. */
  readonly apart: string | null;
}

/** An executor that has not reported by then has died. */
const LEASE_MS = 60_000;
/** The same once it has said that a run takes long: a Worker runs on for 30 seconds after its answer. */
const LATE_MS = 35_000;
const BATCH_MAX = 20;

export class OpenRuns {
  readonly #intake: Intake;
  readonly #held = new Map<string, Held>();
  readonly #queue = new RunQueue();
  /** When the first of the others may have to be given out again. */
  #checkAt = Number.POSITIVE_INFINITY;
  /** Who waits for a run that is out. */
  readonly #waiting = new Map<string, (() => void)[]>();

  constructor(intake: Intake) {
    this.#intake = intake;
    for (const { place, body } of intake.rows('given')) {
      const { run, record, tells, outUntil } = JSON.parse(body);
      this.#add({ place, run, record, tells }, body.length, outUntil);
    }
  }

  /** Inside the transaction that admits the event. @param runs all that the event starts */
  give(place: Place, record: StoredEvent, runs: readonly RunStart[]): void {
    const ids = runs.map(({ runId }) => runId);
    for (const [index, run] of runs.entries()) {
      const tells = index === 0;
      const own = tells ? place : placeOfRun(run.runId);
      const given = { place: own, run, record, tells };
      const body = bodyOf(given);
      this.#intake.put('given', own, record.id, tells ? ids : [], body);
      this.#add(given, body.length);
    }
  }

  /** The event of a run was told of long ago, and so is the run, by the caller. */
  giveAgain(place: Place, record: StoredEvent, run: RunStart): GivenRun {
    const given = { place, run, record, tells: false };
    const body = bodyOf(given);
    this.#intake.put('given', place, record.id, [run.runId], body);
    this.#add(given, body.length);
    this.told([given]);
    return given;
  }

  isEmpty(): boolean {
    return this.#held.size === 0;
  }

  find(runId: string): GivenRun | null {
    return this.#held.get(runId)?.given ?? null;
  }

  /** Whether as many wait as are leased at once. */
  hasFullBatch(): boolean {
    return this.#queue.size >= BATCH_MAX;
  }

  /** The oldest runs that nobody is at work on, now leased to the caller; null when there is none. */
  lease(now: number): Batch | null {
    this.#takeBack(now);
    const given: GivenRun[] = [];
    while (given.length < BATCH_MAX) {
      const runId = this.#queue.next();
      if (runId === null) break;
      given.push(...this.#leased(runId, now));
    }
    return given.length === 0 ? null : { given, apart: null };
  }

  /** The same of runs that are set apart: of one workflow, each in its turn, so few that none waits for another. */
  leaseApart(now: number): Batch | null {
    for (;;) {
      const taken = this.#queue.takeApart(LANES_OUT);
      if (taken === null) return null;
      const given = taken.runIds.flatMap((runId) => this.#leased(runId, now));
      if (given.length > 0) return { given, apart: taken.workflowId };
    }
  }

  #leased(runId: string, now: number): GivenRun[] {
    const held = this.#held.get(runId);
    if (held === undefined) return [];
    held.isOut = true;
    this.#hold(held, now + LEASE_MS);
    return [held.given];
  }

  /** Inside a transaction. They are under way for longer than their caller waits. */
  keepLate(runIds: readonly string[], now: number): void {
    const outUntil = now + LATE_MS;
    for (const runId of runIds) {
      const held = this.#held.get(runId);
      if (held === undefined) continue;
      const { place, run } = held.given;
      this.#intake.move(place, 'given', 'given', bodyOf(held.given, outUntil));
      this.#hold(held, outUntil);
      this.#queue.setApart(run.workflow.id);
    }
  }

  /** Nothing of a batch of its runs took long. */
  rejoin(workflowId: string): void {
    this.#queue.rejoin(workflowId);
  }

  /** Nobody has begun them. */
  giveBack(runIds: readonly string[]): void {
    for (const runId of runIds) {
      const held = this.#held.get(runId);
      if (held === undefined) continue;
      held.isOut = false;
      this.#free(held);
    }
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
    return this.#queue.isEmpty() ? this.#checkAt : now;
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

  #add(given: GivenRun, size: number, outUntil = 0): void {
    const since = Date.now();
    const isOut = outUntil > since;
    const held = { given, heldUntil: 0, isOut, since, size, isTold: false };
    this.#held.set(given.run.runId, held);
    if (isOut) this.#hold(held, outUntil);
    else this.#free(held);
  }

  #hold(held: Held, until: number): void {
    held.heldUntil = until;
    this.#checkAt = Math.min(this.#checkAt, until);
  }

  #free(held: Held): void {
    const { runId, workflow } = held.given.run;
    held.heldUntil = 0;
    this.#queue.put({ runId, workflowId: workflow.id });
  }

  /** Those whose time has come. */
  #takeBack(now: number): void {
    if (now < this.#checkAt) return;
    this.#checkAt = Number.POSITIVE_INFINITY;
    for (const held of this.#held.values()) {
      if (held.heldUntil === 0) continue;
      if (held.heldUntil > now) this.#checkAt = Math.min(this.#checkAt, held.heldUntil);
      else this.#free(held);
    }
  }
}

/** What its row holds. @param outUntil only of a run that takes long */
function bodyOf({ run, record, tells }: GivenRun, outUntil?: number): string {
  return JSON.stringify({ run, record, tells, outUntil });
}
