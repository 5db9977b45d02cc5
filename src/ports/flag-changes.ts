/**
 * What became of flags, in D1: each change under the idempotency key of the call that made it, whoever
 * keeps the flag. A late repeat of a call finds its own row, and leaves alone what others have set since.
 * A change at a service is begun here before it is made there, so that an attempt whose answer was lost
 * is told from a flag that was that way already.
 */
import { and, desc, eq, sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/d1';
import { index, integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core';
import type { Actor } from '../contract/json.ts';
import { type Page, type Paged, paged } from '../contract/pages.ts';
import type { Outcome } from '../engine/plan.ts';
import { type FlagChange, type PortCall, succeeded } from './index.ts';

export const flagChanges = sqliteTable(
  'flag_changes',
  {
    tenantId: text('tenant_id').notNull(),
    key: text('key').notNull(),
    /** The idempotency key of the call that made the change. */
    changedKey: text('changed_key').notNull(),
    /** The run that made it; empty for what a person did, and from before this was kept. */
    runId: text('run_id').notNull().default(''),
    stepId: text('step_id').notNull().default(''),
    /** The person or key that made it by hand. */
    actor: text('actor', { mode: 'json' }).$type<Actor>(),
    comment: text('comment'),
    /** Who keeps the flag. */
    service: text('service').notNull().default('signalbox'),
    /** What it is set to; before, it was the other. */
    enabled: integer('enabled', { mode: 'boolean' }).notNull(),
    /** Of the embedded flag: how many changes there were. */
    version: integer('version').notNull(),
    /** False while a service has not answered. */
    isApplied: integer('is_applied', { mode: 'boolean' }).notNull().default(true),
    at: text('at').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.key, table.changedKey] }),
    index('flag_changes_by_time').on(table.tenantId, table.at, table.key, table.changedKey),
    index('flag_changes_of_key').on(table.tenantId, table.key, table.at, table.changedKey),
  ],
);

/** The flag was that way already: no event. */
export function unchangedFlag({ key, enabled }: FlagChange): Outcome {
  return succeeded({ key, enabled, previous: enabled, changed: false });
}

export function changedFlag({ idempotencyKey }: PortCall, { key, enabled }: FlagChange): Outcome {
  const previous = !enabled;
  return succeeded({ key, enabled, previous, changed: true }, [
    { id: idempotencyKey, type: 'flags.changed', data: { flag: { key, enabled }, previous } },
  ]);
}

/** Where a service's adapter keeps what it is about to do. */
export interface FlagLedger {
  /** How far this call has come; null when it has not begun. */
  progress(call: PortCall, key: string): Promise<'begun' | 'applied' | null>;
  begin(call: PortCall, change: FlagChange): Promise<void>;
  finish(call: PortCall, key: string): Promise<void>;
}

export function flagLedger(db: D1Database, service: string): FlagLedger {
  const orm = drizzle(db);
  const isOwn = ({ tenantId, idempotencyKey }: PortCall, key: string) =>
    and(
      eq(flagChanges.tenantId, tenantId),
      eq(flagChanges.key, key),
      eq(flagChanges.changedKey, idempotencyKey),
    );
  return {
    async progress(call, key) {
      const [row] = await orm
        .select({ isApplied: flagChanges.isApplied })
        .from(flagChanges)
        .where(isOwn(call, key));
      return row === undefined ? null : row.isApplied ? 'applied' : 'begun';
    },
    async begin(call, { key, enabled, by }) {
      const { tenantId, idempotencyKey: changedKey, runId, stepId, now } = call;
      await orm
        .insert(flagChanges)
        .values({
          ...{ tenantId, key, changedKey, runId, stepId, service, enabled },
          ...{ actor: by?.actor, comment: by?.comment, version: 0, isApplied: false },
          at: new Date(now).toISOString(),
        })
        .onConflictDoNothing();
    },
    async finish(call, key) {
      const at = new Date(call.now).toISOString();
      await orm.update(flagChanges).set({ isApplied: true, at }).where(isOwn(call, key));
    },
  };
}

export interface RecordedChange {
  readonly key: string;
  readonly enabled: boolean;
  readonly at: string;
  readonly service: string;
  readonly runId: string;
  readonly stepId: string;
  readonly actor: Actor | null;
  readonly comment: string | null;
}

/** Newest first; of one flag, or of all. */
export async function listFlagChanges(
  db: D1Database,
  tenantId: string,
  key: string | undefined,
  page: Page,
): Promise<Paged<RecordedChange>> {
  const { changedKey, at, enabled, service, runId, stepId, actor, comment } = flagChanges;
  const rows = await drizzle(db)
    .select({
      ...{ key: flagChanges.key, changedKey, at, enabled, service },
      ...{ runId, stepId, actor, comment },
    })
    .from(flagChanges)
    .where(
      and(
        eq(flagChanges.tenantId, tenantId),
        eq(flagChanges.isApplied, true),
        key === undefined ? undefined : eq(flagChanges.key, key),
        page.after === null ? undefined : isBefore(page.after),
      ),
    )
    .orderBy(desc(at), desc(flagChanges.key), desc(changedKey))
    .limit(page.limit + 1);
  return paged(
    rows,
    page.limit,
    (row) => `${row.at} ${row.key} ${row.changedKey}`,
    ({ changedKey: _own, ...change }) => change,
  );
}

/** A page's key is a time, a flag and a call, none of which has a space in it. */
function isBefore(place: string) {
  const [at = '', key = '', changedKey = ''] = place.split(' ');
  return sql`(${flagChanges.at}, ${flagChanges.key}, ${flagChanges.changedKey})
    < (${at}, ${key}, ${changedKey})`;
}
