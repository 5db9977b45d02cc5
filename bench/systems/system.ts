/** What the bench asks of every system that it compares. */
import type { LoadRequest } from '../support/load-job.ts';
import type { Running } from '../support/processes.ts';

/** Events of one turn of one system. An id is the round's name, a hyphen, and a number. */
export interface Round {
  readonly name: string;
  /** `orders`: W1. `decisions`: a run waits for a decision, and delivers once it is taken. */
  readonly kind: 'orders' | 'decisions';
  readonly ids: readonly string[];
}

export interface System {
  readonly name: string;
  readonly version: string;
  /** Of the others' events, for one that would take hours. */
  readonly part: number;
  /** It keeps files of every run open, until it may open no more: each turn gets a new one. */
  readonly isNewEachTurn: boolean;
  readonly running: Running;
  readonly origin: string;
  /** Requests that bring the round's events, so many in each; null when it takes one at a time. */
  events(round: Round, perPost: number): LoadRequest[] | null;
  /** Starts runs that wait for a decision. Requests that take it, in the order of the ids. */
  readonly decisions: ((round: Round) => Promise<LoadRequest[]>) | null;
  /** Whether the runs of the round's last events are shown as succeeded; cheap, so that it can be asked often. */
  isDone(round: Round): Promise<boolean>;
  /** The event's id for each run that the system's own log shows as succeeded: twice for one that is there twice. */
  succeeded(round: Round): Promise<string[]>;
  stop(): Promise<void>;
}

/** How many of a round's last events are looked at to see whether it is done. */
export const LAST_OF_ROUND = 32;

/** The W1 event of an id. */
export function orderCreated(id: string) {
  return {
    id,
    source: 'bench',
    type: 'order.created',
    data: { order: { id, total: { amount: 25_000, currency: 'USD' } } },
  };
}

export function inParts<Item>(items: readonly Item[], size: number): Item[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, part) =>
    items.slice(part * size, (part + 1) * size),
  );
}
