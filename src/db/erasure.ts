/**
 * Taking a person out of the read model: the one thing that changes its rows after the tenant's outbox
 * has written them. Pages are read whole and looked through here, for SQL cannot tell an address from
 * a longer one. Whatever is written is an update that says the same when it is done twice.
 */
import { and, asc, eq, getTableColumns, gt, gte, lt, sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/d1';
import type { Entry } from '../contract/entries.ts';
import type { Json } from '../contract/json.ts';
import { isFinal, RUN_STATUSES } from '../contract/runs.ts';
import { ERASED } from '../engine/audit-parts.ts';
import { erasedApproval, erasedEntries, withoutMessage } from '../engine/erasure.ts';
import type { Marks, Mentions } from '../engine/mentions.ts';
import { approvals } from './approvals.ts';
import { auditRowsOf, removeParts, type SeqPaths } from './audit-erasure.ts';
import { events } from './events.ts';
import { runEntries, runs } from './runs.ts';

/** Whom to take out, as every statement here needs it. */
export interface Wanted {
  readonly tenantId: string;
  readonly marks: Marks;
  readonly mentions: Mentions;
}

const EVENTS_PAGE = 50;
const ENTRIES_PAGE = 50;
const NOT_FINAL = RUN_STATUSES.filter((status) => !isFinal(status));
/** In place of a number: the entries that stand in the run's own row. */
const IN_RUN = 0;

/** Events after an id that have not been erased, by id. */
export async function eventPage(db: D1Database, tenantId: string, after: string) {
  const columns = getTableColumns(events);
  const { tenantId: _, time: _t, receivedAt: _r, matches: _m, revision: _n, ...told } = columns;
  const rows = await drizzle(db)
    .select(told)
    .from(events)
    .where(and(eq(events.tenantId, tenantId), gt(events.id, after)))
    .orderBy(asc(events.id))
    .limit(EVENTS_PAGE);
  const next = rows.length < EVENTS_PAGE ? null : (rows.at(-1)?.id ?? null);
  return { rows: rows.filter((row) => row.data !== ERASED), next };
}

/** What events said. Their ids, times and types stay, and so does which workflows they started. */
export function eraseEvents(
  db: D1Database,
  tenantId: string,
  ids: readonly string[],
): D1PreparedStatement {
  return db
    .prepare(
      `UPDATE events SET data = ?3, subject = NULL, extensions = '{}', matches = (
         SELECT json_group_array(CASE WHEN m.value->>'reason' LIKE 'The condition failed:%'
           THEN json_set(m.value, '$.reason', ?4) ELSE json(m.value) END)
         FROM json_each(events.matches) AS m)
       WHERE tenant_id = ?1 AND id IN (SELECT value FROM json_each(?2))`,
    )
    .bind(tenantId, JSON.stringify(ids), JSON.stringify(ERASED), ERASED);
}

/** Transitions of runs, after the last one of a page (run and number), with what was said in them. */
export async function entriesPage(
  db: D1Database,
  tenantId: string,
  after: readonly [string, number],
) {
  const { results } = await db
    .prepare(
      `SELECT id AS runId, 1 AS firstSeq, entries FROM runs
       WHERE tenant_id = ?1 AND entries IS NOT NULL AND (id, 1) > (?2, ?3)
       UNION ALL SELECT run_id, first_seq, entries FROM run_entries
       WHERE tenant_id = ?1 AND (run_id, first_seq) > (?2, ?3)
       ORDER BY 1, 2 LIMIT ?4`,
    )
    .bind(tenantId, ...after, ENTRIES_PAGE)
    .all<{ runId: string; firstSeq: number; entries: string }>();
  const rows = results.map((row) => ({ ...row, entries: entriesOf(row.entries) }));
  const last = rows.at(-1);
  const isLast = rows.length < ENTRIES_PAGE || last === undefined;
  return { rows, next: isLast ? null : ([last.runId, last.firstSeq] as const) };
}

/** Whether the runs have ended, as far as the read model knows: each id that has not. */
export async function unfinishedOf(
  db: D1Database,
  tenantId: string,
  runIds: readonly string[],
): Promise<string[]> {
  if (runIds.length === 0) return [];
  const rows = await drizzle(db)
    .select({ id: runs.id })
    .from(runs)
    .where(
      and(
        eq(runs.tenantId, tenantId),
        sql`${runs.id} IN (SELECT value FROM json_each(${JSON.stringify(runIds)}))`,
        sql`${runs.finishedAt} IS NULL`,
      ),
    );
  return rows.map(({ id }) => id);
}

/**
 * A run that has ended, in every table, in one transaction. `whole`: it is about the person, so all
 * that was put into it and came out of it goes; else only what names them.
 * @returns how many parts of audit entries went, and the idempotency keys of all that it did
 */
export async function eraseRunRows(
  db: D1Database,
  { tenantId, marks, mentions }: Wanted,
  runId: string,
  whole: boolean,
): Promise<{ changed: boolean; auditParts: number; keys: string[] }> {
  const orm = drizzle(db);
  const ofApproval = `apr_${runId.slice('run_'.length)}-`;
  const [later, [run], asked, told] = await Promise.all([
    orm
      .select({ firstSeq: runEntries.firstSeq, entries: runEntries.entries })
      .from(runEntries)
      .where(and(eq(runEntries.tenantId, tenantId), eq(runEntries.runId, runId))),
    orm
      .select({ error: runs.error, entries: runs.entries })
      .from(runs)
      .where(and(eq(runs.tenantId, tenantId), eq(runs.id, runId))),
    orm
      .select({ id: approvals.id, item: approvals.item })
      .from(approvals)
      .where(
        and(
          eq(approvals.tenantId, tenantId),
          gte(approvals.id, ofApproval),
          lt(approvals.id, `${ofApproval}~`),
        ),
      ),
    auditRowsOf(db, tenantId, runId),
  ]);
  const first = { firstSeq: IN_RUN, entries: run?.entries ?? [] };
  const rows = [first, ...later];
  const statements = rows.flatMap(({ firstSeq, entries }) => {
    const erased = erasedEntries(entries, marks, mentions, whole);
    return erased === entries ? [] : [updateEntries(db, tenantId, runId, firstSeq, erased)];
  });
  const error = run?.error ?? null;
  if (error !== null && error.message !== ERASED && (whole || mentions(error)))
    statements.push(
      db
        .prepare('UPDATE runs SET error = ?3 WHERE tenant_id = ?1 AND id = ?2')
        .bind(tenantId, runId, JSON.stringify(withoutMessage(error))),
    );
  for (const { id, item } of asked) {
    const erased = JSON.stringify(erasedApproval(item, marks, whole || mentions(item)));
    if (erased !== JSON.stringify(item))
      statements.push(
        db
          .prepare('UPDATE approvals SET item = ?3 WHERE tenant_id = ?1 AND id = ?2')
          .bind(tenantId, id, erased),
      );
  }
  const gone: SeqPaths[] = whole
    ? told.map(({ seq, parts }) => ({
        seq,
        paths: Object.keys(parts).filter((path) => path.startsWith('data.')),
      }))
    : [];
  const parts = gone.filter(({ paths }) => paths.length > 0);
  if (parts.length > 0) statements.push(removeParts(db, tenantId, parts));
  if (statements.length > 0) await db.batch(statements);
  const auditParts = parts.reduce((sum, { paths }) => sum + paths.length, 0);
  const keys = rows
    .flatMap(({ entries }) => entries)
    .flatMap((entry) => (entry.type === 'attempt_started' ? [entry.idempotencyKey] : []));
  return { changed: statements.length > 0, auditParts, keys };
}

function updateEntries(
  db: D1Database,
  tenantId: string,
  runId: string,
  firstSeq: number,
  entries: readonly Entry[],
): D1PreparedStatement {
  const json = JSON.stringify(entries);
  return firstSeq === IN_RUN
    ? db
        .prepare('UPDATE runs SET entries = ?3 WHERE tenant_id = ?1 AND id = ?2')
        .bind(tenantId, runId, json)
    : db
        .prepare(
          `UPDATE run_entries SET entries = ?4
           WHERE tenant_id = ?1 AND run_id = ?2 AND first_seq = ?3`,
        )
        .bind(tenantId, runId, firstSeq, json);
}

function entriesOf(json: string): Entry[] {
  return JSON.parse(json);
}

/** Which of these runs began with an event that was erased. */
export async function erasedRunsOf(
  db: D1Database,
  tenantId: string,
  runIds: readonly string[],
): Promise<ReadonlySet<string>> {
  if (runIds.length === 0) return new Set();
  const rows = await drizzle(db)
    .select({ id: runs.id })
    .from(runs)
    .innerJoin(events, and(eq(events.tenantId, tenantId), eq(events.id, runs.eventId)))
    .where(
      and(
        eq(runs.tenantId, tenantId),
        sql`${runs.id} IN (SELECT value FROM json_each(${JSON.stringify(runIds)}))`,
        sql`${events.data} = ${JSON.stringify(ERASED)}`,
      ),
    );
  return new Set(rows.map(({ id }) => id));
}

/** A removed member's address, by which nobody signs in any more. */
export async function eraseMemberRow(
  db: D1Database,
  tenantId: string,
  memberId: string,
): Promise<void> {
  await db
    .prepare('UPDATE members SET email = ?3 WHERE tenant_id = ?1 AND id = ?2 AND is_live = 0')
    .bind(tenantId, memberId, ERASED)
    .run();
}

/** What of an event only says which one it is. */
export function identifiersOf(row: {
  readonly type: string;
  readonly eventId: string;
  readonly source: string;
  readonly correlationId: string;
  readonly requestId: string;
}): Json {
  return [row.type, row.eventId, row.source, row.correlationId, row.requestId];
}

/**
 * Which of these orders an event names whose run has not ended, each with one such run. Any value that
 * is an order's id counts for its name: rather one too many stays for a while.
 */
export async function ordersWaitedFor(
  db: D1Database,
  tenantId: string,
  orderIds: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  if (orderIds.length === 0) return new Map();
  const { results } = await db
    .prepare(
      `SELECT CAST(t.atom AS TEXT) AS orderId, min(r.id) AS runId
       FROM runs AS r JOIN events AS e ON e.tenant_id = ?1 AND e.id = r.event_id,
         json_tree(e.data) AS t
       WHERE r.tenant_id = ?1 AND r.status IN (SELECT value FROM json_each(?2))
         AND CAST(t.atom AS TEXT) IN (SELECT value FROM json_each(?3))
       GROUP BY 1`,
    )
    .bind(tenantId, JSON.stringify(NOT_FINAL), JSON.stringify(orderIds))
    .all<{ orderId: string; runId: string }>();
  return new Map(results.map(({ orderId, runId }) => [orderId, runId]));
}
