/** Runs that are looked up in the run log, by their id or because they are overdue. */
import { and, asc, eq, isNotNull, lt, sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/d1';
import type { Entry } from '../contract/entries.ts';
import { isFinal, type RunItem } from '../contract/runs.ts';
import { RUN_ITEM, type RunOrigin, runEntries, runs } from './runs.ts';

export interface FoundRun {
  readonly item: RunItem;
  /** The whole history, oldest first. */
  readonly entries: Entry[];
  readonly origin: RunOrigin | null;
  readonly retryOf: string | null;
  readonly retriedBy: string | null;
}

/** Null when the tenant has no such run. */
export async function findRun(
  db: D1Database,
  tenantId: string,
  id: string,
): Promise<FoundRun | null> {
  const orm = drizzle(db);
  const [[row], parts, [again]] = await orm.batch([
    orm
      .select({ item: RUN_ITEM, entries: runs.entries, origin: runs.origin, retryOf: runs.retryOf })
      .from(runs)
      .where(and(eq(runs.tenantId, tenantId), eq(runs.id, id))),
    orm
      .select({ entries: runEntries.entries })
      .from(runEntries)
      .where(and(eq(runEntries.tenantId, tenantId), eq(runEntries.runId, id)))
      .orderBy(asc(runEntries.firstSeq)),
    orm
      .select({ id: runs.id })
      .from(runs)
      .where(and(eq(runs.tenantId, tenantId), eq(runs.retryOf, id))),
  ]);
  return row === undefined
    ? null
    : {
        item: row.item,
        origin: row.origin,
        retryOf: row.retryOf,
        retriedBy: again?.id ?? null,
        entries: [...(row.entries ?? []), ...parts.flatMap((part) => part.entries)],
      };
}

/** Whether a run has ended; null when the log has no such run (any more). */
export async function hasRunEnded(
  db: D1Database,
  tenantId: string,
  id: string,
): Promise<boolean | null> {
  const row = await drizzle(db)
    .select({ status: runs.status })
    .from(runs)
    .where(and(eq(runs.tenantId, tenantId), eq(runs.id, id)))
    .get();
  return row === undefined ? null : isFinal(row.status);
}

/** Which version of which workflow a run is of. */
export type RunWorkflow = Pick<RunItem, 'workflowId' | 'workflowName' | 'workflowVersion'>;

/** By run id; a run that the log does not have is left out. */
export async function workflowsOfRuns(
  db: D1Database,
  tenantId: string,
  ids: readonly string[],
): Promise<ReadonlyMap<string, RunWorkflow>> {
  if (ids.length === 0) return new Map();
  const { id, workflowId, workflowName, workflowVersion } = runs;
  const rows = await drizzle(db)
    .select({ id, workflowId, workflowName, workflowVersion })
    .from(runs)
    .where(
      and(
        eq(runs.tenantId, tenantId),
        sql`${id} IN (SELECT value FROM json_each(${JSON.stringify(ids)}))`,
      ),
    );
  return new Map(rows.map(({ id: runId, ...workflow }) => [runId, workflow]));
}

/** Runs of any tenant whose time to wake is long past: their alarm was lost. */
export async function overdueRuns(
  db: D1Database,
  before: string,
  limit: number,
): Promise<{ tenantId: string; runId: string }[]> {
  return await drizzle(db)
    .select({ tenantId: runs.tenantId, runId: runs.id })
    .from(runs)
    .where(and(isNotNull(runs.wakeAt), lt(runs.wakeAt, before)))
    .orderBy(asc(runs.wakeAt))
    .limit(limit);
}
