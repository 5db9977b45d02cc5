/** A run that has ended without success is done again: once, by another run, with everything asked anew. */
import { env } from 'cloudflare:workers';
import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../src/contract/json.ts';
import { answer } from '../../fixtures/receiver/script.ts';
import { addPerson } from '../notices/support.ts';
import { disturb } from '../objects/support/disturb.ts';
import { at, listAt, textAt } from '../support/answers.ts';
import { newTenant, runWithStatus, send, type Tenant } from '../support/api.ts';
import { openAddress } from '../support/real-receiver.ts';
import {
  createWorkflow,
  customEvent,
  flagWorkflow,
  orderEvent,
  startRun,
  tagWorkflow,
} from '../support/samples.ts';

const RETRY = '/api/admin/workflow-runs/retry';
const GET = '/api/admin/workflow-runs/get?id=';

/** A workflow whose first run fails, and whose second succeeds. */
async function failing(tenant: Tenant, more: JsonObject = {}): Promise<[string, string]> {
  const { url } = await openAddress([answer(500), answer(200)]);
  const send = { id: 'send', action: 'notify.webhook', with: { url }, retry: { attempts: 1 } };
  const workflowId = await createWorkflow(tenant, tagWorkflow({ steps: [send], ...more }));
  const runId = await startRun(tenant);
  await runWithStatus(tenant, runId, 'failed');
  return [runId, workflowId];
}

describe('a retry', () => {
  test('is a new run of the same event and version, which tells of the old one, and is told there', async () => {
    const tenant = await newTenant();
    const [old] = await failing(tenant);
    const before = await tenant.get(`${GET}${old}`);
    const made = await tenant.post(RETRY, { runId: old, comment: 'The receiver is back' });
    expect(made.status, made.text).toBe(201);
    const id = textAt(made, 'run.id');
    expect(made.body.run).toMatchObject({ status: 'queued', retryOf: old, retriedBy: null });
    expect((await tenant.get(`${GET}${id}`)).status).toBe(200);
    const done = await runWithStatus(tenant, id, 'succeeded');
    for (const same of ['workflowId', 'workflowVersion', 'eventId', 'eventType', 'correlationId'])
      expect(at(done, `run.${same}`), same).toEqual(at(before, `run.${same}`));
    expect(done.body.run).toMatchObject({ retryOf: old, retriedBy: null });
    expect(textAt(done, 'run.createdAt') > textAt(before, 'run.createdAt')).toBe(true);
    const after = await tenant.get(`${GET}${old}`);
    expect(after.body.run).toEqual({ ...Object(before.body.run), retriedBy: id });
    const audit = await tenant.get(`/api/admin/audit?target=${old}`);
    expect(audit.body.items).toMatchObject([
      {
        action: 'run.retried',
        target: { type: 'run', id: old },
        data: { workflowVersion: 1, retriedAs: id, comment: 'The receiver is back' },
      },
    ]);
  });

  test('is done once, however many ask at once, and can then be retried itself', async () => {
    const tenant = await newTenant();
    const [old] = await failing(tenant);
    const all = await Promise.all([1, 2, 3, 4].map(() => tenant.post(RETRY, { runId: old })));
    expect(all.map(({ status }) => status).toSorted()).toEqual([201, 409, 409, 409]);
    const made = all.find(({ status }) => status === 201);
    const id = made === undefined ? '' : textAt(made, 'run.id');
    await runWithStatus(tenant, id, 'succeeded');
    await disturb('crash');
    const again = await tenant.post(RETRY, { runId: old });
    expect([again.status, again.body.detail]).toEqual([409, expect.stringContaining(id)]);
    const runs = await tenant.get('/api/admin/workflow-runs');
    expect(listAt(runs)).toHaveLength(2);
  });

  test('asks for every approval anew, and not whoever retried where authors may not', async () => {
    const tenant = await newTenant();
    const ann = await addPerson(tenant, 'ann', 'admin');
    const bob = await addPerson(tenant, 'bob', 'admin');
    const change = { actions: { 'flag.enable': { selfApproval: false } } };
    expect((await tenant.post('/api/admin/approval-policy/update', change)).status).toBe(200);
    await createWorkflow(tenant, flagWorkflow());
    const sent = await tenant.events(orderEvent());
    const old = textAt(sent, 'events.0.runs.0');
    await runWithStatus(tenant, old, 'pending_approval');
    const deny = { runId: old, comment: 'not now' };
    await send('POST', '/api/admin/workflow-runs/deny', { token: bob.key, body: deny });
    await runWithStatus(tenant, old, 'denied');
    const made = await send('POST', RETRY, { token: ann.key, body: { runId: old } });
    const runId = textAt(made, 'run.id');
    await runWithStatus(tenant, runId, 'pending_approval');
    const approve = async (token: string) =>
      await send('POST', '/api/admin/workflow-runs/approve', { token, body: { runId } });
    expect((await approve(ann.key)).body.code).toBe('self_approval');
    expect((await approve(bob.key)).status).toBe(200);
    await runWithStatus(tenant, runId, 'succeeded');
  });

  test('by the latest version does what that one says', async () => {
    const tenant = await newTenant();
    const [old, id] = await failing(tenant);
    const { enabled: _, ...definition } = tagWorkflow();
    await tenant.post('/api/admin/workflows/update', { id, version: 1, ...definition });
    const made = await tenant.post(RETRY, { runId: old, latest: true });
    expect(at(made, 'run.workflowVersion')).toBe(2);
    const done = await runWithStatus(tenant, textAt(made, 'run.id'), 'succeeded');
    expect(textAt(done, 'run.steps.0.action')).toBe('tag.order');
  });

  test('stays on the path of what led to the run: a loop stays stopped', async () => {
    const tenant = await newTenant();
    const [old] = await failing(tenant);
    const made = await tenant.post(RETRY, { runId: old });
    const rows = await env.DB.prepare('SELECT id, origin FROM runs WHERE tenant_id = ? ORDER BY id')
      .bind(tenant.id)
      .all<{ id: string; origin: string }>();
    const [first, second] = rows.results.map(({ origin }) => JSON.parse(origin));
    expect(second.path).toEqual(first.path);
    expect(second.authors).toEqual(expect.arrayContaining(first.authors));
    expect(rows.results[1]?.id).toBe(textAt(made, 'run.id'));
  });
});

