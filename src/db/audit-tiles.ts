/**
 * What a filter of the audit trail is found by: one row for each 256 entries that says who did what
 * among them, to what, and when. An index would cost a row for each entry and filter; a tile is looked
 * at in its place, and the entries of those tiles alone that have some. A trigger makes it, with the
 * entry that fills it (drizzle/0019_audit_tiles.sql); the entries of no tile yet are the newest, and few.
 */
import { and, eq, gte, lt, type SQL, sql } from 'drizzle-orm';
import { integer, primaryKey, type SQLiteColumn, sqliteTable, text } from 'drizzle-orm/sqlite-core';

/** As the trigger has it. */
const TILE = 256;
const SIZE = sql.raw(String(TILE));
/** So much of a target is kept, from its end: one that ends alike costs a look, and ids hardly do. */
const TARGET_END = 6;

export const auditTiles = sqliteTable(
  'audit_tiles',
  {
    tenantId: text('tenant_id').notNull(),
    /** Entry `seq` is in tile `(seq - 1) / 256`. */
    tile: integer('tile').notNull(),
    /** The earliest and the latest time of its entries. */
    since: text('since').notNull(),
    until: text('until').notNull(),
    /** Each `actor action` once, with a comma before and after. */
    acts: text('acts').notNull(),
    /** The end of each target's id once, with a comma before and after. */
    targets: text('targets').notNull(),
  },
  (table) => [primaryKey({ columns: [table.tenantId, table.tile] })],
);

export interface AuditFilter {
  readonly action?: string | undefined;
  /** An actor's id */
  readonly actor?: string | undefined;
  /** A target's id */
  readonly target?: string | undefined;
  /** Included */
  readonly from?: string | undefined;
  /** Not included */
  readonly to?: string | undefined;
}

/** Entries by their numbers: those after one and before another. */
export interface Between {
  readonly after: number;
  readonly before: number;
}

/** A tenant's tiles that may have entries for a filter between two numbers: the others have none. */
export function tilesFor(
  tenantId: string,
  { action, actor, target, from, to }: AuditFilter,
  { after, before }: Between,
): SQL | undefined {
  const has = (column: SQLiteColumn, words: string) => sql`instr(${column}, ${words}) > 0`;
  return and(
    eq(auditTiles.tenantId, tenantId),
    after === 0 ? undefined : gte(auditTiles.tile, Math.floor(after / TILE)),
    lt(auditTiles.tile, Math.ceil((before - 1) / TILE)),
    from === undefined ? undefined : gte(auditTiles.until, from),
    to === undefined ? undefined : lt(auditTiles.since, to),
    (action ?? actor) === undefined ? undefined : has(auditTiles.acts, actsOf(actor, action)),
    target === undefined ? undefined : has(auditTiles.targets, `,${endOf(target)},`),
  );
}

/** Of `,actor action,` what is known. */
function actsOf(actor: string | undefined, action: string | undefined): string {
  return `${actor === undefined ? '' : `,${actor}`} ${action === undefined ? '' : `${action},`}`;
}

/** The last characters, as SQL counts them. */
function endOf(target: string): string {
  return [...target].slice(-TARGET_END).join('');
}

/** That an entry is in the tile of the row beside it, and between two numbers. */
export function isInTile(seq: SQLiteColumn, { after, before }: Between): SQL {
  const first = sql`${auditTiles.tile} * ${SIZE}`;
  return sql`${seq} > max(${first}, ${after}) AND ${seq} < min(${first} + ${SIZE} + 1, ${before})`;
}

/** That an entry is in no tile, and between two numbers. */
export function isInNoTile(seq: SQLiteColumn, tenantId: string, { after, before }: Between): SQL {
  return sql`${seq} < ${before} AND ${seq} > max(${after}, ifnull(
    (SELECT (max(${auditTiles.tile}) + 1) * ${SIZE} FROM ${auditTiles}
     WHERE ${auditTiles.tenantId} = ${tenantId}), 0))`;
}
