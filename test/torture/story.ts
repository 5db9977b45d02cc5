/**
 * What the harness did and saw, from its own side alone: the product is judged against it. Whether a
 * request was carried out is `ok`, `fail` or `unknown`: no answer, or a fault, says neither.
 */
import type { Run } from '../../src/contract/runs.ts';

export type Outcome = 'ok' | 'fail' | 'unknown';

/** An event that was sent, as often as it was sent. */
export interface SentEvent {
  readonly tenantId: string;
  readonly source: string;
  readonly id: string;
  readonly type: string;
  readonly outcomes: Outcome[];
  /** What each 2xx said of it. */
  readonly answers: { readonly id: string; readonly duplicate: boolean; readonly runs: string[] }[];
}

/** Something that was asked for once, in one request or, under an `Idempotency-Key`, in several. */
export interface Operation {
  readonly tenantId: string;
  /** `vote`, `cancel`, `edit`, `policy`, … */
  readonly kind: string;
  /** On each of its requests, so that its traces can be found. */
  readonly requestId: string;
  /** What it is about: a run's id, or a word. */
  readonly subject: string;
  readonly actorId: string | null;
  readonly outcomes: Outcome[];
  /** The audit action that it brings, and how often an `ok` has to. */
  readonly audit: { readonly action: string; readonly least: number } | null;
}

/** A request that came to one of the receivers. */
export interface Arrival {
  readonly at: number;
  readonly path: string;
  readonly webhookId: string;
  readonly body: string;
  readonly isSigned: boolean;
  /** What it was answered; null: nothing, or too late. */
  readonly status: number | null;
}

export interface Kill {
  readonly at: number;
  readonly what: 'runtime' | 'all';
  /** When something was answered 2xx again; null: not before the next one. */
  backAt: number | null;
}

/** A request with events that was answered, and how long that took. */
export interface Intake {
  readonly tenantId: string;
  readonly at: number;
  readonly ms: number;
}

/** A run as it was seen while everything was going on. */
export interface Sighting {
  readonly tenantId: string;
  readonly run: Run;
}

export interface Story {
  readonly events: SentEvent[];
  readonly operations: Operation[];
  readonly arrivals: Arrival[];
  readonly kills: Kill[];
  readonly sightings: Map<string, Sighting>;
  readonly intakes: Intake[];
  /** Answers by status; 0: there was none. */
  readonly answered: Map<number, number>;
  /** The first answers that are a fault of the product. */
  readonly faults: string[];
}

export function newStory(): Story {
  return {
    events: [],
    operations: [],
    arrivals: [],
    kills: [],
    sightings: new Map(),
    intakes: [],
    answered: new Map(),
    faults: [],
  };
}

/** Of several requests that ask for one thing: one 2xx is enough to know that it was done. */
export function outcomeOf({ outcomes }: { readonly outcomes: readonly Outcome[] }): Outcome {
  if (outcomes.includes('ok')) return 'ok';
  return outcomes.includes('unknown') ? 'unknown' : 'fail';
}
