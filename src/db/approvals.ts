/** The inbox: approvals with what a person needs to decide them, the most urgent first. */
import { and, asc, desc, eq, lt, type SQL, sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/d1';
import { index, integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core';
import { ROLES, type Role } from '../contract/json.ts';
import { type Page, type Paged, paged } from '../contract/pages.ts';
import type { ApprovalItem } from '../contract/runs.ts';
import { givenAs } from '../given.ts';

export const approvals = sqliteTable(
  'approvals',
  {
    tenantId: text('tenant_id').notNull(),
    id: text('id').notNull(),
    /** The run's last entry that this row knows of: an older parcel cannot undo a newer one. */
    seq: integer('seq').notNull(),
    status: text('status').$type<ApprovalItem['status']>().notNull(),
    expiresAt: text('expires_at').notNull(),
    item: text('item', { mode: 'json' }).$type<ApprovalItem>().notNull(),
    /** Ids of who may not decide, or has. */
    barred: text('barred', { mode: 'json' }).$type<string[]>().notNull(),
    /** When not empty, only these may. */
    among: text('among', { mode: 'json' }).$type<string[]>().notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.id] }),
    // What waits alone: it is what is looked for by time, and a decision then costs no index.
    index('approvals_pending')
      .on(table.tenantId, table.expiresAt, table.id)
      .where(sql`status = 'pending'`),
  ],
);

export interface ApprovalParcel {
  readonly item: ApprovalItem;
  readonly seq: number;
  readonly barred: readonly string[];
  readonly among: readonly string[];
}

/** One statement for any number of approvals. */
export function upsertApprovals(
  db: D1Database,
  tenantId: string,
  parcels: readonly ApprovalParcel[],
): D1PreparedStatement {
  return db
    .prepare(
      `INSERT INTO approvals (tenant_id, id, seq, status, expires_at, item, barred, among)
       SELECT ?1, a->>'$.item.id', a->>'seq', a->>'$.item.status', a->>'$.item.expiresAt',
         a->'item', a->'barred', a->'among'
       FROM ${givenAs('a')} WHERE true
       ON CONFLICT (tenant_id, id) DO UPDATE SET seq = excluded.seq, status = excluded.status,
         expires_at = excluded.expires_at, item = excluded.item, barred = excluded.barred
       WHERE excluded.seq > approvals.seq`,
    )
    .bind(tenantId, JSON.stringify(parcels));
}

/** Whom `mine` means: a person, and the rights by which they may decide. */
export interface Decider {
  readonly id: string;
  readonly rights: readonly { readonly id: string; readonly role: Role }[];
}

/** An approval, and who may not decide it, or who alone may. */
export type ApprovalRow = Omit<ApprovalParcel, 'seq'>;

/**
 * What is pending by expiry, the earliest first; the others newest first. `mine`: only what that person
 * may decide and has not.
 */
export async function listApprovals(
  db: D1Database,
  tenantId: string,
  { status, mine }: { status: ApprovalItem['status']; mine?: Decider | undefined },
  page: Page,
): Promise<Paged<ApprovalRow>> {
  const isPending = status === 'pending';
  const wanted: (SQL | undefined)[] = [
    eq(approvals.tenantId, tenantId),
    // As a literal: a bound value could not use the index of what is pending.
    isPending ? sql`${approvals.status} = 'pending'` : eq(approvals.status, status),
    mine === undefined ? undefined : decidableBy(mine),
    page.after === null ? undefined : isAfter(page.after, isPending),
  ];
  const rows = await drizzle(db)
    .select({
      id: approvals.id,
      expiresAt: approvals.expiresAt,
      item: approvals.item,
      barred: approvals.barred,
      among: approvals.among,
    })
    .from(approvals)
    .where(and(...wanted))
    .orderBy(...(isPending ? [asc(approvals.expiresAt), asc(approvals.id)] : [desc(approvals.id)]))
    .limit(page.limit + 1);
  return paged(
    rows,
    page.limit,
    (row) => `${row.expiresAt} ${row.id}`,
    ({ item, barred, among }) => ({ item, barred, among }),
  );
}

/**
 * The same rule that the engine checks at the vote: roles are minimums, names come besides, and
 * neither the person nor the one whose right it is may be barred.
 */
function decidableBy({ id, rights }: Decider): SQL {
  const rightsJson = JSON.stringify(
    rights.map((right) => ({
      id: right.id,
      covers: ROLES.slice(0, ROLES.indexOf(right.role) + 1),
    })),
  );
  const item = sql`${approvals.item}`;
  const whose = sql`r.value->>'id'`;
  return sql`NOT EXISTS (SELECT 1 FROM json_each(${approvals.barred}) b WHERE b.value = ${id})
    AND EXISTS (SELECT 1 FROM json_each(${rightsJson}) r
      WHERE (EXISTS (SELECT 1 FROM json_each(${item}, '$.roles') a
              JOIN json_each(r.value, '$.covers') c ON c.value = a.value)
          OR EXISTS (SELECT 1 FROM json_each(${item}, '$.members') m WHERE m.value = ${whose}))
        AND NOT EXISTS (SELECT 1 FROM json_each(${approvals.barred}) b WHERE b.value = ${whose})
        AND (json_array_length(${approvals.among}) = 0
          OR EXISTS (SELECT 1 FROM json_each(${approvals.among}) o WHERE o.value = ${whose})))`;
}

/** A page's key is a time, a space and an id; a time has no space in it. */
function isAfter(key: string, isPending: boolean): SQL {
  const [expiresAt = '', id = ''] = key.split(' ');
  if (!isPending) return lt(approvals.id, id);
  return sql`(${approvals.expiresAt}, ${approvals.id}) > (${expiresAt}, ${id})`;
}