describe('no retry', () => {
  test('of a run that has not ended, that succeeded, or that is not there', async () => {
    const tenant = await newTenant();
    await createWorkflow(tenant, flagWorkflow());
    const runId = await startRun(tenant);
    await runWithStatus(tenant, runId, 'pending_approval');
    const waiting = await tenant.post(RETRY, { runId });
    expect([waiting.status, waiting.body.code]).toEqual([409, 'conflict']);
    expect(waiting.body.detail).toBe('The run has not ended: it is pending_approval.');
    await tenant.post('/api/admin/workflow-runs/approve', { runId }, { role: 'approver' });
    await runWithStatus(tenant, runId, 'succeeded');
    expect((await tenant.post(RETRY, { runId })).status).toBe(409);
    expect((await tenant.post(RETRY, { runId: 'run_nowhere' })).status).toBe(404);
    const [others] = await failing(await newTenant());
    expect((await tenant.post(RETRY, { runId: others })).status).toBe(404);
  });

  test('by who may not cancel either', async () => {
    const tenant = await newTenant();
    const [runId] = await failing(tenant);
    expect((await tenant.post(RETRY, { runId }, { role: 'approver' })).status).toBe(403);
  });

  test('by a workflow that is disabled, or is for other events by now, or whose event was erased', async () => {
    const tenant = await newTenant();
    const [runId, id] = await failing(tenant);
    await tenant.post('/api/admin/workflows/disable', { id });
    expect((await tenant.post(RETRY, { runId })).status).toBe(409);
    await tenant.post('/api/admin/workflows/enable', { id });
    const { enabled: _, ...definition } = tagWorkflow({ trigger: { event: 'custom.thing' } });
    await tenant.post('/api/admin/workflows/update', { id, version: 1, ...definition });
    expect((await tenant.post(RETRY, { runId, latest: true })).status).toBe(409);
    await env.DB.prepare(`UPDATE events SET data = '"[erased]"' WHERE tenant_id = ?`)
      .bind(tenant.id)
      .run();
    const erased = await tenant.post(RETRY, { runId });
    expect(erased.body.detail).toBe('Its event is not kept any more.');
  });

  test('beyond the limits of the tenant', async () => {
    const tenant = await newTenant();
    const [runId] = await failing(tenant);
    await send('POST', '/api/platform/tenants/limits', {
      token: env.PLATFORM_TOKEN,
      body: { id: tenant.id, limits: { eventsPerSecond: 1, eventsBurst: 1 } },
    });
    await tenant.events(customEvent());
    const refused = await tenant.post(RETRY, { runId });
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
  });
});
