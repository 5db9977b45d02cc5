/**
 * What attempts at destinations leave behind, inside the tenant's transaction: rows of the delivery
 * log, the destinations' health, and, when one is disabled or enabled by itself, an audit entry, an
 * event for workflows and a mail to every admin.
 */
import type { AuditFact } from '../contract/audit.ts';
import type { DeliveryRecord } from '../contract/deliveries.ts';
import type { Entry } from '../contract/entries.ts';
import type { IncomingEvent } from '../contract/events.ts';
import { isJsonObject, type Json, type JsonObject } from '../contract/json.ts';
import { type DeliveryParcel, REDELIVERY } from '../db/deliveries.ts';
import type { DestinationHealth } from '../engine/destination-health.ts';
import { SYSTEM } from './audit-facts.ts';
import { destinationTarget } from './audit-privacy.ts';
import { putDestinationMails } from './destination-mail.ts';
import type { RedeliveryResult, RunReport } from './messages.ts';
import type { Stores } from './stores.ts';

/** The rows of a run's new entries; their bodies stay in the entries. */
export function deliveriesOf({ runId, entries }: RunReport): DeliveryParcel[] {
  return entries.flatMap((entry) => {
    const delivery = deliveryOf(entry);
    if (delivery === null || !('stepId' in entry) || !('attempt' in entry)) return [];
    const { stepId, attempt } = entry;
    const code = entry.type === 'attempt_failed' ? entry.error.code : null;
    const webhookId = `${runId}_${stepId}`;
    return [rowOf(delivery, { runId, stepId, attempt, webhookId, code, response: null })];
  });
}

function deliveryOf(entry: Entry): DeliveryRecord | null {
  const ended = entry.type === 'attempt_succeeded' || entry.type === 'attempt_failed';
  return ended ? (entry.delivery ?? null) : null;
}

/** The rows of redeliveries, which are in no run's entries: they hold the answer too. */
export function redeliveriesOf(results: readonly RedeliveryResult[]): DeliveryParcel[] {
  return results.flatMap(({ runId, stepId, webhookId, delivery, code, output }) => {
    if (delivery === null) return [];
    const { responseStatus: status, responseHeaders: headers } = delivery;
    const response = status === null ? null : { status, headers, body: bodyOf(output) };
    return [rowOf(delivery, { runId, stepId, attempt: REDELIVERY, webhookId, code, response })];
  });
}

/** What a receiver answered, as far as it is kept, from an attempt's output. */
export function bodyOf(output: Json): string {
  return isJsonObject(output) && typeof output.body === 'string' ? output.body : '';
}

type Rest = Pick<
  DeliveryParcel,
  'runId' | 'stepId' | 'attempt' | 'webhookId' | 'code' | 'response'
>;

function rowOf(
  { id, destination, responseStatus, startedAt, durationMs }: DeliveryRecord,
  rest: Rest,
) {
  return { id, destination, responseStatus, startedAt, durationMs, ...rest };
}

/** What the destinations' health makes known. The events carry on the path of what led to them. */
export interface HealthFacts {
  readonly audit: readonly AuditFact[];
  readonly events: readonly IncomingEvent[];
}

/** Nothing was sent to a disabled destination: that tells nothing about it. */
const UNSENT = 'endpoint_disabled';

export function noteHealth(
  stores: Stores,
  rows: readonly DeliveryParcel[],
  cause: { readonly requestId: string; readonly correlationId?: string | undefined },
): HealthFacts {
  const audit: AuditFact[] = [];
  const events: IncomingEvent[] = [];
  for (const { destination, code, responseStatus, startedAt } of rows) {
    if (code === UNSENT) continue;
    const seen = { at: Date.parse(startedAt), code, status: responseStatus };
    const { before, health, change } = stores.destinations.note(destination, seen);
    const known = health ?? before;
    if (change === null || known === null) continue;
    const data = { url: destination, ...dataOf(known) };
    const target = destinationTarget(stores, destination);
    const { requestId } = cause;
    audit.push({ actor: SYSTEM, action: `destination.${change}`, target, requestId, data });
    events.push(destinationEvent(change, known, cause.correlationId));
    putDestinationMails(stores, change, known);
  }
  return { audit, events };
}

/** The event that a destination was disabled or enabled, by itself or by an admin. */
export function destinationEvent(
  change: 'disabled' | 'enabled',
  health: DestinationHealth,
  correlationId: string | undefined,
): IncomingEvent {
  return {
    id: undefined,
    source: '/destinations',
    type: `destination.${change}`,
    time: undefined,
    subject: undefined,
    correlationId,
    extensions: {},
    data: { destination: { url: health.url, ...dataOf(health) } },
  };
}

/** As it stands in the audit entry and in the event. */
export function dataOf({
  failingSince,
  failures,
  lastCode,
  lastStatus,
  disabled,
}: DestinationHealth): JsonObject {
  return {
    reason: disabled?.reason ?? 'failing',
    failures,
    failingSince: failingSince === null ? null : new Date(failingSince).toISOString(),
    lastCode,
    lastStatus,
  };
}
