/** Taking flags away whose key names a person. A flag that was never set is off. */
import { and, asc, eq, gt, sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/d1';
import type { Mentions } from '../engine/mentions.ts';
import { flagChanges, flags } from './flags.ts';

const PAGE = 500;

/** One page of flags after a key. */
export async function eraseFlagsPage(
  db: D1Database,
  tenantId: string,
  after: string,
  mentions: Mentions,
): Promise<{ erased: number; next: string | null }> {
  const orm = drizzle(db);
  const rows = await orm
    .select({ key: flags.key })
    .from(flags)
    .where(and(eq(flags.tenantId, tenantId), gt(flags.key, after)))
    .orderBy(asc(flags.key))
    .limit(PAGE);
  const next = rows.length < PAGE ? null : (rows.at(-1)?.key ?? null);
  const keys = rows.flatMap(({ key }) => (mentions(key) ? [key] : []));
  if (keys.length === 0) return { erased: 0, next };
  const among = sql`IN (SELECT value FROM json_each(${JSON.stringify(keys)}))`;
  await orm.batch([
    orm
      .delete(flagChanges)
      .where(and(eq(flagChanges.tenantId, tenantId), sql`${flagChanges.key} ${among}`)),
    orm.delete(flags).where(and(eq(flags.tenantId, tenantId), sql`${flags.key} ${among}`)),
  ]);
  return { erased: keys.length, next };
}
