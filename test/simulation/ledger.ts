/** What clients did and were answered: the product is judged against it. No answer says nothing. */

export type Outcome = 'ok' | 'fail' | 'unknown';

/** An event, as often as it was sent. */
export interface SentEvent {
  readonly shop: string;
  readonly source: string;
  /** Null: it was sent without one, in one request. */
  readonly id: string | null;
  /** No other event has it. */
  readonly n: number;
  readonly type: string;
  readonly outcomes: Outcome[];
  /** What each 2xx said: the product's own id of it, and its runs. */
  readonly answers: { readonly id: string; readonly runs: readonly string[] }[];
}

/** Something that somebody asked for, in one request or, under an `Idempotency-Key`, in several. */
export interface Asked {
  readonly shop: string;
  readonly what: 'approve' | 'deny' | 'edit' | 'cancel' | 'policy' | 'workflow';
  readonly subject: string;
  readonly person: string | null;
  /** Under an `Idempotency-Key`: done once, however often it is asked for. */
  readonly isKeyed: boolean;
  /** Of each of its requests. */
  readonly requestIds: string[];
  readonly outcomes: Outcome[];
  /** When the first 2xx came (simulated time). */
  answeredAt: number | null;
}

export class Ledger {
  readonly events: SentEvent[] = [];
  readonly asked: Asked[] = [];
  /** By webhook id: what has arrived, in order. */
  readonly arrived = new Map<string, string[]>();
}

/** Of a request; null: nothing was answered. */
export function outcomeOf(status: number | null): Outcome {
  if (status === null || status >= 500) return 'unknown';
  return status < 300 ? 'ok' : 'fail';
}

/** Of several requests that ask for one thing: one 2xx is enough to know that it was done. */
export function outcomeOfAll({ outcomes }: { readonly outcomes: readonly Outcome[] }): Outcome {
  if (outcomes.includes('ok')) return 'ok';
  return outcomes.includes('unknown') ? 'unknown' : 'fail';
}
