/**
 * The local mailbox: what would have been sent is a row in D1, for development and demos to read. It
 * refuses what the services would refuse, so that nothing works here alone.
 */
import { and, desc, eq, getTableColumns, type SQL, sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/d1';
import { index, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core';
import { type Page, type Paged, paged } from '../contract/pages.ts';
import type { Outcome } from '../engine/plan.ts';
import { messageIdOf, recipientsOf } from './email-message.ts';
import { type Email, type EmailPort, failed, type PortCall, succeeded } from './index.ts';

export const mailbox = sqliteTable(
  'mailbox',
  {
    tenantId: text('tenant_id').notNull(),
    /** Made from the idempotency key, so that a repeat is no second email. */
    id: text('id').notNull(),
    to: text('to', { mode: 'json' }).$type<readonly string[]>().notNull(),
    subject: text('subject').notNull(),
    text: text('text'),
    html: text('html'),
    at: text('at').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.id] }),
    index('mailbox_by_time').on(table.tenantId, table.at, table.id),
  ],
);

export interface MailboxEmail {
  readonly id: string;
  readonly to: readonly string[];
  readonly subject: string;
  readonly text: string | null;
  readonly html: string | null;
  readonly at: string;
}

/** The adapter over the tenant's own rows. Faults of the database are thrown. */
export function localMailbox(db: D1Database): EmailPort {
  return { honoursKey: true, send: (call, email) => send(db, call, email) };
}

async function send(db: D1Database, call: PortCall, email: Email): Promise<Outcome> {
  const recipients = recipientsOf(email);
  if (typeof recipients === 'string') return failed('invalid_email', recipients);
  const { to, subject, text = null, html = null } = email;
  const id = mailId(call.idempotencyKey);
  const at = new Date(call.now).toISOString();
  await drizzle(db)
    .insert(mailbox)
    .values({ tenantId: call.tenantId, id, to, subject, text, html, at })
    .onConflictDoNothing();
  return succeeded({ messageId: id, to: [...to] });
}

/** The id of the mail that a call with this key has sent, if it has. */
export function mailId(idempotencyKey: string): string {
  return `msg_${messageIdOf({ idempotencyKey })}`;
}

/** Newest first. */
export async function listMailbox(
  db: D1Database,
  tenantId: string,
  page: Page,
): Promise<Paged<MailboxEmail>> {
  const { tenantId: _tenantId, ...shown } = getTableColumns(mailbox);
  const rows = await drizzle(db)
    .select(shown)
    .from(mailbox)
    .where(
      and(eq(mailbox.tenantId, tenantId), page.after === null ? undefined : isAfter(page.after)),
    )
    .orderBy(desc(mailbox.at), desc(mailbox.id))
    .limit(page.limit + 1);
  return paged(
    rows,
    page.limit,
    (row) => `${row.at} ${row.id}`,
    (row) => row,
  );
}

/** A page's key is a time, a space and an id; a time has no space in it. */
function isAfter(key: string): SQL {
  const cut = key.indexOf(' ');
  const [at, id] = [key.slice(0, cut), key.slice(cut + 1)];
  return sql`(${mailbox.at}, ${mailbox.id}) < (${at}, ${id})`;
}
