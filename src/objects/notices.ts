/**
 * Which entries of a run people are told of, and whom: worked out in the transaction that takes the
 * entries, from the members of that moment. Mails wait in a queue of their own, the chat at an address
 * of the outbox. Nothing here holds a link: those are made when sending.
 */
import type { Entry } from '../contract/entries.ts';
import type { ApprovalParcel } from '../db/approvals.ts';
import { rightsOf } from '../engine/approval.ts';
import { actorOf, rightsLentAmong } from './identity.ts';
import type { Notice, NoticeKind, NoticeRecipient, RunReport } from './messages.ts';
import type { Stores } from './stores.ts';

export const CHAT_NOTICES = 'notices:chat';

const KINDS = {
  approval_requested: 'requested',
  approval_reminded: 'reminded',
  approval_escalated: 'escalated',
  approval_edited: 'edited',
  approval_overridden: 'overridden',
} as const satisfies Partial<Record<Entry['type'], NoticeKind>>;

type Told = Extract<Entry, { type: keyof typeof KINDS }>;

/** Inside the tenant's transaction. Where nobody is to be told, nothing waits to be sent. */
export function putNotices(stores: Stores, report: RunReport): void {
  for (const entry of report.entries) {
    const parcel = isTold(entry) ? parcelOf(entry, report) : undefined;
    if (!isTold(entry) || parcel === undefined) continue;
    const notice = noticeOf(stores, report, entry, parcel);
    if (notice.recipients.length > 0) stores.mails.put({ kind: 'notice', notice });
    if (stores.settings.notifyUrl() === null) continue;
    stores.outbox.put(CHAT_NOTICES, { ...notice, recipients: [] });
  }
}

function isTold(entry: Entry): entry is Told {
  return Object.hasOwn(KINDS, entry.type);
}

/** An approval that the same report closed is nobody's task any more; an override is always told. */
function parcelOf(entry: Told, { approvals }: RunReport): ApprovalParcel | undefined {
  const parcel = approvals.find(({ item }) => item.id === entry.approvalId);
  const isOpen = parcel?.item.status === 'pending' || entry.type === 'approval_overridden';
  return isOpen ? parcel : undefined;
}

function noticeOf(
  stores: Stores,
  { entries, cause }: RunReport,
  entry: Told,
  parcel: ApprovalParcel,
): Notice {
  const { id, name } = stores.tenant;
  const exceeded = entries.find(
    (other) => other.type === 'budget_exceeded' && other.stepId === entry.stepId,
  );
  return {
    kind: KINDS[entry.type],
    seq: entry.seq,
    at: entry.at,
    requestId: 'requestId' in entry ? entry.requestId : cause.requestId,
    tenant: { id, name },
    item: parcel.item,
    overBudget: exceeded?.type === 'budget_exceeded' ? exceeded.detail : null,
    by: 'actor' in entry ? { name: entry.actor.name, comment: entry.comment } : null,
    recipients: recipientsOf(entry, parcel, stores),
  };
}

/**
 * Whoever may decide and has not, by their own right or in somebody's place; of an override every
 * admin hears.
 */
function recipientsOf(
  { type }: Told,
  { item, barred, among }: ApprovalParcel,
  { members }: Stores,
): NoticeRecipient[] {
  const deciders = { roles: item.roles, members: item.members, rule: { among } };
  const live = members.live();
  const lent = rightsLentAmong(live, Date.now());
  return live.flatMap((member): NoticeRecipient[] => {
    const { id: memberId, name, email, role } = member;
    const recipient = { memberId, name, email };
    if (type === 'approval_overridden') return role === 'admin' ? [recipient] : [];
    const person = { actor: actorOf(member), role, standsInFor: lent.get(memberId) };
    const rights = rightsOf(deciders, barred, person);
    return rights[0]?.actor.id === memberId
      ? [recipient]
      : rights.map(({ actor: { id, name } }) => ({ ...recipient, onBehalfOf: { id, name } }));
  });
}
