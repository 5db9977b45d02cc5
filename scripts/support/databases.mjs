/** The D1 databases of a state directory: brought up to date before the Worker starts on them. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Complaint } from './complaint.mjs';
import { startGroup } from './group.mjs';
import { NODE, ROOT } from './project.mjs';
import { environment } from './worker.mjs';

const MIGRATIONS = join(ROOT, 'drizzle');

/**
 * Applies the D1 migrations to every database (migrations.mjs), unless these very ones were applied
 * before.
 * @param {import('./state.mjs').State} state
 * @throws {Complaint} when one fails
 */
export async function migrate(state) {
  const mark = join(state.data, 'migrations.sha256');
  const wanted = migrationsHash();
  if (existsSync(mark) && readFileSync(mark, 'utf8') === wanted) return;
  console.log('Preparing the database…');
  mkdirSync(state.data, { recursive: true });
  const script = join(ROOT, 'scripts', 'support', 'migrations.mjs');
  const args = ['--no-warnings', script, '--state', state.dir];
  const { code } = await startGroup(NODE, args, { cwd: ROOT, env: environment(state) }).ended;
  if (code !== 0) throw new Complaint('The database migrations failed; see above.');
  writeFileSync(mark, wanted);
}

function migrationsHash() {
  const hash = createHash('sha256').update(databases().join());
  for (const name of readdirSync(MIGRATIONS).sort())
    if (name.endsWith('.sql'))
      hash.update(`${name}\0`).update(readFileSync(join(MIGRATIONS, name)));
  return hash.digest('hex');
}

/** The bindings of all D1 databases: docs/sharding.md. */
function databases() {
  const settings = readFileSync(join(ROOT, 'wrangler.toml'), 'utf8');
  return [...settings.matchAll(/^binding = "(DB(?:_\d+)?)"$/gm)].map(([, name]) => name ?? '');
}
