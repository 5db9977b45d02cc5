/**
 * What the overview shows, counted when it is asked for: nothing is kept for it, for that would cost a
 * row for every run. Each question goes along one index and reads so many rows at the most, whatever
 * the tenant has; test/workers/routes/stats.test.ts looks at the plans.
 */
import * as z from 'zod';
import { idAtTime } from '../contract/json.ts';
import { later } from '../contract/later.ts';
import { isFinal, RUN_STATUSES, type RunStatus, runStatus } from '../contract/runs.ts';
import type { DestinationStats, HourStats, Stats, WorkflowStats } from '../contract/stats.ts';

const HOUR_MS = 3_600_000;
/** Rows that are counted in the whole period, of each type of events and each status of runs. */
const COUNTED_MAX = 24_000;
const TYPES_MAX = 40;
const PENDING_MAX = 1_000;
const WORKFLOWS_MAX = 100;
const RUNS_OF_WORKFLOW = 100;
const RECENT = 30;
const ATTEMPTS_MAX = 10_000;
const DESTINATIONS_SHOWN = 10;

/** @param now milliseconds; the period ends then, and begins at a full hour */
export async function readStats(
  db: D1Database,
  tenantId: string,
  hours: number,
  now: number,
): Promise<Stats> {
  const begin = now - (now % HOUR_MS) - (hours - 1) * HOUR_MS;
  const from = new Date(begin).toISOString();
  const [byHour, approvals, workflows, destinations] = await Promise.all([
    readHours(db, tenantId, begin, hours, now),
    readApprovals(db, tenantId),
    readWorkflows(db, tenantId, from),
    readDestinations(db, tenantId, from),
  ]);
  return {
    from,
    to: new Date(now).toISOString(),
    hours: byHour,
    approvals,
    workflows,
    destinations,
  };
}

const counted = later(() =>
  z.array(z.object({ hour: z.int(), what: z.string(), n: z.int(), last: z.string().nullable() })),
);
type Counted = z.infer<typeof counted>[number];

async function readHours(
  db: D1Database,
  tenantId: string,
  begin: number,
  hours: number,
  now: number,
): Promise<HourStats[]> {
  const most = Math.floor(COUNTED_MAX / hours);
  const bounds = (prefix: 'evt' | 'run') =>
    JSON.stringify(
      Array.from({ length: hours }, (_, hour) => {
        const id = (at: number) => idAtTime(prefix, new Date(at).toISOString());
        return { hour, from: id(begin + hour * HOUR_MS), to: id(begin + (hour + 1) * HOUR_MS) };
      }),
    );
  const [events, runs] = await db.batch([
    eventsByHour(db).bind(tenantId, bounds('evt'), most),
    runsByHour(db).bind(tenantId, bounds('run'), most, JSON.stringify(RUN_STATUSES)),
  ]);
  const [ofEvents, ofRuns] = [counted.parse(events?.results), counted.parse(runs?.results)];
  return Array.from({ length: hours }, (_, hour) => {
    const start = begin + hour * HOUR_MS;
    const end = Math.min(start + HOUR_MS, now);
    const inHour = (one: Counted) => one.hour === hour;
    const all = (of: readonly Counted[]) => sum(of.map((one) => wholeOf(one, most, start, end)));
    const [taken, begun] = [ofEvents.filter(inHour), ofRuns.filter(inHour)];
    const of = (...statuses: RunStatus[]) =>
      all(begun.filter(({ what }) => statuses.some((status) => status === what)));
    return {
      from: new Date(start).toISOString(),
      events: all(taken),
      runs: {
        succeeded: of('succeeded'),
        failed: of('failed'),
        denied: of('denied'),
        expired: of('expired'),
        cancelled: of('cancelled'),
        open: of(...RUN_STATUSES.filter((status) => !isFinal(status))),
      },
      estimated: [...taken, ...begun].some(({ n }) => n >= most),
    };
  });
}

