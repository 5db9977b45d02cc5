/**
 * The embedded feature flags, in D1. A flag that was never set is off. `flag_changes` has each
 * change under its idempotency key: a late repeat finds its own row and leaves alone what others
 * have set since.
 */
import { and, asc, eq, gt } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/d1';
import { index, integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core';
import { type Page, type Paged, paged } from '../contract/pages.ts';
import type { Outcome } from '../engine/plan.ts';
import { type FlagsPort, type PortCall, succeeded } from './index.ts';

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

export const flagChanges = sqliteTable(
  'flag_changes',
  {
    tenantId: text('tenant_id').notNull(),
    key: text('key').notNull(),
    /** The idempotency key of the call that made the change. */
    changedKey: text('changed_key').notNull(),
    /** The run that made it; empty for changes from before this was kept. */
    runId: text('run_id').notNull().default(''),
    enabled: integer('enabled', { mode: 'boolean' }).notNull(),
    version: integer('version').notNull(),
    at: text('at').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.key, table.changedKey] }),
    index('flag_changes_by_version').on(table.tenantId, table.key, table.version),
  ],
);

export interface FlagView {
  readonly key: string;
  readonly enabled: boolean;
  readonly updatedAt: string;
}

/** The adapter over the tenant's own rows. Faults of the database are thrown. */
export function embeddedFlags(db: D1Database): FlagsPort {
  return { setFlag: (call, key, enabled) => setFlag(db, call, key, enabled) };
}

async function setFlag(
  db: D1Database,
  call: PortCall,
  key: string,
  enabled: boolean,
): Promise<Outcome> {
  await db.batch([recordChange(db, call, key, enabled), applyChange(db, call, key)]);
  const { tenantId, idempotencyKey } = call;
  const change = await drizzle(db)
    .select({ version: flagChanges.version })
    .from(flagChanges)
    .where(
      and(
        eq(flagChanges.tenantId, tenantId),
        eq(flagChanges.key, key),
        eq(flagChanges.changedKey, idempotencyKey),
      ),
    )
    .get();
  if (change === undefined) return succeeded({ key, enabled, previous: enabled, changed: false });
  const previous = !enabled;
  return succeeded({ key, enabled, previous, changed: true }, [
    { id: idempotencyKey, type: 'flags.changed', data: { flag: { key, enabled }, previous } },
  ]);
}

/** A row for a change; none when the flag is that way already or the call is a repeat. */
function recordChange(
  db: D1Database,
  { tenantId, runId, idempotencyKey, now }: PortCall,
  key: string,
  enabled: boolean,
): D1PreparedStatement {
  return db
    .prepare(
      `INSERT INTO flag_changes (tenant_id, key, changed_key, enabled, version, at, run_id)
       SELECT ?1, ?2, ?3, ?4, version + 1, ?5, ?6
       FROM (SELECT coalesce(max(enabled), 0) AS enabled, coalesce(max(version), 0) AS version
         FROM flags WHERE tenant_id = ?1 AND key = ?2)
       WHERE enabled <> ?4
       ON CONFLICT (tenant_id, key, changed_key) DO NOTHING`,
    )
    .bind(tenantId, key, idempotencyKey, enabled ? 1 : 0, new Date(now).toISOString(), runId);
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

/** By key. Flags that were never switched on are not in the list. */
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
