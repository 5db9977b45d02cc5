/**
 * Taking a person out of the delivery log. A row stays, with its run, status and time: an address may
 * be made of what an event said, and a redelivery's row holds what was answered.
 */
import { and, asc, eq, gt, sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/d1';
import { ERASED } from '../engine/audit-parts.ts';
import { deliveries } from './deliveries.ts';

const PAGE = 200;

/** Deliveries after an id that still say where they went. */
export async function deliveryPage(db: D1Database, tenantId: string, after: string) {
  const { id, runId, destination, response } = deliveries;
  const rows = await drizzle(db)
    .select({ id, runId, destination, response })
    .from(deliveries)
    .where(and(eq(deliveries.tenantId, tenantId), gt(id, after)))
    .orderBy(asc(id))
    .limit(PAGE);
  const next = rows.length < PAGE ? null : (rows.at(-1)?.id ?? null);
  return { rows: rows.filter((row) => row.destination !== ERASED), next };
}

export async function eraseDeliveries(
  db: D1Database,
  tenantId: string,
  ids: readonly string[],
): Promise<void> {
  if (ids.length === 0) return;
  await drizzle(db)
    .update(deliveries)
    .set({ destination: ERASED, response: null })
    .where(
      and(
        eq(deliveries.tenantId, tenantId),
        sql`${deliveries.id} IN (SELECT value FROM json_each(${JSON.stringify(ids)}))`,
      ),
    );
}
