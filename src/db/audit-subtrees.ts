/**
 * Roots of full subtrees over a tenant's audit entries (merkle-kept.ts): one row for each 256 entries.
 * Written with the entry that completes them, and never again. Nobody has to trust them: they only make
 * proofs, which count against roots that were signed.
 */
import { integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core';
import { leafHash } from '../engine/merkle.ts';
import { FoundSubtrees, type Range, type Subtree } from '../engine/merkle-kept.ts';
import { givenAs } from '../given.ts';

export const auditSubtrees = sqliteTable(
  'audit_subtrees',
  {
    tenantId: text('tenant_id').notNull(),
    level: integer('level').notNull(),
    place: integer('place').notNull(),
    hash: text('hash').notNull(),
  },
  (table) => [primaryKey({ columns: [table.tenantId, table.level, table.place] })],
);

/** One statement for any number. One never changes: a repeat is ignored. */
export function insertSubtrees(
  db: D1Database,
  tenantId: string,
  subtrees: readonly Subtree[],
): D1PreparedStatement {
  return db
    .prepare(
      `INSERT INTO audit_subtrees (tenant_id, level, place, hash)
       SELECT ?1, s->>'level', s->>'place', s->>'hash'
       FROM ${givenAs('s')} WHERE true
       ON CONFLICT (tenant_id, level, place) DO NOTHING`,
    )
    .bind(tenantId, JSON.stringify(subtrees));
}

/** All hashes of these ranges; where a subtree was never kept, those below it. */
export async function findSubtrees(
  db: D1Database,
  tenantId: string,
  ranges: readonly Range[],
): Promise<FoundSubtrees> {
  const found = new FoundSubtrees();
  for (let wanted = ranges; wanted.length > 0; wanted = found.missing(wanted))
    for (const subtree of await read(db, tenantId, wanted)) found.add(subtree);
  return found;
}

/** The ranges drive the queries, each a walk along a primary key. Leaf 0 is entry 1. */
async function read(
  db: D1Database,
  tenantId: string,
  ranges: readonly Range[],
): Promise<Subtree[]> {
  const statement = (sql: string) => db.prepare(sql).bind(tenantId, JSON.stringify(ranges));
  const [entries, kept] = await db.batch<Subtree>([
    statement(
      `SELECT 0 AS level, a.seq - 1 AS place, a.hash AS hash
       FROM json_each(?2) AS r CROSS JOIN audit AS a
       WHERE r.value->>'level' = 0 AND a.tenant_id = ?1
         AND a.seq > r.value->>'from' AND a.seq <= r.value->>'to'`,
    ),
    statement(
      `SELECT s.level, s.place, s.hash
       FROM json_each(?2) AS r CROSS JOIN audit_subtrees AS s
       WHERE s.tenant_id = ?1 AND s.level = r.value->>'level'
         AND s.place >= r.value->>'from' AND s.place < r.value->>'to'`,
    ),
  ]);
  const leaves = (entries?.results ?? []).map((row) => ({ ...row, hash: leafHash(row.hash) }));
  return [...leaves, ...(kept?.results ?? [])];
}
