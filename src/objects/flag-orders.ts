/**
 * An admin's order to set a flag. It waits in the tenant's outbox until whoever keeps the flag has
 * answered, so that neither the audit nor the event of a change that was made can be lost; and each
 * flag's orders have an address of their own, so that they are done in turn.
 */
import type { IncomingEvent } from '../contract/events.ts';
import type { FlagSet, FlagState } from '../contract/flags.ts';
import { isJsonObject } from '../contract/json.ts';
import { type ProblemCode, type Refusal, refusal } from '../contract/problems.ts';
import type { Outcome } from '../engine/plan.ts';
import { logError } from '../log.ts';
import type { SealedConnection } from '../ports/connections.ts';
import { failed } from '../ports/index.ts';
import { openPorts, type PortEnv } from '../ports/open.ts';
import type { By } from './change.ts';

/** An address: the flag's key follows. */
export const FLAG_ORDERS = 'flag:';
/** What was asked for so long ago is not done any more. */
export const ORDER_LIFE_MS = 600_000;
const TIMEOUT_MS = 8_000;

export interface FlagOrder extends Omit<FlagSet, 'comment'> {
  /** `flg_…`: the idempotency key, and the id of the event. */
  readonly id: string;
  readonly comment: string | null;
  readonly by: By;
  /** Milliseconds since 1970 */
  readonly at: number;
}

/** One attempt, in a stateless Worker. Never throws. */
export async function performOrder(
  env: PortEnv,
  tenantId: string,
  { id, key, enabled, comment, by: { actor, requestId } }: FlagOrder,
  connections: readonly SealedConnection[],
): Promise<Outcome> {
  const now = Date.now();
  const call = { tenantId, runId: '', idempotencyKey: id, timeoutMs: TIMEOUT_MS, now };
  const { flags } = openPorts(env, tenantId, connections);
  try {
    return await flags.setFlag(call, { key, enabled, by: { actor, comment } });
  } catch (error) {
    logError({ what: 'flag_failed', tenantId, requestId, code: 'internal' }, error);
    return failed('internal', 'Something went wrong on our side.', { retryable: true });
  }
}

/** By an outcome's code; any other refusal of a service is a conflict. */
const PROBLEM_OF: Readonly<Record<string, ProblemCode>> = {
  flag_not_found: 'not_found',
  too_many_flags: 'limit_reached',
};

/** What the caller is told. */
export function answerOf(
  { key, enabled }: FlagOrder,
  outcome: Outcome,
): Refusal | { ok: true; flag: FlagState } {
  if (outcome.kind !== 'succeeded') {
    const { code, message } = outcome.error;
    return refusal(PROBLEM_OF[code] ?? 'conflict', message);
  }
  const { output, events } = outcome;
  const previous = isJsonObject(output) && output.previous === true;
  return { ok: true, flag: { key, enabled, previous, changed: events.length > 0 } };
}

/** What an order causes, as the tenant takes it: a repeat is the same event. */
export function eventsOf(outcome: Outcome): IncomingEvent[] {
  if (outcome.kind !== 'succeeded') return [];
  return outcome.events.map(({ id, type, subject, data }) => ({
    id,
    source: '/flags',
    type,
    time: undefined,
    subject,
    correlationId: undefined,
    extensions: {},
    data,
  }));
}
