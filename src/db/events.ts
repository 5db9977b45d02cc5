/** The read model of events: its table, how a parcel gets in, how it is listed. */
import { and, desc, eq, gte, lt, type SQL } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/d1';
import { index, integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core';
import type { EventMatch, EventRecord } from '../contract/events.ts';
import { idAtTime, type Json } from '../contract/json.ts';
import { type Page, type Paged, paged } from '../contract/pages.ts';
import { givenAs } from '../given.ts';
import { earlierOf, newestAlong } from './indexed.ts';
import { type StoredEvent, withAllMatches } from './triggers.ts';

export const events = sqliteTable(
  'events',
  {
    tenantId: text('tenant_id').notNull(),
    id: text('id').notNull(),
    eventId: text('event_id').notNull(),
    source: text('source').notNull(),
    type: text('type').notNull(),
    time: text('time').notNull(),
    subject: text('subject'),
    data: text('data', { mode: 'json' }).$type<Json>().notNull(),
    correlationId: text('correlation_id').notNull(),
    requestId: text('request_id').notNull(),
    receivedAt: text('received_at').notNull(),
    extensions: text('extensions', { mode: 'json' })
      .$type<EventRecord['extensions']>()
      .notNull()
      .default({}),
    runs: text('runs', { mode: 'json' }).$type<string[]>().notNull(),
    matches: text('matches', { mode: 'json' }).$type<EventMatch[]>().notNull(),
    revision: integer('revision'),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.id] }),
    index('events_by_type').on(table.tenantId, table.type, table.id),
    index('events_by_source').on(table.tenantId, table.source, table.id),
    index('events_by_correlation').on(table.tenantId, table.correlationId, table.id),
  ],
);

/** One statement for any number of events. An event never changes: a repeat is ignored. */
export function insertEvents(
  db: D1Database,
  tenantId: string,
  records: readonly StoredEvent[],
): D1PreparedStatement {
  return db
    .prepare(
      `INSERT INTO events (tenant_id, id, event_id, source, type, time, subject, data,
         correlation_id, request_id, received_at, extensions, runs, matches, revision)
       SELECT ?1, e->>'id', e->>'eventId', e->>'source', e->>'type', e->>'time', e->>'subject',
         e->'data', e->>'correlationId', e->>'requestId', e->>'receivedAt',
         e->'extensions', e->'runs', e->'matches', e->>'revision'
       FROM ${givenAs('e')} WHERE true
       ON CONFLICT (tenant_id, id) DO NOTHING`,
    )
    .bind(tenantId, JSON.stringify(records));
}

export interface EventFilter {
  readonly type?: string | undefined;
  readonly source?: string | undefined;
  readonly correlationId?: string | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

/** Newest first. `from` is included, `to` is not; both are times of receipt. */
export async function listEvents(
  db: D1Database,
  tenantId: string,
  filter: EventFilter,
  page: Page,
): Promise<Paged<EventRecord>> {
  const { type, source, correlationId, from, to } = filter;
  const end = earlierOf(page.after, to === undefined ? null : idAtTime('evt', to));
  const wanted: (SQL | undefined)[] = [
    eq(events.tenantId, tenantId),
    type === undefined ? undefined : eq(events.type, type),
    source === undefined ? undefined : eq(events.source, source),
    correlationId === undefined ? undefined : eq(events.correlationId, correlationId),
    from === undefined ? undefined : gte(events.id, idAtTime('evt', from)),
    end === null ? undefined : lt(events.id, end),
  ];
  const limit = page.limit + 1;
  const index = indexFor(filter);
  const those =
    index === null ? and(...wanted) : newestAlong(index, events, events.id, and(...wanted), limit);
  const rows = await drizzle(db)
    .select()
    .from(events)
    .where(and(eq(events.tenantId, tenantId), those))
    .orderBy(desc(events.id))
    .limit(limit);
  const found = paged(rows, page.limit, (row) => row.id, storedOf);
  return { ...found, items: await withAllMatches(db, tenantId, found.items) };
}

/** The one that leaves the fewest to look through. */
function indexFor({ type, source, correlationId }: EventFilter): string | null {
  if (correlationId !== undefined) return 'events_by_correlation';
  if (type !== undefined) return 'events_by_type';
  return source === undefined ? null : 'events_by_source';
}

export async function findEvent(
  db: D1Database,
  tenantId: string,
  id: string,
): Promise<EventRecord | null> {
  const stored = await findStoredEvent(db, tenantId, id);
  const [event] = stored === null ? [] : await withAllMatches(db, tenantId, [stored]);
  return event ?? null;
}

/** For what it says itself. */
export async function findStoredEvent(
  db: D1Database,
  tenantId: string,
  id: string,
): Promise<StoredEvent | null> {
  const row = await drizzle(db)
    .select()
    .from(events)
    .where(and(eq(events.tenantId, tenantId), eq(events.id, id)))
    .get();
  return row === undefined ? null : storedOf(row);
}

function storedOf({ tenantId: _tenant, ...stored }: typeof events.$inferSelect): StoredEvent {
  return stored;
}