/** Where counting stopped at the most, the rest of the hour is assumed to be like what was counted. */
function wholeOf({ n, last }: Counted, most: number, start: number, end: number): number {
  if (n < most || last === null) return n;
  const passed = Number.parseInt(last.slice('evt_'.length, 'evt_'.length + 12), 16) - start;
  return Math.round((n * (end - start)) / Math.max(passed, 1));
}

/**
 * The types are found one after the other, each by one step in the index. What is counted is kept, or
 * it would be counted once more for each use of it.
 */
function eventsByHour(db: D1Database): D1PreparedStatement {
  return db.prepare(
    `WITH RECURSIVE types(type) AS (
       SELECT (SELECT type FROM events INDEXED BY events_by_type WHERE tenant_id = ?1
         ORDER BY type LIMIT 1)
       UNION ALL
       SELECT (SELECT e.type FROM events AS e INDEXED BY events_by_type
         WHERE e.tenant_id = ?1 AND e.type > types.type ORDER BY e.type LIMIT 1)
       FROM types WHERE types.type IS NOT NULL LIMIT ${TYPES_MAX}),
     counted AS MATERIALIZED (
       SELECT h.value->>'hour' AS hour, types.type AS what,
         (SELECT json_array(count(*), max(id)) FROM (
           SELECT e.id FROM events AS e INDEXED BY events_by_type
           WHERE e.tenant_id = ?1 AND e.type = types.type
             AND e.id >= h.value->>'from' AND e.id < h.value->>'to'
           ORDER BY e.id LIMIT ?3)) AS seen
       FROM types CROSS JOIN json_each(?2) AS h WHERE types.type IS NOT NULL)
     SELECT hour, what, seen->>0 AS n, seen->>1 AS last FROM counted WHERE seen->>0 > 0`,
  );
}

function runsByHour(db: D1Database): D1PreparedStatement {
  return db.prepare(
    `WITH counted AS MATERIALIZED (
       SELECT h.value->>'hour' AS hour, s.value AS what,
         (SELECT json_array(count(*), max(id)) FROM (
           SELECT r.id FROM runs AS r INDEXED BY runs_by_status
           WHERE r.tenant_id = ?1 AND r.status = s.value
             AND r.id >= h.value->>'from' AND r.id < h.value->>'to'
           ORDER BY r.id LIMIT ?3)) AS seen
       FROM json_each(?4) AS s CROSS JOIN json_each(?2) AS h)
     SELECT hour, what, seen->>0 AS n, seen->>1 AS last FROM counted WHERE seen->>0 > 0`,
  );
}

const waiting = later(() =>
  z.object({
    n: z.int(),
    oldest: z.string().nullable(),
    next: z.string().nullable(),
  }),
);

async function readApprovals(db: D1Database, tenantId: string): Promise<Stats['approvals']> {
  const found = await db
    .prepare(
      `SELECT count(*) AS n, min(item->>'$.requestedAt') AS oldest, min(expires_at) AS next
       FROM (SELECT item, expires_at FROM approvals INDEXED BY approvals_pending
         WHERE tenant_id = ?1 AND status = 'pending' ORDER BY expires_at LIMIT ?2)`,
    )
    .bind(tenantId, PENDING_MAX)
    .first();
  const { n, oldest, next } = waiting.parse(found);
  return { pending: n, isMore: n >= PENDING_MAX, oldestRequestedAt: oldest, nextExpiresAt: next };
}

const oneWorkflow = later(() =>
  z.object({
    workflowId: z.string(),
    workflowName: z.string(),
    lastRunId: z.string(),
    lastRunAt: z.string(),
    lastRunStatus: runStatus,
    statuses: z.string().transform((text) => z.array(runStatus).parse(JSON.parse(text))),
  }),
);

