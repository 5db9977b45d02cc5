/** All that is kept, table by table: of a database, and of an object. The runtime's own is left out. */
import * as z from 'zod';

const tableNames = z.array(z.object({ name: z.string() }));
const TABLES = `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT GLOB 'sqlite_*'
  AND name NOT GLOB '_cf*'`;
const MIGRATIONS = 'd1_migrations';

/** A database's own tables. */
export async function tablesOf(database: D1Database): Promise<string[]> {
  const { results } = await database.prepare(TABLES).all();
  return namesIn(results).filter((name) => name !== MIGRATIONS);
}

/** An object's tables, each with its rows, and its keys by what is before their numbers. */
export function* rowsOf({
  sql,
  kv,
}: DurableObjectStorage): Generator<[name: string, rows: unknown[]]> {
  for (const name of namesIn(sql.exec(TABLES).toArray()))
    yield [name, sql.exec(`SELECT * FROM "${name}"`).toArray()];
  for (const [key, value] of kv.list()) yield [key.replace(/-\d+$/, ''), [value]];
}

function namesIn(rows: unknown): string[] {
  return tableNames.parse(rows).map(({ name }) => name);
}
