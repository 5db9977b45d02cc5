/**
 * Shopify's webhooks: is it from the shop, and which platform event is it. No I/O.
 * https://shopify.dev/docs/apps/build/webhooks/subscribe/https (headers and signature), shapes of
 * https://shopify.dev/docs/api/admin-rest/latest/resources/{order,refund,customer}.
 * The signature covers the body alone, no header and no time: a replay is stopped by the webhook
 * id being the event's id, and the shop's domain is only true once the tenant's own secret fits.
 */
import * as z from 'zod';
import type { Json, JsonObject } from '../contract/json.ts';
import { currencyCode, decimalToMinor } from '../currency.ts';
import { verifyHmacSha256 } from '../hmac.ts';
import { refundBody } from './shopify-refund.ts';
import {
  firstTime,
  moneyAt,
  optionalFlag,
  optionalText,
  present,
  presentOrNone,
  type Translation,
  translate,
  vendorId,
} from './translation.ts';

/** Base64 of 32 bytes in its one canonical form: the last letter has no stray bits. */
const SIGNATURE = /^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$/;

/**
 * Deliveries of the newer Events have the same headers without `X-`, and a payload of their own.
 * https://github.com/Shopify/shopify-app-js/blob/main/packages/apps/shopify-api/lib/types.ts
 */
const isEvents = (headers: Headers) => headers.has('shopify-hmac-sha256');
const prefixOf = (headers: Headers) => (isEvents(headers) ? 'shopify' : 'x-shopify');

/** True when X-Shopify-Hmac-Sha256 is the raw body's HMAC under the app's secret. */
export async function verifyShopify(
  rawBody: Uint8Array,
  headers: Headers,
  secret: string,
): Promise<boolean> {
  const text = headers.get(`${prefixOf(headers)}-hmac-sha256`) ?? '';
  if (!SIGNATURE.test(text)) return false;
  const signature = Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
  return verifyHmacSha256(new TextEncoder().encode(secret), [signature], rawBody);
}

export interface ShopifyDelivery {
  /** The dedupe identity, the same on every retry of a delivery. */
  readonly id: string | null;
  readonly topic: string | null;
  /** In lower case. */
  readonly shopDomain: string | null;
  /** RFC 3339, as sent. */
  readonly triggeredAt: string | null;
  readonly apiVersion: string | null;
}

/**
 * What the headers say of a delivery; null where one is missing or empty. The webhook id comes
 * before the event id, because one event id comes once for each subscription to its topic. Topics of
 * Events are told apart (`events/Product/update`): their bodies are not the resources that the topics
 * of webhooks have.
 */
export function shopifyDelivery(headers: Headers): ShopifyDelivery {
  const header = (name: string) => headers.get(`${prefixOf(headers)}-${name}`)?.trim() || null;
  const topic = header('topic');
  const eventsTopic = ['events', topic, header('action')].filter((part) => part !== null).join('/');
  return {
    id: header('webhook-id') ?? header('event-id'),
    topic: topic !== null && isEvents(headers) ? eventsTopic : topic,
    shopDomain: header('shop-domain')?.toLowerCase() ?? null,
    triggeredAt: header('triggered-at'),
    apiVersion: header('api-version'),
  };
}

export interface ShopifyMeta {
  readonly shopDomain: string;
  readonly id: string;
  readonly triggeredAt: string | null;
  readonly apiVersion?: string | null;
}

const person = z.object({
  id: vendorId,
  email: optionalText,
  first_name: optionalText,
  last_name: optionalText,
});

const orderBody = z
  .object({
    id: vendorId,
    name: optionalText,
    email: optionalText,
    currency: currencyCode,
    total_price: z.string(),
    tags: optionalText,
    financial_status: optionalText,
    fulfillment_status: optionalText,
    test: optionalFlag,
    created_at: optionalText,
    updated_at: optionalText,
    cancelled_at: optionalText,
    cancel_reason: optionalText,
    customer: person.nullish(),
  })
  .transform((order, ctx) => {
    const amount = decimalToMinor(order.total_price, order.currency);
    return { ...order, total: moneyAt(ctx, ['total_price'], amount, order.currency) };
  });

const customerBody = person.extend({
  created_at: optionalText,
  updated_at: optionalText,
  tags: optionalText,
});

type Topic = (body: Json, meta: ShopifyMeta, topic: string) => Translation;

const TOPICS: ReadonlyMap<string, Topic> = new Map([
  ['orders/create', orderCreated],
  ['refunds/create', orderRefunded],
  ['customers/create', customerCreated],
  ['orders/cancelled', orderCancelled],
  ['orders/updated', orderUpdated],
  ['customers/update', customerUpdated],
]);

