/**
 * Who a credential speaks for: a member where there is one, else the key itself. In whose place a
 * member may decide is found here, at each request, from the roles of that moment.
 */
import { type Actor, ROLES, type Role } from '../contract/json.ts';
import type { Member } from '../contract/members.ts';
import type { ApiKey } from '../contract/tenants.ts';
import type { Right } from '../engine/approval.ts';
import type { TenantContext } from './messages.ts';
import type { Stores } from './stores.ts';

type People = Pick<Stores, 'members' | 'delegations'>;

export interface Identity extends Right {
  /**
   * A member in person, by a sign-in or a key that may decide: then the rule tells whether they may,
   * though their role be low, for it may name them, or they stand in for somebody.
   */
  readonly inPerson: boolean;
  /** The key that was sent; null for who came otherwise. */
  readonly keyId: string | null;
  readonly standsInFor: readonly Right[];
}

/**
 * Somebody whom their tenant knows. Who acts on a run brings along what that may go by (`lent`), which
 * spares the run a call of its own before anything may follow. It stays among our own objects.
 */
export interface Known extends Identity {
  readonly lent?: TenantContext;
}

/** A person who comes by an approval link: the address is compared with what they type. */
export interface LinkHolder extends Known {
  readonly email: string;
  readonly tenantName: string;
  /** Too many wrong addresses were tried: the link decides nothing more. */
  readonly isClosed: boolean;
}

export function actorOf({ id, name }: Member): Actor {
  return { type: 'member', id, name };
}

/**
 * A member's key speaks for the member, so that two keys of one person are one person, and never
 * with more than the member's own role. It ends with the membership. A frontend key is in everyone's
 * hands: it speaks for nobody.
 */
export function identityOfKey(key: ApiKey, people: People, now: number): Identity | null {
  const { id, name, role, memberId } = key;
  if (role === 'frontend') return null;
  const actor: Actor = { type: 'api_key', id, name };
  if (memberId === null) return { actor, role, inPerson: false, keyId: id, standsInFor: [] };
  const member = people.members.find(memberId);
  if (member === null || member.removedAt !== null) return null;
  const own = { ...identityOf(member, people, now), keyId: id };
  return mayDecideByKey(role)
    ? { ...own, role: weaker(role, member.role) }
    : { ...own, role: weaker(role, member.role), inPerson: false, standsInFor: [] };
}

/** A member who has come themselves. */
export function identityOf(member: Member, people: People, now: number): Identity {
  const { role } = member;
  return {
    actor: actorOf(member),
    role,
    inPerson: true,
    keyId: null,
    standsInFor: rightsLent(member, people, now),
  };
}

/** The rights that others let a member use: each with its owner's role of now, none of the lent ones. */
export function rightsLent(
  { id }: Pick<Member, 'id'>,
  { members, delegations }: People,
  now: number,
): Right[] {
  return delegations.membersBehind(id, new Date(now).toISOString()).flatMap((memberId) => {
    const member = members.find(memberId);
    return member === null || member.removedAt !== null
      ? []
      : [{ actor: actorOf(member), role: member.role }];
  });
}

/** The same for everybody at once, by who stands in. */
export function rightsLentAmong(
  live: readonly Member[],
  now: number,
): ReadonlyMap<string, readonly Right[]> {
  const at = new Date(now).toISOString();
  const lent = new Map<string, Right[]>();
  for (const member of live) {
    const { delegation, role } = member;
    if (delegation === null || delegation.from > at || delegation.until <= at) continue;
    const rights = lent.get(delegation.to) ?? [];
    lent.set(delegation.to, [...rights, { actor: actorOf(member), role }]);
  }
  return lent;
}

/** A key that only reads or sends decides nothing, whoever it belongs to. */
function mayDecideByKey(role: Role): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf('approver');
}

/** Who an actor of an earlier request is now: null for a key that was revoked, a member who left. */
export function identityNow(
  { type, id }: Pick<Actor, 'type' | 'id'>,
  stores: People & Pick<Stores, 'keys'>,
  now: number,
): Identity | null {
  if (type === 'api_key') {
    const key = stores.keys.findLive(id);
    return key === null ? null : identityOfKey(key, stores, now);
  }
  const member = type === 'member' ? stores.members.find(id) : null;
  return member === null || member.removedAt !== null ? null : identityOf(member, stores, now);
}

/** `ingest` sends events and reads nothing; the other roles each hold those before them. */
export function roleAllows(role: Role, needed: Role): boolean {
  if (needed === 'ingest') return role === 'ingest' || role === 'admin';
  return role !== 'ingest' && ROLES.indexOf(role) >= ROLES.indexOf(needed);
}

/** `ingest` reads nothing, so it is the weakest of all. */
function weaker(one: Role, other: Role): Role {
  return ROLES.indexOf(one) <= ROLES.indexOf(other) ? one : other;
}
