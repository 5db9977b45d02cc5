/**
 * Keeps the embedded shop up to date with the tenant's `order.*` events. Nothing here depends on
 * the order in which events come, or on how often: totals are the newest event's, tags and refunds
 * are rows that are there once. D1 takes a string of at most 2 MB, hence the slices.
 */
import { EVENT_DATA } from '../contract/events.ts';
import type { Json } from '../contract/json.ts';
import { givenAs } from '../given.ts';

export interface FedEvent {
  readonly type: string;
  /** RFC 3339, UTC, milliseconds */
  readonly time: string;
  readonly data: Json;
}

interface CreatedRow {
  readonly orderId: string;
  readonly name: string | null;
  readonly amount: number;
  readonly currency: string;
  readonly customerId: string | null;
  readonly customerEmail: string | null;
  readonly customerName: string | null;
  readonly tags: readonly string[];
  readonly at: string;
}

interface RefundedRow {
  readonly orderId: string;
  readonly id: string;
  readonly amount: number;
  readonly currency: string;
  readonly reason: string | null;
  readonly at: string;
}

/** UTF-8 takes up to three bytes for a UTF-16 unit: 1.5 MB of the 2 that are allowed. */
const SLICE_CHARS = 500_000;

/**
 * The statements that bring events into the tenant's orders, for the caller's own batch and in this
 * order. Events of other types, and data that does not fit its type, are passed over. `now` in
 * milliseconds: when they came here.
 */
export function feedOrders(
  db: D1Database,
  tenantId: string,
  events: readonly FedEvent[],
  now: number,
): D1PreparedStatement[] {
  return [
    ...slices(events.flatMap(createdRow)).flatMap((rows) => feedCreated(db, tenantId, rows, now)),
    ...slices(events.flatMap(refundedRow)).flatMap((rows) => feedRefunded(db, tenantId, rows, now)),
  ];
}

function createdRow({ type, time, data }: FedEvent): CreatedRow[] {
  if (type !== 'order.created') return [];
  const parsed = EVENT_DATA['order.created'].safeParse(data);
  if (!parsed.success) return [];
  const { id, name, total, customer, tags } = parsed.data.order;
  const row = {
    orderId: id,
    name: name ?? null,
    ...total,
    customerId: customer?.id ?? null,
    customerEmail: customer?.email ?? null,
    customerName: customer?.name ?? null,
    tags: tags ?? [],
    at: time,
  };
  return [row];
}

/** A refund of nothing (goods put back, say) is passed over: it changes no sum. */
function refundedRow({ type, time, data }: FedEvent): RefundedRow[] {
  if (type !== 'order.refunded') return [];
  const parsed = EVENT_DATA['order.refunded'].safeParse(data);
  if (!parsed.success || parsed.data.refund.amount.amount <= 0) return [];
  const { order, refund } = parsed.data;
  const { id, amount, reason } = refund;
  return [{ orderId: order.id, id, ...amount, reason: reason ?? null, at: time }];
}

function feedCreated(db: D1Database, tenantId: string, rows: readonly CreatedRow[], now: number) {
  const tagged = rows.filter(({ tags }) => tags.length > 0);
  return [
    db
      .prepare(
        `INSERT INTO orders (tenant_id, id, name, status, total_amount, currency, customer_id,
           customer_email, customer_name, created_at, updated_at, seen_at)
         SELECT ?1, r->>'orderId', r->>'name', 'open', r->>'amount', r->>'currency',
           r->>'customerId', r->>'customerEmail', r->>'customerName', r->>'at', r->>'at', ?3
         FROM ${givenAs('r')} WHERE true
         ON CONFLICT (tenant_id, id) DO UPDATE SET name = excluded.name,
           total_amount = excluded.total_amount, currency = excluded.currency,
           customer_id = excluded.customer_id, customer_email = excluded.customer_email,
           customer_name = excluded.customer_name, created_at = excluded.created_at,
           updated_at = max(orders.updated_at, excluded.updated_at)
         WHERE orders.total_amount IS NULL OR excluded.created_at > orders.created_at`,
      )
      .bind(tenantId, JSON.stringify(rows), now),
    ...(tagged.length > 0 ? [insertTags(db, tenantId, tagged)] : []),
    sumUp(db, tenantId, rows),
  ];
}

