/** The audit trail as it is served. The chain is written by the tenant's object; rows only arrive. */
import { and, asc, desc, eq, gt, gte, lt, lte, max, min, type SQL, sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/d1';
import { index, integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core';
import type { AuditEntry } from '../contract/audit.ts';
import type { Actor, JsonObject } from '../contract/json.ts';
import { type Page, type Paged, paged } from '../contract/pages.ts';
import { formOf } from '../engine/audit-parts.ts';
import { auditPrivate, ofEntry, type PrivateParts, shown } from './audit-private.ts';
import { newestAlong } from './indexed.ts';

export const audit = sqliteTable(
  'audit',
  {
    tenantId: text('tenant_id').notNull(),
    seq: integer('seq').notNull(),
    id: text('id').notNull(),
    at: text('at').notNull(),
    actorType: text('actor_type').$type<Actor['type']>().notNull(),
    actorId: text('actor_id').notNull(),
    /** In clear, or as the JSON of what stands for it in the hashed form. */
    actorName: text('actor_name').notNull(),
    action: text('action').notNull(),
    targetType: text('target_type').notNull(),
    targetId: text('target_id').notNull(),
    requestId: text('request_id').notNull(),
    data: text('data', { mode: 'json' }).$type<JsonObject>().notNull(),
    prevHash: text('prev_hash').notNull(),
    hash: text('hash').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.seq] }),
    index('audit_by_action').on(table.tenantId, table.action, table.seq),
    index('audit_by_actor').on(table.tenantId, table.actorId, table.seq),
    index('audit_by_target').on(table.tenantId, table.targetId, table.seq),
    index('audit_by_time').on(table.tenantId, table.at, table.seq),
  ],
);

/**
 * One statement for any number of entries, in their hashed form: their private parts are rows of
 * another table. A trigger refuses an entry that differs from its row.
 */
export function insertAudit(
  db: D1Database,
  tenantId: string,
  entries: readonly AuditEntry[],
): D1PreparedStatement {
  return db
    .prepare(
      `INSERT INTO audit (tenant_id, seq, id, at, actor_type, actor_id, actor_name, action,
         target_type, target_id, request_id, data, prev_hash, hash)
       SELECT ?1, a->>'seq', a->>'id', a->>'at', a->>'$.actor.type', a->>'$.actor.id',
         a->>'$.actor.name', a->>'action', a->>'$.target.type', a->>'$.target.id',
         a->>'requestId', a->'data', a->>'prevHash', a->>'hash'
       FROM (SELECT value AS a FROM json_each(?2)) WHERE true
       ON CONFLICT (tenant_id, seq) DO NOTHING`,
    )
    .bind(tenantId, JSON.stringify(entries.map(formOf)));
}

