/**
 * Which payment an order id means at Stripe: a payment intent, a charge, a checkout session, or the
 * sender's own id in `metadata.order_id`, which is what `vendors/stripe.ts` calls an order's id.
 */
import * as z from 'zod';
import { later } from '../contract/later.ts';
import { currencyCode } from '../currency.ts';
import type { Outcome } from '../engine/plan.ts';
import { failed, NOT_YET } from './index.ts';
import { askStripe, type StripeAccount } from './stripe-api.ts';
import type { Answer, Asking } from './vendor-http.ts';

export interface Payment {
  /** What refunds are made on and listed by. */
  readonly target: Readonly<Record<string, string>>;
  readonly currency: string;
  /** In Stripe's unit of the currency, as is `refunded`. */
  readonly paid: number;
  readonly refunded: number;
}

const amount = later(() => z.int().min(0));
const charge = later(() =>
  z.object({
    id: z.string(),
    currency: currencyCode,
    amount,
    amount_captured: amount.optional(),
    amount_refunded: amount,
  }),
);
const ofCharge = later(() =>
  charge.transform(
    ({
      id,
      currency,
      amount: whole,
      amount_captured: captured,
      amount_refunded: refunded,
    }): Payment => ({
      target: { charge: id },
      currency,
      paid: captured ?? whole,
      refunded,
    }),
  ),
);
const ofIntent = later(() =>
  z
    .object({
      id: z.string(),
      currency: currencyCode,
      amount_received: amount,
      latest_charge: charge.nullish(),
    })
    .transform(
      ({ id, currency, amount_received: paid, latest_charge }): Payment => ({
        target: { payment_intent: id },
        currency,
        paid,
        refunded: latest_charge?.amount_refunded ?? 0,
      }),
    ),
);
const session = later(() => z.object({ payment_intent: z.string().nullish() }));

const STRIPE_ID = /^(pi|ch|py|cs)_[A-Za-z0-9_]{1,200}$/;

/** The payment, or an outcome that says why there is none. */
export async function findPayment(
  account: StripeAccount,
  orderId: string,
  asking: Asking,
): Promise<Answer<Payment>> {
  switch (STRIPE_ID.exec(orderId)?.[1]) {
    case 'pi':
      return await retrieveIntent(account, orderId, asking);
    case 'ch':
    case 'py':
      return await askStripe(account, { path: `charges/${orderId}`, data: ofCharge }, asking);
    case 'cs':
      return await ofSession(account, orderId, asking);
    default:
      return await searchPayment(account, orderId, asking);
  }
}

function retrieveIntent(
  account: StripeAccount,
  id: string,
  asking: Asking,
): Promise<Answer<Payment>> {
  const params = { 'expand[]': 'latest_charge' };
  return askStripe(account, { path: `payment_intents/${id}`, params, data: ofIntent }, asking);
}

async function ofSession(
  account: StripeAccount,
  id: string,
  asking: Asking,
): Promise<Answer<Payment>> {
  const path = `checkout/sessions/${id}`;
  const found = await askStripe(account, { path, data: session }, asking);
  if (!found.ok) return found;
  const { payment_intent: intent } = found.data;
  return intent
    ? await retrieveIntent(account, encodeURIComponent(intent), asking)
    : none('order_not_found', 'That checkout session has no payment that can be refunded.');
}

/**
 * Payments whose `metadata.order_id` it is. The index is about a minute behind the payment, hence
 * another attempt is worth it. https://docs.stripe.com/search
 */
async function searchPayment(
  account: StripeAccount,
  orderId: string,
  asking: Asking,
): Promise<Answer<Payment>> {
  const quotedId = orderId.replaceAll(/[\\']/g, String.raw`\$&`);
  const params = {
    query: `metadata['order_id']:'${quotedId}' AND status:'succeeded'`,
    limit: '2',
    'expand[]': 'data.latest_charge',
  };
  const data = z.object({ data: z.array(ofIntent) });
  const found = await askStripe(account, { path: 'payment_intents/search', params, data }, asking);
  if (!found.ok) return found;
  const [payment, another] = found.data.data;
  if (another !== undefined)
    return none(
      'order_ambiguous',
      'Several payments at Stripe have this order id in their metadata: name one, such as pi_….',
    );
  return payment === undefined
    ? none(
        'order_not_found',
        'No payment at Stripe has this id, or has it as metadata.order_id yet.',
        NOT_YET,
      )
    : { ok: true, data: payment };
}

function none(
  code: string,
  message: string,
  options: typeof NOT_YET | undefined = undefined,
): { ok: false; outcome: Outcome } {
  return { ok: false, outcome: failed(code, message, options) };
}
