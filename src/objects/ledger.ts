/**
 * What happens inside a tenant's transaction: events are admitted, entries of runs are taken. Both
 * turn into the same things: runs to start, audit entries, parcels for the read model.
 */
import type { ApprovalPolicy } from '../contract/approvals.ts';
import type { AuditFact } from '../contract/audit.ts';
import type { AcceptedEvent, IncomingEvent } from '../contract/events.ts';
import type { Run } from '../contract/runs.ts';
import { type Origin, queuedItem } from './admission.ts';
import { auditFacts, SYSTEM } from './audit-facts.ts';
import type { By } from './change.ts';
import { deliveriesOf, noteHealth, redeliveriesOf } from './delivery-facts.ts';
import type { Driven } from './executor.ts';
import type { RedeliveryResult, RunReport } from './messages.ts';
import { putNotices } from './notices.ts';
import type { GivenRun } from './open-runs.ts';
import { cancelUnstarted, seedOf } from './plan.ts';
import type { Parcel } from './projection.ts';
import { logEntries } from './run-log.ts';
import type { Stores } from './stores.ts';

/** Admits events, in order. */
export function admitEvents(
  stores: Stores,
  events: readonly IncomingEvent[],
  origin: Origin,
): AcceptedEvent[] {
  const now = Date.now();
  const at = new Date(now).toISOString();
  return events.map((event) => {
    const admitted = stores.admission.admit(event, origin, now);
    if (admitted.duplicate !== null) return admitted.duplicate;
    const { accepted, place, record, runs, audit } = admitted;
    if (runs.length > 0) stores.openRuns.give(place, record, runs);
    else stores.endedRuns.put(place, record.id, { events: [record] });
    if (audit.length > 0) stores.parcels.put({ audit: audit.map(appendTo(stores, at)) });
    return accepted;
  });
}

/**
 * Takes runs that an executor has driven. Only a run that is still out is believed (I2); one that
 * has to wait, or that could not be driven, moves into an object of its own.
 */
export function settleDriven(stores: Stores, driven: readonly Driven[]): void {
  const { openRuns, liveRuns, endedRuns, parcels } = stores;
  for (const { runId, report } of driven) {
    const taken = openRuns.take(runId);
    if (taken === null) continue;
    const { given, isTold } = taken;
    const untold = isTold ? {} : queuedParcel(given);
    if (report === null) {
      if (!isTold) parcels.put(untold);
      liveRuns.handOver(given, []);
    } else
      recordEntries(stores, report, (parcel) => {
        const told = { ...untold, ...parcel };
        // Whatever stands in the audit chain leaves in its order.
        if (report.settled && parcel.audit === undefined) return endedRuns.end(given.place, told);
        parcels.put(told);
        if (report.settled) openRuns.close(given);
        else liveRuns.handOver(given, report.entries);
      });
  }
}

/** Cancels a run that nobody has begun; null when it is not here. */
export function cancelGiven(
  stores: Stores,
  policy: ApprovalPolicy,
  runId: string,
  by: By,
  comment: string | null,
): Run | null {
  const taken = stores.openRuns.take(runId);
  if (taken === null) return null;
  const { given, isTold } = taken;
  const { id, version } = given.run.workflow;
  const seed = seedOf(stores.tenant, given, stores.workflows.definition(id, version));
  const { report, view } = cancelUnstarted(seed, policy, by, comment, Date.now());
  recordEntries(stores, report, (parcel) => {
    stores.parcels.put({ ...(isTold ? {} : queuedParcel(given)), ...parcel });
    stores.openRuns.close(given);
  });
  return view;
}

/** Takes the entries of a run in an object of its own, each number once. */
export function takeReport(stores: Stores, report: RunReport): void {
  const { liveRuns, parcels } = stores;
  const { place } = report;
  const taken = liveRuns.takenSeq(place);
  if (taken === null) return;
  const entries = report.entries.filter((entry) => entry.seq > taken);
  if (entries.length > 0)
    recordEntries(stores, { ...report, entries }, (parcel) => parcels.put(parcel));
  if (report.settled) liveRuns.ended(place);
  else if (report.seq > taken) liveRuns.took(place, report.seq);
}

/** A run that the read model does not know yet, and its event when it is the first of it. */
export function queuedParcel({ run, record, tells }: GivenRun): Parcel {
  const { path, authors, retry } = run;
  const origin = { path, authors, retryOf: retry?.of ?? null };
  const queued = { item: queuedItem(run, record), seq: 0, wakeAt: null, entries: [], origin };
  return { ...(tells ? { events: [record] } : {}), runs: [queued] };
}

/**
 * New entries become audit entries, a parcel for the read model, log lines, and then the events that
 * they caused. @param leave sees to it that the parcel leaves
 */
export function recordEntries(
  stores: Stores,
  report: RunReport,
  leave: (parcel: Parcel) => void,
): void {
  const { item, seq, wakeAt, entries, approvals, cause } = report;
  const { path, authors, retryOf, requestId, correlationId } = cause;
  const deliveries = deliveriesOf(report);
  const health = noteHealth(stores, deliveries, { requestId, correlationId });
  const audit = [
    ...auditFacts(report).map(({ fact, at }) => stores.audit.append(fact, at)),
    ...health.audit.map(appendTo(stores, new Date().toISOString())),
  ];
  leave({
    runs: [{ item, seq, wakeAt, entries, origin: { path, authors, retryOf } }],
    ...(approvals.length > 0 ? { approvals } : {}),
    ...(deliveries.length > 0 ? { deliveries } : {}),
    ...(audit.length > 0 ? { audit } : {}),
  });
  putNotices(stores, report);
  for (const stepId of report.unused) stores.budgets.release(report.runId, stepId);
  const origin = { sender: SYSTEM, requestId, path, authors };
  admitEvents(stores, [...causedEvents(report), ...health.events], origin);
  logEntries(stores.tenant.id, report);
}

/** What redeliveries came to: rows of the log, and the destination's health. Runs stay as they are. */
export function recordRedeliveries(
  stores: Stores,
  results: readonly RedeliveryResult[],
  requestId: string,
): void {
  const deliveries = redeliveriesOf(results);
  if (deliveries.length === 0) return;
  const health = noteHealth(stores, deliveries, { requestId });
  const audit = health.audit.map(appendTo(stores, new Date().toISOString()));
  stores.parcels.put({ deliveries, audit });
  admitEvents(stores, health.events, { sender: SYSTEM, requestId, path: [], authors: [] });
}

function appendTo({ audit }: Stores, at: string) {
  return (fact: AuditFact) => audit.append(fact, at);
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
