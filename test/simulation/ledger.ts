/** What clients did and were answered: the product is judged against it. No answer says nothing. */

export type Outcome = 'ok' | 'fail' | 'unknown';

/** An event, as often as it was sent. */
export interface SentEvent {
  readonly shop: string;
  readonly source: string;
  readonly id: string;
  readonly type: string;
  outcome: Outcome;
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
  outcome: Outcome;
  /** When the first 2xx came (simulated time). */
  answeredAt: number | null;
}

export class Ledger {
  readonly events: SentEvent[] = [];
  readonly asked: Asked[] = [];
  /** By webhook id: what has arrived, in order. */
  readonly arrived = new Map<string, string[]>();
}

/** A 2xx is for good; a refusal counts only while nobody has said more. */
export function outcomeOf(before: Outcome | null, status: number | null): Outcome {
  if (before === 'ok' || (status !== null && status < 300)) return 'ok';
  if (before === 'unknown' || status === null || status >= 500) return 'unknown';
  return 'fail';
}
