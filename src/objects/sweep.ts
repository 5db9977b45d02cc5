/**
 * The net under the alarms, from the cron: an alarm that was lost leaves its object asleep for ever.
 * Runs that are overdue in the log are woken; tenants are woken in turn, each once in an hour.
 */
import { overdueRuns } from '../db/runs.ts';
import { tenantSlice } from '../db/tenants.ts';
import type { Env } from '../env.ts';
import { log, logError } from '../log.ts';
import { sweepExports } from './export-sweep.ts';
import { runObject, tenantObject } from './index.ts';

const OVERDUE_MS = 5 * 60_000;
const RUNS_MAX = 200;
const MINUTE_MS = 60_000;
/** The cron comes every two minutes: thirty slices make an hour. */
const EVERY_MINUTES = 2;
const SLICES = 30;

export async function sweep(env: Env, now: number): Promise<void> {
  const runs = await overdueRuns(env.DB, new Date(now - OVERDUE_MS).toISOString(), RUNS_MAX);
  const slice = Math.floor(now / MINUTE_MS / EVERY_MINUTES) % SLICES;
  const tenantIds = await tenantSlice(env.DB, slice, SLICES);
  await Promise.all([
    ...runs.map(({ tenantId, runId }) =>
      poke({ tenantId, runId }, () => runObject(env, tenantId, runId).poke()),
    ),
    ...tenantIds.map((tenantId) => poke({ tenantId }, () => tenantObject(env, tenantId).poke())),
    sweepExports(env, now),
  ]);
  if (runs.length > 0) log({ what: 'overdue_runs_woken', count: runs.length });
}

async function poke(
  whom: { tenantId: string; runId?: string },
  wake: () => Promise<void>,
): Promise<void> {
  try {
    await wake();
  } catch (error) {
    logError({ what: 'poke_failed', ...whom }, error);
  }
}
