/**
 * The delivery log: one row an attempt, made of what is asked of many attempts at once. What was sent
 * and answered stands in the run's entries already; a row repeats none of it, but for redeliveries,
 * which have no entry. Rows written are the bill: a delivered webhook costs one row (the table has no
 * rowid), a failed one two.
 */
import { and, desc, eq, gte, isNotNull, isNull, lt, type SQL, sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/d1';
import { index, integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core';
import type { Delivery, DeliveryDetail, DeliveryStatus } from '../contract/deliveries.ts';
import { idAtTime } from '../contract/json.ts';
import { type Page, type Paged, paged } from '../contract/pages.ts';

/** Number of an attempt that no run has counted. */
export const REDELIVERY = 0;

export const deliveries = sqliteTable(
  'deliveries',
  {
    tenantId: text('tenant_id').notNull(),
    id: text('id').notNull(),
    runId: text('run_id').notNull(),
    stepId: text('step_id').notNull(),
    attempt: integer('attempt').notNull(),
    webhookId: text('webhook_id').notNull(),
    destination: text('destination').notNull(),
    /** Why it failed; null when it was delivered. */
    code: text('code'),
    responseStatus: integer('response_status'),
    startedAt: text('started_at').notNull(),
    durationMs: integer('duration_ms').notNull(),
    /** Of a redelivery: what was answered. */
    response: text('response', { mode: 'json' }).$type<DeliveryDetail['response']>(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.id] }),
    // Failures alone: they are what is looked for by destination, and what is redelivered.
    index('deliveries_failed')
      .on(table.tenantId, table.destination, table.id)
      .where(isNotNull(table.code)),
    index('deliveries_again').on(table.tenantId, table.runId).where(sql`${table.attempt} = 0`),
  ],
);

export type DeliveryParcel = Omit<Delivery, 'status' | 'redelivery'> & {
  readonly response: DeliveryDetail['response'];
};

/** One statement for any number of deliveries. One never changes: a repeat is ignored. */
export function insertDeliveries(
  db: D1Database,
  tenantId: string,
  parcels: readonly DeliveryParcel[],
): D1PreparedStatement {
  return db
    .prepare(
      `INSERT INTO deliveries (tenant_id, id, run_id, step_id, attempt, webhook_id, destination,
         code, response_status, started_at, duration_ms, response)
       SELECT ?1, d->>'id', d->>'runId', d->>'stepId', d->>'attempt', d->>'webhookId',
         d->>'destination', d->>'code', d->>'responseStatus', d->>'startedAt', d->>'durationMs',
         nullif(d->'response', 'null')
       FROM (SELECT value AS d FROM json_each(?2)) WHERE true
       ON CONFLICT (tenant_id, id) DO NOTHING`,
    )
    .bind(tenantId, JSON.stringify(parcels));
}

export interface DeliveryFilter {
  readonly destination?: string | undefined;
  readonly status?: DeliveryStatus | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  /** A run, and the deliveries that its entries name: its redeliveries are found by the index. */
  readonly run?: { readonly id: string; readonly deliveryIds: readonly string[] } | undefined;
}

/** Newest first. `from` is included, `to` is not; both are times at which requests began. */
export async function listDeliveries(
  db: D1Database,
  tenantId: string,
  { destination, status, from, to, run }: DeliveryFilter,
  page: Page,
): Promise<Paged<Delivery>> {
  const wanted: (SQL | undefined)[] = [
    eq(deliveries.tenantId, tenantId),
    destination === undefined ? undefined : eq(deliveries.destination, destination),
    status === undefined ? undefined : whether(status),
    from === undefined ? undefined : gte(deliveries.id, idAtTime('dlv', from)),
    to === undefined ? undefined : lt(deliveries.id, idAtTime('dlv', to)),
    run === undefined
      ? undefined
      : sql`(${deliveries.id} IN (SELECT value FROM json_each(${JSON.stringify(run.deliveryIds)}))
          OR (${deliveries.attempt} = 0 AND ${deliveries.runId} = ${run.id}))`,
    page.after === null ? undefined : lt(deliveries.id, page.after),
  ];
  const rows = await drizzle(db)
    .select()
    .from(deliveries)
    .where(and(...wanted))
    .orderBy(desc(deliveries.id))
    .limit(page.limit + 1);
  return paged(rows, page.limit, (row) => row.id, itemOf);
}

function whether(status: DeliveryStatus): SQL {
  return status === 'delivered' ? isNull(deliveries.code) : isNotNull(deliveries.code);
}

/** With what a redelivery was answered; null when the tenant has no such delivery. */
export async function findDelivery(
  db: D1Database,
  tenantId: string,
  id: string,
): Promise<{ item: Delivery; response: DeliveryDetail['response'] } | null> {
  const row = await drizzle(db)
    .select()
    .from(deliveries)
    .where(and(eq(deliveries.tenantId, tenantId), eq(deliveries.id, id)))
    .get();
  return row === undefined ? null : { item: itemOf(row), response: row.response };
}

/** A message: what one step of one run sends, however often. */
export interface Message {
  readonly runId: string;
  readonly stepId: string;
}

/**
 * Messages of a destination of which an attempt since a time has failed and no redelivery since then
 * was taken, the oldest first. Those that their own run has delivered since are among them: only
 * their entries tell.
 */
export async function missedMessages(
  db: D1Database,
  tenantId: string,
  destination: string,
  since: string,
  limit: number,
): Promise<Message[]> {
  const { results } = await db
    .prepare(
      `SELECT run_id AS runId, step_id AS stepId FROM deliveries d
       WHERE tenant_id = ?1 AND destination = ?2 AND code IS NOT NULL AND id >= ?3
         AND NOT EXISTS (SELECT 1 FROM deliveries r WHERE r.tenant_id = ?1 AND r.run_id = d.run_id
           AND r.attempt = 0 AND r.step_id = d.step_id AND r.code IS NULL AND r.id > d.id)
       GROUP BY run_id, step_id ORDER BY min(id) LIMIT ?4`,
    )
    .bind(tenantId, destination, idAtTime('dlv', since), limit)
    .all<{ runId: string; stepId: string }>();
  return results;
}

function itemOf({ tenantId: _, response: _r, ...row }: typeof deliveries.$inferSelect): Delivery {
  const status = row.code === null ? 'delivered' : 'failed';
  return { ...row, status, redelivery: row.attempt === REDELIVERY };
}
