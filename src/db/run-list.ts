/**
 * The lists of the run log, each along one index. Runs are also found by way of the events that started
 * them, which name them: by correlation, by order, by the event's own id; and by the type of event, by way
 * of the workflows. An index of the runs themselves would cost a row for every run; retries alone, which no
 * event names, have one.
 */
import { and, desc, eq, gte, lt, type SQL, sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/d1';
import { idAtTime } from '../contract/json.ts';
import { type Page, type Paged, paged } from '../contract/pages.ts';
import type { RunItem, RunStatus } from '../contract/runs.ts';
import { events } from './events.ts';
import { earlierOf, newestAlong } from './indexed.ts';
import { RUN_ITEM, runKinds, runs } from './runs.ts';

export interface RunFilter {
  readonly status?: RunStatus | undefined;
  readonly workflowId?: string | undefined;
  readonly eventType?: string | undefined;
  readonly correlationId?: string | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  /** A run's id or the beginning of one; else what `waysOf` makes of it. */
  readonly q?: string | undefined;
}

/** Newest first. `from` is included, `to` is not; both are times of creation. */
export async function listRuns(
  db: D1Database,
  tenantId: string,
  filter: RunFilter,
  page: Page,
): Promise<Paged<RunItem>> {
  const { status, workflowId, eventType, correlationId, from, to, q } = filter;
  const ids = q?.startsWith('run_') === true ? { from: q, to: `${q}~` } : null;
  const until = earlierOf(ids?.to ?? null, to === undefined ? null : idAtTime('run', to));
  const end = earlierOf(page.after, until);
  const wanted: (SQL | undefined)[] = [
    eq(runs.tenantId, tenantId),
    status === undefined ? undefined : eq(runs.status, status),
    workflowId === undefined ? undefined : eq(runs.workflowId, workflowId),
    eventType === undefined ? undefined : eq(runs.eventType, eventType),
    from === undefined ? undefined : gte(runs.id, idAtTime('run', from)),
    ids === null ? undefined : gte(runs.id, ids.from),
    end === null ? undefined : lt(runs.id, end),
  ];
  const limit = page.limit + 1;
  const ways = waysOf({ q, correlationId, tenantId });
  const found =
    ways === null
      ? newestOf(filter, { tenantId, wanted: and(...wanted), limit })
      : amongStarted(ways, { tenantId, wanted: and(...wanted), end, limit });
  const rows = await drizzle(db)
    .select(RUN_ITEM)
    .from(runs)
    .where(and(eq(runs.tenantId, tenantId), found))
    .orderBy(desc(runs.id))
    .limit(limit);
  return paged(
    rows,
    page.limit,
    (row) => row.id,
    (row) => row,
  );
}

interface Wanted {
  readonly tenantId: string;
  /** What is asked of the runs. */
  readonly wanted: SQL | undefined;
  readonly limit: number;
}

/** The way that leaves the fewest to look through: most runs have succeeded. */
function newestOf({ status, workflowId, eventType }: RunFilter, asked: Wanted): SQL | undefined {
  const along = (index: string) => newestAlong(index, runs, runs.id, asked.wanted, asked.limit);
  if (status !== undefined && status !== 'succeeded') return along('runs_by_status');
  if (workflowId !== undefined) return along('runs_by_workflow');
  if (eventType !== undefined) return newestOfType(eventType, asked);
  return status === undefined ? asked.wanted : along('runs_by_status');
}

/**
 * Of the workflows that the type has started, those whose newest runs are the newest: of no other can one
 * be on the page. Of each of them so many runs as the page has.
 */
function newestOfType(eventType: string, { tenantId, wanted, limit }: Wanted): SQL {
  const { workflowId } = runKinds;
  const newestOfWorkflow = (workflow: SQL, most: number) => sql`SELECT ${runs.id} AS id
    FROM ${runs} INDEXED BY runs_by_workflow WHERE ${runs.workflowId} = ${workflow} AND ${wanted}
    ORDER BY ${runs.id} DESC LIMIT ${most}`;
  const few = sql`SELECT ${workflowId} AS workflow FROM ${runKinds}
    WHERE ${runKinds.tenantId} = ${tenantId} AND ${runKinds.eventType} = ${eventType}
    ORDER BY (${newestOfWorkflow(sql`${workflowId}`, 1)}) DESC LIMIT ${limit}`;
  const theirs = sql`SELECT json_group_array(id)
    FROM (${newestOfWorkflow(sql`few.workflow`, limit)})`;
  return sql`${runs.id} IN (SELECT one.value FROM (${few}) AS few
    CROSS JOIN json_each((${theirs})) AS one ORDER BY one.value DESC LIMIT ${limit})`;
}

/** An index of the events (null: their primary key), and what is asked of them. */
interface Way {
  readonly index: string | null;
  readonly asked: SQL | undefined;
  /** The correlation that is looked for, where one is: retries have it, too. */
  readonly correlationId: string | null;
}

/** The ways on which runs are looked for; null when none leads through events. */
function waysOf({
  q,
  correlationId,
  tenantId,
}: Pick<RunFilter, 'q' | 'correlationId'> & { tenantId: string }): Way[] | null {
  const isOf = correlationId === undefined ? undefined : eq(events.correlationId, correlationId);
  if (q === undefined || q.startsWith('run_'))
    return correlationId === undefined ? null : [correlated(correlationId, isOf)];
  if (q.startsWith('evt_')) {
    const asked = and(gte(events.id, q), lt(events.id, `${q}~`), isOf);
    return [{ index: null, asked, correlationId: null }];
  }
  const byOrder = { index: null, asked: and(isOfOrder(q, tenantId), isOf), correlationId: null };
  return [correlated(q, and(eq(events.correlationId, q), isOf)), byOrder];
}

/** So many of the newest events are looked through for an order, and of those just before it was seen. */
export const NEWEST_LOOKED_AT = 5_000;
const BEFORE_LOOKED_AT = 1_000;

/**
 * An index of events by their order would cost a row for each. So the newest ones are looked through;
 * and of an order that the embedded shop knows, which is fed by the same events in the same batch, those
 * that had come when it was first seen.
 */
function isOfOrder(orderId: string, tenantId: string): SQL {
  return sql`${events.id} IN (
    SELECT id FROM (SELECT id, data FROM events WHERE tenant_id = ${tenantId}
      ORDER BY id DESC LIMIT ${NEWEST_LOOKED_AT}) WHERE data->>'$.order.id' = ${orderId}
    UNION ALL
    SELECT id FROM (SELECT then_new.id, then_new.data FROM orders CROSS JOIN events AS then_new
      WHERE orders.tenant_id = ${tenantId} AND orders.id = ${orderId}
        AND then_new.tenant_id = ${tenantId}
        AND then_new.id < printf('evt_%012x~', orders.seen_at)
      ORDER BY then_new.id DESC LIMIT ${BEFORE_LOOKED_AT}) WHERE data->>'$.order.id' = ${orderId})`;
}

function correlated(correlationId: string, asked: SQL | undefined): Way {
  return { index: 'events_by_correlation', asked, correlationId };
}

interface Started extends Wanted {
  /** Where the page ends: the id of a run, or the beginning of one. */
  readonly end: string | null;
}

/** That a run is among the newest that are found on one of the ways. */
function amongStarted(ways: readonly Way[], wanted: Started): SQL {
  const found = ways.flatMap((way) => [startedOn(way, wanted), retriedOn(way, wanted)]);
  const each = found.map((select) => sql`SELECT id FROM (${select})`);
  return sql`${runs.id} IN (${sql.join(each, sql` UNION ALL `)})`;
}

/**
 * Ids of both are made one after the other, the event's first: what stands behind the prefix orders
 * them as one series. Tables that are joined crosswise are taken in the order in which they are named.
 */
function startedOn(way: Way, { tenantId, wanted, end, limit }: Started): SQL {
  const isBefore = end === null ? sql`true` : lt(events.id, end.replace(/^run_/, 'evt_'));
  return sql`SELECT ${runs.id} AS id
    FROM ${eventsOn(way)} CROSS JOIN json_each(${events.runs}) AS started CROSS JOIN ${runs}
    WHERE ${events.tenantId} = ${tenantId} AND ${way.asked} AND ${isBefore}
      AND ${runs.id} = started.value AND ${wanted}
    ORDER BY ${events.id} DESC, ${runs.id} DESC LIMIT ${limit}`;
}

/** Of one order, or of ids that begin alike: nobody looks through more of them. */
const EVENTS_MAX = 200;

/** A retry is younger than its event by far, and is found by what it has in common with it. */
function retriedOn(way: Way, { tenantId, wanted, limit }: Wanted): SQL {
  const isRetry = sql`${runs.retryOf} IS NOT NULL AND ${wanted}`;
  if (way.correlationId !== null)
    return sql`SELECT ${runs.id} AS id FROM ${runs} INDEXED BY runs_again
      WHERE ${runs.correlationId} = ${way.correlationId} AND ${isRetry}
      ORDER BY ${runs.id} DESC LIMIT ${limit}`;
  return sql`SELECT ${runs.id} AS id
    FROM (SELECT ${events.id} AS event_id, ${events.correlationId} AS correlation_id
        FROM ${eventsOn(way)} WHERE ${events.tenantId} = ${tenantId} AND ${way.asked}
        ORDER BY ${events.id} DESC LIMIT ${EVENTS_MAX}) AS few
      CROSS JOIN ${runs} INDEXED BY runs_again
    WHERE ${runs.correlationId} = few.correlation_id AND ${runs.eventId} = few.event_id
      AND ${isRetry}`;
}

function eventsOn({ index }: Way): SQL {
  return index === null ? sql`${events}` : sql`${events} INDEXED BY ${sql.identifier(index)}`;
}
