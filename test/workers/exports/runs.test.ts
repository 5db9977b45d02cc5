/** An export as a step of a real workflow, behind its approval, in as many slices as it takes. */
import { env } from 'cloudflare:workers';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { sweepExports } from '../../../src/objects/export-sweep.ts';
import { at, fieldsOf, listAt, textAt } from '../support/answers.ts';
import { eventually, fetchApi, newTenant, runWithStatus, type Tenant } from '../support/api.ts';
import { createWorkflow, tagWorkflow } from '../support/samples.ts';
import { addBulk, objectsOf, ordersIn, RANGE, read } from './support.ts';

/** Of 370,000 orders that are looked at, 7,400 are wanted: slices end after 2,400, 4,800 and 7,200. */
const LOOKED_AT = 370_000;
const WANTED = 7_400;
const FIRST = 2_400;

let tenant: Tenant;
beforeAll(async () => {
  tenant = await newTenant();
  await addBulk(tenant.id, LOOKED_AT);
  const steps = [{ id: 'out', action: 'export.orders', with: { ...RANGE, format: 'ndjson' } }];
  const trigger = { event: 'custom.export' };
  await createWorkflow(tenant, tagWorkflow({ name: 'Export', trigger, steps }));
});

const run = (id: string) => tenant.get(`/api/admin/workflow-runs/get?id=${id}`);
const newestExport = async () => await tenant.get('/api/admin/exports?limit=1');

/** A run whose export was approved. */
async function approvedRun(): Promise<string> {
  const sent = await tenant.events({ type: 'custom.export', data: {} });
  const id = textAt(sent, 'events.0.runs.0');
  await runWithStatus(tenant, id, 'pending_approval');
  const approved = { role: 'approver' } as const;
  const answer = await tenant.post('/api/admin/workflow-runs/approve', { runId: id }, approved);
  expect(answer.status, answer.text).toBe(200);
  return id;
}

/** Waits until a slice has been written down and another is still to come. */
async function untilUnderWay(id: string): Promise<void> {
  await eventually(
    () => run(id),
    (answer) => expect(at(answer, 'run.steps.0.progress.rows')).toBeGreaterThanOrEqual(FIRST),
  );
}

describe('an approved export', () => {
  test('says how far it is while it runs, and ends once', async () => {
    const id = await approvedRun();
    await untilUnderWay(id);
    const meanwhile = await newestExport();
    expect(at(meanwhile, 'items.0.status')).toBe('running');
    expect(at(meanwhile, 'items.0.rows')).toBeGreaterThanOrEqual(FIRST);
    const done = await runWithStatus(tenant, id, 'succeeded');
    const made = await newestExport();
    const exportId = textAt(made, 'items.0.id');
    const token = await tenant.key('admin');
    const file = await fetchApi('GET', `/api/admin/exports/get?id=${exportId}`, { token });
    const { bytes, text } = await read(file);
    expect(ordersIn(text)).toHaveLength(WANTED);
    const output = { exportId, rows: WANTED, bytes, format: 'ndjson' };
    expect(at(made, 'items.0')).toMatchObject({ status: 'completed', rows: WANTED, bytes });
    expect(at(done, 'run.steps.0')).toMatchObject({ status: 'succeeded', attempts: 4, output });
    const progress = listAt(done, 'run.timeline').filter(
      (entry) => at({ body: { entry } }, 'entry.type') === 'step_progressed',
    );
    expect(progress).toMatchObject([
      { progress: { exportId, rows: FIRST } },
      { progress: { exportId, rows: 2 * FIRST } },
      { progress: { exportId, rows: 3 * FIRST } },
    ]);
    expect(done.text).not.toContain('http');
  });

  test('causes one event and one audit entry, which hold no link', async () => {
    const { text, ...events } = await eventually(
      () => tenant.get('/api/admin/events?type=export.completed'),
      (answer) => expect(listAt(answer)).toHaveLength(1),
    );
    const made = textAt(await newestExport(), 'items.0.id');
    expect(at(events, 'items.0.data.export')).toMatchObject({ id: made, rows: WANTED });
    const audit = await tenant.get('/api/admin/audit?action=export.completed');
    expect(fieldsOf(audit, 'data')).toMatchObject([{ export: { id: made, kind: 'orders' } }]);
    expect(text + audit.text).not.toMatch(/https?:|\/exports\//);
  });

  test('whose run is cancelled meanwhile is given up, and leaves nothing', async () => {
    const before = await objectsOf(tenant.id);
    const id = await approvedRun();
    await untilUnderWay(id);
    const cancelled = await tenant.post('/api/admin/workflow-runs/cancel', { runId: id });
    expect(at(cancelled, 'run.status')).toBe('cancelled');
    expect(at(await newestExport(), 'items.0.status')).toBe('running');
    await sweepExports(env, Date.now() + 6 * 60_000);
    const given = await newestExport();
    expect(at(given, 'items.0.status')).toBe('abandoned');
    // A slice that was under way takes back what it has put there.
    await vi.waitFor(async () => expect(await objectsOf(tenant.id)).toEqual(before), 10_000);
    const made = textAt(given, 'items.0.id');
    expect((await tenant.get(`/api/admin/exports/get?id=${made}`, 'admin')).status).toBe(404);
    expect(listAt(await tenant.get('/api/admin/events?type=export.completed'))).toHaveLength(1);
  });
});
