/**
 * Which D1 database has a tenant's read model. The first one (`DB`) is the directory besides: it has
 * every tenant, with the number of its database, and who is a member where. Where a tenant is was
 * chosen when it was made and never changes, so a database that is added gets new tenants alone.
 */
import { eq } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/d1';
import { hashJson } from '../engine/chain.ts';
import type { Env } from '../env.ts';
import { logError } from '../log.ts';
import { Recent } from '../recent.ts';
import { within } from '../within.ts';
import { tenants } from './tenants.ts';

type Databases = Pick<Env, 'DB' | 'DIRECTORY' | `DB_${number}`>;

const DAY_MS = 86_400_000;
/** For so long what may do without it waits for the directory. */
const DIRECTORY_WAIT_MS = 1_000;
/** It never changes, so it may be old. */
const known = new Recent<number>({ max: 10_000, keptMs: DAY_MS });

/** The first database, also where `DB` is a tenant's own. */
export function directoryOf(env: Databases): D1Database {
  return env.DIRECTORY ?? env.DB;
}

/** By number. */
export function databasesOf(env: Databases): readonly D1Database[] {
  const all = [directoryOf(env)];
  for (let next = env.DB_1; next !== undefined; next = env[`DB_${all.length}`]) all.push(next);
  return all;
}

export function databaseAt(env: Databases, number: number): D1Database {
  const database = databasesOf(env)[number];
  if (database === undefined) throw new Error(`the database DB_${number} is not bound`);
  return database;
}

/** The database of a tenant that is being made: each gets as many of them, however alike their ids are. */
export function databaseForNew(env: Databases, tenantId: string): number {
  return Number.parseInt(hashJson(tenantId).slice(0, 8), 16) % databasesOf(env).length;
}

/** The bindings as one tenant has them: `DB` is its own. Costs nothing where there is one database. */
export async function envOf<Bindings extends Databases>(
  env: Bindings,
  tenantId: string,
): Promise<Bindings> {
  if (env.DB_1 === undefined) return env;
  const now = Date.now();
  const number = known.get(tenantId, now) ?? (await numberOf(env, tenantId));
  known.put(tenantId, number, now);
  return { ...env, DB: databaseAt(env, number), DIRECTORY: directoryOf(env) };
}

/**
 * For work that may do without the read model (I7): while the directory cannot say which database it is,
 * only what uses it fails.
 */
export async function envForWork<Bindings extends Databases>(
  env: Bindings,
  tenantId: string,
): Promise<Bindings> {
  try {
    const found = await within(DIRECTORY_WAIT_MS, envOf(env, tenantId));
    if (found !== null) return found;
  } catch (error) {
    logError({ what: 'directory_failed', tenantId }, error);
  }
  return { ...env, DB: new Proxy(env.DB, { get: unreachable }), DIRECTORY: directoryOf(env) };
}

function unreachable(): never {
  throw new Error('the directory of databases cannot be read');
}

async function numberOf(env: Databases, tenantId: string): Promise<number> {
  const row = await drizzle(directoryOf(env))
    .select({ database: tenants.database })
    .from(tenants)
    .where(eq(tenants.id, tenantId))
    .get();
  if (row === undefined) throw new Error('the directory does not have the tenant yet');
  return row.database;
}
