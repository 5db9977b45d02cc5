/**
 * What the cron does for exports: those that their runs have left unfinished are given up, and files
 * whose time has come are removed. Each step can be repeated, and one that fails is, next time.
 */
import { hasRunEnded } from '../db/runs.ts';
import type { Env } from '../env.ts';
import { log, logError } from '../log.ts';
import {
  abandonExport,
  expiredExports,
  removeFiles,
  unfinishedExports,
} from '../ports/export-files.ts';
import type { ExportRow } from '../ports/export-rows.ts';

const AT_ONCE = 50;
/** The last slice of a run that was cancelled may still be at work. */
const UNTOUCHED_MS = 5 * 60_000;
/** A run that the log does not know: it may be on its way there, or have been removed. */
const UNKNOWN_RUN_MS = 24 * 3_600_000;

export async function sweepExports(env: Pick<Env, 'DB' | 'EXPORTS'>, now: number): Promise<void> {
  const { DB: db, EXPORTS: bucket } = env;
  const at = new Date(now).toISOString();
  const untouched = new Date(now - UNTOUCHED_MS).toISOString();
  try {
    for (const row of await unfinishedExports(db, untouched, AT_ONCE))
      await tidy('export_abandoned', row, async () => {
        const left = await isLeft(db, row, now);
        if (left) await abandonExport(db, row, at);
        return left;
      });
    for (const row of await expiredExports(db, at, AT_ONCE))
      await tidy('export_removed', row, async () => {
        await removeFiles({ db, bucket }, row, at);
        return true;
      });
  } catch (error) {
    logError({ what: 'export_sweep_failed' }, error);
  }
}

/** One export that makes trouble keeps no other from its turn. */
async function tidy(
  what: string,
  { tenantId, runId, id: exportId }: ExportRow,
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
