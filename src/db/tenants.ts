/** The operator's list of tenants. */
import { desc, eq, lt, sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/d1';
import { integer, sqliteTable, text } from 'drizzle-orm/sqlite-core';
import { type Page, type Paged, paged } from '../contract/pages.ts';
import type { Tenant } from '../contract/tenants.ts';

export const tenants = sqliteTable('tenants', {
  id: text('tenant_id').primaryKey(),
  name: text('name').notNull(),
  createdAt: text('created_at').notNull(),
  /** The service that keeps its flags; null: we do. */
  flagsService: text('flags_service'),
  /** The number of the database that has its read model: databases.ts. */
  database: integer('database').notNull().default(0),
});

export function insertTenant(
  db: D1Database,
  { id, name, createdAt }: Tenant,
  database: number,
): D1PreparedStatement {
  return db
    .prepare(
      `INSERT INTO tenants (tenant_id, name, created_at, database) VALUES (?1, ?2, ?3, ?4)
       ON CONFLICT DO NOTHING`,
    )
    .bind(id, name, createdAt, database);
}

/** Ids are made of a-z, 0-9 and -. */
const BEHIND_ALL = '~';

/** Null: the product keeps them itself. */
export function updateFlagsService(
  db: D1Database,
  tenantId: string,
  service: string | null,
): D1PreparedStatement {
  return db
    .prepare('UPDATE tenants SET flags_service = ?2 WHERE tenant_id = ?1')
    .bind(tenantId, service);
}

export async function findTenantName(db: D1Database, tenantId: string): Promise<string | null> {
  const row = await drizzle(db)
    .select({ name: tenants.name })
    .from(tenants)
    .where(eq(tenants.id, tenantId))
    .get();
  return row?.name ?? null;
}

/** By id, backwards: ids are the operator's own words and there is no better order that is stable. */
export async function listTenants(db: D1Database, page: Page): Promise<Paged<Tenant>> {
  const { id, name, createdAt } = tenants;
  const rows = await drizzle(db)
    .select({ id, name, createdAt })
    .from(tenants)
    .where(lt(tenants.id, page.after ?? BEHIND_ALL))
    .orderBy(desc(tenants.id))
    .limit(page.limit + 1);
  return paged(
    rows,
    page.limit,
    (row) => row.id,
    (row) => row,
  );
}

/** Every `slices`-th tenant, for the sweep: together the slices are all of them. */
export async function tenantSlice(
  db: D1Database,
  slice: number,
  slices: number,
): Promise<string[]> {
  const rows = await drizzle(db)
    .select({ id: tenants.id })
    .from(tenants)
    .where(sql`rowid % ${slices} = ${slice}`);
  return rows.map((row) => row.id);
}
