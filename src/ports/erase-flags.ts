/**
 * Taking a person out of the flags: a flag whose key names them goes with its history (a flag that was
 * never set is off), and of other changes who made them by hand and what they said.
 */
import { and, asc, eq, gt, sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/d1';
import { ERASED } from '../engine/audit-parts.ts';
import type { Mentions } from '../engine/mentions.ts';
import { flagChanges } from './flag-changes.ts';
import { flags } from './flags.ts';

const PAGE = 500;

interface Erased {
  readonly erased: number;
  readonly next: string | null;
}

/** One page of flags after a key. */
export async function eraseFlagsPage(
  db: D1Database,
  tenantId: string,
  after: string,
  mentions: Mentions,
): Promise<Erased> {
  const orm = drizzle(db);
  const rows = await orm
    .select({ key: flags.key })
    .from(flags)
    .where(and(eq(flags.tenantId, tenantId), gt(flags.key, after)))
    .orderBy(asc(flags.key))
    .limit(PAGE);
  const next = rows.length < PAGE ? null : (rows.at(-1)?.key ?? null);
  const keys = rows.flatMap(({ key }) => (mentions(key) ? [key] : []));
  if (keys.length > 0)
    await orm
      .delete(flags)
      .where(
        and(
          eq(flags.tenantId, tenantId),
          sql`${flags.key} IN (SELECT value FROM json_each(${JSON.stringify(keys)}))`,
        ),
      );
  return { erased: keys.length, next };
}

/** Whose changes are looked for. */
interface Wanted {
  readonly actorIds: readonly string[];
  readonly mentions: Mentions;
}

/** One page of changes after a place (a flag and a call, with a space between). */
export async function eraseFlagChangesPage(
  db: D1Database,
  tenantId: string,
  after: string,
  wanted: Wanted,
): Promise<Erased> {
  const { key, changedKey, actor, comment } = flagChanges;
  const [lastKey = '', lastCall = ''] = after.split(' ');
  const rows = await drizzle(db)
    .select({ key, changedKey, actor, comment })
    .from(flagChanges)
    .where(
      and(
        eq(flagChanges.tenantId, tenantId),
        sql`(${key}, ${changedKey}) > (${lastKey}, ${lastCall})`,
      ),
    )
    .orderBy(asc(key), asc(changedKey))
    .limit(PAGE);
  const last = rows.at(-1);
  const next = rows.length < PAGE || last === undefined ? null : `${last.key} ${last.changedKey}`;
  const gone = rows.filter((row) => wanted.mentions(row.key));
  const said = rows
    .filter((row) => !gone.includes(row))
    .flatMap((row) => withoutPerson(row, wanted));
  if (gone.length + said.length > 0)
    await db.batch([deleteChanges(db, tenantId, gone), updateChanges(db, tenantId, said)]);
  return { erased: gone.length + said.length, next };
}

type Change = Pick<typeof flagChanges.$inferSelect, 'key' | 'changedKey' | 'actor' | 'comment'>;

/** The change without what tells of the person; nothing when nothing does. */
function withoutPerson(change: Change, { actorIds, mentions }: Wanted): Change[] {
  const { actor, comment } = change;
  const isTheirs = actor !== null && actorIds.includes(actor.id);
  const isNamed = actor !== null && actor.name !== ERASED && (isTheirs || mentions(actor.name));
  const isSaid = comment !== null && comment !== ERASED && (isTheirs || mentions(comment));
  if (!isNamed && !isSaid) return [];
  return [
    {
      ...change,
      actor: isNamed ? { ...actor, name: ERASED } : actor,
      comment: isSaid ? ERASED : comment,
    },
  ];
}

function deleteChanges(db: D1Database, tenantId: string, gone: readonly Change[]) {
  const keys = gone.map(({ key, changedKey }) => ({ key, changedKey }));
  return db
    .prepare(
      `DELETE FROM flag_changes WHERE tenant_id = ?1 AND (key, changed_key) IN
         (SELECT value->>'key', value->>'changedKey' FROM json_each(?2))`,
    )
    .bind(tenantId, JSON.stringify(keys));
}

function updateChanges(db: D1Database, tenantId: string, changes: readonly Change[]) {
  return db
    .prepare(
      `UPDATE flag_changes SET actor = u.value->>'actor', comment = u.value->>'comment'
       FROM json_each(?2) AS u
       WHERE tenant_id = ?1 AND flag_changes.key = u.value->>'key'
         AND changed_key = u.value->>'changedKey'`,
    )
    .bind(tenantId, JSON.stringify(changes));
}
