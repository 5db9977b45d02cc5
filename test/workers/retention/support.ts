/** A tenant with thousands of runs of long ago, as the log and the tenant's object have them. */
import { runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { tenantObject } from '../../../src/objects/index.ts';
import type { Tenant } from '../support/api.ts';

const DAY_MS = 86_400_000;
export const daysAgo = (days: number) => Date.now() - days * DAY_MS;

export interface Seed {
  /** Tells the ids of one seed from those of another. */
  readonly name: string;
  readonly count: number;
  readonly createdDaysAgo: number;
  /** Null: it waits for an approval still. */
  readonly endedDaysAgo: number | null;
}

/** Runs, each with its event, a later part of its entries, an approval and a delivery. */
export async function seedRuns(tenant: Tenant, seed: Seed): Promise<void> {
  const { count, createdDaysAgo, endedDaysAgo } = seed;
  const at = new Date(daysAgo(createdDaysAgo)).toISOString();
  const endedAt = endedDaysAgo === null ? null : new Date(daysAgo(endedDaysAgo)).toISOString();
  const id = (prefix: string) => `'${prefix}_' || ${hexOf(seed)}`;
  const fill = (into: string, values: string) =>
    env.DB.prepare(
      `INSERT INTO ${into} WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < ${count})
       SELECT ?1, ${values} FROM c WHERE ?2 || ?3 IS NOT 0`,
    ).bind(tenant.id, at, endedAt);
  await env.DB.batch([
    fill(
      `events (tenant_id, id, event_id, source, type, time, data, correlation_id, request_id,
         received_at, runs, matches)`,
      `${id('evt')}, '${seed.name}' || n, 'seed', 'custom.seed', ?2, '{}', 'c', 'r', ?2,
       json_array(${id('run')}), '[]'`,
    ),
    fill(
      `runs (tenant_id, id, seq, workflow_id, workflow_name, workflow_version, event_id, event_type,
         status, request_id, correlation_id, created_at, finished_at, entries)`,
      `${id('run')}, 9, 'wf', 'W', 1, ${id('evt')}, 'custom.seed',
       iif(?3 IS NULL, 'pending_approval', 'succeeded'), 'r', 'c', ?2, ?3, '[]'`,
    ),
    fill('run_entries (tenant_id, run_id, first_seq, entries)', `${id('run')}, 4, '[]'`),
    fill(
      'approvals (tenant_id, id, seq, status, expires_at, item, barred, among)',
      `${id('apr')} || '-1', 4, iif(?3 IS NULL, 'pending', 'approved'), '2999', '{}', '[]', '[]'`,
    ),
    fill(
      `deliveries (tenant_id, id, run_id, step_id, attempt, webhook_id, destination, started_at,
         duration_ms)`,
      `${id('dlv')}, ${id('run')}, 'send', 1, 'w', 'https://example.com', ?2, 1`,
    ),
  ]);
  await runInDurableObject(tenantObject(env, tenant.id), (_, { storage }) => {
    storage.sql.exec(
      `INSERT INTO intake (state, source, event_id, id, runs)
       WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < ${count})
       SELECT 4, 'seed', '${seed.name}' || n, ${id('evt')}, '[]' FROM c`,
    );
  });
}

/** Of a time, and then of the seed and the number. */
function hexOf({ name, createdDaysAgo }: Seed): string {
  const ms = daysAgo(createdDaysAgo).toString(16).padStart(12, '0').slice(0, 8);
  const own = [...name].map((letter) => letter.charCodeAt(0).toString(16)).join('');
  return `'${ms}${own.padEnd(12, '0').slice(0, 12)}' || printf('%012x', n)`;
}

const TABLES = ['runs', 'run_entries', 'approvals', 'deliveries', 'events'] as const;

/** How many rows the log has of the tenant in each table, and its object of identities. */
export async function rowsOf(tenant: Tenant): Promise<Record<string, number>> {
  const counted = await env.DB.batch<{ n: number }>(
    TABLES.map((table) =>
      env.DB.prepare(`SELECT count(*) AS n FROM ${table} WHERE tenant_id = ?`).bind(tenant.id),
    ),
  );
  const identities = await runInDurableObject(
    tenantObject(env, tenant.id),
    (_, { storage }) =>
      storage.sql.exec<{ n: number }>('SELECT count(*) AS n FROM intake WHERE state = 4').one().n,
  );
  const rows = TABLES.map((table, index) => [table, counted[index]?.results[0]?.n ?? 0] as const);
  return { ...Object.fromEntries(rows), identities };
}

/** All of a day's removal, slice by slice. */
export async function removeAll(tenant: Tenant, between?: () => Promise<void>): Promise<number> {
  for (let slices = 1; ; slices += 1) {
    const isMore = await tenantObject(env, tenant.id).removeOld();
    if (!isMore) return slices;
    await between?.();
  }
}
