/**
 * What happens inside a tenant's transaction: events are admitted, entries of runs are taken. Both
 * turn into the same things: runs to start, audit entries, a parcel for the read model.
 */
import type { ApprovalPolicy } from '../contract/approvals.ts';
import type { AuditFact } from '../contract/audit.ts';
import type { AcceptedEvent, IncomingEvent } from '../contract/events.ts';
import { log } from '../log.ts';
import type { Admitted, NewRun, Origin } from './admission.ts';
import { auditFacts, SYSTEM } from './audit-facts.ts';
import { deliveriesOf, noteHealth, redeliveriesOf } from './delivery-facts.ts';
import type { Driven } from './executor.ts';
import type { Handover, RedeliveryResult, RunReport } from './messages.ts';
import { putNotices } from './notices.ts';
import type { Parcel } from './projection.ts';
import type { Stores } from './stores.ts';

/** Events of one request are cut into parcels of about this many characters. */
const PARCEL_CHARACTERS = 400_000;

/** Admits events, in order, under the policy of now. */
export function admitEvents(
  stores: Stores,
  policy: ApprovalPolicy,
  events: readonly IncomingEvent[],
  origin: Origin,
): AcceptedEvent[] {
  const now = Date.now();
  let batch: Admitted[] = [];
  let characters = 0;
  const accepted: AcceptedEvent[] = [];
  for (const event of events) {
    const admitted = stores.admission.admit(event, origin, policy, now);
    accepted.push(admitted.accepted);
    if (admitted.record === null) continue;
    for (const run of admitted.runs) startRun(stores, run);
    batch.push(admitted);
    characters += JSON.stringify([admitted.record, admitted.runs.map(({ item }) => item)]).length;
    if (characters < PARCEL_CHARACTERS) continue;
    projectEvents(stores, batch, now);
    batch = [];
    characters = 0;
  }
  if (batch.length > 0) projectEvents(stores, batch, now);
  return accepted;
}

function projectEvents({ outbox, audit }: Stores, batch: readonly Admitted[], now: number): void {
  const at = new Date(now).toISOString();
  const parcel: Parcel = {
    events: batch.flatMap(({ record }) => (record === null ? [] : [record])),
    runs: batch.flatMap(({ runs }) =>
      runs.map(({ item }) => ({ item, seq: 0, wakeAt: null, entries: [] })),
    ),
    audit: batch.flatMap((admitted) => admitted.audit.map((fact) => audit.append(fact, at))),
  };
  outbox.put('d1', parcel);
}

function startRun({ dispatch, outbox, liveRuns }: Stores, { seed, atOnce }: NewRun): void {
  if (atOnce) {
    dispatch.put(seed);
    return;
  }
  const handover: Handover = { seed, entries: [] };
  outbox.put(`run:${seed.runId}`, handover);
  liveRuns.put(seed.runId, 0);
}

/**
 * Takes runs that an executor has driven. Only a run that is still out is believed (I2); one that
 * has to wait, or that nobody has begun, moves into an object of its own.
 */
export function settleDriven(
  stores: Stores,
  policy: ApprovalPolicy,
  driven: readonly Driven[],
): void {
  const { dispatch, outbox, liveRuns } = stores;
  for (const { runId, report } of driven) {
    const seed = dispatch.find(runId);
    if (seed === null) continue;
    dispatch.remove(runId);
    if (report !== null) recordEntries(stores, policy, report);
    if (report?.settled === true) continue;
    const handover: Handover = { seed, entries: report?.entries ?? [] };
    outbox.put(`run:${runId}`, handover);
    liveRuns.put(runId, report?.seq ?? 0);
  }
}

/** Takes the entries of a run in an object of its own, each number once. */
export function takeReport(stores: Stores, policy: ApprovalPolicy, report: RunReport): void {
  const { liveRuns } = stores;
  const taken = liveRuns.takenSeq(report.runId);
  if (taken === null) return;
  const entries = report.entries.filter((entry) => entry.seq > taken);
  if (entries.length > 0) recordEntries(stores, policy, { ...report, entries });
  if (report.settled) liveRuns.remove(report.runId);
  else if (report.seq > taken) liveRuns.put(report.runId, report.seq);
}

/** New entries become audit entries, caused events, rows of the read model and log lines. */
export function recordEntries(stores: Stores, policy: ApprovalPolicy, report: RunReport): void {
  const { item, seq, wakeAt, entries, approvals, cause } = report;
  const deliveries = deliveriesOf(report);
  const { correlationId } = cause;
  const health = noteHealth(stores, deliveries, { requestId: cause.requestId, correlationId });
  const facts = [...auditFacts(report), ...dated(health.audit)];
  const parcel: Parcel = {
    runs: [{ item, seq, wakeAt, entries }],
    approvals,
    ...(deliveries.length > 0 ? { deliveries } : {}),
    audit: facts.map(({ fact, at }) => stores.audit.append(fact, at)),
  };
  stores.outbox.put('d1', parcel);
  putNotices(stores, report);
  for (const stepId of report.unused ?? []) stores.budgets.release(report.runId, stepId);
  const { path, authors, requestId } = cause;
  const origin = { sender: SYSTEM, requestId, path, authors };
  admitEvents(stores, policy, [...causedEvents(report), ...health.events], origin);
  for (const entry of entries)
    log({
      what: entry.type,
      requestId,
      tenantId: stores.tenant.id,
      runId: report.runId,
      workflowId: item.workflowId,
      ...('stepId' in entry ? { stepId: entry.stepId } : {}),
      ...('attempt' in entry ? { attempt: entry.attempt } : {}),
      ...('error' in entry ? { code: entry.error.code } : {}),
    });
}

/** What redeliveries came to: rows of the log, and the destination's health. Runs stay as they are. */
export function recordRedeliveries(
  stores: Stores,
  policy: ApprovalPolicy,
  results: readonly RedeliveryResult[],
  requestId: string,
): void {
  const deliveries = redeliveriesOf(results);
  if (deliveries.length === 0) return;
  const health = noteHealth(stores, deliveries, { requestId });
  const audit = dated(health.audit).map(({ fact, at }) => stores.audit.append(fact, at));
  stores.outbox.put('d1', { deliveries, audit });
  admitEvents(stores, policy, health.events, { sender: SYSTEM, requestId, path: [], authors: [] });
}

function dated(facts: readonly AuditFact[]): { fact: AuditFact; at: string }[] {
  const at = new Date().toISOString();
  return facts.map((fact) => ({ fact, at }));
}

/** Their identity comes from the step's idempotency key, so that a repeated effect is one event. */
function causedEvents({ runId, entries, cause }: RunReport): IncomingEvent[] {
  return entries
    .flatMap((entry) => (entry.type === 'attempt_succeeded' ? entry.events : []))
    .map(({ id, type, subject, data }) => ({
      id,
      source: `/runs/${runId}`,
      type,
      time: undefined,
      subject,
      correlationId: cause.correlationId,
      extensions: {},
      data,
    }));
}
