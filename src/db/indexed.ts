/**
 * Which index a list goes along. Left alone, SQLite without statistics (D1 keeps none) reads a tenant's
 * whole table by its primary key where that saves sorting a page, for it cannot know how long a table
 * is. So a list that can be filtered says it; test/workers/routes/query-plans.test.ts looks at each.
 */
import { type SQL, sql } from 'drizzle-orm';
import type { SQLiteColumn, SQLiteTable } from 'drizzle-orm/sqlite-core';

/** That a row is among the newest `limit` for which something holds, which an index finds. */
export function newestAlong(
  index: string,
  table: SQLiteTable,
  id: SQLiteColumn,
  wanted: SQL | undefined,
  limit: number,
): SQL {
  return sql`${id} IN (SELECT ${id} FROM ${table} INDEXED BY ${sql.identifier(index)}
    WHERE ${wanted} ORDER BY ${id} DESC LIMIT ${limit})`;
}

/**
 * The one end of a page: of two (where the period ends, and where the page before did) an index takes
 * one, and it might take the wrong one.
 */
export function earlierOf(one: string | null, other: string | null): string | null {
  if (one === null || other === null) return one ?? other;
  return one < other ? one : other;
}
