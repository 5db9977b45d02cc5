/**
 * The embedded feature flags, in D1: the product's own, in development and in production. A flag that
 * was never set is off. One that is set off is kept all the same, so that whoever evaluates it is told
 * so and does not fall back to a default of their own.
 */
import { and, asc, eq, gt } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/d1';
import { integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core';
import { type Page, type Paged, paged } from '../contract/pages.ts';
import type { Outcome } from '../engine/plan.ts';
import { changedFlag, unchangedFlag } from './flag-changes.ts';
import { type FlagChange, type FlagsPort, failed, type PortCall } from './index.ts';

export const flags = sqliteTable(
  'flags',
  {
    tenantId: text('tenant_id').notNull(),
    key: text('key').notNull(),
    enabled: integer('enabled', { mode: 'boolean' }).notNull(),
    /** How many changes there were. */
    version: integer('version').notNull(),
    updatedAt: text('updated_at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.tenantId, table.key] })],
);

/** Every frontend loads all of them. */
export const FLAGS_MAX = 2_000;

export interface FlagView {
  readonly key: string;
  readonly enabled: boolean;
  readonly updatedAt: string;
}

/** The adapter over the tenant's own rows. Faults of the database are thrown. */
export function embeddedFlags(db: D1Database): FlagsPort {
  return { setFlag: (call, change) => setFlag(db, call, change) };
}

async function setFlag(db: D1Database, call: PortCall, change: FlagChange): Promise<Outcome> {
  const { key } = change;
  const [, , , read] = await db.batch<{ isOurs: number; isKnown: number }>([
    recordChange(db, call, change),
    applyChange(db, call, key),
    keepOff(db, call, change),
    readBack(db, call, key),
  ]);
  const { isOurs, isKnown } = read?.results[0] ?? { isOurs: 0, isKnown: 0 };
  if (isKnown === 0)
    return failed(
      'too_many_flags',
      `The tenant has ${FLAGS_MAX.toLocaleString('en')} flags already, which is the most there can be.`,
    );
  return isOurs === 0 ? unchangedFlag(change) : changedFlag(call, change);
}

/** A row for a change; none when the flag is that way already or the call is a repeat. */
function recordChange(
  db: D1Database,
  { tenantId, runId, stepId = '', idempotencyKey, now }: PortCall,
  { key, enabled, by }: FlagChange,
): D1PreparedStatement {
  return db
    .prepare(
      `INSERT INTO flag_changes
         (tenant_id, key, changed_key, enabled, version, at, run_id, step_id, actor, comment)
       SELECT ?1, ?2, ?3, ?4, version + 1, ?5, ?6, ?7, ?8, ?9
       FROM (SELECT count(*) AS known, coalesce(max(enabled), 0) AS enabled,
           coalesce(max(version), 0) AS version
         FROM flags WHERE tenant_id = ?1 AND key = ?2)
       WHERE enabled <> ?4
         AND (known > 0 OR (SELECT count(*) FROM flags WHERE tenant_id = ?1) < ?10)
       ON CONFLICT (tenant_id, key, changed_key) DO NOTHING`,
    )
    .bind(
      tenantId,
      key,
      idempotencyKey,
      enabled ? 1 : 0,
      new Date(now).toISOString(),
      runId,
      stepId,
      by === undefined ? null : JSON.stringify(by.actor),
      by?.comment ?? null,
      FLAGS_MAX,
    );
}

function applyChange(
  db: D1Database,
  { tenantId, idempotencyKey }: PortCall,
  key: string,
): D1PreparedStatement {
  return db
    .prepare(
      `INSERT INTO flags (tenant_id, key, enabled, version, updated_at)
       SELECT tenant_id, key, enabled, version, at FROM flag_changes
       WHERE tenant_id = ?1 AND key = ?2 AND changed_key = ?3
       ON CONFLICT (tenant_id, key) DO UPDATE SET enabled = excluded.enabled,
         version = excluded.version, updated_at = excluded.updated_at
       WHERE excluded.version > flags.version`,
    )
    .bind(tenantId, key, idempotencyKey);
}

/** A flag that is set off before it was ever on. */
function keepOff(
  db: D1Database,
  { tenantId, now }: PortCall,
  { key, enabled }: FlagChange,
): D1PreparedStatement {
  return db
    .prepare(
      `INSERT INTO flags (tenant_id, key, enabled, version, updated_at)
       SELECT ?1, ?2, 0, 0, ?3
       WHERE ?4 = 0 AND NOT EXISTS (SELECT 1 FROM flags WHERE tenant_id = ?1 AND key = ?2)
         AND (SELECT count(*) FROM flags WHERE tenant_id = ?1) < ?5
       ON CONFLICT (tenant_id, key) DO NOTHING`,
    )
    .bind(tenantId, key, new Date(now).toISOString(), enabled ? 1 : 0, FLAGS_MAX);
}

function readBack(
  db: D1Database,
  { tenantId, idempotencyKey }: PortCall,
  key: string,
): D1PreparedStatement {
  return db
    .prepare(
      `SELECT EXISTS (SELECT 1 FROM flags WHERE tenant_id = ?1 AND key = ?2) AS isKnown,
         EXISTS (SELECT 1 FROM flag_changes
           WHERE tenant_id = ?1 AND key = ?2 AND changed_key = ?3) AS isOurs`,
    )
    .bind(tenantId, key, idempotencyKey);
}

/** By key. Flags that were never set are not in the list. */
export async function listFlags(
  db: D1Database,
  tenantId: string,
  page: Page,
): Promise<Paged<FlagView>> {
  const rows = await drizzle(db)
    .select({ key: flags.key, enabled: flags.enabled, updatedAt: flags.updatedAt })
    .from(flags)
    .where(
      and(
        eq(flags.tenantId, tenantId),
        page.after === null ? undefined : gt(flags.key, page.after),
      ),
    )
    .orderBy(asc(flags.key))
    .limit(page.limit + 1);
  return paged(
    rows,
    page.limit,
    (row) => row.key,
    (row) => row,
  );
}
