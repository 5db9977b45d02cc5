/**
 * The net under the alarms, from the cron: an alarm that was lost leaves its object asleep for ever.
 * Runs that are overdue in the log are woken; tenants are woken in turn, each once in an hour, and once
 * a day what they have kept for as long as they said is removed.
 */
import { databasesOf } from '../db/databases.ts';
import { overdueRuns } from '../db/find-runs.ts';
import { tenantSlice } from '../db/tenants.ts';
import type { Env } from '../env.ts';
import { log, logError } from '../log.ts';
import { sweepExports } from './export-sweep.ts';
import { runObject, tenantObject } from './index.ts';
import type { TenantObject } from './tenant.ts';

const OVERDUE_MS = 5 * 60_000;
const RUNS_MAX = 200;
const MINUTE_MS = 60_000;
/** The cron comes every two minutes: thirty slices make an hour. */
const EVERY_MINUTES = 2;
const SLICES = 30;
/** Of each tenant that keeps things for so many days: twice as long would meet the next sweep. */
const REMOVING_MS = 60_000;

export async function sweep(env: Env, now: number): Promise<void> {
  const databases = databasesOf(env);
  const before = new Date(now - OVERDUE_MS).toISOString();
  const found = await Promise.all(databases.map((db) => overdueRuns(db, before, RUNS_MAX)));
  const runs = found.flat();
  const slice = Math.floor(now / MINUTE_MS / EVERY_MINUTES) % SLICES;
  const tenantIds = await tenantSlice(env.DB, slice, SLICES);
  await Promise.all([
    ...runs.map(({ tenantId, runId }) =>
      poke({ tenantId, runId }, () => runObject(env, tenantId, runId).poke()),
    ),
    ...tenantIds.map((tenantId) =>
      poke({ tenantId }, async () => {
        const tenant = tenantObject(env, tenantId);
        if (await tenant.poke()) await removeOld(tenant);
      }),
    ),
    ...databases.map((DB) => sweepExports({ ...env, DB }, now)),
  ]);
  if (runs.length > 0) log({ what: 'overdue_runs_woken', count: runs.length });
}

/** Slice after slice, for so long; the next sweep goes on where this one ended. */
async function removeOld(tenant: Pick<TenantObject, 'removeOld'>): Promise<void> {
  const until = Date.now() + REMOVING_MS;
  let isMore = true;
  while (isMore && Date.now() < until) isMore = await tenant.removeOld();
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
