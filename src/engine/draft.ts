/** A decision in the making: the entries so far, and the run as they leave it, at one moment. */
import type { Entry, Fact } from '../contract/entries.ts';
import type { Plan } from './plan.ts';
import { evolve, type RunState, type StepState } from './state.ts';

export class Draft {
  readonly plan: Plan;
  /** Milliseconds since 1970 */
  readonly now: number;
  /** In [0, 1): spreads retries */
  readonly jitter: number;
  readonly #entries: Entry[];
  #run: RunState;

  constructor(plan: Plan, run: RunState, now: number, jitter: number, entries: Entry[]) {
    this.plan = plan;
    this.now = now;
    this.jitter = jitter;
    this.#run = run;
    this.#entries = entries;
  }

  get run(): RunState {
    return this.#run;
  }

  get entries(): readonly Entry[] {
    return this.#entries;
  }

  add(fact: Fact): void {
    const entry: Entry = { ...fact, seq: this.#run.seq + 1, at: this.time(0) };
    this.#entries.push(entry);
    this.#run = evolve(this.#run, entry);
  }

  /** RFC 3339, that many milliseconds from now. */
  time(inMs: number): string {
    return new Date(this.now + inMs).toISOString();
  }

  isDue(time: string | null): boolean {
    return time !== null && Date.parse(time) <= this.now;
  }

  hasEnded(): boolean {
    return this.#run.finishedAt !== null;
  }

  /** The step as it is now: an entry just added may have changed it. */
  step(stepId: string): StepState | undefined {
    return this.#run.steps.find(({ id }) => id === stepId);
  }
}
