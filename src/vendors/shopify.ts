/**
 * Which platform event a Shopify webhook is. No I/O. Shapes of
 * https://shopify.dev/docs/api/admin-rest/latest/resources/{order,refund,customer}.
 */
import * as z from 'zod';
import { isJsonObject, type Json, type JsonObject } from '../contract/json.ts';
import { later } from '../contract/later.ts';
import { currencyCode, decimalToMinor } from '../currency.ts';
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

export interface ShopifyMeta {
  readonly shopDomain: string;
  readonly id: string;
  readonly triggeredAt: string | null;
  readonly apiVersion?: string | null;
}

const person = later(() =>
  z.object({
    id: vendorId,
    email: optionalText,
    first_name: optionalText,
    last_name: optionalText,
  }),
);

const orderBody = later(() =>
  z
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
    }),
);

const customerBody = later(() =>
  person.unwrap().extend({
    created_at: optionalText,
    updated_at: optionalText,
    tags: optionalText,
  }),
);

type Translate = (body: Json, meta: ShopifyMeta, topic: string) => Translation;
type Kind = 'Order' | 'Refund' | 'Customer';

const TOPICS: ReadonlyMap<string, readonly [Kind, Translate]> = new Map<string, [Kind, Translate]>([
  ['orders/create', ['Order', orderCreated]],
  ['refunds/create', ['Refund', orderRefunded]],
  ['customers/create', ['Customer', customerCreated]],
  ['orders/cancelled', ['Order', orderCancelled]],
  ['orders/updated', ['Order', orderUpdated]],
  ['customers/update', ['Customer', customerUpdated]],
]);

/**
 * The platform event of a verified webhook body (parsed by `parseLossless`, so that ids keep their
 * digits). `source` is `https://<shop domain>`, `id` the delivery's id, `time` X-Shopify-Triggered-At
 * or else the resource's own time. Amounts are in the shop's currency. Cancelled and updated things
 * have no platform type: they are `custom.shopify.*`, named after the vendor so that they meet with
 * no custom type of the tenant's own. Any other topic is `ignored`; a body that lacks a needed field, or
 * says that it is something else than the topic (which is not signed), is `invalid`. Never throws.
 */
export function translateShopify(topic: string, body: Json, meta: ShopifyMeta): Translation {
  const [kind, translate] = TOPICS.get(topic) ?? [];
  if (kind === undefined || translate === undefined) return { kind: 'ignored', topic };
  return isAnother(kind, body)
    ? { kind: 'invalid', faults: [{ path: GID, message: `not a ${kind}, as ${topic} says` }] }
    : translate(body, meta, topic);
}

const GID = 'admin_graphql_api_id';

/** Bodies of before 2018 have no global id, and say nothing. */
function isAnother(kind: Kind, body: Json): boolean {
  const gid = isJsonObject(body) ? body[GID] : undefined;
  return typeof gid === 'string' && !gid.startsWith(`gid://shopify/${kind}/`);
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
