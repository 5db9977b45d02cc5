/**
 * Runs that have to wait, on their way into objects of their own or there: the row in intake.ts holds what
 * the object begins with, and then the number of the last entry that the tenant has taken from it.
 */
import type { Intake, Place } from './intake.ts';
import type { BegunRun } from './messages.ts';
import type { GivenRun } from './open-runs.ts';

export class LiveRuns {
  readonly #intake: Intake;
  readonly #handing = new Map<string, Place>();

  constructor(intake: Intake) {
    this.#intake = intake;
    for (const { place, body } of intake.rows('handing')) {
      const { run }: BegunRun = JSON.parse(body);
      this.#handing.set(run.runId, place);
    }
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
}

function seqOf({ entries }: BegunRun): number {
  return entries.at(-1)?.seq ?? 0;
}
