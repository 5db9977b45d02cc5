/** What the read model tells of runs and the audit chain, checked for the invariants as it is read. */
import { runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { expect, vi } from 'vitest';
import type { AuditEntry } from '../../../../src/contract/audit.ts';
import { isFinal, type Run, type RunStatus } from '../../../../src/contract/runs.ts';
import { listAudit } from '../../../../src/db/audit.ts';
import { findRun } from '../../../../src/db/find-runs.ts';
import { verifyChain } from '../../../../src/engine/chain.ts';
import { replay, viewRun } from '../../../../src/engine/state.ts';
import type { IntakeState, Place } from '../../../../src/objects/intake.ts';
import type { RunReport } from '../../../../src/objects/messages.ts';
import { assertHistory } from '../../../unit/support/invariants.ts';
import { expectNothingWaits } from '../../support/untold.ts';
import { tenantOf } from './shop.ts';

const PATIENCE = { timeout: 12_000, interval: 25 };

/** A run as D1 has it, its history checked (I2, I3); null while D1 has only its row, or nothing. */
export async function readRun(tenantId: string, runId: string): Promise<Run | null> {
  const found = await findRun(env.DB, tenantId, runId);
  const run = replay(runId, found?.entries ?? []);
  if (found === null || run === undefined) return null;
  assertHistory(found.entries, run, tenantId);
  return viewRun(run, found.entries);
}

/** Waits until D1 shows the run in a status. */
export async function reached(
  tenantId: string,
  runId: string,
  ...statuses: readonly RunStatus[]
): Promise<Run> {
  return await vi.waitFor(async () => {
    const run = await readRun(tenantId, runId);
    if (run === null) throw new Error('the run is not there yet');
    expect(statuses).toContain(run.status);
    return run;
  }, PATIENCE);
}

/** Waits until the run has ended, whichever way, and nothing of it is in flight. */
export async function ended(tenantId: string, runId: string): Promise<Run> {
  return await vi.waitFor(async () => {
    const run = await readRun(tenantId, runId);
    if (run === null || !isFinal(run.status)) throw new Error(`it is ${run?.status}`);
    return run;
  }, PATIENCE);
}

export function types({ timeline }: Run): string[] {
  return timeline.map(({ type }) => type);
}

/** The report that a run's whole history would be, as if it came (again) now. */
export function reportAgain(run: Run, place: Place, settled: boolean): RunReport {
  const { timeline, steps: _steps, approvals: _approvals, ...item } = run;
  return {
    runId: run.id,
    place,
    item,
    seq: timeline.length,
    wakeAt: null,
    entries: timeline,
    approvals: [],
    unused: [],
    settled,
    cause: { path: [], authors: [], retryOf: null, correlationId: 'c', requestId: 'r' },
  };
}

/** The whole audit chain in D1, oldest first, verified (I5). */
export async function auditChain(tenantId: string): Promise<AuditEntry[]> {
  const entries: AuditEntry[] = [];
  for (let after: string | null = null, more = true; more; ) {
    const page = await listAudit(env.DB, tenantId, {}, { limit: 200, after });
    entries.push(...page.items);
    after = page.next;
    more = after !== null;
  }
  entries.reverse();
  expect(verifyChain(tenantId, entries)).toMatchObject({ ok: true, entries: entries.length });
  return entries;
}

export async function auditActions(tenantId: string, target?: string): Promise<string[]> {
  return (await auditChain(tenantId))
    .filter((entry) => target === undefined || entry.target.id === target)
    .map(({ action }) => action);
}

/** Waits until the tenant has nothing left to send or to give out. */
export async function quiet(tenantId: string): Promise<void> {
  await vi.waitFor(async () => {
    await expectNothingWaits(tenantId);
    expect(await intakeRows(tenantId, 'given', 'ended', 'handing')).toEqual([]);
  }, PATIENCE);
}

const STATES: readonly IntakeState[] = ['given', 'ended', 'handing', 'live', 'done'];

/** The tenant's rows for events and runs that are in one of the states. */
export async function intakeRows(tenantId: string, ...states: IntakeState[]) {
  const rows = await tenantRows(tenantId, 'SELECT * FROM intake');
  return rows.flatMap(({ state, source, event_id: eventId, body }) => {
    const name = STATES[Number(state)];
    const place = { source: String(source), eventId: String(eventId) };
    return name !== undefined && states.includes(name) ? [{ state: name, place, body }] : [];
  });
}

/** Where the tenant has the only run that is in an object of its own. */
export async function livePlace(tenantId: string): Promise<Place> {
  const [live] = await intakeRows(tenantId, 'live');
  if (live === undefined) throw new Error('no run is live');
  return live.place;
}

type Value = string | number | null | ArrayBuffer;

export async function tenantRows(
  tenantId: string,
  sql: string,
  ...bindings: Value[]
): Promise<Record<string, Value>[]> {
  return await runInDurableObject(tenantOf(tenantId), (_, { storage }) =>
    storage.sql.exec(sql, ...bindings).toArray(),
  );
}
