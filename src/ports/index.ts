/**
 * The outside world as actions see it. A port knows no workflow. Every call carries the step's
 * idempotency key, the same for each attempt: an adapter that has done the work under that key
 * answers as it did then, and does nothing. A new port is a file of its own, a line in `Ports` and one
 * in open.ts: docs/adding-an-action.md.
 */
import type { Actor, Json, JsonObject, Money } from '../contract/json.ts';
import type { AttemptOutcome, Outcome } from '../engine/plan.ts';

export interface PortCall {
  readonly tenantId: string;
  /** Empty where no run calls. */
  readonly runId: string;
  /** Left out where no step calls. */
  readonly stepId?: string;
  readonly idempotencyKey: string;
  readonly timeoutMs: number;
  /** Milliseconds since 1970 */
  readonly now: number;
  /**
   * An earlier attempt may have been carried out without a word of it. A port whose other side knows
   * no idempotency key then does nothing and answers `unknown`, unless it can find out.
   */
  readonly lost?: boolean;
}

export interface CommercePort {
  tagOrder(call: PortCall, orderId: string, tag: string): Promise<Outcome>;
  /** Without an amount: all that is left to refund. */
  refundOrder(
    call: PortCall,
    refund: { orderId: string; amount?: Money | undefined; reason?: string | undefined },
  ): Promise<Outcome>;
  cancelOrder(call: PortCall, orderId: string, reason: string | undefined): Promise<Outcome>;
}

export interface FlagChange {
  readonly key: string;
  readonly enabled: boolean;
  /** Who sets it by hand; left out where a run does. */
  readonly by?: { readonly actor: Actor; readonly comment: string | null };
}
export interface FlagsPort {
  /** Causes `flags.changed` when the flag was the other way. */
  setFlag(call: PortCall, change: FlagChange): Promise<Outcome>;
}

export interface Email {
  /** As people write addresses: see contract/mail.ts. */
  readonly to: readonly string[];
  readonly subject: string;
  readonly text?: string | undefined;
  readonly html?: string | undefined;
  /** Our own to a member, such as a request for approval; not what a workflow sends. */
  readonly system?: boolean;
}
export interface EmailPort {
  /** Whether what workflows send may be repeated under its key, after a crash, and comes once. */
  readonly honoursKey: boolean;
  send(call: PortCall, email: Email): Promise<Outcome>;
}

export interface WebhookCall {
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Json;
}
/**
 * Asked before a webhook is sent: null when its destination takes any. Else nothing is sent, and
 * `retryAfterMs` says in how many milliseconds to ask again; null: not by itself.
 */
export type DestinationGate = (
  destination: string,
) => Promise<{ readonly retryAfterMs: number | null } | null>;

export interface WebhookPort {
  send(call: PortCall, webhook: WebhookCall): Promise<Outcome>;
}

/** Times as in RFC 3339, in UTC with milliseconds: `from` is included, `to` is not. */
export interface ExportRequest {
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly format: 'csv' | 'ndjson';
}
export interface ExportsPort {
  /** Works in slices: until there is an outcome, each call does a bounded part of what is left. */
  exportOrders(call: PortCall, request: ExportRequest): Promise<AttemptOutcome>;
}

/** What actions are given. */
export interface Ports {
  readonly commerce: CommercePort;
  readonly flags: FlagsPort;
  readonly email: EmailPort;
  readonly webhook: WebhookPort;
  readonly exports: ExportsPort;
}

export function succeeded(
  output: JsonObject,
  events: Extract<Outcome, { kind: 'succeeded' }>['events'] = [],
): Outcome {
  return { kind: 'succeeded', output, events };
}

/** A failure that another attempt cannot mend, unless `retryable`. */
export function failed(
  code: string,
  message: string,
  options: Partial<Omit<Extract<Outcome, { kind: 'failed' }>, 'kind' | 'error'>> = {},
): Outcome {
  const usual = { output: null, retryable: false, retryAfterMs: null };
  return { kind: 'failed', error: { code, message }, ...usual, ...options };
}

/** For what may only not be there yet: worth a minute or two, not a day. */
export const NOT_YET = { retryable: true, attemptsMax: 5 } as const;

/** The request left and no answer came, and the other side knows no idempotency key. */
export function unknown(message: string, output: Json = null): Outcome {
  return { kind: 'unknown', error: { code: 'outcome_unknown', message }, output };
}
