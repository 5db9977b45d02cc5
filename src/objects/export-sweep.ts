/**
 * What the cron does for exports: those that their runs have left unfinished are given up, files whose
 * time has come are removed, and so is what lies around finished ones. Each step can be repeated, and
 * one that fails is, next time.
 */
import { hasRunEnded } from '../db/find-runs.ts';
import type { Env } from '../env.ts';
import { log, logError } from '../log.ts';
import {
  abandonExport,
  expiredExports,
  removeFiles,
  tidyExport,
  unfinishedExports,
  untidyExports,
} from '../ports/export-removal.ts';
import type { ExportRow } from '../ports/export-rows.ts';

const AT_ONCE = 50;
/** A slice may still be at work: the last of a run that was cancelled, or one that came second. */
const UNTOUCHED_MS = 5 * 60_000;
/** A run that the log does not know: it may be on its way there, or have been removed. */
const UNKNOWN_RUN_MS = 24 * 3_600_000;

export async function sweepExports(env: Pick<Env, 'DB' | 'EXPORTS'>, now: number): Promise<void> {
  const stores = { db: env.DB, bucket: env.EXPORTS };
  const at = new Date(now).toISOString();
  const untouched = new Date(now - UNTOUCHED_MS).toISOString();
  try {
    for (const row of await unfinishedExports(env.DB, untouched, AT_ONCE))
      await tryOn(row, 'export_abandoned', async () => {
        const left = await isLeft(env.DB, row, now);
        if (left) await abandonExport(env.DB, row, at);
        return left;
      });
    for (const row of await expiredExports(env.DB, at, AT_ONCE))
      await tryOn(row, 'export_removed', () => removeFiles(stores, row, at));
    for (const row of await untidyExports(env.DB, untouched, AT_ONCE))
      await tryOn(row, 'export_tidied', () => tidyExport(stores, row, at));
  } catch (error) {
    logError({ what: 'export_sweep_failed' }, error);
  }
}

/** One export that makes trouble keeps no other from its turn. */
async function tryOn(
  { tenantId, runId, id: exportId }: ExportRow,
  what: string,
  work: () => Promise<boolean>,
): Promise<void> {
  try {
    if (await work()) log({ what, tenantId, runId, exportId });
  } catch (error) {
    logError({ what: 'export_sweep_failed', tenantId, runId, exportId }, error);
  }
}

async function isLeft(db: D1Database, row: ExportRow, now: number): Promise<boolean> {
  const ended = await hasRunEnded(db, row.tenantId, row.runId);
  return ended ?? Date.parse(row.touchedAt) < now - UNKNOWN_RUN_MS;
}
