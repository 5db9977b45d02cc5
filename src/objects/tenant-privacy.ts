/**
 * The tenant's part in an erasure: who the person is, the audit entries that tell of it, and what the
 * tenant's own rows hold. The name is forgotten last, for by it the rest is found.
 */
import type { Json } from '../contract/json.ts';
import type { ErasedCounts, RemainingKind, Subject } from '../contract/privacy.ts';
import { type Refusal, refusal } from '../contract/problems.ts';
import type { Definition } from '../contract/workflows.ts';
import type { StoredEvent } from '../db/triggers.ts';
import { type Marks, mentionsOf, runIdsIn } from '../engine/mentions.ts';
import { pseudonymOf } from './audit-privacy.ts';
import { type By, type Change, changed } from './change.ts';
import type { Stores } from './stores.ts';
import { TenantBase } from './tenant-base.ts';

/** Whom to look for, and what the audit calls them. */
export interface Wanted {
  readonly pseudonym: string;
  readonly marks: Marks;
}

export type Begun = Refusal | ({ ok: true } & Wanted);

/** What one request of an erasure did. */
export interface Told {
  readonly done: boolean;
  readonly erased: ErasedCounts;
  /** How much of what was found to remain, by kind. */
  readonly remaining: Readonly<Partial<Record<RemainingKind, number>>>;
}

export interface TenantRemains {
  readonly remaining: readonly { readonly kind: RemainingKind; readonly ids: string[] }[];
  /** Runs of which something is on its way out of the tenant. */
  readonly sending: string[];
}

export abstract class TenantPrivacy extends TenantBase {
  /** Why it was asked for is written down before anything goes. `reason`: null to go on. */
  async beginErasure(subject: Subject, reason: string | null, by: By): Promise<Begun> {
    const wanted = wantedOf(this.open(), subject);
    if ('ok' in wanted) return wanted;
    if (reason !== null)
      await this.change(by, () =>
        changed(null, 'privacy.erasure_requested', targetOf(wanted), {
          kind: subject.kind,
          reason,
        }),
      );
    await this.delivery.readModel.drain();
    return this.delivery.readModel.isDown()
      ? refusal('unavailable', 'The read model does not answer. Ask again in a minute.')
      : { ok: true, ...wanted };
  }

  /** What of the person stands in the tenant's own rows, and which runs still have something to send. */
  async remainsOf(marks: Marks): Promise<TenantRemains> {
    const { outbox, parcels, intake, mails, redeliveries, openRuns, ...stores } = this.open();
    const { workflows, settings, idempotency, members, keys } = stores;
    const mentions = mentionsOf(marks);
    /** Of the person's own rows nothing remains, once the erasure ends. */
    const others = (ids: readonly string[]) => ids.filter((id) => !marks.actorIds.includes(id));
    const sending = new Set<string>();
    const isTheirs = (parcel: Json) => {
      for (const runId of runIdsIn(JSON.stringify(parcel))) sending.add(runId);
      return mentions(parcel);
    };
    const waiting = [outbox, parcels, intake, mails, redeliveries].reduce(
      (sum, queue) => sum + queue.countWhere(isTheirs),
      0,
    );
    const repeated = idempotency.countWhere(mentions);
    const namedKeys = others(keys.idsWhere(mentions));
    const people = members.idsWhere(({ name, email }) => mentions([name, email]));
    const remaining: TenantRemains['remaining'] = [
      { kind: 'runs', ids: openRuns.idsWhere((record) => mentions(toJson(record))) },
      { kind: 'deliveries', ids: numbered('parcel', waiting) },
      { kind: 'identifiers', ids: numbered('Idempotency-Key', repeated) },
      { kind: 'workflows', ids: workflows.idsWhere((one) => mentions(toJson(one))) },
      { kind: 'settings', ids: [...settings.namesWhere(mentions), ...namedKeys] },
      { kind: 'members', ids: others(people) },
    ];
    return { remaining, sending: [...sending] };
  }

  /** Once all was looked through, the tenant's own rows go too. @returns how many members */
  async endErasure(
    subject: Subject,
    { pseudonym, marks }: Wanted,
    told: Told,
    by: By,
  ): Promise<number> {
    const ended: Change<number> = await this.change(by, (stores) => {
      const members = told.done ? eraseOwnRows(stores, subject, marks) : 0;
      const erased = { ...told.erased, members };
      const data = {
        kind: subject.kind,
        done: told.done,
        erased,
        remaining: { ...told.remaining },
      };
      return changed(members, 'privacy.erased', { type: 'subject', id: pseudonym }, data);
    });
    return ended.ok ? ended.answer : 0;
  }
}

function targetOf({ pseudonym }: Wanted) {
  return { type: 'subject', id: pseudonym };
}

function wantedOf({ settings, members, keys }: Stores, subject: Subject): Refusal | Wanted {
  const named = (identity: string) => pseudonymOf(settings, 'sub', [subject.kind, identity]);
  if (subject.kind === 'customer') {
    const { id, email, name } = subject;
    const marks = {
      emails: email === undefined ? [] : [email],
      customerIds: id === undefined ? [] : [id],
      names: name === undefined ? [] : tellingNames(name),
      actorIds: [],
    };
    return { pseudonym: named(id ?? email ?? ''), marks };
  }
  const { memberId } = subject;
  const member = members.find(memberId);
  if (member === null) return refusal('not_found', 'There is no such member.');
  if (member.removedAt === null)
    return refusal('conflict', 'The member is live. Remove them first, then erase.');
  const actorIds = [memberId, ...keys.idsOf(memberId)];
  const isErased = !member.email.includes('@');
  const marks = isErased
    ? { emails: [], customerIds: [], names: [], actorIds }
    : { emails: [member.email], customerIds: [], names: tellingNames(member.name), actorIds };
  return { pseudonym: named(memberId), marks };
}

/**
 * Answers by `Idempotency-Key` are sealed, so whom they are about is not known: all of them go. A
 * repeat is refused then, and never acts twice.
 */
function eraseOwnRows(stores: Stores, subject: Subject, marks: Marks): number {
  stores.idempotency.eraseAnswers();
  stores.destinations.forgetWhere(mentionsOf(marks));
  return subject.kind === 'member' ? eraseMember(stores, subject.memberId) : 0;
}

function eraseMember({ members, keys, workflows }: Stores, memberId: string): number {
  const member = members.find(memberId);
  if (member === null || !member.email.includes('@')) return 0;
  members.erase(memberId);
  keys.eraseNames(memberId);
  workflows.eraseAuthor(memberId);
  return 1;
}

/** One word alone is found in any text. */
function tellingNames(name: string): string[] {
  return /\S\s+\S/.test(name) ? [name] : [];
}

function numbered(what: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${what} ${index + 1}`);
}

/** They have fields that may be left undefined. */
function toJson(value: Definition | StoredEvent): Json {
  return JSON.parse(JSON.stringify(value));
}
