/**
 * Keys of frontends, and the flags that they read. The tenant's object knows which keys are live; these
 * rows follow it, so that a page that loads flags costs one read here and wakes no object. The flags
 * themselves are the embedded port's rows (ports/flags.ts).
 */
import { primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core';
import { givenAs } from '../given.ts';

export const frontendKeys = sqliteTable(
  'frontend_keys',
  {
    tenantId: text('tenant_id').notNull(),
    digest: text('digest').notNull(),
    revokedAt: text('revoked_at'),
  },
  (table) => [primaryKey({ columns: [table.tenantId, table.digest] })],
);

export interface FrontendKey {
  readonly digest: string;
  readonly revokedAt: string | null;
}

/** One statement for any number of keys; what is revoked stays so. */
export function upsertFrontendKeys(
  db: D1Database,
  tenantId: string,
  keys: readonly FrontendKey[],
): D1PreparedStatement {
  return db
    .prepare(
      `INSERT INTO frontend_keys (tenant_id, digest, revoked_at)
       SELECT ?1, k->>'digest', k->>'revokedAt'
       FROM ${givenAs('k')} WHERE true
       ON CONFLICT (tenant_id, digest) DO UPDATE
         SET revoked_at = coalesce(frontend_keys.revoked_at, excluded.revoked_at)`,
    )
    .bind(tenantId, JSON.stringify(keys));
}

/** A tenant's flags as a frontend sees them. */
export interface FlagsSeen {
  /** The service that keeps them instead of us; the flags are none then. */
  readonly service: string | null;
  /** By key, in the order of the keys. */
  readonly flags: ReadonlyMap<string, boolean>;
}

interface Row {
  readonly service: string | null;
  readonly flags: string;
}

/** In the order of the keys, so that the same flags are the same text. */
const FLAGS = `(SELECT json_group_object(key, json(iif(enabled, 'true', 'false')))
  FROM (SELECT key, enabled FROM flags WHERE tenant_id = ?1 ORDER BY key))`;

/** What a key reads; `unknown` for one that has no row here, which its tenant may know all the same. */
export async function flagsByKey(
  db: D1Database,
  tenantId: string,
  digest: string,
): Promise<FlagsSeen | 'revoked' | 'unknown'> {
  const row = await db
    .prepare(
      `SELECT k.revoked_at AS revokedAt, t.flags_service AS service, ${FLAGS} AS flags
       FROM frontend_keys k LEFT JOIN tenants t ON t.tenant_id = k.tenant_id
       WHERE k.tenant_id = ?1 AND k.digest = ?2`,
    )
    .bind(tenantId, digest)
    .first<Row & { revokedAt: string | null }>();
  if (row === null) return 'unknown';
  return row.revokedAt === null ? seen(row) : 'revoked';
}

/** What a tenant's frontends read, for a caller who is known otherwise. */
export async function flagsOf(db: D1Database, tenantId: string): Promise<FlagsSeen> {
  const row = await db
    .prepare(
      `SELECT (SELECT flags_service FROM tenants WHERE tenant_id = ?1) AS service,
         ${FLAGS} AS flags`,
    )
    .bind(tenantId)
    .first<Row>();
  return row === null ? { service: null, flags: new Map() } : seen(row);
}

function seen({ service, flags }: Row): FlagsSeen {
  const read: Record<string, boolean> = JSON.parse(flags);
  return { service, flags: new Map(service === null ? Object.entries(read) : []) };
}
