/** Who a credential speaks for: a member where there is one, else the key itself. */
import { type Actor, ROLES, type Role } from '../contract/json.ts';
import type { Member } from '../contract/members.ts';
import type { ApiKey } from '../contract/tenants.ts';
import type { ApiKeys } from './keys.ts';
import type { Members } from './members.ts';

export interface Identity {
  readonly actor: Actor;
  readonly role: Role;
}

/** A person who comes by an approval link: the address is compared with what they type. */
export interface LinkHolder extends Identity {
  readonly email: string;
  readonly tenantName: string;
}

export function actorOf({ id, name }: Member): Actor {
  return { type: 'member', id, name };
}

/**
 * A member's key speaks for the member, so that two keys of one person are one person, and never
 * with more than the member's own role. It ends with the membership. A frontend key is in everyone's
 * hands: it speaks for nobody.
 */
export function identityOfKey(key: ApiKey, members: Members): Identity | null {
  const { id, name, role, memberId } = key;
  if (role === 'frontend') return null;
  if (memberId === null) return { actor: { type: 'api_key', id, name }, role };
  const member = members.find(memberId);
  if (member === null || member.removedAt !== null) return null;
  return { actor: actorOf(member), role: weaker(role, member.role) };
}

/** Who an actor of an earlier request is now: null for a key that was revoked, a member who left. */
export function identityNow(
  { type, id }: Pick<Actor, 'type' | 'id'>,
  keys: ApiKeys,
  members: Members,
): Identity | null {
  if (type === 'api_key') {
    const key = keys.findLive(id);
    return key === null ? null : identityOfKey(key, members);
  }
  const member = type === 'member' ? members.find(id) : null;
  return member === null || member.removedAt !== null
    ? null
    : { actor: actorOf(member), role: member.role };
}

/** `ingest` reads nothing, so it is the weakest of all. */
function weaker(one: Role, other: Role): Role {
  return ROLES.indexOf(one) <= ROLES.indexOf(other) ? one : other;
}