/**
 * The platform event of a verified webhook body (parsed by `parseLossless`, so that ids keep their
 * digits). `source` is `https://<shop domain>`, `id` the delivery's id, `time` X-Shopify-Triggered-At
 * or else the resource's own time. Amounts are in the shop's currency. Cancelled and updated things
 * have no platform type: they are `custom.shopify.*`, named after the vendor so that they meet with
 * no custom type of the tenant's own. Any other topic is `ignored`; a body that lacks a needed field is `invalid`. Never throws.
 */
export function translateShopify(topic: string, body: Json, meta: ShopifyMeta): Translation {
  return TOPICS.get(topic)?.(body, meta, topic) ?? { kind: 'ignored', topic };
}

function orderCreated(body: Json, meta: ShopifyMeta, topic: string): Translation {
  return translate(orderBody, body, (order) => ({
    ...attributes(meta, topic, order.created_at),
    type: 'order.created',
    subject: order.id,
    data: orderData(order),
  }));
}

function orderCancelled(body: Json, meta: ShopifyMeta, topic: string): Translation {
  return translate(orderBody, body, (order) => ({
    ...attributes(meta, topic, order.cancelled_at ?? order.updated_at),
    type: 'custom.shopify.order.cancelled',
    subject: order.id,
    data: { ...orderData(order), ...present({ reason: order.cancel_reason }) },
  }));
}

function orderUpdated(body: Json, meta: ShopifyMeta, topic: string): Translation {
  return translate(orderBody, body, (order) => ({
    ...attributes(meta, topic, order.updated_at),
    type: 'custom.shopify.order.updated',
    subject: order.id,
    data: orderData(order),
  }));
}

/** What an order's events say, as `order.created` has it. */
function orderData(order: z.infer<typeof orderBody>): JsonObject {
  return {
    order: present({
      id: order.id,
      name: order.name,
      total: order.total,
      customer: presentOrNone({
        id: order.customer?.id,
        email: order.customer?.email ?? order.email,
        name: order.customer ? fullName(order.customer) : undefined,
      }),
      tags: tagsOf(order.tags),
    }),
    vendor: present({
      name: 'shopify',
      financialStatus: order.financial_status,
      fulfillmentStatus: order.fulfillment_status,
      cancelledAt: order.cancelled_at,
      test: order.test,
    }),
  };
}

function orderRefunded(body: Json, meta: ShopifyMeta, topic: string): Translation {
  return translate(refundBody, body, (refund) => ({
    ...attributes(meta, topic, refund.created_at),
    type: 'order.refunded',
    subject: refund.order_id,
    data: {
      order: { id: refund.order_id },
      refund: present({ id: refund.id, amount: refund.amount, reason: refund.note }),
      vendor: { name: 'shopify' },
    },
  }));
}

function customerCreated(body: Json, meta: ShopifyMeta, topic: string): Translation {
  return translate(customerBody, body, (customer) => ({
    ...attributes(meta, topic, customer.created_at),
    type: 'customer.created',
    subject: customer.id,
    data: {
      customer: present({ id: customer.id, email: customer.email, name: fullName(customer) }),
      vendor: { name: 'shopify' },
    },
  }));
}

function customerUpdated(body: Json, meta: ShopifyMeta, topic: string): Translation {
  return translate(customerBody, body, (customer) => ({
    ...attributes(meta, topic, customer.updated_at),
    type: 'custom.shopify.customer.updated',
    subject: customer.id,
    data: {
      customer: present({
        id: customer.id,
        email: customer.email,
        name: fullName(customer),
        tags: tagsOf(customer.tags),
      }),
      vendor: { name: 'shopify' },
    },
  }));
}

/** The attributes every event of a delivery has; undefined ones are left out later. */
function attributes(meta: ShopifyMeta, topic: string, ownTime: string | undefined) {
  return {
    id: meta.id,
    source: `https://${meta.shopDomain}`,
    time: firstTime(meta.triggeredAt, ownTime),
    vendortopic: topic,
    vendorapiversion: meta.apiVersion ?? undefined,
  };
}

function fullName(who: z.infer<typeof person>): string | undefined {
  return (
    [who.first_name, who.last_name].filter((part) => part !== undefined).join(' ') || undefined
  );
}

/** Shopify's tags are one text with commas. */
function tagsOf(text = ''): string[] {
  return text
    .split(',')
    .map((tag) => tag.trim())
    .filter((tag) => tag !== '');
}
