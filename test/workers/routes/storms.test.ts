/** Too much of anything: of denied calls, of what a workflow sends back to us, of what a tenant keeps. */
import { runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { expect, test } from 'vitest';
import type { JsonObject } from '../../../src/contract/json.ts';
import { tenantObject } from '../../../src/objects/index.ts';
import { WORKFLOWS_MAX } from '../../../src/objects/workflows.ts';
import { at, faultPaths, listAt } from '../support/answers.ts';
import { eventually, newTenant, runWithStatus, send, type Tenant } from '../support/api.ts';
import { createWorkflow, customEvent, flagWorkflow, tagWorkflow } from '../support/samples.ts';

const DENIED = '/api/admin/events?type=authz.denied&limit=200';
const FORBIDDEN = '/api/admin/api-keys/create';

async function limit({ id }: Tenant, limits: JsonObject): Promise<void> {
  const sent = { token: env.PLATFORM_TOKEN, body: { id, limits } };
  expect((await send('POST', '/api/platform/tenants/limits', sent)).status).toBe(200);
}

async function beDenied(tenant: Tenant, times: number): Promise<void> {
  const calls = Array.from({ length: times }, () => tenant.post(FORBIDDEN, {}, { role: 'viewer' }));
  for (const { status } of await Promise.all(calls)) expect(status).toBe(403);
}

test('a storm of denied calls is told of for a while, and fills nothing', async () => {
  const tenant = await newTenant();
  await limit(tenant, { eventsPerSecond: 1, eventsBurst: 5 });
  await beDenied(tenant, 200);
  const told = await eventually(
    () => tenant.get(DENIED),
    (answer) => expect(listAt(answer).length).toBeGreaterThanOrEqual(60),
  );
  expect(listAt(told).length).toBeLessThan(100);
  // What it used up was not the quota of the tenant's own events.
  expect((await tenant.events([customEvent(), customEvent()])).status).toBe(202);
});

test('denied calls start no more runs than the tenant may have', async () => {
  const tenant = await newTenant();
  await createWorkflow(tenant, flagWorkflow({ trigger: { event: 'authz.denied' } }));
  await beDenied(tenant, 3);
  const waiting = '/api/admin/workflow-runs?status=pending_approval';
  await eventually(
    () => tenant.get(waiting),
    (answer) => expect(listAt(answer)).toHaveLength(3),
  );
  await limit(tenant, { runsInFlight: 3 });
  await beDenied(tenant, 3);
  await limit(tenant, { runsInFlight: 4 });
  expect((await tenant.events(customEvent())).status).toBe(202);
  expect(listAt(await tenant.get(DENIED))).toHaveLength(3);
});

test('a denial cannot call us back, which would be denied again', async () => {
  const tenant = await newTenant();
  const trigger = { event: 'authz.denied' };
  const step = (url: string) => ({ id: 'back', action: 'notify.webhook', with: { url } });
  const saved = tagWorkflow({
    trigger,
    steps: [step('https://api.test/api/admin/api-keys/create')],
  });
  expect(faultPaths(await tenant.post('/api/admin/workflows/create', saved))).toEqual([
    'steps.0.with.url',
  ]);
  const filledIn = 'https://{{ "api" }}.test{{ event.data.action.split(" ")[1] }}';
  await createWorkflow(tenant, tagWorkflow({ trigger, steps: [step(filledIn)] }));
  await beDenied(tenant, 1);
  const runs = await eventually(
    () => tenant.get('/api/admin/workflow-runs'),
    (answer) => expect(listAt(answer)).toHaveLength(1),
  );
  const failed = await runWithStatus(tenant, String(at(runs, 'items.0.id')), 'failed');
  expect(at(failed, 'run.steps.0.error.code')).toBe('destination_refused');
  expect(at(failed, 'run.steps.0.error.message')).toContain('loop');
  expect(listAt(await tenant.get(DENIED))).toHaveLength(1);
});

test('a tenant has so many workflows and not one more, and can go on with those', async () => {
  const tenant = await newTenant();
  const id = await createWorkflow(tenant, flagWorkflow());
  await runInDurableObject(tenantObject(env, tenant.id), (_object, { storage }) => {
    storage.sql.exec(
      `INSERT INTO workflows (id, enabled, version, event, created_at, created_by)
       WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
       SELECT 'wf_' || i, 0, 1, 'custom.none', '2026-01-01T00:00:00.000Z', '{}' FROM n`,
      WORKFLOWS_MAX,
    );
  });
  const refused = await tenant.post('/api/admin/workflows/create', flagWorkflow());
  expect([refused.status, refused.body.code]).toEqual([422, 'limit_reached']);
  expect(refused.body.detail).toContain(String(WORKFLOWS_MAX));
  expect((await tenant.post('/api/admin/workflows/disable', { id })).status).toBe(200);
});

test('a tenant whose storage is full is told so, and can still decide and switch off', async () => {
  const tenant = await newTenant();
  const id = await createWorkflow(tenant, flagWorkflow());
  await runInDurableObject(tenantObject(env, tenant.id), (_object, { storage }) => {
    storage.sql.exec('CREATE TABLE ballast AS SELECT randomblob(1200000) AS bytes');
  });
  await limit(tenant, { storageBytes: 1_000_000 });
  const refused = await tenant.events(customEvent());
  expect([refused.status, refused.body.code]).toEqual([422, 'limit_reached']);
  expect(refused.body.detail).toContain('storage is full');
  await beDenied(tenant, 2);
  expect((await tenant.post('/api/admin/workflows/disable', { id })).status).toBe(200);
  expect(listAt(await tenant.get('/api/admin/events'))).toEqual([]);
});
