/**
 * The files of exports once their slices are through: read for a download, removed when their time
 * has come. An export that its run left unfinished is given up first, so that no late slice can
 * write it down any more; then its upload and all its objects go.
 */
import { and, asc, eq, isNull, lt, lte, sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/d1';
import { type ExportRow, exportRows, findExport } from './export-rows.ts';
import { type ExportStores, filesOf } from './export-slice.ts';

/** Part of a file, as in RFC 9110 14.1.2. */
export interface ByteRange {
  readonly offset: number;
  readonly length: number;
}

/** A finished export whose file is there still. */
export interface ReadableExport {
  readonly id: string;
  readonly bytes: number;
  readonly expiresAt: string | null;
  /** Null when the file is gone. */
  open(range?: ByteRange): Promise<R2ObjectBody | null>;
}

/** Null when the tenant has no finished export of that id, or its time has come. */
export async function readableExport(
  { db, bucket }: ExportStores,
  tenantId: string,
  id: string,
  now: number,
): Promise<ReadableExport | null> {
  const row = await findExport(db, tenantId, id);
  if (row?.status !== 'completed') return null;
  const { bytes, expiresAt, objectKey } = row;
  if (expiresAt !== null && Date.parse(expiresAt) <= now) return null;
  return { id, bytes, expiresAt, open: (range) => bucket.get(objectKey, range && { range }) };
}

/** Exports of any tenant whose files are to be removed at a time (RFC 3339 UTC). */
export async function expiredExports(
  db: D1Database,
  at: string,
  limit: number,
): Promise<ExportRow[]> {
  return await drizzle(db)
    .select()
    .from(exportRows)
    .where(and(lte(exportRows.expiresAt, at), isNull(exportRows.removedAt)))
    .orderBy(asc(exportRows.expiresAt))
    .limit(limit);
}

/**
 * Exports of any tenant that no slice has touched since a time (RFC 3339 UTC). Any of them: some wait
 * for long, and must not keep the others from being looked at.
 */
export async function unfinishedExports(
  db: D1Database,
  since: string,
  limit: number,
): Promise<ExportRow[]> {
  return await drizzle(db)
    .select()
    .from(exportRows)
    .where(and(eq(exportRows.status, 'running'), lt(exportRows.touchedAt, since)))
    .orderBy(sql`random()`)
    .limit(limit);
}

/** No slice can go on with it; its files go with the next sweep that looks for expired ones. */
export async function abandonExport(
  db: D1Database,
  { tenantId, id }: ExportRow,
  at: string,
): Promise<void> {
  await drizzle(db)
    .update(exportRows)
    .set({ status: 'abandoned', finishedAt: at, expiresAt: at })
    .where(
      and(
        eq(exportRows.tenantId, tenantId),
        eq(exportRows.id, id),
        eq(exportRows.status, 'running'),
      ),
    );
}

/** Removes all objects of an export, then says so in its row, which stays. Saying it twice is fine. */
export async function removeFiles(
  { db, bucket }: ExportStores,
  row: ExportRow,
  at: string,
): Promise<void> {
  const { tenantId, id, status, uploadId, objectKey } = row;
  // One that was completed, or that R2 has forgotten, cannot be aborted and need not be.
  if (uploadId !== null && status === 'abandoned')
    await bucket
      .resumeMultipartUpload(objectKey, uploadId)
      .abort()
      .catch(() => undefined);
  const { objects } = await bucket.list({ prefix: filesOf(row), limit: 1_000 });
  const keys = new Set([...objects.map(({ key }) => key), objectKey].filter((key) => key !== ''));
  if (keys.size > 0) await bucket.delete([...keys].slice(0, 1_000));
  await drizzle(db)
    .update(exportRows)
    .set({
      status: status === 'completed' ? 'expired' : status,
      ...{ removedAt: at, parts: [], rest: null },
    })
    .where(and(eq(exportRows.tenantId, tenantId), eq(exportRows.id, id)));
}
