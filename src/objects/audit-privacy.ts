/**
 * Which fields of an audit entry may stay in the chain for ever. Whatever is not known to be an id, a
 * word of ours, a number or a time becomes a private part, so that a field that is added one day can
 * be erased unless somebody has decided otherwise here. The hash of an action's inputs is private too:
 * inputs that can be guessed would be found again by it.
 */
import { bytesToHex } from '@noble/hashes/utils.js';
import type { AuditAction, AuditFact } from '../contract/audit.ts';
import type { Actor } from '../contract/json.ts';
import { hashJson } from '../engine/chain.ts';
import type { Settings } from './settings.ts';
import type { Stores } from './stores.ts';

const PSEUDONYM_LENGTH = 32;

/** Actors whose names are words of ours. */
const NAMELESS: ReadonlySet<Actor['type']> = new Set(['system', 'platform']);

const PUBLIC_FIELDS: ReadonlySet<string> = new Set([
  'approvalId',
  'enabled',
  'eventId',
  'expiresAt',
  'firstKey',
  'formerRole',
  'memberId',
  'members',
  'onBehalfOf',
  'outcome',
  'path',
  'role',
  'roles',
  'rule',
  'secrets',
  'stepId',
  'version',
  'workflowId',
  'workflowVersion',
]);

const HEALTH_FIELDS = ['reason', 'failures', 'failingSince', 'lastCode', 'lastStatus'];

/** Fields of one action alone that are made by us: no person wrote any of it. */
const PUBLIC_OF_ACTION: Partial<Record<AuditAction, readonly string[]>> = {
  'approval.requested': ['kind'],
  'approval.approved': ['resolution'],
  'approval.link_refused': ['tries'],
  'budget.exceeded': ['detail'],
  'connection.tested': ['checks'],
  'delivery.redelivered': ['count'],
  'destination.disabled': HEALTH_FIELDS,
  'destination.enabled': HEALTH_FIELDS,
  'member.delegated': ['to', 'from', 'until'],
  'member.undelegated': ['to'],
  'limits.updated': ['eventsPerSecond', 'eventsBurst', 'runsInFlight', 'storageBytes'],
  'export.completed': ['export'],
  'export.downloaded': ['linkId'],
  'export.link_created': ['linkId'],
  'flag.set': ['previous', 'code'],
  'loop.stopped': ['reason'],
  'privacy.erasure_requested': ['kind'],
  'privacy.erased': ['kind', 'done', 'erased', 'remaining'],
  'retention.removed': ['day', 'removed'],
  'retention.updated': ['runsDays', 'eventsDays'],
  'run.retried': ['retriedAs'],
  'secrets.resealed': ['count'],
};

/** The paths of a fact's private parts. What is empty has nothing to hide. */
export function privatePathsOf({ actor, action, data }: AuditFact): string[] {
  const known = PUBLIC_OF_ACTION[action] ?? [];
  const fields = Object.entries(data).flatMap(([name, value]) =>
    value === null || PUBLIC_FIELDS.has(name) || known.includes(name) ? [] : [`data.${name}`],
  );
  return NAMELESS.has(actor.type) ? fields : ['actor.name', ...fields];
}

/**
 * What stands in the chain for something that may name a person. Only the tenant, who keeps the salt,
 * can tell what it stands for, by making it again.
 */
export function pseudonymOf(
  settings: Settings,
  prefix: string,
  identity: readonly string[],
): string {
  const salt = settings.privacySalt(newSalt);
  return `${prefix}_${hashJson([salt, ...identity]).slice(0, PSEUDONYM_LENGTH)}`;
}

/** The destination of an entry: its address may be made of what an event said. */
export function destinationTarget({ settings }: Pick<Stores, 'settings'>, url: string) {
  return { type: 'destination', id: pseudonymOf(settings, 'dst', [url]) };
}

/** 128 random bits in hex: without it, nobody can try out what a digest may stand for. */
export function newSalt(): string {
  return bytesToHex(crypto.getRandomValues(new Uint8Array(16)));
}