/** The workflows are found as the types of events are; of each, its newest runs. */
async function readWorkflows(
  db: D1Database,
  tenantId: string,
  from: string,
): Promise<WorkflowStats[]> {
  const { results } = await db
    .prepare(
      `WITH RECURSIVE ids(id) AS (
         SELECT (SELECT workflow_id FROM runs INDEXED BY runs_by_workflow WHERE tenant_id = ?1
           ORDER BY workflow_id DESC LIMIT 1)
         UNION ALL
         SELECT (SELECT r.workflow_id FROM runs AS r INDEXED BY runs_by_workflow
           WHERE r.tenant_id = ?1 AND r.workflow_id < ids.id ORDER BY r.workflow_id DESC LIMIT 1)
         FROM ids WHERE ids.id IS NOT NULL LIMIT ?4),
       lasts AS (SELECT ids.id AS workflow_id,
         (SELECT r.id FROM runs AS r INDEXED BY runs_by_workflow
           WHERE r.tenant_id = ?1 AND r.workflow_id = ids.id AND r.id >= ?2
           ORDER BY r.id DESC LIMIT 1) AS run_id
         FROM ids WHERE ids.id IS NOT NULL)
       SELECT last.workflow_id AS workflowId, last.workflow_name AS workflowName,
         last.id AS lastRunId, last.created_at AS lastRunAt, last.status AS lastRunStatus,
         (SELECT json_group_array(status) FROM (
           SELECT r.status FROM runs AS r INDEXED BY runs_by_workflow
           WHERE r.tenant_id = ?1 AND r.workflow_id = lasts.workflow_id AND r.id >= ?2
           ORDER BY r.id DESC LIMIT ?3)) AS statuses
       FROM lasts CROSS JOIN runs AS last
       WHERE last.tenant_id = ?1 AND last.id = lasts.run_id`,
    )
    .bind(tenantId, idAtTime('run', from), RUNS_OF_WORKFLOW, WORKFLOWS_MAX)
    .all();
  return z.array(oneWorkflow).parse(results).map(workflowStats);
}

function workflowStats({ statuses, ...known }: z.infer<typeof oneWorkflow>): WorkflowStats {
  const ended = statuses.filter(isFinal);
  const succeeded = ended.filter((status) => status === 'succeeded').length;
  return {
    ...known,
    runs: statuses.length,
    successRate: ended.length === 0 ? null : rounded(succeeded / ended.length),
    recent: statuses.slice(0, RECENT).toReversed(),
  };
}

const oneDestination = later(() =>
  z.object({
    destination: z.string(),
    attempts: z.int(),
    failed: z.int(),
    averageMs: z.int(),
    slowestMs: z.int(),
  }),
);

async function readDestinations(
  db: D1Database,
  tenantId: string,
  from: string,
): Promise<Stats['destinations']> {
  const { results } = await db
    .prepare(
      `SELECT destination, count(*) AS attempts, count(code) AS failed,
         CAST(round(avg(duration_ms)) AS INTEGER) AS averageMs, max(duration_ms) AS slowestMs
       FROM (SELECT destination, code, duration_ms FROM deliveries
         WHERE tenant_id = ?1 AND id >= ?2 ORDER BY id DESC LIMIT ?3)
       GROUP BY destination`,
    )
    .bind(tenantId, idAtTime('dlv', from), ATTEMPTS_MAX)
    .all();
  const all: DestinationStats[] = z
    .array(oneDestination)
    .parse(results)
    .map((one) => ({ ...one, errorRate: rounded(one.failed / one.attempts) }));
  const attempts = sum(all.map((one) => one.attempts));
  const first = (of: readonly DestinationStats[], by: 'averageMs' | 'errorRate') =>
    of.toSorted((a, b) => b[by] - a[by]).slice(0, DESTINATIONS_SHOWN);
  return {
    attempts,
    isMore: attempts >= ATTEMPTS_MAX,
    slowest: first(all, 'averageMs'),
    failing: first(
      all.filter(({ failed }) => failed > 0),
      'errorRate',
    ),
  };
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, one) => total + one, 0);
}

/** Of a rate nobody needs more than four digits. */
function rounded(rate: number): number {
  return Math.round(rate * 10_000) / 10_000;
}
