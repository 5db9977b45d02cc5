/**
 * Taking away what exports have left in R2. Around a file: what slices put there that died, or came
 * second. With the file: when its time has come, or when its run has ended without it. An export that
 * was left unfinished is given up first, so that no late slice can write it down any more. Each step
 * can be repeated. Uploads that no row names are R2's to remove: by default it does after a week.
 * https://developers.cloudflare.com/r2/buckets/object-lifecycles/
 */
import { and, asc, eq, isNull, lt, lte, sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/d1';
import { type ExportRow, exportRows } from './export-rows.ts';
import { type ExportStores, filesOf } from './export-slice.ts';

/** An export has fewer objects: there are fewer slices than part numbers, and each makes one. */
const OBJECTS_MAX = 1_000;

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

/** Finished exports of any tenant that no slice has touched since a time, and nobody has tidied. */
export async function untidyExports(
  db: D1Database,
  since: string,
  limit: number,
): Promise<ExportRow[]> {
  return await drizzle(db)
    .select()
    .from(exportRows)
    .where(
      and(
        eq(exportRows.status, 'completed'),
        isNull(exportRows.tidiedAt),
        lt(exportRows.touchedAt, since),
      ),
    )
    .orderBy(asc(exportRows.touchedAt))
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
export async function abandonExport(db: D1Database, row: ExportRow, at: string): Promise<void> {
  await drizzle(db)
    .update(exportRows)
    .set({ status: 'abandoned', finishedAt: at, expiresAt: at })
    .where(and(isThis(row), eq(exportRows.status, 'running')));
}

/** Removes what lies around the file of a finished export. True when there was something. */
export async function removeLeftovers(bucket: R2Bucket, row: ExportRow): Promise<boolean> {
  const keys = await keysOf(bucket, row);
  keys.delete(row.objectKey);
  if (keys.size > 0) await bucket.delete([...keys]);
  return keys.size > 0;
}

/** The same, for good: to be called when no slice can be at work any more. True when something went. */
export async function tidyExport(
  { db, bucket }: ExportStores,
  row: ExportRow,
  at: string,
): Promise<boolean> {
  const some = await removeLeftovers(bucket, row);
  await drizzle(db).update(exportRows).set({ tidiedAt: at, parts: [] }).where(isThis(row));
  return some;
}

/** Removes all objects of an export, then says so in its row, which stays. True: it is done. */
export async function removeFiles(
  { db, bucket }: ExportStores,
  row: ExportRow,
  at: string,
): Promise<true> {
  const { status, objectKey } = row;
  if (status === 'abandoned') await abortUpload(bucket, row);
  const keys = await keysOf(bucket, row);
  if (objectKey !== '') keys.add(objectKey);
  if (keys.size > 0) await bucket.delete([...keys]);
  await drizzle(db)
    .update(exportRows)
    .set({
      status: status === 'completed' ? 'expired' : status,
      ...{ removedAt: at, parts: [], rest: null },
    })
    .where(isThis(row));
  return true;
}

/** One that was completed, or that R2 has forgotten, cannot be aborted and need not be. */
export async function abortUpload(
  bucket: R2Bucket,
  { uploadId, objectKey }: Pick<ExportRow, 'uploadId' | 'objectKey'>,
): Promise<void> {
  if (uploadId === null) return;
  await bucket
    .resumeMultipartUpload(objectKey, uploadId)
    .abort()
    .catch(() => undefined);
}

async function keysOf(bucket: R2Bucket, row: ExportRow): Promise<Set<string>> {
  const { objects } = await bucket.list({ prefix: filesOf(row), limit: OBJECTS_MAX });
  return new Set(objects.map(({ key }) => key));
}

function isThis({ tenantId, id }: ExportRow) {
  return and(eq(exportRows.tenantId, tenantId), eq(exportRows.id, id));
}
