/**
 * A run without what it was given and what it answered: every entry stays, with its number, time, type
 * and step, so that the timeline has no gap (I2). What persons wrote and what came from outside goes.
 */
import type { DeliveryRecord } from '../contract/deliveries.ts';
import type { Entry, Failure } from '../contract/entries.ts';
import type { CloudEvent } from '../contract/events.ts';
import type { Actor } from '../contract/json.ts';
import type { ApprovalItem } from '../contract/runs.ts';
import { ERASED } from './audit-parts.ts';
import type { Marks, Mentions } from './mentions.ts';

/** The entries without the person; the same array when none of them had to change. */
export function erasedEntries(
  entries: readonly Entry[],
  marks: Marks,
  mentions: Mentions,
  whole: boolean,
): readonly Entry[] {
  const erased = entries.map((entry) => {
    const bare = withoutActor(whole || mentions(entry) ? withoutContent(entry) : entry, marks);
    return JSON.stringify(bare) === JSON.stringify(entry) ? entry : bare;
  });
  return erased.every((entry, index) => entry === entries[index]) ? entries : erased;
}

/** What a member did stays, under their id alone; what they wrote goes with their name. */
function withoutActor(given: Entry, { actorIds }: Marks): Entry {
  const entry =
    'onBehalfOf' in given && given.onBehalfOf !== undefined
      ? withoutDelegator(given, given.onBehalfOf, actorIds)
      : given;
  if (!('actor' in entry) || !actorIds.includes(entry.actor.id)) return entry;
  const actor = { ...entry.actor, name: ERASED };
  if (entry.type === 'approval_viewed') return { ...entry, actor };
  return { ...entry, actor, comment: entry.comment === null ? null : ERASED };
}

/** Somebody else has written what was decided in their place: only the name is theirs. */
function withoutDelegator<Decision extends object>(
  decision: Decision,
  onBehalfOf: Actor,
  actorIds: readonly string[],
): Decision {
  return actorIds.includes(onBehalfOf.id)
    ? { ...decision, onBehalfOf: { ...onBehalfOf, name: ERASED } }
    : decision;
}

function withoutContent(entry: Entry): Entry {
  switch (entry.type) {
    case 'step_started':
      return { ...entry, input: ERASED };
    case 'step_skipped':
      return { ...entry, reason: ERASED };
    case 'attempt_succeeded': {
      const events = entry.events.map(({ id, type }) => ({ id, type, data: {} }));
      return { ...entry, output: ERASED, events, ...withoutAddress(entry.delivery) };
    }
    case 'attempt_failed': {
      const error = withoutMessage(entry.error);
      return { ...entry, output: ERASED, error, ...withoutAddress(entry.delivery) };
    }
    case 'step_resolved':
      return { ...entry, output: ERASED };
    case 'step_failed':
    case 'run_failed':
    case 'run_denied':
    case 'run_expired':
      return { ...entry, error: withoutMessage(entry.error) };
    case 'approval_requested':
      return { ...entry, inputHash: ERASED };
    case 'approval_edited': {
      const comment = entry.comment === null ? null : ERASED;
      return { ...entry, comment, input: {}, inputHash: ERASED, changes: [] };
    }
    case 'approval_approved':
    case 'approval_denied':
    case 'approval_overridden':
    case 'run_cancelled':
      return { ...entry, comment: entry.comment === null ? null : ERASED };
    // Numbers, times, ids and words of ours. Without a default, a type that is added has to choose.
    case 'run_created':
    case 'budget_asked':
    case 'budget_reserved':
    case 'budget_exceeded':
    case 'delay_started':
    case 'delay_ended':
    case 'approval_viewed':
    case 'approval_reminded':
    case 'approval_escalated':
    case 'approval_granted':
    case 'approval_expired':
    case 'approval_cancelled':
    case 'attempt_started':
    case 'step_progressed':
    case 'run_succeeded':
      return entry;
  }
}

/** An address may be made of what an event said, and so may what its owner answers. */
function withoutAddress(delivery: DeliveryRecord | undefined): { delivery?: DeliveryRecord } {
  return delivery === undefined
    ? {}
    : { delivery: { ...delivery, destination: ERASED, responseHeaders: {} } };
}

/** The code stays, and with it why something ended. */
export function withoutMessage(failure: Failure): Failure {
  return { ...failure, message: ERASED };
}

/** The approval as the inbox shows it, without the person. */
export function erasedApproval(
  item: ApprovalItem,
  { actorIds }: Marks,
  whole: boolean,
): ApprovalItem {
  const decisions = item.decisions.map((decision) => {
    const isTheirs = actorIds.includes(decision.actor.id);
    const comment = decision.comment !== null && (whole || isTheirs) ? ERASED : decision.comment;
    const actor = isTheirs ? { ...decision.actor, name: ERASED } : decision.actor;
    const { onBehalfOf } = decision;
    const bare =
      onBehalfOf === undefined ? decision : withoutDelegator(decision, onBehalfOf, actorIds);
    return { ...bare, actor, comment };
  });
  if (!whole) return { ...item, decisions };
  const error = item.error === null ? null : withoutMessage(item.error);
  return { ...item, decisions, input: ERASED, inputHash: ERASED, error };
}

/** The event that a run began with: its identity and type, and nothing of what it said. */
export function erasedEvent({
  specversion,
  id,
  source,
  type,
  time,
  correlationid,
}: CloudEvent): CloudEvent {
  return { specversion, id, source, type, time, correlationid, data: ERASED };
}
