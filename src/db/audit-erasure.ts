/** Taking private parts of audit entries away. The entries themselves stay, and so does every hash. */
import { and, asc, eq, gt, isNotNull } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/d1';
import { ALL, type AuditRow, audit, findAuditRows } from './audit.ts';
import type { PrivateParts } from './audit-private.ts';

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

/** Entries about one target that have private parts. */
export async function auditRowsOf(
  db: D1Database,
  tenantId: string,
  target: string,
): Promise<PrivateRow[]> {
  const rows = await findAuditRows(db, tenantId, { target }, ALL, ALL.before);
  return rows.map(privateOf).filter(({ parts }) => Object.keys(parts).length > 0);
}

/** Entries that had private parts, after a number, with what is left of them. */
export async function privatePage(
  db: D1Database,
  tenantId: string,
  after: number,
): Promise<{ rows: PrivateRow[]; next: number | null }> {
  const rows = await drizzle(db)
    .select()
    .from(audit)
    .where(and(eq(audit.tenantId, tenantId), gt(audit.seq, after), isNotNull(audit.parts)))
    .orderBy(asc(audit.seq))
    .limit(PAGE);
  const next = rows.length < PAGE ? null : (rows.at(-1)?.seq ?? null);
  return { rows: rows.map(privateOf), next };
}

function privateOf({ seq, actorId, targetId, requestId, parts }: AuditRow): PrivateRow {
  return { seq, actorId, targetId, requestId, parts: parts ?? {} };
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
      `UPDATE audit SET parts = json_patch(parts, p.value->'patch')
       FROM json_each(?2) AS p WHERE tenant_id = ?1 AND seq = p.value->>'seq'`,
    )
    .bind(tenantId, JSON.stringify(patches));
}
