/** The file of a finished export, whole or a part of it. A file never changes under its export's id. */
import { findExport } from './export-rows.ts';
import type { ExportStores } from './export-slice.ts';

/** A finished export whose time has not come. Its file may be gone all the same: then null. */
export interface ReadableExport {
  readonly id: string;
  readonly bytes: number;
  readonly expiresAt: string | null;
  head(): Promise<R2Object | null>;
  open(range?: R2Range): Promise<R2ObjectBody | null>;
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
  return {
    ...{ id, bytes, expiresAt },
    head: () => bucket.head(objectKey),
    open: (range) => bucket.get(objectKey, range && { range }),
  };
}
