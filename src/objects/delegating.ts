/** A member lets another decide in their place for a time, or ends it: who may say so, and what holds. */
import type { Member, MemberDelegate, MemberUndelegate } from '../contract/members.ts';
import { type Refusal, refusal } from '../contract/problems.ts';
import type { Right } from '../engine/approval.ts';
import { type Change, changed, unchanged } from './change.ts';
import { noSuchMember } from './members.ts';
import type { Stores } from './stores.ts';

type People = Pick<Stores, 'members' | 'delegations'>;

const DAYS_MAX = 92;
const DAY_MS = 86_400_000;

export function delegate(
  { members, delegations }: People,
  { memberId, to, from, until, comment }: MemberDelegate,
  asker: Right,
  at: string,
): Change<Member> {
  const member = delegator({ members, delegations }, memberId, asker);
  if ('ok' in member) return member;
  const begins = from === undefined || from < at ? at : from;
  const faults = [
    ...standInFaults(members.find(to), member, asker),
    ...timeFaults(begins, until, at),
  ];
  if (faults.length > 0) return refusal('validation_failed', 'Nothing was delegated.', faults);
  const delegation = { to, from: begins, until };
  delegations.put(member.id, delegation);
  const target = { type: 'member', id: member.id };
  const told = { ...delegation, comment: comment ?? null };
  return changed({ ...member, delegation }, 'member.delegated', target, told);
}

/** Saying it twice is fine. */
export function undelegate(
  { members, delegations }: People,
  { memberId }: MemberUndelegate,
  asker: Right,
): Change<Member> {
  const member = delegator({ members, delegations }, memberId, asker);
  if ('ok' in member) return member;
  if (member.delegation === null) return unchanged(member);
  delegations.remove(member.id);
  const { to } = member.delegation;
  const target = { type: 'member', id: member.id };
  return changed({ ...member, delegation: null }, 'member.undelegated', target, { to });
}

/** Whose right it is: the asker's own, or for an admin anybody's. */
function delegator(
  { members }: People,
  memberId: string | undefined,
  { actor, role }: Right,
): Member | Refusal {
  const isOwn = memberId === undefined || memberId === actor.id;
  if (isOwn && actor.type !== 'member')
    return refusal('validation_failed', 'This key belongs to no member.', [
      { path: 'memberId', message: 'name a member' },
    ]);
  if (!isOwn && role !== 'admin')
    return refusal('forbidden', 'Only an admin decides who stands in for somebody else.');
  const member = members.find(memberId ?? actor.id);
  return member === null || member.removedAt !== null ? noSuchMember() : member;
}

function standInFaults(standIn: Member | null, member: Member, asker: Right) {
  const fault = (message: string) => [{ path: 'to', message }];
  if (standIn === null || standIn.removedAt !== null) return fault('there is no such member');
  if (standIn.id === member.id) return fault('somebody else');
  return standIn.id === asker.actor.id ? fault('nobody makes themselves a stand-in') : [];
}

function timeFaults(from: string, until: string, at: string) {
  const fault = (message: string) => [{ path: 'until', message }];
  if (until <= at) return fault('in the future');
  if (until <= from) return fault('after it begins');
  const ms = Date.parse(until) - Date.parse(from);
  return ms > DAYS_MAX * DAY_MS ? fault(`at most ${DAYS_MAX} days after it begins`) : [];
}
