/**
 * The private parts of audit entries, beside the chain: one row for an entry that has some. Triggers
 * let a part be taken out of a row and refuse all else, so the row of an entry whose parts were erased
 * stays: a parcel that comes again does not bring them back.
 */
import { and, eq } from 'drizzle-orm';
import { integer, primaryKey, type SQLiteColumn, sqliteTable, text } from 'drizzle-orm/sqlite-core';
import type { AuditEntry, AuditPart } from '../contract/audit.ts';
import { isJsonObject, type Json, type JsonObject } from '../contract/json.ts';
import { commitmentsOf, ERASED, partAt, withParts } from '../engine/audit-parts.ts';

/** By path: the value, and the salt that its digest was made with. */
export type PrivateParts = Readonly<
  Record<string, { readonly salt: string; readonly value: Json }>
>;

export const auditPrivate = sqliteTable(
  'audit_private',
  {
    tenantId: text('tenant_id').notNull(),
    seq: integer('seq').notNull(),
    parts: text('parts', { mode: 'json' }).$type<PrivateParts>().notNull(),
  },
  (table) => [primaryKey({ columns: [table.tenantId, table.seq] })],
);

/** One statement for any number of entries; those without private parts have no row. */
export function insertAuditPrivate(
  db: D1Database,
  tenantId: string,
  entries: readonly AuditEntry[],
): D1PreparedStatement {
  const rows = entries.flatMap((entry) => {
    const parts = partsOf(entry);
    return parts === null ? [] : [{ seq: entry.seq, parts }];
  });
  return db
    .prepare(
      `INSERT INTO audit_private (tenant_id, seq, parts)
       SELECT ?1, p->>'seq', p->'parts' FROM (SELECT value AS p FROM json_each(?2)) WHERE true
       ON CONFLICT (tenant_id, seq) DO NOTHING`,
    )
    .bind(tenantId, JSON.stringify(rows));
}

function partsOf(entry: AuditEntry): PrivateParts | null {
  if (entry.private === undefined) return null;
  const { private: proofs, ...rest } = entry;
  const parts = Object.entries(proofs).flatMap(([path, { salt }]) => {
    const value = partAt(rest, path);
    return salt === undefined || value === undefined ? [] : [[path, { salt, value }] as const];
  });
  return Object.fromEntries(parts);
}

/** The condition that joins an entry's row with its private parts. */
export function ofEntry(entry: { readonly tenantId: SQLiteColumn; readonly seq: SQLiteColumn }) {
  return and(eq(auditPrivate.tenantId, entry.tenantId), eq(auditPrivate.seq, entry.seq));
}

/** The text that stands in the column of names for a name that is private. */
const COMMITTED_NAME = /^\{"\$private":"[0-9a-f]{64}"\}$/;

/** What a row of the chain shows, with the parts that are left of it. */
export function shown(
  nameText: string,
  data: JsonObject,
  parts: PrivateParts,
): { actorName: string; data: JsonObject; private: Record<string, AuditPart> | null } {
  const name: Json = COMMITTED_NAME.test(nameText) ? JSON.parse(nameText) : nameText;
  const form = { actor: { name }, data };
  const values = new Map<string, Json>();
  const proofs = commitmentsOf(form).map(([path, digest]): [string, AuditPart] => {
    const part = Object.hasOwn(parts, path) ? parts[path] : undefined;
    values.set(path, part?.value ?? ERASED);
    return [path, part === undefined ? { digest } : { digest, salt: part.salt }];
  });
  const told = withParts(form, values);
  const toldName = partAt(told, 'actor.name');
  return {
    actorName: typeof toldName === 'string' ? toldName : ERASED,
    data: isJsonObject(told.data) ? told.data : data,
    private: proofs.length === 0 ? null : Object.fromEntries(proofs),
  };
}
