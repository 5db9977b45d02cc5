/**
 * Refunds at Stripe. Our key is Stripe's `Idempotency-Key`, which is kept for 24 hours at least, and
 * is in the refund's metadata, which is looked at first: so nothing is given back twice however late
 * an attempt is repeated. https://docs.stripe.com/api/refunds
 */
import * as z from 'zod';
import type { Money } from '../contract/json.ts';
import { later } from '../contract/later.ts';
import { currencyCode, minorToStripe, moneyText, stripeToMinor } from '../currency.ts';
import type { Outcome } from '../engine/plan.ts';
import { type CommercePort, failed, type PortCall, succeeded } from './index.ts';
import { askStripe, type StripeAccount } from './stripe-api.ts';
import { findPayment, type Payment } from './stripe-payment.ts';
import { type Asking, unreadableOutcome } from './vendor-http.ts';

type Refund = Parameters<CommercePort['refundOrder']>[1];

/** Where our key stands in a refund's metadata. */
const KEY_FIELD = 'signalbox_key';
/** As many as one page of the list has. With more, ours might be among those that are not seen. */
const REFUNDS_MAX = 100;
/** The reasons that Stripe has of its own; other words go into the metadata. */
const stripeReason = later(() => z.enum(['duplicate', 'fraudulent', 'requested_by_customer']));

const refundFields = later(() =>
  z.object({
    id: z.string(),
    amount: z.int().min(0),
    currency: currencyCode,
    status: z.string().nullish(),
    failure_reason: z.string().nullish(),
    metadata: z.record(z.string(), z.string()).nullish(),
  }),
);
type MadeRefund = z.infer<typeof refundFields>;

/**
 * Stripe has payments: no tags, and nothing to cancel that was paid.
 * @param deps `fetch` is the runtime's, or a test's
 */
export function stripeRefunds(
  account: StripeAccount,
  { fetch }: { readonly fetch: typeof globalThis.fetch },
): Pick<CommercePort, 'refundOrder'> {
  return {
    refundOrder: (call, refund) => {
      const deadline = AbortSignal.timeout(call.timeoutMs);
      return refundAtStripe(account, call, refund, { fetch, deadline, now: call.now });
    },
  };
}

async function refundAtStripe(
  account: StripeAccount,
  { idempotencyKey }: PortCall,
  { orderId, amount, reason }: Refund,
  asking: Asking,
): Promise<Outcome> {
  const found = await findPayment(account, orderId, asking);
  if (!found.ok) return found.outcome;
  const payment = found.data;
  const listed = await askStripe(
    account,
    {
      path: 'refunds',
      params: { ...payment.target, limit: String(REFUNDS_MAX) },
      data: z.object({ data: z.array(refundFields), has_more: z.boolean().optional() }),
    },
    asking,
  );
  if (!listed.ok) return listed.outcome;
  const done = listed.data.data.find(({ metadata }) => metadata?.[KEY_FIELD] === idempotencyKey);
  if (done !== undefined) return outcomeOf(orderId, payment, done, payment.refunded);
  if (listed.data.has_more === true)
    return failed(
      'too_many_refunds',
      `The payment has more than ${REFUNDS_MAX} refunds: refund it at Stripe.`,
    );
  const size = sizeOf(payment, amount);
  if (typeof size === 'object') return size;
  const made = await askStripe(
    account,
    {
      path: 'refunds',
      idempotencyKey,
      params: {
        ...payment.target,
        // Left out: all that is left, by Stripe's own reckoning at that moment.
        ...(size === undefined ? {} : { amount: String(size) }),
        ...(stripeReason.safeParse(reason).success && reason ? { reason } : {}),
        [`metadata[${KEY_FIELD}]`]: idempotencyKey,
        ...(reason === undefined ? {} : { 'metadata[reason]': reason }),
      },
      data: refundFields,
    },
    asking,
  );
  if (!made.ok) return made.outcome;
  return outcomeOf(orderId, payment, made.data, payment.refunded + made.data.amount);
}

/** The amount in Stripe's unit, undefined for all that is left, or why there is none. */
function sizeOf(payment: Payment, amount: Money | undefined): number | undefined | Outcome {
  const { currency } = payment;
  const left = payment.paid - payment.refunded;
  if (amount !== undefined && amount.currency !== currency)
    return failed('currency_mismatch', `The payment is in ${currency}, not in ${amount.currency}.`);
  if (left <= 0)
    return failed(
      'nothing_to_refund',
      payment.paid === 0 ? 'Nothing has been paid.' : 'All that was paid is refunded already.',
    );
  if (amount === undefined) return undefined;
  const size = minorToStripe(amount);
  if (size === null || size <= 0)
    return failed(
      'invalid_amount',
      `Stripe cannot give back ${moneyText(amount)}: its step is wider.`,
    );
  if (size <= left) return size;
  const most = stripeToMinor(left, currency);
  const shown = most === null ? 'what is left' : moneyText({ amount: most, currency });
  return failed('refund_exceeds_total', `No more than ${shown} of the payment can be refunded.`);
}

/** No event is caused: Stripe's own webhook tells of the refund, as of one made by hand. */
function outcomeOf(
  orderId: string,
  { currency }: Payment,
  made: MadeRefund,
  refundedInAll: number,
): Outcome {
  const { id: refundId, status = null, failure_reason: why } = made;
  if (status === 'failed' || status === 'canceled')
    return failed(
      'refund_failed',
      `The refund ${refundId} did not come through at Stripe (${why ?? status}).`,
    );
  const amount = stripeToMinor(made.amount, currency);
  const refunded = stripeToMinor(refundedInAll, currency);
  if (amount === null || refunded === null) return unreadableOutcome('Stripe');
  return succeeded({
    refundId,
    orderId,
    amount: { amount, currency },
    refunded: { amount: refunded, currency },
    status,
  });
}
