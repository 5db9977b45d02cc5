/** One request of an erasure: ask the tenant whom, go through the rows, tell the audit what was done. */
import {
  type ErasedCounts,
  REMAINING,
  type RemainingKind,
  type Remains,
  type Subject,
} from '../contract/privacy.ts';
import { type Refusal, refusal } from '../contract/problems.ts';
import { directoryOf } from '../db/databases.ts';
import { erasedRunsOf, eraseMemberRow } from '../db/erasure.ts';
import { mentionsOf } from '../engine/mentions.ts';
import type { By } from './change.ts';
import { BEGINNING, Erasure, type ErasureEnv, type Place } from './erasure.ts';
import { tenantObject } from './index.ts';
import type { Begun } from './tenant-privacy.ts';

/** Of what remains, so many are named. */
const IDS_SHOWN = 20;

/** Where the request before has stopped, and whom it was about. */
export interface From {
  readonly subject: string;
  readonly place: Place;
}

export const WRONG_CURSOR =
  'Use nextCursor of this route as it was answered, with the same subject.';

export type ErasureOutcome =
  | Refusal
  | {
      ok: true;
      subject: string;
      /** Where to go on; null: everything was looked through. */
      next: Place | null;
      erased: ErasedCounts;
      remaining: Remains[];
    };

/** @param from null for the first request */
export async function erasePerson(
  env: ErasureEnv,
  tenantId: string,
  { subject, reason, from }: { subject: Subject; reason: string; from: From | null },
  by: By,
): Promise<ErasureOutcome> {
  const tenant = tenantObject(env, tenantId);
  const begun: Begun = await tenant.beginErasure(subject, from === null ? reason : null, by);
  if (!begun.ok) return begun;
  const { pseudonym, marks } = begun;
  if (from !== null && from.subject !== pseudonym) return refusal('invalid_cursor', WRONG_CURSOR);
  const erasure = new Erasure(env, { tenantId, marks, mentions: mentionsOf(marks) });
  const next = await erasure.goOn(from?.place ?? BEGINNING);
  if (next === null) {
    const own = await tenant.remainsOf(marks);
    for (const { kind, ids } of own.remaining) for (const id of ids) erasure.remains(kind, id);
    for (const runId of await erasedRunsOf(env.DB, tenantId, own.sending))
      erasure.remains('deliveries', runId);
  }
  const remaining = [...erasure.remaining].map(([kind, ids]) => remainsOf(kind, [...ids]));
  const counts = Object.fromEntries(remaining.map(({ kind, count }) => [kind, count]));
  const told = { done: next === null, erased: erasure.erased, remaining: counts };
  const members = await tenant.endErasure(subject, { pseudonym, marks }, told, by);
  if (next === null && subject.kind === 'member')
    await eraseMemberRow(directoryOf(env), tenantId, subject.memberId);
  return { ok: true, subject: pseudonym, next, erased: { ...erasure.erased, members }, remaining };
}

function remainsOf(kind: RemainingKind, ids: readonly string[]): Remains {
  return { kind, count: ids.length, ids: ids.slice(0, IDS_SHOWN), reason: REMAINING[kind] };
}
