/** Taking a person out of the local mailbox. The mail's row stays, so that no repeat sends it anew. */
import { and, asc, eq, gt, sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/d1';
import { ERASED } from '../engine/audit-parts.ts';
import { mailbox } from './email.ts';

const PAGE = 50;

export type StoredMail = typeof mailbox.$inferSelect;

/** Mails after an id that still say something. */
export async function mailPage(
  db: D1Database,
  tenantId: string,
  after: string,
): Promise<{ rows: StoredMail[]; next: string | null }> {
  const rows = await drizzle(db)
    .select()
    .from(mailbox)
    .where(and(eq(mailbox.tenantId, tenantId), gt(mailbox.id, after)))
    .orderBy(asc(mailbox.id))
    .limit(PAGE);
  const next = rows.length < PAGE ? null : (rows.at(-1)?.id ?? null);
  return { rows: rows.filter(({ subject }) => subject !== ERASED), next };
}

export async function eraseMails(
  db: D1Database,
  tenantId: string,
  ids: readonly string[],
): Promise<void> {
  if (ids.length === 0) return;
  await drizzle(db)
    .update(mailbox)
    .set({ to: [], subject: ERASED, text: ERASED, html: null })
    .where(
      and(
        eq(mailbox.tenantId, tenantId),
        sql`${mailbox.id} IN (SELECT value FROM json_each(${JSON.stringify(ids)}))`,
      ),
    );
}