export interface AuditFilter {
  readonly action?: string | undefined;
  /** An actor's id */
  readonly actor?: string | undefined;
  /** A target's id */
  readonly target?: string | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

/**
 * Newest first. `from` is included, `to` is not. Of a period alone the entries come by their times, which
 * is the order of an index: an entry of a run may be a little older than the one before it.
 */
export async function listAudit(
  db: D1Database,
  tenantId: string,
  filter: AuditFilter,
  page: Page,
): Promise<Paged<AuditEntry>> {
  const { action, actor, target, from, to } = filter;
  const isPeriod = from !== undefined || to !== undefined;
  // What one thing or one actor has in the trail is little: times are looked at one by one then.
  const isByTime = isPeriod && (action ?? actor ?? target) === undefined;
  const at = isByTime ? sql`${audit.at}` : sql`+${audit.at}`;
  const wanted: (SQL | undefined)[] = [
    eq(audit.tenantId, tenantId),
    action === undefined ? undefined : eq(audit.action, action),
    actor === undefined ? undefined : eq(audit.actorId, actor),
    target === undefined ? undefined : eq(audit.targetId, target),
    from === undefined ? undefined : gte(at, from),
    ...endOf(at, to, page.after, isByTime),
  ];
  const index = indexFor(filter);
  const isOnPage =
    index === null
      ? and(...wanted)
      : and(
          eq(audit.tenantId, tenantId),
          newestAlong(index, audit, audit.seq, and(...wanted), page.limit + 1),
        );
  const rows = await drizzle(db)
    .select(SHOWN)
    .from(audit)
    .leftJoin(auditPrivate, ofEntry(audit))
    .where(isOnPage)
    .orderBy(...(isByTime ? [desc(audit.at)] : []), desc(audit.seq))
    .limit(page.limit + 1);
  return paged(rows, page.limit, ({ row }) => `${row.at} ${row.seq}`, entryOf);
}

/** Of two filters the one that leaves the fewest entries to look through. */
function indexFor({ target, actor, action }: AuditFilter): string | null {
  if (target !== undefined) return 'audit_by_target';
  if (actor !== undefined) return 'audit_by_actor';
  return action === undefined ? null : 'audit_by_action';
}

/** One entry; null when there is none of that number. */
export async function findAudit(
  db: D1Database,
  tenantId: string,
  seq: number,
): Promise<AuditEntry | null> {
  const row = await drizzle(db)
    .select(SHOWN)
    .from(audit)
    .leftJoin(auditPrivate, ofEntry(audit))
    .where(and(eq(audit.tenantId, tenantId), eq(audit.seq, seq)))
    .get();
  return row === undefined ? null : entryOf(row);
}

/** A page's key is a time and a number. By time, the earlier of both ends is the one that counts. */
function endOf(at: SQL, to: string | undefined, after: string | null, isByTime: boolean): SQL[] {
  const [afterAt = '', seq = ''] = after?.split(' ') ?? [];
  const isBefore = to === undefined ? [] : [lt(at, to)];
  if (after === null) return isBefore;
  if (!isByTime) return [...isBefore, lt(audit.seq, Number(seq))];
  if (to !== undefined && to <= afterAt) return isBefore;
  return [sql`(${audit.at}, ${audit.seq}) < (${afterAt}, ${Number(seq)})`];
}

/** How many entries the read model has of a tenant: the number of the last one. */
export async function countAudit(db: D1Database, tenantId: string): Promise<number> {
  const row = await drizzle(db)
    .select({ last: max(audit.seq) })
    .from(audit)
    .where(eq(audit.tenantId, tenantId))
    .get();
  return row?.last ?? 0;
}

/** An entry's row with its private parts, where it has some. */
const SHOWN = { row: audit, parts: auditPrivate.parts };
const EXPORT_PAGE_ROWS = { first: 100, least: 10, most: 500 };
/** About so many characters a page has, so that entries of any size take the same memory. */
const EXPORT_PAGE_CHARACTERS = 1_000_000;

/** Entries as NDJSON, page after page, oldest first. `from` is included, `to` is not. */
export async function* auditPages(
  db: D1Database,
  tenantId: string,
  { from, to }: Pick<AuditFilter, 'from' | 'to'>,
): AsyncGenerator<string, void> {
  const numbers = await numbersOf(db, tenantId, { from, to });
  for (let after = numbers.first - 1, limit = EXPORT_PAGE_ROWS.first; ; ) {
    const rows = await drizzle(db)
      .select(SHOWN)
      .from(audit)
      .leftJoin(auditPrivate, ofEntry(audit))
      .where(
        and(
          eq(audit.tenantId, tenantId),
          gt(audit.seq, after),
          lte(audit.seq, numbers.last),
          // Looked at one by one: among these numbers nearly all are of the period.
          from === undefined ? undefined : sql`+${audit.at} >= ${from}`,
          to === undefined ? undefined : sql`+${audit.at} < ${to}`,
        ),
      )
      .orderBy(asc(audit.seq))
      .limit(limit);
    const page = rows.map((row) => `${JSON.stringify(entryOf(row))}\n`).join('');
    if (rows.length > 0) yield page;
    if (rows.length < limit) return;
    after = rows.at(-1)?.row.seq ?? after;
    limit = rowsForPage(page.length / rows.length);
  }
}

/** The first and the last number of a period's entries, from the index by time alone. */
async function numbersOf(
  db: D1Database,
  tenantId: string,
  { from, to }: Pick<AuditFilter, 'from' | 'to'>,
): Promise<{ first: number; last: number }> {
  const all = { first: 1, last: Number.MAX_SAFE_INTEGER };
  if (from === undefined && to === undefined) return all;
  const row = await drizzle(db)
    .select({ first: min(audit.seq), last: max(audit.seq) })
    .from(audit)
    .where(
      and(
        eq(audit.tenantId, tenantId),
        from === undefined ? undefined : gte(audit.at, from),
        to === undefined ? undefined : lt(audit.at, to),
      ),
    )
    .get();
  return { first: row?.first ?? 1, last: row?.last ?? 0 };
}

function rowsForPage(charactersOfRow: number): number {
  const { least, most } = EXPORT_PAGE_ROWS;
  return Math.min(most, Math.max(least, Math.floor(EXPORT_PAGE_CHARACTERS / charactersOfRow)));
}

function entryOf({
  row,
  parts,
}: {
  row: typeof audit.$inferSelect;
  parts: PrivateParts | null;
}): AuditEntry {
  const { seq, id, at, action, requestId, prevHash, hash } = row;
  const told = shown(row.actorName, row.data, parts ?? {});
  const actor = { type: row.actorType, id: row.actorId, name: told.actorName };
  const target = { type: row.targetType, id: row.targetId };
  const entry = { seq, id, at, actor, action, target, requestId, data: told.data, prevHash, hash };
  return told.private === null ? entry : { ...entry, private: told.private };
}
