/** Taking a person out of the local mailbox. The mail's row stays, so that no repeat sends it anew. */
import { and, asc, eq, gt, ne, sql } from 'drizzle-orm';
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

/** @returns how many of them still said something */
export async function eraseMails(
  db: D1Database,
  tenantId: string,
  ids: readonly string[],
): Promise<number> {
  if (ids.length === 0) return 0;
  const erased = await drizzle(db)
    .update(mailbox)
    .set({ to: [], subject: ERASED, text: ERASED, html: null })
    .where(
      and(
        eq(mailbox.tenantId, tenantId),
        ne(mailbox.subject, ERASED),
        sql`${mailbox.id} IN (SELECT value FROM json_each(${JSON.stringify(ids)}))`,
      ),
    )
    .returning({ id: mailbox.id });
  return erased.length;
}
