/**
 * The tables of the embedded shop and what is read of them; for a tenant whose orders are at a vendor,
 * a copy that events have told of, which no action touches. `refunds` and `order_tags` have one row
 * for each thing that happened; `orders.tags` and `orders.refunded_amount` are sums of those rows,
 * made anew whenever one is added (`commerce.ts`). An order whose event has not come yet is a row
 * without a total: tags and refunds may be told of before the order itself.
 */
import { and, desc, eq, gte, lt, type SQL, sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/d1';
import { index, integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core';
import type { Money } from '../contract/json.ts';
import { type Page, type Paged, paged } from '../contract/pages.ts';

export const orders = sqliteTable(
  'orders',
  {
    tenantId: text('tenant_id').notNull(),
    id: text('id').notNull(),
    name: text('name'),
    status: text('status', { enum: ['open', 'cancelled'] }).notNull(),
    /** Minor units (ISO 4217), as are all amounts here. */
    totalAmount: integer('total_amount'),
    currency: text('currency'),
    refundedAmount: integer('refunded_amount').notNull().default(0),
    customerId: text('customer_id'),
    customerEmail: text('customer_email'),
    customerName: text('customer_name'),
    tags: text('tags', { mode: 'json' }).$type<string[]>().notNull().default([]),
    /** The idempotency key of the call that cancelled it. */
    cancelKey: text('cancel_key'),
    cancelReason: text('cancel_reason'),
    /** The time of the newest `order.created`: an older one cannot undo it. */
    createdAt: text('created_at').notNull(),
    updatedAt: text('updated_at').notNull(),
    /** When it was first heard of here (milliseconds): an export leaves out what came after it began. */
    seenAt: integer('seen_at').notNull().default(0),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.id] }),
    index('orders_by_time').on(table.tenantId, table.createdAt, table.id),
  ],
);

export const orderTags = sqliteTable(
  'order_tags',
  {
    tenantId: text('tenant_id').notNull(),
    orderId: text('order_id').notNull(),
    tag: text('tag').notNull(),
    /** The idempotency key of the call that put it on; null when it came with the order. */
    key: text('key'),
    at: text('at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.tenantId, table.orderId, table.tag] })],
);

/** A refund that we booked has an id made from its idempotency key, others have their vendor's. */
export const refunds = sqliteTable(
  'refunds',
  {
    tenantId: text('tenant_id').notNull(),
    orderId: text('order_id').notNull(),
    id: text('id').notNull(),
    amount: integer('amount').notNull(),
    currency: text('currency').notNull(),
    reason: text('reason'),
    at: text('at').notNull(),
    /** What had been refunded of the order with this one; null for refunds that events told of. */
    refundedAfter: integer('refunded_after'),
  },
  (table) => [primaryKey({ columns: [table.tenantId, table.orderId, table.id] })],
);

export interface OrderView {
  readonly id: string;
  readonly name: string | null;
  readonly status: 'open' | 'cancelled';
  /** Null, and `refunded` too, until the order's own event has come. */
  readonly total: Money | null;
  readonly refunded: Money | null;
  readonly customer: {
    readonly id: string | null;
    readonly email: string | null;
    readonly name: string | null;
  };
  readonly tags: readonly string[];
  readonly createdAt: string;
  readonly updatedAt: string;
}

/** RFC 3339 in UTC with milliseconds: `from` is included, `to` is not. */
export interface OrderFilter {
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

/** Newest first. Orders that come in while someone is paging are before the page and not seen. */
export async function listOrders(
  db: D1Database,
  tenantId: string,
  page: Page,
  { from, to }: OrderFilter = {},
): Promise<Paged<OrderView>> {
  const wanted: (SQL | undefined)[] = [
    eq(orders.tenantId, tenantId),
    from === undefined ? undefined : gte(orders.createdAt, from),
    endOf(to, page.after),
  ];
  const rows = await drizzle(db)
    .select()
    .from(orders)
    .where(and(...wanted))
    .orderBy(desc(orders.createdAt), desc(orders.id))
    .limit(page.limit + 1);
  return paged(rows, page.limit, (row) => `${row.createdAt} ${row.id}`, orderView);
}

/** The order; null when the tenant has none of that id. */
export async function getOrder(
  db: D1Database,
  tenantId: string,
  id: string,
): Promise<OrderView | null> {
  const row = await drizzle(db)
    .select()
    .from(orders)
    .where(and(eq(orders.tenantId, tenantId), eq(orders.id, id)))
    .get();
  return row === undefined ? null : orderView(row);
}

/**
 * A page's key is a time, a space and an id; a time has no space in it. Of both ends the earlier one
 * counts alone: an index takes one.
 */
function endOf(to: string | undefined, after: string | null): SQL | undefined {
  const cut = after?.indexOf(' ') ?? 0;
  const [createdAt, id] = [after?.slice(0, cut) ?? '', after?.slice(cut + 1) ?? ''];
  if (to !== undefined && (after === null || to <= createdAt)) return lt(orders.createdAt, to);
  if (after === null) return undefined;
  return sql`(${orders.createdAt}, ${orders.id}) < (${createdAt}, ${id})`;
}

/** The order as callers see it. */
export function orderView(row: typeof orders.$inferSelect): OrderView {
  const { id, name, status, totalAmount, currency, tags, createdAt, updatedAt } = row;
  const inCurrency = (amount: number | null) =>
    amount === null || currency === null ? null : { amount, currency };
  return {
    id,
    name,
    status,
    total: inCurrency(totalAmount),
    refunded: inCurrency(row.refundedAmount),
    customer: { id: row.customerId, email: row.customerEmail, name: row.customerName },
    tags,
    createdAt,
    updatedAt,
  };
}
