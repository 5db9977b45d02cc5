/** Every signed checkpoint of the audit chains. They are signed by the tenant's object; rows only arrive. */
import { and, desc, eq, lt } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/d1';
import { integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core';
import type { AuditCheckpoint } from '../contract/checkpoints.ts';
import { type Page, type Paged, paged } from '../contract/pages.ts';
import { givenAs } from '../given.ts';

export const checkpoints = sqliteTable(
  'checkpoints',
  {
    tenantId: text('tenant_id').notNull(),
    size: integer('size').notNull(),
    root: text('root').notNull(),
    note: text('note').notNull(),
    at: text('at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.tenantId, table.size] })],
);

/** One statement for any number; a trigger refuses one that contradicts the row of its size. */
export function insertCheckpoints(
  db: D1Database,
  tenantId: string,
  rows: readonly AuditCheckpoint[],
): D1PreparedStatement {
  return db
    .prepare(
      `INSERT INTO checkpoints (tenant_id, size, root, note, at)
       SELECT ?1, c->>'size', c->>'root', c->>'note', c->>'at'
       FROM ${givenAs('c')} WHERE true
       ON CONFLICT (tenant_id, size) DO NOTHING`,
    )
    .bind(tenantId, JSON.stringify(rows));
}

/** Newest first. */
export async function listCheckpoints(
  db: D1Database,
  tenantId: string,
  page: Page,
): Promise<Paged<AuditCheckpoint>> {
  const { size, root, note, at } = checkpoints;
  const rows = await drizzle(db)
    .select({ size, root, note, at })
    .from(checkpoints)
    .where(
      and(
        eq(checkpoints.tenantId, tenantId),
        page.after === null ? undefined : lt(size, Number(page.after)),
      ),
    )
    .orderBy(desc(size))
    .limit(page.limit + 1);
  return paged(
    rows,
    page.limit,
    (row) => String(row.size),
    (row) => row,
  );
}
