/**
 * Exports of the embedded shop's orders: streamed page by page into R2, with a row in D1 that says
 * what the file holds. An attempt that never ended is begun again under the same id and object key.
 */
import { and, desc, eq, lt } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/d1';
import { integer, primaryKey, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core';
import { type Page, type Paged, paged } from '../contract/pages.ts';
import type { Outcome } from '../engine/plan.ts';
import { derivedHex } from './derived-id.ts';
import { type ExportRequest, type ExportsPort, type PortCall, succeeded } from './index.ts';
import { ObjectWriter } from './object-writer.ts';
import { CONTENT_TYPES, orderLines } from './order-files.ts';
import { listOrders, type OrderFilter } from './orders.ts';

export const exportRows = sqliteTable(
  'exports',
  {
    tenantId: text('tenant_id').notNull(),
    id: text('id').notNull(),
    /** The idempotency key of the call that asked for it. */
    key: text('key').notNull(),
    kind: text('kind', { enum: ['orders'] }).notNull(),
    format: text('format', { enum: ['csv', 'ndjson'] }).notNull(),
    status: text('status', { enum: ['running', 'completed'] }).notNull(),
    rows: integer('rows').notNull(),
    bytes: integer('bytes').notNull(),
    objectKey: text('object_key').notNull(),
    createdAt: text('created_at').notNull(),
    finishedAt: text('finished_at'),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.id] }),
    uniqueIndex('exports_by_key').on(table.tenantId, table.key),
  ],
);

type ExportRow = typeof exportRows.$inferSelect;
export type ExportView = Omit<ExportRow, 'tenantId' | 'key' | 'objectKey'>;

const PAGE_ROWS = 500;

/** The adapter over the tenant's own rows. Faults of the database and the bucket are thrown. */
export function embeddedExports(db: D1Database, bucket: R2Bucket): ExportsPort {
  return { exportOrders: (call, request) => exportOrders(db, bucket, call, request) };
}

async function exportOrders(
  db: D1Database,
  bucket: R2Bucket,
  call: PortCall,
  request: ExportRequest,
): Promise<Outcome> {
  const row = await begin(db, call, request.format);
  if (row.status === 'completed') return outcomeOf(row);
  const { format, objectKey } = row;
  const writer = new ObjectWriter(bucket, objectKey, {
    contentType: CONTENT_TYPES[format],
    contentDisposition: `attachment; filename="${row.id}.${format}"`,
  });
  try {
    const rows = await writeOrders(db, writer, row, filterOf(request));
    return outcomeOf(await finish(db, writer, row, rows));
  } catch (error) {
    // R2 itself forgets an unfinished upload after a week; the first error is the one to tell.
    await writer.abort().catch(() => undefined);
    throw error;
  }
}

/** The export's row. The id begins with the time, as all of ours do, and stays once it is there. */
async function begin(
  db: D1Database,
  { tenantId, idempotencyKey: key, now }: PortCall,
  format: ExportRequest['format'],
): Promise<ExportRow> {
  const id = `exp_${now.toString(16).padStart(12, '0')}${derivedHex(key).slice(0, 20)}`;
  const fresh: ExportRow = {
    tenantId,
    id,
    key,
    kind: 'orders',
    format,
    status: 'running',
    rows: 0,
    bytes: 0,
    objectKey: `exports/${tenantId}/${id}.${format}`,
    createdAt: new Date(now).toISOString(),
    finishedAt: null,
  };
  await drizzle(db).insert(exportRows).values(fresh).onConflictDoNothing();
  return (await byKey(db, tenantId, key)) ?? fresh;
}

function byKey(db: D1Database, tenantId: string, key: string): Promise<ExportRow | undefined> {
  return drizzle(db)
    .select()
    .from(exportRows)
    .where(and(eq(exportRows.tenantId, tenantId), eq(exportRows.key, key)))
    .get();
}

/** Streams the orders, newest first, and answers how many there were. */
async function writeOrders(
  db: D1Database,
  writer: ObjectWriter,
  { tenantId, format }: ExportRow,
  filter: OrderFilter,
): Promise<number> {
  const encoder = new TextEncoder();
  let rows = 0;
  let after: string | null = null;
  do {
    const page: Awaited<ReturnType<typeof listOrders>> = await listOrders(
      db,
      tenantId,
      { limit: PAGE_ROWS, after },
      filter,
    );
    await writer.write(encoder.encode(orderLines(format, page.items, after === null)));
    rows += page.items.length;
    after = page.next;
  } while (after !== null);
  return rows;
}

/** An attempt given up for lost may have ended meanwhile: then its file and its figures stand. */
async function finish(
  db: D1Database,
  writer: ObjectWriter,
  row: ExportRow,
  rows: number,
): Promise<ExportRow> {
  const { tenantId, id, key } = row;
  const other = await byKey(db, tenantId, key);
  if (other?.status === 'completed') {
    await writer.abort();
    return other;
  }
  await writer.close();
  const finishedAt = new Date().toISOString();
  const done = { status: 'completed', rows, bytes: writer.bytes, finishedAt } as const;
  await drizzle(db)
    .update(exportRows)
    .set(done)
    .where(
      and(
        eq(exportRows.tenantId, tenantId),
        eq(exportRows.id, id),
        eq(exportRows.status, 'running'),
      ),
    );
  return (await byKey(db, tenantId, key)) ?? { ...row, ...done };
}

function outcomeOf({ key, id, kind, format, rows, bytes }: ExportRow): Outcome {
  const made = { id, kind, format, rows, bytes };
  return succeeded({ exportId: id, rows, bytes, format }, [
    { id: key, type: 'export.completed', data: { export: made } },
  ]);
}

/** Times are compared as text, so they all have to be UTC with milliseconds. */
function filterOf({ from, to }: ExportRequest): OrderFilter {
  const utc = (time: string | undefined) =>
    time === undefined ? undefined : new Date(time).toISOString();
  return { from: utc(from), to: utc(to) };
}

/** Newest first, the unfinished among them. */
export async function listExports(
  db: D1Database,
  tenantId: string,
  page: Page,
): Promise<Paged<ExportView>> {
  const rows = await drizzle(db)
    .select()
    .from(exportRows)
    .where(
      and(
        eq(exportRows.tenantId, tenantId),
        page.after === null ? undefined : lt(exportRows.id, page.after),
      ),
    )
    .orderBy(desc(exportRows.id))
    .limit(page.limit + 1);
  return paged(rows, page.limit, (row) => row.id, viewOf);
}

/** A finished export and its file; null when the tenant has none of that id. */
export async function exportFor(
  db: D1Database,
  bucket: R2Bucket,
  tenantId: string,
  id: string,
): Promise<{ export: ExportView; file: R2ObjectBody } | null> {
  const row = await drizzle(db)
    .select()
    .from(exportRows)
    .where(and(eq(exportRows.tenantId, tenantId), eq(exportRows.id, id)))
    .get();
  if (row?.status !== 'completed') return null;
  const file = await bucket.get(row.objectKey);
  return file === null ? null : { export: viewOf(row), file };
}

function viewOf({ tenantId: _tenantId, key: _key, objectKey: _object, ...view }: ExportRow) {
  return view;
}
