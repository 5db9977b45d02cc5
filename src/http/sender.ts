/**
 * Senders of events. A sender's key goes to their tenant with what they send: one turn there looks it up,
 * checks its role and takes the events, where asking first would be a second call.
 */
import type { AcceptedEvent, IncomingEvent } from '../contract/events.ts';
import type { Refusal } from '../contract/problems.ts';
import { call, tenantObject } from '../objects/index.ts';
import type { RecognisedKey } from './api-key.ts';
import { type Caller, callerOfKey, type TurnedAway, unknownKey, withRole } from './authenticate.ts';
import type { Served } from './route.ts';

/** A key that is yet to be looked up, or a member who has signed in. */
export type Sender = RecognisedKey | Caller;

type Sending = Pick<Served, 'env' | 'requestId' | 'told'> & { readonly sender: Sender };

/** Takes a sender's events, all of them or none. */
export async function takeFrom(
  sending: Sending,
  events: readonly IncomingEvent[],
): Promise<{ readonly ok: true; readonly events: readonly AcceptedEvent[] } | TurnedAway> {
  const { sender, env, requestId } = sending;
  const { tenantId } = sender;
  const tenant = tenantObject(env, tenantId);
  // An event without an id would be another one the second time.
  const isRepeatable = events.every(({ id }) => id !== undefined);
  if ('digest' in sender) {
    const { sent, identity } = await call(
      () => tenant.takeSent(sender.digest, events, requestId),
      isRepeatable,
    );
    const caller = identity === null ? unknownKey(sender) : { tenantId, ...identity };
    const refused = letIn(sending, caller);
    return 'ok' in refused ? refused : sent;
  }
  const caller = letIn(sending, sender);
  if ('ok' in caller) return caller;
  const { actor } = caller;
  return await call(
    async () => await tenant.takeEvents(events, { actor, requestId }),
    isRepeatable,
  );
}

/** What is wrong with a request is for those alone to know who may send one. */
export async function refuseTo(sending: Sending, refused: Refusal): Promise<TurnedAway> {
  const { sender, env } = sending;
  const caller = letIn(sending, 'digest' in sender ? await callerOfKey(sender, env) : sender);
  return 'ok' in caller ? caller : refused;
}

function letIn({ told }: Sending, found: Caller | Refusal): Caller | TurnedAway {
  const caller = 'ok' in found ? found : withRole(found, 'ingest');
  if (!('ok' in caller)) told.tenantId = caller.tenantId;
  return caller;
}
