/** Taking private parts of audit entries away. The entries themselves stay, and so does every hash. */
import { and, asc, eq, gt, sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/d1';
import { audit } from './audit.ts';
import { auditPrivate, ofEntry, type PrivateParts } from './audit-private.ts';

/** Paths of private parts of one entry. */
export interface SeqPaths {
  readonly seq: number;
  readonly paths: readonly string[];
}

/** An entry with what is left of its private parts. */
export interface PrivateRow {
  readonly seq: number;
  readonly actorId: string;
  readonly targetId: string;
  readonly requestId: string;
  readonly parts: PrivateParts;
}

const PAGE = 200;
const COLUMNS = {
  seq: audit.seq,
  actorId: audit.actorId,
  targetId: audit.targetId,
  requestId: audit.requestId,
  parts: auditPrivate.parts,
};

/** Entries about one target that have private parts. */
export async function auditRowsOf(
  db: D1Database,
  tenantId: string,
  targetId: string,
): Promise<PrivateRow[]> {
  return await drizzle(db)
    .select(COLUMNS)
    .from(audit)
    .innerJoin(auditPrivate, ofEntry(audit))
    .where(
      and(
        eq(audit.tenantId, tenantId),
        eq(audit.targetId, targetId),
        sql`${auditPrivate.parts} <> '{}'`,
      ),
    );
}

/** Entries that have private parts left, after a number. */
export async function privatePage(
  db: D1Database,
  tenantId: string,
  after: number,
): Promise<{ rows: PrivateRow[]; next: number | null }> {
  const rows = await drizzle(db)
    .select(COLUMNS)
    .from(auditPrivate)
    .innerJoin(audit, ofEntry(audit))
    .where(and(eq(auditPrivate.tenantId, tenantId), gt(auditPrivate.seq, after)))
    .orderBy(asc(auditPrivate.seq))
    .limit(PAGE);
  return { rows, next: rows.length < PAGE ? null : (rows.at(-1)?.seq ?? null) };
}

/** One statement for any number of entries. A merge patch with null takes a member out (RFC 7396). */
export function removeParts(
  db: D1Database,
  tenantId: string,
  gone: readonly SeqPaths[],
): D1PreparedStatement {
  const patches = gone.map(({ seq, paths }) => ({
    seq,
    patch: Object.fromEntries(paths.map((path) => [path, null])),
  }));
  return db
    .prepare(
      `UPDATE audit_private SET parts = json_patch(parts, p.value->'patch')
       FROM json_each(?2) AS p WHERE tenant_id = ?1 AND seq = p.value->>'seq'`,
    )
    .bind(tenantId, JSON.stringify(patches));
}
