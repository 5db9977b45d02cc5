/**
 * The local mailbox: what would have been sent is a row in D1, for development and demos to read.
 * Line breaks in what becomes a header field (RFC 5322 2.2) are refused here as well, since another
 * adapter may be given the same email.
 */
import { and, desc, eq, getTableColumns, type SQL, sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/d1';
import { index, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core';
import { type Page, type Paged, paged } from '../contract/pages.ts';
import type { Outcome } from '../engine/plan.ts';
import { derivedHex } from './derived-id.ts';
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

export const RECIPIENTS_MAX = 50;
/** RFC 5322 2.1.1: a line has at most 998 characters. */
export const SUBJECT_LENGTH_MAX = 998;

/** Where no mail service is connected: said plainly, instead of mail that nobody gets. */
export const noEmail: EmailPort = {
  send: async () =>
    failed('email_not_configured', 'No mail service is connected in this deployment.'),
};

/** The adapter over the tenant's own rows. Faults of the database are thrown. */
export function localMailbox(db: D1Database): EmailPort {
  return { send: (call, email) => send(db, call, email) };
}

async function send(db: D1Database, call: PortCall, email: Email): Promise<Outcome> {
  const fault = emailFault(email);
  if (fault !== null) return failed('invalid_email', fault);
  const { to, subject, text = null, html = null } = email;
  const id = `msg_${derivedHex(call.idempotencyKey)}`;
  const at = new Date(call.now).toISOString();
  await drizzle(db)
    .insert(mailbox)
    .values({ tenantId: call.tenantId, id, to, subject, text, html, at })
    .onConflictDoNothing();
  return succeeded({ messageId: id, to: [...to] });
}

/** A sentence about what is wrong, or null. */
export function emailFault({ to, subject, text, html }: Email): string | null {
  if (to.length === 0 || to.length > RECIPIENTS_MAX)
    return `An email goes to 1 to ${RECIPIENTS_MAX} addresses.`;
  if ([...to, subject].some(breaksHeader))
    return 'An address or the subject has a line break or a NUL in it.';
  if (subject.length > SUBJECT_LENGTH_MAX)
    return `The subject is longer than ${SUBJECT_LENGTH_MAX} characters.`;
  return text === undefined && html === undefined ? 'The email has neither text nor HTML.' : null;
}

function breaksHeader(field: string): boolean {
  return ['\r', '\n', '\0'].some((char) => field.includes(char));
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
