/**
 * The row of an export in D1: what callers see of it, and how far its file is. The row is the truth:
 * a slice reads it, does its work in R2 under names that no other slice uses, and then writes down
 * what holds from now on, but only if no other slice has done so since (`slices`). What was put into
 * R2 and never written down is nobody's, and goes with the sweep that comes after the last slice.
 */
import { and, desc, eq, lt, sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/d1';
import {
  index,
  integer,
  primaryKey,
  sqliteTable,
  text,
  uniqueIndex,
} from 'drizzle-orm/sqlite-core';
import { type Page, type Paged, paged } from '../contract/pages.ts';
import { derivedHex } from './derived-id.ts';
import type { ExportRequest, PortCall } from './index.ts';

export const EXPORT_STATUSES = ['running', 'completed', 'expired', 'abandoned'] as const;

export const exportRows = sqliteTable(
  'exports',
  {
    tenantId: text('tenant_id').notNull(),
    id: text('id').notNull(),
    /** The idempotency key of the call that asked for it. */
    key: text('key').notNull(),
    runId: text('run_id').notNull().default(''),
    kind: text('kind', { enum: ['orders'] }).notNull(),
    format: text('format', { enum: ['csv', 'ndjson'] }).notNull(),
    status: text('status', { enum: EXPORT_STATUSES }).notNull(),
    /** Written so far, those that wait in `rest` among them. */
    rows: integer('rows').notNull(),
    bytes: integer('bytes').notNull(),
    objectKey: text('object_key').notNull(),
    createdAt: text('created_at').notNull(),
    finishedAt: text('finished_at'),
    /** When its files are removed. */
    expiresAt: text('expires_at'),
    removedAt: text('removed_at'),
    /** When the objects went that its slices had left beside the file. */
    tidiedAt: text('tidied_at'),
    /** When it began (milliseconds): orders that were first seen later are not in it. */
    upTo: integer('up_to'),
    /** How often the row was written down; the next slice has to find it so. */
    slices: integer('slices').notNull().default(0),
    /** Part numbers given out: no two slices have the same ones. */
    numbers: integer('numbers').notNull().default(0),
    /** The id of the last order that was read; null before the first. */
    cursor: text('cursor'),
    /** Every order has been read: what is left is to complete the upload. */
    isRead: integer('is_read', { mode: 'boolean' }).notNull().default(false),
    uploadId: text('upload_id'),
    parts: text('parts', { mode: 'json' }).$type<R2UploadedPart[]>().notNull().default([]),
    /** The object with the bytes that do not fill a part yet. */
    rest: text('rest'),
    /** When a slice last began or was written down: none is at work long after that. */
    touchedAt: text('touched_at').notNull().default(''),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.id] }),
    uniqueIndex('exports_by_key').on(table.tenantId, table.key),
    index('exports_by_expiry').on(table.expiresAt).where(sql`removed_at IS NULL`),
    index('exports_unfinished').on(table.touchedAt).where(sql`status = 'running'`),
    index('exports_untidy')
      .on(table.touchedAt)
      .where(sql`status = 'completed' AND tidied_at IS NULL`),
  ],
);

export type ExportRow = typeof exportRows.$inferSelect;
export type ExportView = Pick<
  ExportRow,
  'id' | 'kind' | 'format' | 'status' | 'rows' | 'bytes' | 'createdAt' | 'finishedAt' | 'expiresAt'
>;

/** What a slice may write down. */
export type ExportChange = Partial<
  Pick<
    ExportRow,
    | 'status'
    | 'rows'
    | 'bytes'
    | 'objectKey'
    | 'finishedAt'
    | 'expiresAt'
    | 'cursor'
    | 'isRead'
    | 'uploadId'
    | 'parts'
    | 'rest'
  >
>;

/**
 * The export's row for one slice, made by the first one; part numbers up to `numbers` are the
 * slice's own. The orders that count are those that are there when the first slice begins. A row
 * that is no longer `running` comes as it is.
 */
export async function claimExport(
  db: D1Database,
  { tenantId, runId, idempotencyKey: key, now }: PortCall,
  format: ExportRequest['format'],
  numbers: number,
): Promise<ExportRow> {
  // The id begins with the time, as all of ours do, and stays once it is there.
  const id = `exp_${now.toString(16).padStart(12, '0')}${derivedHex(key).slice(0, 20)}`;
  const at = new Date(now).toISOString();
  const fresh: typeof exportRows.$inferInsert = {
    tenantId,
    id,
    key,
    runId,
    kind: 'orders',
    format,
    status: 'running',
    rows: 0,
    bytes: 0,
    objectKey: '',
    createdAt: at,
    touchedAt: at,
  };
  const orm = drizzle(db);
  const [, [claimed], [known]] = await orm.batch([
    orm.insert(exportRows).values(fresh).onConflictDoNothing(),
    orm
      .update(exportRows)
      .set({
        touchedAt: at,
        numbers: sql`${exportRows.numbers} + ${numbers}`,
        upTo: sql`coalesce(${exportRows.upTo}, ${now})`,
      })
      .where(and(isOfKey(tenantId, key), eq(exportRows.status, 'running')))
      .returning(),
    orm.select().from(exportRows).where(isOfKey(tenantId, key)),
  ]);
  const row = claimed ?? known;
  if (row === undefined) throw new Error('the export has no row');
  return row;
}

/** Writes down what a slice has done; false when another slice, or the end of the run, came first. */
export async function commitExport(
  db: D1Database,
  { tenantId, id, slices }: ExportRow,
  change: ExportChange,
): Promise<boolean> {
  const written = await drizzle(db)
    .update(exportRows)
    .set({ ...change, slices: slices + 1, touchedAt: new Date().toISOString() })
    .where(
      and(
        eq(exportRows.tenantId, tenantId),
        eq(exportRows.id, id),
        eq(exportRows.status, 'running'),
        eq(exportRows.slices, slices),
      ),
    )
    .returning({ id: exportRows.id });
  return written.length > 0;
}

/** The export; null when the tenant has none of that id. */
export async function findExport(
  db: D1Database,
  tenantId: string,
  id: string,
): Promise<ExportRow | null> {
  const row = await drizzle(db)
    .select()
    .from(exportRows)
    .where(and(eq(exportRows.tenantId, tenantId), eq(exportRows.id, id)))
    .get();
  return row ?? null;
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

export function viewOf(row: ExportRow): ExportView {
  const { id, kind, format, status, rows, bytes, createdAt, finishedAt, expiresAt } = row;
  return { id, kind, format, status, rows, bytes, createdAt, finishedAt, expiresAt };
}

function isOfKey(tenantId: string, key: string) {
  return and(eq(exportRows.tenantId, tenantId), eq(exportRows.key, key));
}
