/**
 * Taking what is old out of the read model: which rows it is, a slice at a time along the primary keys,
 * and the statements that take them away. Whatever is open stays: the statements leave it alone, and
 * triggers refuse anybody else who would not.
 */
import { idAtTime } from '../contract/json.ts';
import { isFinal, RUN_STATUSES } from '../contract/runs.ts';

/** Ids of what goes. */
export interface OldRows {
  readonly runs?: readonly string[];
  readonly deliveries?: readonly string[];
  readonly events?: readonly string[];
}
export type OldKind = keyof OldRows;

const SLICE = 500;
const PREFIXES = { runs: 'run', deliveries: 'dlv', events: 'evt' } as const;
const IS_OVER = `status IN (${RUN_STATUSES.filter(isFinal)
  .map((status) => `'${status}'`)
  .join(', ')})`;
/** That a run of the event in this row is there. */
const HAS_RUNS = `EXISTS (SELECT 1 FROM json_each(events.runs) AS started CROSS JOIN runs
  WHERE runs.tenant_id = ?1 AND runs.id = started.value)`;

/** Whether a row goes, of those that are old. A run that waited for long is kept as long after its end. */
const GOES: Readonly<Record<OldKind, string>> = {
  runs: `${IS_OVER} AND finished_at < ?4`,
  deliveries: `NOT EXISTS (SELECT 1 FROM runs WHERE tenant_id = ?1 AND id = deliveries.run_id)`,
  events: `NOT ${HAS_RUNS}`,
};

/**
 * A slice of the rows after an id that are older than a time (RFC 3339 UTC): what of them goes, and the
 * id to go on after, null at the end.
 */
export async function oldSlice(
  db: D1Database,
  tenantId: string,
  kind: OldKind,
  after: string,
  before: string,
): Promise<{ ids: string[]; next: string | null }> {
  const { results } = await db
    .prepare(
      `SELECT id, ${GOES[kind]} AS goes FROM ${kind}
       WHERE tenant_id = ?1 AND id > ?2 AND id < ?3 ORDER BY id LIMIT ${SLICE}`,
    )
    .bind(tenantId, after, idAtTime(PREFIXES[kind], before), ...(kind === 'runs' ? [before] : []))
    .all<{ id: string; goes: number }>();
  const ids = results.flatMap(({ id, goes }) => (goes === 1 ? [id] : []));
  return { ids, next: results.length < SLICE ? null : (results.at(-1)?.id ?? null) };
}

/** A run goes with all that is of it, in one transaction. Doing it twice changes nothing. */
export function removeOld(
  db: D1Database,
  tenantId: string,
  { runs = [], deliveries = [], events = [] }: OldRows,
): D1PreparedStatement[] {
  const statement = (sql: string, ids: readonly string[]) =>
    ids.length === 0 ? [] : [db.prepare(sql).bind(tenantId, JSON.stringify(ids))];
  return [
    ...statement(
      `DELETE FROM runs WHERE tenant_id = ?1 AND id IN (SELECT value FROM json_each(?2))
         AND ${IS_OVER}`,
      runs,
    ),
    ...statement(
      `DELETE FROM run_entries WHERE tenant_id = ?1
         AND run_id IN (SELECT value FROM json_each(?2)) AND NOT EXISTS (
           SELECT 1 FROM runs WHERE tenant_id = ?1 AND id = run_entries.run_id)`,
      runs,
    ),
    // An approval's id is made of its run's, a hyphen and a number.
    ...statement(
      `DELETE FROM approvals WHERE tenant_id = ?1 AND status <> 'pending' AND id IN (
         SELECT a.id FROM json_each(?2) AS run CROSS JOIN approvals AS a
         WHERE a.tenant_id = ?1 AND a.id > 'apr_' || substr(run.value, 5) || '-'
           AND a.id < 'apr_' || substr(run.value, 5) || '.')`,
      runs,
    ),
    ...statement(
      `DELETE FROM deliveries WHERE tenant_id = ?1
         AND id IN (SELECT value FROM json_each(?2))`,
      deliveries,
    ),
    ...statement(
      `DELETE FROM events WHERE tenant_id = ?1
         AND id IN (SELECT value FROM json_each(?2)) AND NOT ${HAS_RUNS}`,
      events,
    ),
  ];
}
