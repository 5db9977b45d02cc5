/**
 * Reading all orders of a tenant in pages of bounded work. By id, since nothing else of an order
 * stands still while events come in: each order that was there at the beginning is seen exactly
 * once, as it is at that moment. Orders that came later were first seen later.
 */
import { and, eq, sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/d1';
import { type OrderFilter, type OrderView, orders, orderView } from './orders.ts';

/** So many orders are looked at for one page, whether or not they are in the range. */
const SCANNED_ROWS = 5_000;
/** A page ends with the order that brings it to so many characters. */
const PAGE_CHARS = 1_048_576;
/** What an order weighs besides its texts. */
const ROW_CHARS = 128;

export interface OrderScan {
  /** The id of the last order that was read; null before the first. */
  readonly after: string | null;
  /** The latest `seenAt` that counts. */
  readonly upTo: number;
  readonly filter: OrderFilter;
}

export interface ScannedPage {
  readonly orders: readonly OrderView[];
  /** Where the next page begins; null: there is none. */
  readonly next: string | null;
}

/** One page, in the order of the ids. `filter` is by creation, `from` included and `to` not. */
export async function scanOrders(
  db: D1Database,
  tenantId: string,
  { after, upTo, filter: { from = '', to = '~' } }: OrderScan,
): Promise<ScannedPage> {
  // Texts are weighed first, so that no more of them is fetched than fits.
  const sized = sql`SELECT id, created_at >= ${from} AND created_at < ${to} AS wanted,
      ${ROW_CHARS} + length(id) + length(tags) + ifnull(length(name), 0)
        + ifnull(length(customer_id), 0) + ifnull(length(customer_email), 0)
        + ifnull(length(customer_name), 0) AS size
    FROM orders WHERE tenant_id = ${tenantId} AND id > ${after ?? ''} AND seen_at <= ${upTo}
    ORDER BY id LIMIT ${SCANNED_ROWS}`;
  const summed = sql`SELECT id AS scanned_id, wanted, row_number() OVER by_id AS place,
      sum(wanted * size) OVER by_id AS upto, wanted * size AS own
    FROM (${sized}) WINDOW by_id AS (ORDER BY id)`;
  const rows = await drizzle(db)
    .select({
      order: orders,
      wanted: sql<number>`wanted`,
      isLast: sql<number>`place = ${SCANNED_ROWS} OR upto >= ${PAGE_CHARS}`,
    })
    .from(sql`(${summed}) AS scanned`)
    .innerJoin(orders, and(eq(orders.tenantId, tenantId), eq(orders.id, sql`scanned_id`)))
    .where(sql`upto - own < ${PAGE_CHARS} AND (wanted OR place = ${SCANNED_ROWS})`)
    .orderBy(sql`place`);
  const last = rows.at(-1);
  return {
    orders: rows.flatMap(({ order, wanted }) => (wanted === 1 ? [orderView(order)] : [])),
    next: last?.isLast === 1 ? last.order.id : null,
  };
}
