/**
 * Taking export files away that hold a person. A file is never rewritten: it goes as a whole, and can
 * be made again. Files are read as they are stored; one that is too large to be read here, or whose
 * parts nobody completes any more, goes unread.
 */
import { and, asc, eq, gt, isNull } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/d1';
import type { Marks, Mentions } from '../engine/mentions.ts';
import { removeFiles, removeLeftovers } from './export-removal.ts';
import { type ExportRow, exportRows } from './export-rows.ts';
import type { ExportStores } from './export-slice.ts';

const READ_MAX_BYTES = 64 * 1_048_576;
/** Longer than any address, id or name: what two chunks share of one is in the second one's reach. */
const OVERLAP_CHARS = 1_024;

export interface ExportVerdict {
  readonly id: string;
  readonly verdict: 'removed' | 'kept' | 'running';
}

/** The first export after an id whose files are there: read, and removed when it holds the person. */
export async function eraseNextExport(
  stores: ExportStores,
  tenantId: string,
  after: string,
  marks: Marks,
  mentions: Mentions,
): Promise<ExportVerdict | null> {
  const row = await drizzle(stores.db)
    .select()
    .from(exportRows)
    .where(
      and(
        eq(exportRows.tenantId, tenantId),
        gt(exportRows.id, after),
        isNull(exportRows.removedAt),
      ),
    )
    .orderBy(asc(exportRows.id))
    .limit(1)
    .get();
  if (row === undefined) return null;
  const { id, status } = row;
  if (status === 'running') return { id, verdict: 'running' };
  // A slice that died may have read the person and left that behind, and a later one not.
  await removeLeftovers(stores.bucket, row);
  if (status === 'completed' && !(await holds(stores.bucket, row, marks, mentions)))
    return { id, verdict: 'kept' };
  await removeFiles(stores, row, new Date().toISOString());
  return { id, verdict: 'removed' };
}

async function holds(
  bucket: R2Bucket,
  { objectKey, bytes }: ExportRow,
  { customerIds }: Marks,
  mentions: Mentions,
): Promise<boolean> {
  if (bytes > READ_MAX_BYTES) return true;
  const file = await bucket.get(objectKey);
  if (file === null) return false;
  let rest = '';
  for await (const text of file.body.pipeThrough(new TextDecoderStream())) {
    const window = rest + text;
    const plain = window.replaceAll(/""|\\"/g, '"');
    if (mentions(window) || mentions(plain) || hasCell(plain, customerIds)) return true;
    rest = window.slice(-OVERLAP_CHARS);
  }
  return false;
}

/** A short id is found only where it is a whole cell or value: the same digits may be of any number. */
function hasCell(text: string, ids: readonly string[]): boolean {
  return ids.some((id) => text.includes(`"${id}"`) || text.includes(`"'${id}"`));
}
