import { readdirSync } from 'node:fs';
import { join } from 'node:path';

/** Where the local runtime keeps the one D1 database. */
export function databaseFile(stateDir: string): string {
  const folder = join(stateDir, 'data', 'v3', 'd1', 'miniflare-D1DatabaseObject');
  const name = readdirSync(folder).find((file) => /^[0-9a-f]{64}\.sqlite$/.test(file));
  if (name === undefined) throw new Error(`there is no D1 database in ${folder}`);
  return join(folder, name);
}
