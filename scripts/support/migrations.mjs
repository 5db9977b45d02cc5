/**
 * Brings the D1 databases of wrangler.toml in a state directory up to the newest migration. Does what
 * `wrangler d1 migrations apply --local` does, and keeps the same table of what was applied, so that
 * either can go on where the other ended; but that starts a runtime for each file, which took most of
 * a first start. Runs by the project's Node.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { convertV4MiniflareOptions, Miniflare } from 'miniflare';
import { unstable_getMiniflareWorkerOptions, unstable_splitSqlQuery } from 'wrangler';
import { Complaint, runMain } from './complaint.mjs';
import { ROOT } from './project.mjs';
import { stateAt } from './state.mjs';

/** https://developers.cloudflare.com/d1/reference/migrations/ */
const APPLIED = `CREATE TABLE IF NOT EXISTS d1_migrations (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT UNIQUE,
  applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL
)`;
const DIRECTORY = join(ROOT, 'drizzle');

/** @typedef {Awaited<ReturnType<Miniflare['getD1Database']>>} Database */

await runMain(async () => {
  const { values } = parseArgs({ options: { state: { type: 'string', default: '' } } });
  const { workerOptions } = unstable_getMiniflareWorkerOptions(join(ROOT, 'wrangler.toml'));
  // Wrangler makes it an object by binding; the type leaves other forms open.
  const d1Databases = Object(workerOptions.d1Databases);
  const options = convertV4MiniflareOptions({
    cf: false,
    resourcePersistencePath: join(stateAt(values.state).data, 'v3'),
    modules: true,
    script: 'export default {};',
    d1Databases,
  });
  const miniflare = new Miniflare(options);
  try {
    for (const name of Object.keys(d1Databases))
      await migrate(name, await miniflare.getD1Database(name));
  } finally {
    await miniflare.dispose();
  }
});

/** Each file in one transaction with the word that it was applied. @param {string} name @param {Database} database */
async function migrate(name, database) {
  await database.prepare(APPLIED).run();
  const { results } = await database.prepare('SELECT name FROM d1_migrations').all();
  const applied = new Set(results.map((row) => row.name));
  for (const file of readdirSync(DIRECTORY).sort()) {
    if (!file.endsWith('.sql') || applied.has(file)) continue;
    const statements = unstable_splitSqlQuery(readFileSync(join(DIRECTORY, file), 'utf8'));
    const mark = database.prepare('INSERT INTO d1_migrations (name) VALUES (?)').bind(file);
    try {
      await database.batch([...statements.map((sql) => database.prepare(sql)), mark]);
    } catch (error) {
      throw new Complaint(
        `${file} failed on ${name}: ${error instanceof Error ? error.message : error}`,
      );
    }
  }
}
