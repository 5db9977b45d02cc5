/**
 * The run log: one row a run, for the lists, with its entries from the first on; those that come when
 * the row is large already, append-only, one row a transition. Rows written are the bill, so runs are
 * found by correlation through their events, which are indexed by it already and are kept as long as
 * their runs; and by the type of their event through the workflows that it has started.
 */
import { getTableColumns, isNotNull } from 'drizzle-orm';
import { index, integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core';
import type { Entry, Failure } from '../contract/entries.ts';
import { isFinal, type RunItem, type RunStatus } from '../contract/runs.ts';
import { givenAs } from '../given.ts';

/** What led to a run, for another one that does it again. */
export interface RunOrigin {
  /** The workflows, oldest first, the run's own last. */
  readonly path: readonly string[];
  /** Ids of those who may not decide where authors may not. */
  readonly authors: readonly string[];
}

export const runs = sqliteTable(
  'runs',
  {
    tenantId: text('tenant_id').notNull(),
    id: text('id').notNull(),
    /** The number of the last entry in this row: an older parcel cannot undo a newer one. */
    seq: integer('seq').notNull(),
    workflowId: text('workflow_id').notNull(),
    workflowName: text('workflow_name').notNull(),
    workflowVersion: integer('workflow_version').notNull(),
    eventId: text('event_id').notNull(),
    eventType: text('event_type').notNull(),
    status: text('status').$type<RunStatus>().notNull(),
    requestId: text('request_id').notNull(),
    correlationId: text('correlation_id').notNull(),
    createdAt: text('created_at').notNull(),
    finishedAt: text('finished_at'),
    error: text('error', { mode: 'json' }).$type<Failure>(),
    /** When the run next does something by itself; the sweep looks for times long past. */
    wakeAt: text('wake_at'),
    /** From number 1 on, none left out; null for a run that is queued. Lists read neither it nor what follows it. */
    entries: text('entries', { mode: 'json' }).$type<Entry[]>(),
    /** Null for runs from before it was kept. */
    origin: text('origin', { mode: 'json' }).$type<RunOrigin>(),
    retryOf: text('retry_of'),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.id] }),
    // What follows the id is for filters together: the rows that only one of them finds are not read.
    index('runs_by_status').on(
      table.tenantId,
      table.status,
      table.id,
      table.eventType,
      table.workflowId,
    ),
    index('runs_by_workflow').on(table.tenantId, table.workflowId, table.id, table.eventType),
    index('runs_by_wake').on(table.wakeAt).where(isNotNull(table.wakeAt)),
    // Of retries alone, which their events do not name.
    index('runs_again')
      .on(table.tenantId, table.correlationId, table.id)
      .where(isNotNull(table.retryOf)),
    index('runs_by_retry').on(table.tenantId, table.retryOf).where(isNotNull(table.retryOf)),
  ],
);

/** Which workflows events of a type have started. A trigger of the database writes it with the first run. */
export const runKinds = sqliteTable(
  'run_kinds',
  {
    tenantId: text('tenant_id').notNull(),
    eventType: text('event_type').notNull(),
    workflowId: text('workflow_id').notNull(),
  },
  (table) => [primaryKey({ columns: [table.tenantId, table.eventType, table.workflowId] })],
);

export const runEntries = sqliteTable(
  'run_entries',
  {
    tenantId: text('tenant_id').notNull(),
    runId: text('run_id').notNull(),
    firstSeq: integer('first_seq').notNull(),
    entries: text('entries', { mode: 'json' }).$type<Entry[]>().notNull(),
  },
  (table) => [primaryKey({ columns: [table.tenantId, table.runId, table.firstSeq] })],
);

/** What lists show of a run. */
const {
  tenantId: _tenant,
  seq: _seq,
  wakeAt: _wake,
  entries: _entries,
  origin: _origin,
  retryOf: _retryOf,
  ...item
} = getTableColumns(runs);
export const RUN_ITEM = item;

/** A run as it stands after some entries, and those entries. */
export interface RunParcel {
  readonly item: RunItem;
  readonly seq: number;
  readonly wakeAt: string | null;
  /** Oldest first; empty for a run that has only been queued. */
  readonly entries: readonly Entry[];
  readonly origin: RunOrigin & { readonly retryOf: string | null };
}

/** A row whose entries have so many characters takes no more. */
const ROW_CHARACTERS = 16_384;

/**
 * Two statements at most for any number of parcels, oldest first; repeats and parcels out of order change
 * nothing. Entries that go on from those in the run's row go into it, unless a later parcel was here
 * before, or the row is large; from then on all of them have rows of their own.
 */
