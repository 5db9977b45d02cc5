/**
 * Stripe's REST API, one request at a time: what it answers becomes data or an outcome in words that
 * an operator understands. Form-encoded, with a pinned version; the official library is the oracle of
 * the tests, and is not shipped: docs/decisions/0005-a-small-stripe-client.md.
 * https://docs.stripe.com/api/errors, https://docs.stripe.com/api/idempotent_requests
 */
import * as z from 'zod';
import { later } from '../contract/later.ts';
import type { Outcome } from '../engine/plan.ts';
import { failed, unknown } from './index.ts';
import {
  type Answer,
  type Asking,
  busyOutcome,
  exchange,
  ofChange,
  parsedJson,
  quoted,
  silenceOutcome,
  unreadableOutcome,
} from './vendor-http.ts';

/** What the fields that are read were written against. */
export const STRIPE_API_VERSION = '2026-10-28.endive';

export interface StripeAccount {
  readonly apiKey: string;
  /** `https://api.stripe.com`, or a stand-in in development. */
  readonly origin: string;
}

export interface StripeRequest<Data> {
  /** After `/v1/`, its ids already checked or encoded. */
  readonly path: string;
  /** Nested fields in brackets: `metadata[key]`, `expand[]`. */
  readonly params?: Readonly<Record<string, string>>;
  /** With it, the request is a POST that Stripe carries out once in 24 hours at least. */
  readonly idempotencyKey?: string;
  /** What is read of the answer; one without it is unreadable. */
  readonly data: z.ZodType<Data>;
}

/** Never throws. */
export async function askStripe<Data>(
  account: StripeAccount,
  request: StripeRequest<Data>,
  asking: Asking,
): Promise<Answer<Data>> {
  const answer = await askOnce(account, request, asking);
  return answer.ok || request.idempotencyKey === undefined
    ? answer
    : { ok: false, outcome: ofChange(answer.outcome) };
}

async function askOnce<Data>(
  { apiKey, origin }: StripeAccount,
  { path, params = {}, idempotencyKey, data: schema }: StripeRequest<Data>,
  { fetch, deadline, now }: Asking,
): Promise<Answer<Data>> {
  const form = new URLSearchParams(params).toString();
  const headers = {
    authorization: `Bearer ${apiKey}`,
    accept: 'application/json',
    'stripe-version': STRIPE_API_VERSION,
  };
  const sent =
    idempotencyKey === undefined
      ? await exchange(fetch, `${origin}/v1/${path}?${form}`, { headers }, deadline)
      : await exchange(
          fetch,
          `${origin}/v1/${path}`,
          {
            method: 'POST',
            headers: {
              ...headers,
              'content-type': 'application/x-www-form-urlencoded',
              'idempotency-key': idempotencyKey,
            },
            body: form,
          },
          deadline,
        );
  if (!sent.answered) return { ok: false, outcome: silenceOutcome('Stripe', sent.silence) };
  const body = parsedJson(sent.text);
  if (sent.status >= 400) return { ok: false, outcome: errorOutcome(sent, body, apiKey, now) };
  const read = schema.safeParse(body);
  return read.success
    ? { ok: true, data: read.data }
    : { ok: false, outcome: unreadableOutcome('Stripe') };
}

const text = later(() => z.string().catch(''));
const errorBody = later(() =>
  z
    .object({ error: z.object({ type: text, code: text, message: text }) })
    .catch({ error: { type: '', code: '', message: '' } }),
);

function errorOutcome(
  { status, headers }: { readonly status: number; readonly headers: Headers },
  body: unknown,
  apiKey: string,
  now: number,
): Outcome {
  const { type, code, message } = errorBody.parse(body).error;
  if (status === 409 || code === 'idempotency_key_in_use' || code === 'lock_timeout')
    return failed('in_progress', 'Stripe is still busy with an earlier attempt.', {
      retryable: true,
      retryAfterMs: 5_000,
    });
  if (type === 'idempotency_error')
    return unknown(
      'Stripe has seen an earlier attempt at this refund, with other inputs, and takes no other under its key for 24 hours.',
    );
  if (status >= 500 && headers.get('idempotent-replayed') === 'true') return faultRepeated();
  const busy = busyOutcome('Stripe', status, headers.get('retry-after'), now);
  if (busy !== null) return busy;
  if (status === 401)
    return failed(
      'credential_refused',
      'Stripe refused the API key: set the stripe connection with a valid one.',
    );
  if (status === 403)
    return failed(
      'scope_missing',
      'The API key may not do this: give it write access to refunds, and read access to payments.',
    );
  if (code === 'resource_missing' || status === 404)
    return failed('order_not_found', 'Stripe knows no such payment with this key.');
  if (code === 'charge_already_refunded')
    return failed('nothing_to_refund', 'All that was paid is refunded already.');
  const said = quoted(message, apiKey) || `status ${status}, without a reason`;
  return failed('stripe_refused', `Stripe refused: ${said}`);
}

/**
 * A fault of Stripe's own is kept under our key like any answer, and says nothing about what was
 * done: trying again brings the same fault for a day. https://docs.stripe.com/error-low-level
 */
function faultRepeated(): Outcome {
  return unknown(
    'Stripe had a fault of its own at an earlier attempt, and repeats that answer for 24 hours.',
  );
}
