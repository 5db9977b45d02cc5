/**
 * The read model of triggers: which workflows were enabled for a type of events, on which condition, from
 * which audit entry to which. Nearly all workflows of a type do not start for an event, because their
 * conditions are false; an event does not say so of each, it is told from here when the event is read.
 */
import { index, integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core';
import type { EventMatch, EventRecord } from '../contract/events.ts';
import { reasonOfFalse } from '../engine/match.ts';
import { givenAs } from '../given.ts';

export const triggers = sqliteTable(
  'triggers',
  {
    tenantId: text('tenant_id').notNull(),
    workflowId: text('workflow_id').notNull(),
    /** The number of the audit entry that tells of the change. */
    since: integer('since').notNull(),
    version: integer('version').notNull(),
    /** Null: it is disabled. */
    eventType: text('event_type'),
    /** Null: every event of the type starts it. */
    condition: text('condition'),
    /** The number of the entry of the next change, by which a trigger of the table ends this row. */
    until: integer('until').notNull().default(Number.MAX_SAFE_INTEGER),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.workflowId, table.since] }),
    index('triggers_of_type').on(table.tenantId, table.eventType, table.until),
  ],
);

/** What decides whether a workflow starts, from an audit entry on. */
export type TriggerChange = Pick<
  typeof triggers.$inferSelect,
  'workflowId' | 'since' | 'version' | 'eventType' | 'condition'
>;

/** An event as it is stored. */
export interface StoredEvent extends EventRecord {
  /**
   * The number of an audit entry: of the workflows as they were after it, `matches` leaves out those whose
   * conditions are false. Null: it has all of them.
   */
  readonly revision: number | null;
}

/** One statement for any number, in the order in which they happened. A repeat is ignored. */
export function insertTriggers(
  db: D1Database,
  tenantId: string,
  changes: readonly TriggerChange[],
): D1PreparedStatement {
  return db
    .prepare(
      `INSERT INTO triggers (tenant_id, workflow_id, since, version, event_type, condition)
       SELECT ?1, t->>'workflowId', t->>'since', t->>'version', t->>'eventType', t->>'condition'
       FROM ${givenAs('t')} WHERE true
       ON CONFLICT (tenant_id, workflow_id, since) DO NOTHING`,
    )
    .bind(tenantId, JSON.stringify(changes));
}

interface Trigger extends TriggerChange {
  readonly condition: string;
  readonly until: number;
}

/** Events with why each workflow that was enabled for their type did or did not start. */
export async function withAllMatches(
  db: D1Database,
  tenantId: string,
  events: readonly StoredEvent[],
): Promise<EventRecord[]> {
  const byType = Map.groupBy(await triggersOf(db, tenantId, events), ({ eventType }) => eventType);
  return events.map((event) => whole(event, byType.get(event.type) ?? []));
}

/** One query for all of them: what stood at the first of their revisions, at the last, or in between. */
async function triggersOf(
  db: D1Database,
  tenantId: string,
  events: readonly StoredEvent[],
): Promise<Trigger[]> {
  const revisions = events.flatMap(({ revision }) => revision ?? []);
  if (revisions.length === 0) return [];
  const types = [...new Set(events.map(({ type }) => type))];
  const { results } = await db
    .prepare(
      `SELECT t.workflow_id AS workflowId, t.version, t.event_type AS eventType, t.condition,
         t.since, t.until
       FROM json_each(?2) AS type CROSS JOIN triggers AS t INDEXED BY triggers_of_type
       WHERE t.tenant_id = ?1 AND t.event_type = type.value AND t.until > ?3 AND t.since <= ?4
         AND t.condition IS NOT NULL`,
    )
    .bind(tenantId, JSON.stringify(types), Math.min(...revisions), Math.max(...revisions))
    .all<Trigger>();
  return results;
}

function whole({ revision, ...event }: StoredEvent, found: readonly Trigger[]): EventRecord {
  if (revision === null) return event;
  const said = new Set(event.matches.map(({ workflowId }) => workflowId));
  const isLeftOut = ({ workflowId, since, until }: Trigger) =>
    since <= revision && revision < until && !said.has(workflowId);
  const matches = [...event.matches, ...found.filter(isLeftOut).map(falseMatch)];
  return { ...event, matches: matches.toSorted(byWorkflow) };
}

function falseMatch({ workflowId, version, condition }: Trigger): EventMatch {
  return { workflowId, version, matched: false, reason: reasonOfFalse(condition) };
}

/** The oldest workflow first, as they are asked. */
function byWorkflow(one: EventMatch, other: EventMatch): number {
  return one.workflowId < other.workflowId ? -1 : 1;
}
