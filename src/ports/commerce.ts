/**
 * The embedded shop: orders in D1, for development, demos and tenants without a vendor. What an
 * action did is a row under its idempotency key, so a repeat finds it and answers the same. Each
 * change is one conditional statement, since D1 has no interactive transactions; the reading that
 * follows it looks only at what can no longer change.
 */
import { and, eq, sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/d1';
import type { JsonObject, Money } from '../contract/json.ts';
import type { Outcome } from '../engine/plan.ts';
import { derivedHex } from './derived-id.ts';
import { awaitOrders, sumUp } from './feed-orders.ts';
import { type CommercePort, failed, NOT_YET, type PortCall, succeeded } from './index.ts';
import { getOrder, orders, orderTags, refunds } from './orders.ts';

type Refund = Parameters<CommercePort['refundOrder']>[1];

/** The adapter over the tenant's own rows. Faults of the database are thrown. */
export function embeddedCommerce(db: D1Database): CommercePort {
  return {
    tagOrder: (call, orderId, tag) => tagOrder(db, call, orderId, tag),
    refundOrder: (call, refund) => refundOrder(db, call, refund),
    cancelOrder: (call, orderId, reason) => cancelOrder(db, call, orderId, reason),
  };
}

/** The order need not be known yet: the event that brings it may be on its way. */
async function tagOrder(
  db: D1Database,
  { tenantId, idempotencyKey, now }: PortCall,
  orderId: string,
  tag: string,
): Promise<Outcome> {
  const order = [{ orderId, at: new Date(now).toISOString() }];
  await db.batch([
    ...awaitOrders(db, tenantId, order, now),
    db
      .prepare(
        `INSERT INTO order_tags (tenant_id, order_id, tag, key, at) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (tenant_id, order_id, tag) DO NOTHING`,
      )
      .bind(tenantId, orderId, tag, idempotencyKey, new Date(now).toISOString()),
    sumUp(db, tenantId, order),
  ]);
  const rows = await drizzle(db)
    .select({ tag: orderTags.tag, key: orderTags.key })
    .from(orderTags)
    .where(and(eq(orderTags.tenantId, tenantId), eq(orderTags.orderId, orderId)))
    .orderBy(orderTags.tag);
  const changed = rows.some((row) => row.tag === tag && row.key === idempotencyKey);
  return succeeded({ orderId, tag, tags: rows.map((row) => row.tag), changed });
}

async function refundOrder(db: D1Database, call: PortCall, refund: Refund): Promise<Outcome> {
  if (refund.amount !== undefined && refund.amount.amount <= 0)
    return failed('invalid_amount', 'The amount to refund has to be above zero.');
  const id = `ref_${derivedHex(call.idempotencyKey)}`;
  await db.batch([
    bookRefund(db, call, id, refund),
    sumUp(db, call.tenantId, [{ orderId: refund.orderId }]),
  ]);
  const booked = await bookedRefund(db, call.tenantId, refund.orderId, id);
  return booked === undefined
    ? refundRefusal(db, call.tenantId, refund)
    : refundOutcome(call.idempotencyKey, booked);
}

/** Books nothing unless the order has that much left, in that currency, at this very moment. */
function bookRefund(
  db: D1Database,
  { tenantId, now }: PortCall,
  id: string,
  { orderId, amount, reason }: Refund,
): D1PreparedStatement {
  const at = new Date(now).toISOString();
  return db
    .prepare(
      `INSERT INTO refunds (tenant_id, order_id, id, amount, currency, reason, at, refunded_after)
       SELECT ?1, ?2, ?3, wanted, currency, ?6, ?7, refunded_amount + wanted
       FROM (SELECT currency, refunded_amount, total_amount - refunded_amount AS rest,
           coalesce(?4, total_amount - refunded_amount) AS wanted
         FROM orders WHERE tenant_id = ?1 AND id = ?2 AND currency = coalesce(?5, currency))
       WHERE wanted BETWEEN 1 AND rest
       ON CONFLICT (tenant_id, order_id, id) DO NOTHING`,
    )
    .bind(
      tenantId,
      orderId,
      id,
      amount?.amount ?? null,
      amount?.currency ?? null,
      reason ?? null,
      at,
    );
}

interface BookedRefund {
  readonly id: string;
  readonly orderId: string;
  readonly amount: number;
  readonly currency: string;
  readonly reason: string | null;
  readonly refundedAfter: number;
}

function bookedRefund(
  db: D1Database,
  tenantId: string,
  orderId: string,
  id: string,
): Promise<BookedRefund | undefined> {
  const ofThisRefund = [eq(refunds.tenantId, tenantId), eq(refunds.orderId, orderId)];
  return drizzle(db)
    .select({
      id: refunds.id,
      orderId: refunds.orderId,
      amount: refunds.amount,
      currency: refunds.currency,
      reason: refunds.reason,
      // Tables that were rebuilt from events know the refund, but not what came before it.
      refundedAfter: sql<number>`coalesce(${refunds.refundedAfter}, ${orders.refundedAmount})`,
    })
    .from(refunds)
    .innerJoin(orders, and(eq(orders.tenantId, tenantId), eq(orders.id, refunds.orderId)))
    .where(and(...ofThisRefund, eq(refunds.id, id)))
    .get();
}

/** The event has the booked refund's id, so feeding it back in changes nothing. */
function refundOutcome(idempotencyKey: string, booked: BookedRefund): Outcome {
  const { id, orderId, currency, reason, refundedAfter } = booked;
  const amount: Money = { amount: booked.amount, currency };
  const refund: JsonObject = reason === null ? { id, amount } : { id, amount, reason };
  return succeeded(
    { refundId: id, orderId, amount, refunded: { amount: refundedAfter, currency } },
    [{ id: idempotencyKey, type: 'order.refunded', data: { order: { id: orderId }, refund } }],
  );
}

async function refundRefusal(
  db: D1Database,
  tenantId: string,
  { orderId, amount }: Refund,
): Promise<Outcome> {
  const order = await getOrder(db, tenantId, orderId);
  if (order === null || order.total === null || order.refunded === null) return notFound();
  const { currency } = order.total;
  if (amount !== undefined && amount.currency !== currency)
    return failed('currency_mismatch', `The order is in ${currency}, not in ${amount.currency}.`);
  const rest = order.total.amount - order.refunded.amount;
  if (rest <= 0) return failed('nothing_to_refund', 'All of the order is refunded already.');
  const left = `${rest} ${currency} (minor units)`;
  return failed('refund_exceeds_total', `No more than ${left} of the order can be refunded.`);
}

async function cancelOrder(
  db: D1Database,
  { tenantId, idempotencyKey, now }: PortCall,
  orderId: string,
  reason: string | undefined,
): Promise<Outcome> {
  await db
    .prepare(
      `UPDATE orders SET status = 'cancelled', cancel_key = ?3, cancel_reason = ?4,
         updated_at = max(updated_at, ?5)
       WHERE tenant_id = ?1 AND id = ?2 AND status = 'open' AND total_amount IS NOT NULL`,
    )
    .bind(tenantId, orderId, idempotencyKey, reason ?? null, new Date(now).toISOString())
    .run();
  const row = await drizzle(db)
    .select({ status: orders.status, cancelKey: orders.cancelKey })
    .from(orders)
    .where(and(eq(orders.tenantId, tenantId), eq(orders.id, orderId)))
    .get();
  if (row?.status !== 'cancelled') return notFound();
  return succeeded({ orderId, status: row.status, changed: row.cancelKey === idempotencyKey });
}

/** Worth another attempt: orders come by events, and this one's may not be in the table yet. */
function notFound(): Outcome {
  return failed('order_not_found', 'There is no such order, or not yet.', NOT_YET);
}
