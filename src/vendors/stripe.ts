/**
 * Stripe's webhooks: is it from Stripe, now, and which platform event is it. No I/O.
 * https://docs.stripe.com/webhooks#verify-manually (signature), https://docs.stripe.com/api/events
 * (envelope), https://docs.stripe.com/api/{checkout/sessions,charges,customers}/object (resources).
 */
import { hexToBytes } from '@noble/hashes/utils.js';
import * as z from 'zod';
import { isJsonObject, type Json } from '../contract/json.ts';
import { later } from '../contract/later.ts';
import { faultsOf } from '../contract/problems.ts';
import { currencyCode, stripeToMinor } from '../currency.ts';
import { verifyHmacSha256 } from '../hmac.ts';
import {
  moneyAt,
  optionalFlag,
  optionalText,
  present,
  presentOrNone,
  type Translation,
  translate,
  vendorId,
} from './translation.ts';

const TOLERANCE_S = 300;
/** A rotation needs two; a bound keeps a made-up header from costing a hash of the body for each. */
const SIGNATURES_MAX = 8;

/**
 * True when Stripe-Signature (`t=<seconds>,v1=<hex>[,v1=…]`) signs `t.rawBody` and `t` is within
 * 300 s of `nowMs` (milliseconds since 1970), before or after. The key is the whole `whsec_…` text,
 * not decoded. Other schemes (v0) count for nothing.
 */
export async function verifyStripe(
  rawBody: Uint8Array,
  headers: Headers,
  secret: string,
  nowMs: number,
): Promise<boolean> {
  const signed = signatureHeader(headers.get('stripe-signature') ?? '');
  if (signed === null) return false;
  if (Math.abs(Math.floor(nowMs / 1_000) - Number(signed.time)) > TOLERANCE_S) return false;
  const prefix = new TextEncoder().encode(`${signed.time}.`);
  const message = new Uint8Array(prefix.length + rawBody.length);
  message.set(prefix);
  message.set(rawBody, prefix.length);
  return verifyHmacSha256(new TextEncoder().encode(secret), signed.signatures, message);
}

/** The header's parts, or null when it has not just one time and at least one v1 signature. */
function signatureHeader(text: string): { time: string; signatures: Uint8Array[] } | null {
  const pairs = text.split(',').map((pair) => pair.trim());
  const times = pairs.filter((pair) => pair.startsWith('t='));
  const time = /^t=(\d{1,12})$/.exec(times[0] ?? '')?.[1];
  const hex = pairs.flatMap((pair) => /^v1=([0-9a-f]{64})$/.exec(pair)?.[1] ?? []);
  if (time === undefined || times.length > 1) return null;
  if (hex.length === 0 || hex.length > SIGNATURES_MAX) return null;
  return { time, signatures: hex.map(hexToBytes) };
}

const amount = later(() => z.int().min(0));
const LAST_SECOND = 253_402_300_799; // 9999-12-31T23:59:59Z, the last that RFC 3339 can write

const metadata = later(() => z.object({ order_id: optionalText }).nullish());

const session = later(() =>
  z
    .object({
      id: vendorId,
      amount_total: amount,
      currency: currencyCode,
      payment_intent: optionalText,
      payment_status: optionalText,
      client_reference_id: optionalText,
      customer: optionalText,
      customer_email: optionalText,
      customer_details: z.object({ email: optionalText, name: optionalText }).nullish(),
      metadata,
    })
    .transform((fields, ctx) => {
      const minor = stripeToMinor(fields.amount_total, fields.currency);
      return { ...fields, total: moneyAt(ctx, ['amount_total'], minor, fields.currency) };
    }),
);

const refund = later(() => z.object({ id: vendorId, amount, reason: optionalText }));

const charge = later(() =>
  z.object({
    id: vendorId,
    amount_refunded: amount,
    currency: currencyCode,
    payment_intent: optionalText,
    refunds: z.object({ data: z.array(refund) }).nullish(),
    metadata,
  }),
);

const customer = later(() => z.object({ id: vendorId, email: optionalText, name: optionalText }));

/** The envelope around one kind of resource. */
function eventBody<T extends z.ZodType>(object: T) {
  return z.object({
    id: vendorId,
    type: z.string(),
    created: z.int().min(0).max(LAST_SECOND),
    api_version: optionalText,
    livemode: optionalFlag,
    account: optionalText,
    data: z.object({
      object,
      previous_attributes: z.object({ amount_refunded: amount.nullish() }).nullish(),
    }),
  });
}
type Envelope = Omit<z.infer<ReturnType<typeof eventBody>>, 'data'>;

