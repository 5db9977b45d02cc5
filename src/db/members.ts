/** Which tenants a person belongs to: asked when someone signs in without naming a tenant. */
import { and, asc, eq } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/d1';
import { index, integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core';
import type { Member } from '../contract/members.ts';
import { givenAs } from '../given.ts';

export const members = sqliteTable(
  'members',
  {
    tenantId: text('tenant_id').notNull(),
    id: text('id').notNull(),
    email: text('email').notNull(),
    isLive: integer('is_live', { mode: 'boolean' }).notNull(),
    updatedAt: text('updated_at').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.id] }),
    index('members_by_email').on(table.email, table.tenantId),
  ],
);

/** One statement for any number of members; an older state cannot undo a newer one. */
export function upsertMembers(
  db: D1Database,
  tenantId: string,
  rows: readonly Member[],
): D1PreparedStatement {
  return db
    .prepare(
      `INSERT INTO members (tenant_id, id, email, is_live, updated_at)
       SELECT ?1, m->>'id', m->>'email', m->>'removedAt' IS NULL, m->>'updatedAt'
       FROM ${givenAs('m')} WHERE true
       ON CONFLICT (tenant_id, id) DO UPDATE SET is_live = excluded.is_live,
         updated_at = excluded.updated_at WHERE excluded.updated_at >= members.updated_at`,
    )
    .bind(tenantId, JSON.stringify(rows));
}

/** At most two: one is the answer, two mean that the caller has to name a tenant. */
export async function tenantsOfEmail(db: D1Database, email: string): Promise<string[]> {
  const rows = await drizzle(db)
    .selectDistinct({ tenantId: members.tenantId })
    .from(members)
    .where(and(eq(members.email, email), eq(members.isLive, true)))
    .orderBy(asc(members.tenantId))
    .limit(2);
  return rows.map((row) => row.tenantId);
}
