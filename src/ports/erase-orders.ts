/**
 * Taking a customer out of the embedded shop. The orders stay, with their sums: they are the books. An
 * order of theirs loses all that was said of it; of somebody else's, only what names them goes.
 */
import { and, asc, eq, gt, type SQLWrapper, sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/d1';
import { ERASED } from '../engine/audit-parts.ts';
import type { Mentions } from '../engine/mentions.ts';
import { sumUp } from './feed-orders.ts';
import { orders, refunds } from './orders.ts';

const PAGE = 100;

type Order = typeof orders.$inferSelect;
type Refund = typeof refunds.$inferSelect;

/** Which of these orders are the customer's. */
export async function ordersOfCustomer(
  db: D1Database,
  tenantId: string,
  orderIds: readonly string[],
  mentions: Mentions,
): Promise<ReadonlySet<string>> {
  if (orderIds.length === 0) return new Set();
  const rows = await drizzle(db)
    .select()
    .from(orders)
    .where(and(eq(orders.tenantId, tenantId), isAmong(orders.id, orderIds)));
  return new Set(rows.filter((row) => isTheirs(row, mentions)).map(({ id }) => id));
}

/**
 * What a page came to. `heldBy`: what holds the orders that are left for now. `named`: those whose own
 * id names the person, which stays what it is.
 */
export interface OrdersErased {
  readonly erased: number;
  readonly heldBy: readonly string[];
  readonly named: readonly string[];
  readonly next: string | null;
}

/**
 * One page of orders after an id. @param holdersOf which of some orders have to stay for now, and what
 * holds each: by its customer other things will be found
 */
export async function eraseOrdersPage(
  db: D1Database,
  tenantId: string,
  after: string,
  mentions: Mentions,
  holdersOf: (orderIds: readonly string[]) => Promise<ReadonlyMap<string, string>>,
): Promise<OrdersErased> {
  const orm = drizzle(db);
  const rows = await orm
    .select()
    .from(orders)
    .where(and(eq(orders.tenantId, tenantId), gt(orders.id, after)))
    .orderBy(asc(orders.id))
    .limit(PAGE);
  const ids = rows.map(({ id }) => id);
  const given = await orm
    .select()
    .from(refunds)
    .where(and(eq(refunds.tenantId, tenantId), isAmong(refunds.orderId, ids)));
  const held = await holdersOf(ordersIn(goesFrom(rows, given, mentions)));
  const goes = goesFrom(
    rows.filter(({ id }) => !held.has(id)),
    given.filter(({ orderId }) => !held.has(orderId)),
    mentions,
  );
  const erased = ordersIn(goes);
  if (erased.length > 0) await erase(db, tenantId, goes, erased);
  const next = rows.length < PAGE ? null : (rows.at(-1)?.id ?? null);
  const named = ids.filter((id) => mentions(id));
  return { erased: erased.length, heldBy: [...held.values()], named, next };
}

function ordersIn(goes: Goes): string[] {
  return [
    ...new Set(
      Object.values(goes)
        .flat()
        .map(([orderId]) => orderId),
    ),
  ];
}

function isTheirs(order: Order, mentions: Mentions): boolean {
  const { customerId: id, customerEmail: email, customerName: name } = order;
  return mentions({ customer: { id, email, name } });
}

/** An order's id, with what it is of the order where there can be several. */
type Spot = readonly [orderId: string, of?: string];

/** Where something has to go. */
interface Goes {
  readonly customers: readonly Spot[];
  readonly names: readonly Spot[];
  readonly cancelReasons: readonly Spot[];
  readonly refundReasons: readonly Spot[];
  readonly tags: readonly Spot[];
}

function goesFrom(rows: readonly Order[], given: readonly Refund[], mentions: Mentions): Goes {
  const theirs = new Set(rows.filter((row) => isTheirs(row, mentions)).map(({ id }) => id));
  const goes = (orderId: string, text: string | null) =>
    text !== null && text !== ERASED && (theirs.has(orderId) || mentions(text));
  return {
    customers: [...theirs].map((id) => [id]),
    names: rows.flatMap(({ id, name }) => (mentions(name) ? [[id]] : [])),
    cancelReasons: rows.flatMap(({ id, cancelReason }) => (goes(id, cancelReason) ? [[id]] : [])),
    refundReasons: given.flatMap(({ orderId, id, reason }) =>
      goes(orderId, reason) ? [[orderId, id]] : [],
    ),
    tags: rows.flatMap(({ id, tags }) =>
      tags.flatMap((tag): Spot[] => (goes(id, tag) ? [[id, tag]] : [])),
    ),
  };
}

/** One transaction. Tags go before the list of them is made anew. */
async function erase(
  db: D1Database,
  tenantId: string,
  { customers, names, cancelReasons, refundReasons, tags }: Goes,
  erased: readonly string[],
): Promise<void> {
  const ids = 'id IN (SELECT value->>0 FROM json_each(?2))';
  const at = (column: string) =>
    `(order_id, ${column}) IN (SELECT value->>0, value->>1 FROM json_each(?2))`;
  const statement = (text: string, spots: readonly Spot[]) =>
    db.prepare(text).bind(tenantId, JSON.stringify(spots));
  const gone = `'${ERASED}'`;
  await db.batch([
    statement(
      `UPDATE orders SET customer_id = NULL, customer_email = NULL, customer_name = NULL
       WHERE tenant_id = ?1 AND ${ids}`,
      customers,
    ),
    statement(`UPDATE orders SET name = ${gone} WHERE tenant_id = ?1 AND ${ids}`, names),
    statement(
      `UPDATE orders SET cancel_reason = ${gone} WHERE tenant_id = ?1 AND ${ids}`,
      cancelReasons,
    ),
    statement(
      `UPDATE refunds SET reason = ${gone} WHERE tenant_id = ?1 AND ${at('id')}`,
      refundReasons,
    ),
    statement(`DELETE FROM order_tags WHERE tenant_id = ?1 AND ${at('tag')}`, tags),
    sumUp(
      db,
      tenantId,
      erased.map((orderId) => ({ orderId })),
    ),
  ]);
}

function isAmong(column: SQLWrapper, ids: readonly string[]) {
  return sql`${column} IN (SELECT value FROM json_each(${JSON.stringify(ids)}))`;
}