const checkoutBody = later(() => eventBody(session));
const customerBody = later(() => eventBody(customer));
const chargeBody = later(() =>
  eventBody(charge).transform((event, ctx) => {
    const { object, previous_attributes: previous } = event.data;
    const size = thisRefund(object, previous?.amount_refunded);
    const minor = size < 0 ? null : stripeToMinor(size, object.currency);
    return {
      ...event,
      refunded: moneyAt(ctx, ['data', 'object', 'amount_refunded'], minor, object.currency),
    };
  }),
);

const TOPICS: ReadonlyMap<string, (body: Json) => Translation> = new Map([
  ['checkout.session.completed', orderCreated],
  ['charge.refunded', orderRefunded],
  ['customer.created', customerCreated],
]);

/**
 * The platform event of a verified Stripe event. `id` is Stripe's (`evt_…`), `source` is
 * `https://api.stripe.com`, with `/v1/accounts/<account>` when it is a connected account's. A type
 * without a platform event is `ignored`, as is a checkout that only sets up a payment method; a
 * body that lacks a needed field is `invalid`. Never throws.
 *
 * An order's id is `metadata.order_id`, else the payment intent, else the resource's own id, for
 * checkouts and charges alike, so that both name one order. Senders with order ids of their own set
 * them on the session and on `payment_intent_data.metadata`, which Stripe copies to the charge.
 * `client_reference_id` is not among them: a charge does not carry it, and it may name a customer
 * or a cart. It is kept as `data.vendor.clientReferenceId`.
 */
export function translateStripe(body: Json): Translation {
  const typed = z.object({ type: z.string().min(1) }).safeParse(body);
  if (!typed.success) return { kind: 'invalid', faults: faultsOf(typed.error) };
  const topic = typed.data.type;
  return TOPICS.get(topic)?.(body) ?? { kind: 'ignored', topic };
}

function orderCreated(body: Json): Translation {
  if (isSetup(body)) return { kind: 'ignored', topic: 'checkout.session.completed' };
  return translate(checkoutBody, body, (event) => {
    const order = event.data.object;
    const id = orderId(order);
    return {
      ...attributes(event),
      type: 'order.created',
      subject: id,
      data: {
        order: present({
          id,
          total: order.total,
          customer: presentOrNone({
            id: order.customer,
            email: order.customer_details?.email ?? order.customer_email,
            name: order.customer_details?.name,
          }),
        }),
        vendor: present({
          name: 'stripe',
          session: order.id,
          paymentIntent: order.payment_intent,
          paymentStatus: order.payment_status,
          clientReferenceId: order.client_reference_id,
        }),
      },
    };
  });
}

function orderRefunded(body: Json): Translation {
  return translate(chargeBody, body, (event) => {
    const { object } = event.data;
    const id = orderId(object);
    const latest = object.refunds?.data[0];
    return {
      ...attributes(event),
      type: 'order.refunded',
      subject: id,
      data: {
        order: { id },
        refund: present({
          id: latest?.id ?? `${object.id}:${object.amount_refunded}`,
          amount: event.refunded,
          reason: latest?.reason,
        }),
        vendor: present({
          name: 'stripe',
          charge: object.id,
          paymentIntent: object.payment_intent,
        }),
      },
    };
  });
}

function customerCreated(body: Json): Translation {
  return translate(customerBody, body, (event) => ({
    ...attributes(event),
    type: 'customer.created',
    subject: event.data.object.id,
    data: { customer: present(event.data.object), vendor: { name: 'stripe' } },
  }));
}

/**
 * The part of a charge's refunded total that this event is about, in Stripe's units. The total
 * grows with each refund, so it is the growth; without the earlier total, the newest listed refund
 * (listed up to API version 2022-08-01); without either, the total, which one refund leaves.
 */
function thisRefund(object: z.infer<typeof charge>, before: number | null | undefined): number {
  if (typeof before === 'number') return object.amount_refunded - before;
  return object.refunds?.data[0]?.amount ?? object.amount_refunded;
}

function orderId(object: z.infer<typeof session> | z.infer<typeof charge>): string {
  return object.metadata?.order_id ?? object.payment_intent ?? object.id;
}

/** A session in `setup` mode sells nothing. */
function isSetup(body: Json): boolean {
  const data = isJsonObject(body) ? body.data : undefined;
  const object = isJsonObject(data) ? data.object : undefined;
  return isJsonObject(object) && object.mode === 'setup';
}

/** The attributes every event has; undefined ones are left out later. */
function attributes(event: Envelope) {
  return {
    id: event.id,
    source: `https://api.stripe.com${event.account ? `/v1/accounts/${event.account}` : ''}`,
    time: new Date(event.created * 1_000).toISOString(),
    vendortopic: event.type,
    vendorapiversion: event.api_version,
    vendorlivemode: event.livemode,
  };
}
