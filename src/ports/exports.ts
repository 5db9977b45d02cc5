/**
 * Exports of the embedded shop's orders into R2, in slices: any number of orders in constant memory,
 * by Workers that may end at any moment. The orders are those that were there when the first slice
 * began, each once, as it is when it is read; in the order of their ids.
 */
import { durationMs } from '../contract/json.ts';
import type { AttemptOutcome, Outcome } from '../engine/plan.ts';
import type { SealedConnection } from './connections.ts';
import { abortUpload } from './export-removal.ts';
import { claimExport, commitExport, type ExportRow, findExport } from './export-rows.ts';
import {
  type ExportStores,
  LostFile,
  SLICE_LIMITS,
  SLICE_NUMBERS,
  type SliceLimits,
  workSlice,
} from './export-slice.ts';
import { type ExportRequest, type ExportsPort, failed, type PortCall, succeeded } from './index.ts';

/** https://developers.cloudflare.com/r2/platform/limits/ */
const PART_NUMBER_MAX = 10_000;
const KEPT_BY_DEFAULT = '30d';

export interface ExportSettings extends ExportStores {
  /** How long a finished file is kept. */
  readonly keptMs: number;
  readonly limits: SliceLimits;
}

/** The tenant's settings for exports; what it has not set is as usual. */
export function embeddedExports(
  stores: ExportStores,
  connection?: SealedConnection,
  limits = SLICE_LIMITS,
): ExportsPort {
  const keptMs = durationMs(connection?.settings.keepFor ?? KEPT_BY_DEFAULT);
  const settings = { ...stores, keptMs, limits };
  return { exportOrders: (call, request) => exportOrders(settings, call, request) };
}

/** Faults of the database and the bucket are thrown: the next attempt goes on from the row. */
async function exportOrders(
  settings: ExportSettings,
  call: PortCall,
  request: ExportRequest,
): Promise<AttemptOutcome> {
  const row = await claimExport(settings.db, call, request.format, SLICE_NUMBERS);
  if (row.status !== 'running') return outcomeOf(row);
  if (row.numbers > PART_NUMBER_MAX && !row.isRead)
    return failed(
      'export_too_large',
      'One file cannot hold so many orders. Export them in several ranges of time.',
    );
  try {
    const worked = row.isRead ? row : await workSlice(settings, row, request, settings.limits);
    return outcomeOf(worked.isRead ? await finish(settings, worked) : worked);
  } catch (error) {
    if (!isLost(error)) throw error;
    return await beginAgain(settings, row);
  }
}

const BEGINNING = {
  ...{ rows: 0, bytes: 0, objectKey: '', cursor: null, isRead: false },
  ...{ uploadId: null, parts: [], rest: null },
};

/** An upload that R2 has forgotten (it does after a week), or that has ended: no such upload, 10024. */
function isLost(error: unknown): boolean {
  return error instanceof LostFile || (error instanceof Error && error.message.includes('(10024)'));
}

/** Unless it was another slice that has ended the upload: then what that one has written down counts. */
async function beginAgain({ db, bucket }: ExportSettings, row: ExportRow): Promise<AttemptOutcome> {
  if (!(await commitExport(db, row, BEGINNING)))
    return outcomeOf((await findExport(db, row.tenantId, row.id)) ?? row);
  await abortUpload(bucket, row);
  return failed('export_restarted', 'The unfinished file was lost. The export begins again.', {
    retryable: true,
  });
}

/** Makes the file appear. Saying it twice, or twice at once, is fine. */
async function finish(settings: ExportSettings, row: ExportRow): Promise<ExportRow> {
  if (row.status !== 'running') return row;
  await completeUpload(settings.bucket, row);
  const now = Date.now();
  const done = {
    status: 'completed',
    finishedAt: new Date(now).toISOString(),
    expiresAt: new Date(now + settings.keptMs).toISOString(),
  } as const;
  if (await commitExport(settings.db, row, done)) return { ...row, ...done };
  return (await findExport(settings.db, row.tenantId, row.id)) ?? row;
}

/** An upload that was completed by a slice that died then is gone, and its object is there. */
async function completeUpload(
  bucket: R2Bucket,
  { uploadId, objectKey, parts, bytes }: ExportRow,
): Promise<void> {
  if (uploadId === null) return;
  const made = await bucket
    .resumeMultipartUpload(objectKey, uploadId)
    .complete(parts)
    .catch(async (error) => {
      const there = await bucket.head(objectKey);
      if (there === null) throw error;
      return there;
    });
  if (made.size !== bytes) throw new LostFile('the file is not as long as what was written');
}

function outcomeOf(row: ExportRow): AttemptOutcome {
  const { id, rows, bytes, status } = row;
  if (status === 'running') return { kind: 'progressed', progress: { exportId: id, rows, bytes } };
  return status === 'abandoned'
    ? failed('export_abandoned', 'The export was given up when its run had ended.')
    : completed(row);
}

function completed({ key, id, kind, format, rows, bytes }: ExportRow): Outcome {
  const made = { id, kind, format, rows, bytes };
  return succeeded({ exportId: id, rows, bytes, format }, [
    { id: key, type: 'export.completed', data: { export: made } },
  ]);
}