function insertTags(db: D1Database, tenantId: string, rows: readonly CreatedRow[]) {
  return db
    .prepare(
      `INSERT INTO order_tags (tenant_id, order_id, tag, at)
       SELECT ?1, r.value->>'orderId', tag.value, r.value->>'at'
       FROM json_each(?2) AS r, json_each(r.value, '$.tags') AS tag WHERE true
       ON CONFLICT (tenant_id, order_id, tag) DO NOTHING`,
    )
    .bind(tenantId, JSON.stringify(rows));
}

function feedRefunded(db: D1Database, tenantId: string, rows: readonly RefundedRow[], now: number) {
  return [
    db
      .prepare(
        `INSERT INTO refunds (tenant_id, order_id, id, amount, currency, reason, at)
         SELECT ?1, r->>'orderId', r->>'id', r->>'amount', r->>'currency', r->>'reason', r->>'at'
         FROM ${givenAs('r')} WHERE true
         ON CONFLICT (tenant_id, order_id, id) DO NOTHING`,
      )
      .bind(tenantId, JSON.stringify(rows)),
    ...awaitOrders(db, tenantId, rows, now),
    sumUp(db, tenantId, rows),
  ];
}

/** Rows for orders that are not known yet; their own events fill them in. */
export function awaitOrders(
  db: D1Database,
  tenantId: string,
  rows: readonly { readonly orderId: string; readonly at: string }[],
  now: number,
): D1PreparedStatement[] {
  const known = rows.map(({ orderId, at }) => ({ orderId, at }));
  return slices(known).map((slice) =>
    db
      .prepare(
        `INSERT INTO orders (tenant_id, id, status, created_at, updated_at, seen_at)
         SELECT ?1, r->>'orderId', 'open', r->>'at', r->>'at', ?3
         FROM ${givenAs('r')} WHERE true
         ON CONFLICT (tenant_id, id) DO NOTHING`,
      )
      .bind(tenantId, JSON.stringify(slice), now),
  );
}

/** Makes an order's tags and refunded amount anew from their rows; has to follow every new row. */
export function sumUp(
  db: D1Database,
  tenantId: string,
  rows: readonly { readonly orderId: string }[],
): D1PreparedStatement {
  const ids = [...new Set(rows.map(({ orderId }) => orderId))];
  return db
    .prepare(
      `UPDATE orders SET
         tags = (SELECT json_group_array(tag) FROM (SELECT tag FROM order_tags AS t
           WHERE t.tenant_id = orders.tenant_id AND t.order_id = orders.id ORDER BY tag)),
         refunded_amount = (SELECT coalesce(sum(amount), 0) FROM refunds AS r
           WHERE r.tenant_id = orders.tenant_id AND r.order_id = orders.id
             AND r.currency = orders.currency),
         updated_at = (SELECT max(at) FROM (SELECT orders.updated_at AS at
           UNION ALL SELECT at FROM order_tags AS t
             WHERE t.tenant_id = orders.tenant_id AND t.order_id = orders.id
           UNION ALL SELECT at FROM refunds AS r
             WHERE r.tenant_id = orders.tenant_id AND r.order_id = orders.id))
       WHERE tenant_id = ?1 AND id IN (SELECT value FROM json_each(?2))
         AND (EXISTS (SELECT 1 FROM order_tags AS t
             WHERE t.tenant_id = orders.tenant_id AND t.order_id = orders.id)
           OR EXISTS (SELECT 1 FROM refunds AS r
             WHERE r.tenant_id = orders.tenant_id AND r.order_id = orders.id))`,
    )
    .bind(tenantId, JSON.stringify(ids));
}

function slices<Row>(rows: readonly Row[]): Row[][] {
  const made: Row[][] = [];
  let room = 0;
  for (const row of rows) {
    const size = JSON.stringify(row).length;
    if (size > room) {
      made.push([]);
      room = SLICE_CHARS;
    }
    made.at(-1)?.push(row);
    room -= size + 1;
  }
  return made;
}
