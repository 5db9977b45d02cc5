/**
 * The audit trail as it is served. The chain is written by the tenant's object; rows only arrive. Its
 * number alone finds an entry: there is no index, filters go by the tiles (audit-tiles.ts).
 */
import { and, asc, desc, eq, gt, gte, lt, max, type SQL } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/d1';
import { integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core';
import type { AuditEntry } from '../contract/audit.ts';
import type { Actor, JsonObject } from '../contract/json.ts';
import { type Page, type Paged, paged } from '../contract/pages.ts';
import { formOf } from '../engine/audit-parts.ts';
import { givenAs } from '../given.ts';
import { type PrivateParts, partsOf, shown } from './audit-private.ts';
import {
  type AuditFilter,
  auditTiles,
  type Between,
  isInNoTile,
  isInTile,
  tilesFor,
} from './audit-tiles.ts';

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
    /** Null for an entry that never had any. */
    parts: text('parts', { mode: 'json' }).$type<PrivateParts>(),
  },
  (table) => [primaryKey({ columns: [table.tenantId, table.seq] })],
);
export type AuditRow = typeof audit.$inferSelect;

/**
 * One statement for any number of entries, in their hashed form, with their private parts beside it. A
 * trigger refuses an entry that differs from its row.
 */
export function insertAudit(
  db: D1Database,
  tenantId: string,
  entries: readonly AuditEntry[],
): D1PreparedStatement {
  return db
    .prepare(
      `INSERT INTO audit (tenant_id, seq, id, at, actor_type, actor_id, actor_name, action,
         target_type, target_id, request_id, data, prev_hash, hash, parts)
       SELECT ?1, a->>'seq', a->>'id', a->>'at', a->>'$.actor.type', a->>'$.actor.id',
         a->>'$.actor.name', a->>'action', a->>'$.target.type', a->>'$.target.id',
         a->>'requestId', a->'data', a->>'prevHash', a->>'hash', nullif(a->'parts', 'null')
       FROM ${givenAs('a')} WHERE true
       ON CONFLICT (tenant_id, seq) DO NOTHING`,
    )
    .bind(
      tenantId,
      JSON.stringify(entries.map((entry) => ({ ...formOf(entry), parts: partsOf(entry) }))),
    );
}

/**
 * Newest first, which is the order of the chain: an entry of a run may be a little older than the one
 * before it.
 */
export async function listAudit(
  db: D1Database,
  tenantId: string,
  filter: AuditFilter,
  page: Page,
): Promise<Paged<AuditEntry>> {
  const before = page.after === null ? ALL.before : Number(page.after);
  const rows = await findAuditRows(db, tenantId, filter, { ...ALL, before }, page.limit + 1);
  return paged(rows, page.limit, ({ seq }) => String(seq), entryOf);
}

export const ALL: Between = { after: 0, before: Number.MAX_SAFE_INTEGER };

/** The newest rows of which a filter holds, or the oldest: tile by tile, and those of no tile yet. */
export async function findAuditRows(
  db: D1Database,
  tenantId: string,
  filter: AuditFilter,
  between: Between,
  limit: number,
  order: typeof asc | typeof desc = desc,
): Promise<AuditRow[]> {
  const orm = drizzle(db);
  const { after, before } = between;
  const conditions = conditionsOf(filter);
  const wanted = and(eq(audit.tenantId, tenantId), ...conditions);
  const along = (isOnPage: SQL | undefined) =>
    orm.select().from(audit).where(and(wanted, isOnPage)).orderBy(order(audit.seq)).limit(limit);
  if (conditions.length === 0) return await along(and(gt(audit.seq, after), lt(audit.seq, before)));
  const [newest, others] = await orm.batch([
    along(isInNoTile(audit.seq, tenantId, between)),
    orm
      .select({ row: audit })
      .from(auditTiles)
      .crossJoin(audit)
      .where(and(tilesFor(tenantId, filter, between), wanted, isInTile(audit.seq, between)))
      .orderBy(order(auditTiles.tile), order(audit.seq))
      .limit(limit),
  ]);
  const rows = others.map(({ row }) => row);
  return (order === desc ? [...newest, ...rows] : [...rows, ...newest]).slice(0, limit);
}

function conditionsOf({ action, actor, target, from, to }: AuditFilter) {
  return [
    action === undefined ? [] : eq(audit.action, action),
    actor === undefined ? [] : eq(audit.actorId, actor),
    target === undefined ? [] : eq(audit.targetId, target),
    from === undefined ? [] : gte(audit.at, from),
    to === undefined ? [] : lt(audit.at, to),
  ].flat();
}

/** One entry; null when there is none of that number. */
export async function findAudit(
  db: D1Database,
  tenantId: string,
  seq: number,
): Promise<AuditEntry | null> {
  const row = await drizzle(db)
    .select()
    .from(audit)
    .where(and(eq(audit.tenantId, tenantId), eq(audit.seq, seq)))
    .get();
  return row === undefined ? null : entryOf(row);
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

const EXPORT_PAGE_ROWS = { first: 100, least: 10, most: 500 };
/** About so many characters a page has, so that entries of any size take the same memory. */
const EXPORT_PAGE_CHARACTERS = 1_000_000;

/** Entries as NDJSON, page after page, oldest first. `from` is included, `to` is not. */
export async function* auditPages(
  db: D1Database,
  tenantId: string,
  period: Pick<AuditFilter, 'from' | 'to'>,
): AsyncGenerator<string, void> {
  for (let { after } = ALL, limit = EXPORT_PAGE_ROWS.first; ; ) {
    const rows = await findAuditRows(db, tenantId, period, { ...ALL, after }, limit, asc);
    const page = rows.map((row) => `${JSON.stringify(entryOf(row))}\n`).join('');
    if (rows.length > 0) yield page;
    if (rows.length < limit) return;
    after = rows.at(-1)?.seq ?? after;
    limit = rowsForPage(page.length / rows.length);
  }
}

function rowsForPage(charactersOfRow: number): number {
  const { least, most } = EXPORT_PAGE_ROWS;
  return Math.min(most, Math.max(least, Math.floor(EXPORT_PAGE_CHARACTERS / charactersOfRow)));
}

function entryOf(row: AuditRow): AuditEntry {
  const { seq, id, at, action, requestId, prevHash, hash } = row;
  const told = shown(row.actorName, row.data, row.parts ?? {});
  const actor = { type: row.actorType, id: row.actorId, name: told.actorName };
  const target = { type: row.targetType, id: row.targetId };
  const entry = { seq, id, at, actor, action, target, requestId, data: told.data, prevHash, hash };
  return told.private === null ? entry : { ...entry, private: told.private };
}
