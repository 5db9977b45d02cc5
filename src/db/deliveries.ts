/**
 * The delivery log: one row an attempt, made of what is asked of many attempts at once. What was sent
 * and answered stands in the run's entries already; a row repeats none of it, but for redeliveries,
 * which have no entry. Rows written are the bill: a delivered webhook costs one row (the table has no
 * rowid), a failed one three.
 */
import { and, desc, eq, gte, isNotNull, isNull, lt, type SQL, sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/d1';
import { index, integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core';
import type { Delivery, DeliveryDetail, DeliveryStatus } from '../contract/deliveries.ts';
import { idAtTime } from '../contract/json.ts';
import { type Page, type Paged, paged } from '../contract/pages.ts';
import { givenAs } from '../given.ts';
import { earlierOf, newestAlong } from './indexed.ts';

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
    index('deliveries_failed_by_time').on(table.tenantId, table.id).where(isNotNull(table.code)),
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
       FROM ${givenAs('d')} WHERE true
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
  filter: DeliveryFilter,
  page: Page,
): Promise<Paged<Delivery>> {
  const { destination, status, run, from, to } = filter;
  const end = earlierOf(page.after, to === undefined ? null : idAtTime('dlv', to));
  const wanted = and(
    eq(deliveries.tenantId, tenantId),
    from === undefined ? undefined : gte(deliveries.id, idAtTime('dlv', from)),
    end === null ? undefined : lt(deliveries.id, end),
    destination === undefined ? undefined : eq(deliveries.destination, destination),
    status === undefined ? undefined : whether(status),
    run === undefined ? undefined : isOfRun(tenantId, run),
  );
  const limit = page.limit + 1;
  const index = indexFor(filter);
  const found =
    index === null ? wanted : newestAlong(index, deliveries, deliveries.id, wanted, limit);
  const rows = await drizzle(db)
    .select()
    .from(deliveries)
    .where(and(eq(deliveries.tenantId, tenantId), found))
    .orderBy(desc(deliveries.id))
    .limit(limit);
  return paged(rows, page.limit, (row) => row.id, itemOf);
}

/**
 * What was delivered is in no index but the primary key, by time: one by destination would cost a row
 * for each delivery.
 */
function indexFor({ destination, status, run }: DeliveryFilter): string | null {
  if (run !== undefined || status !== 'failed') return null;
  return destination === undefined ? 'deliveries_failed_by_time' : 'deliveries_failed';
}

function isOfRun(tenantId: string, { id, deliveryIds }: NonNullable<DeliveryFilter['run']>): SQL {
  return sql`${deliveries.id} IN (SELECT value FROM json_each(${JSON.stringify(deliveryIds)})
    UNION ALL SELECT a.id FROM deliveries AS a INDEXED BY deliveries_again
      WHERE a.tenant_id = ${tenantId} AND a.run_id = ${id} AND a.attempt = 0)`;
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
 * Messages of a destination of which an attempt since a time has failed, and which nobody has delivered:
 * no redelivery was taken, and no attempt of the run, which its entries tell. The oldest first. What was
 * delivered must not fill the page, or asking again would never come to what is still missing.
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
      `SELECT run_id AS runId, step_id AS stepId FROM (
         SELECT run_id, step_id, min(id) AS first FROM deliveries INDEXED BY deliveries_failed
         WHERE tenant_id = ?1 AND destination = ?2 AND code IS NOT NULL AND id >= ?3
         GROUP BY run_id, step_id) AS missed
       WHERE NOT EXISTS (SELECT 1 FROM deliveries AS again INDEXED BY deliveries_again
           WHERE again.tenant_id = ?1 AND again.run_id = missed.run_id AND again.attempt = 0
             AND again.step_id = missed.step_id AND again.code IS NULL)
         AND NOT EXISTS (SELECT 1 FROM run_entries AS part, json_each(part.entries) AS entry
           WHERE part.tenant_id = ?1 AND part.run_id = missed.run_id
             AND entry.value->>'type' = 'attempt_succeeded'
             AND entry.value->>'stepId' = missed.step_id)
         AND NOT EXISTS (SELECT 1 FROM runs AS run, json_each(run.entries) AS entry
           WHERE run.tenant_id = ?1 AND run.id = missed.run_id
             AND entry.value->>'type' = 'attempt_succeeded'
             AND entry.value->>'stepId' = missed.step_id)
       ORDER BY first LIMIT ?4`,
    )
    .bind(tenantId, destination, idAtTime('dlv', since), limit)
    .all<{ runId: string; stepId: string }>();
  return results;
}

function itemOf({ tenantId: _, response: _r, ...row }: typeof deliveries.$inferSelect): Delivery {
  const status = row.code === null ? 'delivered' : 'failed';
  return { ...row, status, redelivery: row.attempt === REDELIVERY };
}
