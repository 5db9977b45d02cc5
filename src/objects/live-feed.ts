/**
 * The latest changes of a tenant, numbered, in memory alone: a socket that was closed for a moment goes
 * on where it was. Another instance of the object numbers anew, and says `reset` to whoever comes with
 * a cursor of this one.
 */
import type { LiveChange, LiveMessage } from '../contract/live.ts';

const KEPT_MAX = 500;

export class LiveFeed {
  readonly #instance: string;
  /** The last ones; the number of the first is `#last - #kept.length + 1`. */
  #kept: LiveMessage[] = [];
  #last = 0;

  /** @param instance tells the cursors of this instance from all others */
  constructor(instance: string) {
    this.#instance = instance;
  }

  /** The changes as they are told, each with its cursor. */
  add(changes: readonly LiveChange[]): LiveMessage[] {
    const added = changes.map((change) => ({ cursor: this.#next(), ...change }));
    this.#kept = [...this.#kept, ...added].slice(-KEPT_MAX);
    return added;
  }

  /** There was too much to tell one by one: nobody goes on from before. */
  skip(): LiveMessage {
    this.#next();
    this.#kept = [];
    return this.#reset();
  }

  /** What a socket is told first: what it has missed since a cursor, or that it has to ask for all. */
  since(cursor: string | undefined): readonly LiveMessage[] {
    const seen = this.#numberOf(cursor);
    const first = this.#last - this.#kept.length;
    return seen === null || seen < first || seen > this.#last
      ? [this.#reset()]
      : this.#kept.slice(seen - first);
  }

  #next(): string {
    this.#last += 1;
    return this.#cursor();
  }

  #cursor(): string {
    return `${this.#instance}-${this.#last}`;
  }

  #reset(): LiveMessage {
    return { cursor: this.#cursor(), kind: 'reset' };
  }

  #numberOf(cursor: string | undefined): number | null {
    const [, instance, number] = /^([^-]+)-(\d{1,15})$/.exec(cursor ?? '') ?? [];
    return instance === this.#instance ? Number(number) : null;
  }
}