export function upsertRuns(
  db: D1Database,
  tenantId: string,
  parcels: readonly RunParcel[],
): D1PreparedStatement[] {
  const chunks = parcels.flatMap(chunkOf);
  const ofRun = Map.groupBy(parcels, ({ item }) => item.id);
  const rows = newestOfEach(parcels).map(({ item, seq, wakeAt, origin }) => ({
    ...{ ...item, seq, wakeAt, origin },
    entries: joined(ofRun.get(item.id) ?? []),
  }));
  return [
    db
      .prepare(
        `INSERT INTO runs (tenant_id, id, seq, workflow_id, workflow_name, workflow_version,
           event_id, event_type, status, request_id, correlation_id, created_at, finished_at,
           error, wake_at, entries, origin, retry_of)
         SELECT ?1, r->>'id', r->>'seq', r->>'workflowId', r->>'workflowName',
           r->>'workflowVersion', r->>'eventId', r->>'eventType', r->>'status', r->>'requestId',
           r->>'correlationId', r->>'createdAt', r->>'finishedAt',
           nullif(r->'error', 'null'), r->>'wakeAt',
           iif(r->>'$.entries[0].seq' = 1
             OR EXISTS (SELECT 1 FROM runs WHERE tenant_id = ?1 AND id = r->>'id'), r->'entries', NULL),
           nullif(json_remove(r->'origin', '$.retryOf'), 'null'), r->>'$.origin.retryOf'
         FROM ${givenAs('r')} WHERE true
         ON CONFLICT (tenant_id, id) DO UPDATE SET seq = excluded.seq, status = excluded.status,
           finished_at = excluded.finished_at, error = excluded.error, wake_at = excluded.wake_at,
           entries = CASE
             WHEN EXISTS (SELECT 1 FROM run_entries AS later
               WHERE later.tenant_id = runs.tenant_id AND later.run_id = runs.id)
             THEN runs.entries
             WHEN runs.entries IS NULL AND excluded.entries->>'$[0].seq' = 1 THEN excluded.entries
             WHEN length(runs.entries) < ${ROW_CHARACTERS}
               AND excluded.entries->>'$[0].seq' <= json_array_length(runs.entries) + 1
               AND excluded.entries->>'$[#-1].seq' > json_array_length(runs.entries)
             THEN substr(runs.entries, 1, length(runs.entries) - 1) || ','
               || substr((SELECT json_group_array(json(e.value)) FROM json_each(excluded.entries) AS e
                 WHERE e.value->>'seq' > json_array_length(runs.entries)), 2)
             ELSE runs.entries END
         WHERE excluded.seq > runs.seq`,
      )
      .bind(tenantId, JSON.stringify(rows)),
    ...(chunks.length > 0 ? [insertEntries(db, tenantId, chunks)] : []),
  ];
}

/** Those that are not in their run's row. */
function insertEntries(
  db: D1Database,
  tenantId: string,
  chunks: readonly EntryChunk[],
): D1PreparedStatement {
  return db
    .prepare(
      `INSERT INTO run_entries (tenant_id, run_id, first_seq, entries)
         SELECT ?1, e->>'runId', e->>'firstSeq', e->'entries'
         FROM ${givenAs('e')}
         WHERE NOT EXISTS (SELECT 1 FROM runs WHERE tenant_id = ?1 AND id = e->>'runId'
           AND json_array_length(entries) >= e->>'firstSeq')
         ON CONFLICT (tenant_id, run_id, first_seq) DO NOTHING`,
    )
    .bind(tenantId, JSON.stringify(chunks));
}

interface EntryChunk {
  readonly runId: string;
  readonly firstSeq: number;
  readonly entries: readonly Entry[];
}

/** None of a run that is over and all of which is in one parcel: nothing keeps its entries from their row. */
function chunkOf({ item, seq, entries }: RunParcel): EntryChunk[] {
  const [first] = entries;
  const isWhole = isFinal(item.status) && first?.seq === 1 && entries.length === seq;
  return first === undefined || isWhole ? [] : [{ runId: item.id, firstSeq: first.seq, entries }];
}

/** What goes on without a gap, from the first of them on; null when there are none. */
function joined(chunks: readonly { readonly entries: readonly Entry[] }[]): Entry[] | null {
  const entries: Entry[] = [];
  for (const chunk of chunks) {
    const next = (entries.at(-1)?.seq ?? 0) + 1;
    if (entries.length === 0 || chunk.entries[0]?.seq === next) entries.push(...chunk.entries);
  }
  return entries.length === 0 ? null : entries;
}

/** What several parcels of one batch say of a run is written once. */
function newestOfEach(parcels: readonly RunParcel[]): RunParcel[] {
  const newest = new Map<string, RunParcel>();
  for (const parcel of parcels) {
    const known = newest.get(parcel.item.id);
    if (known === undefined || parcel.seq >= known.seq) newest.set(parcel.item.id, parcel);
  }
  return [...newest.values()];
}
