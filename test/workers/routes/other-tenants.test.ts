/** What belongs to another tenant answers exactly as what does not exist: status, code, every word. */
import { beforeAll, describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../src/contract/json.ts';
import { type Answer, at, listAt, textAt } from '../support/answers.ts';
import { eventually, newTenant, runWithStatus, send, type Tenant } from '../support/api.ts';
import { firstKeyId } from '../support/credentials.ts';
import {
  createWorkflow,
  flagWorkflow,
  orderEvent,
  startRun,
  tagWorkflow,
} from '../support/samples.ts';

const MISSING = '019a6b3c5d7e7f8091a2b3c4d5e6f708';

interface Ids {
  readonly event: string;
  readonly run: string;
  readonly workflow: string;
  readonly key: string;
  readonly export: string;
  readonly order: string;
}

/** A tenant that has one of everything. */
async function fullTenant(orderId: string): Promise<{ tenant: Tenant; ids: Ids }> {
  const tenant = await newTenant();
  const workflow = await createWorkflow(tenant, flagWorkflow());
  const sent = await tenant.events(orderEvent(orderId));
  const run = textAt(sent, 'events.0.runs.0');
  await runWithStatus(tenant, run, 'pending_approval');
  const made = await exportOrders(tenant);
  const key = await firstKeyId(tenant);
  return {
    tenant,
    ids: { event: textAt(sent, 'events.0.id'), run, workflow, key, export: made, order: orderId },
  };
}

async function exportOrders(tenant: Tenant): Promise<string> {
  const actions = { 'export.orders': { required: false } };
  await tenant.post('/api/admin/approval-policy/update', { actions });
  const steps = [{ id: 'out', action: 'export.orders', with: { format: 'csv' } }];
  const trigger = { event: 'custom.export' };
  await createWorkflow(tenant, tagWorkflow({ name: 'Export', trigger, steps }));
  await tenant.events({ type: 'custom.export', data: {} });
  const done = await eventually(
    () => tenant.get('/api/admin/exports'),
    (answer) => expect(at(answer, 'items.0.status')).toBe('completed'),
  );
  return textAt(done, 'items.0.id');
}

let mine: { tenant: Tenant; ids: Ids };
let theirs: { tenant: Tenant; ids: Ids };
beforeAll(async () => {
  mine = await fullTenant('mine-1');
  theirs = await fullTenant('theirs-1');
});

const READ = [
  ['/api/admin/events/get', 'event', 'evt_'],
  ['/api/admin/workflows/get', 'workflow', 'wf_'],
  ['/api/admin/workflow-runs/get', 'run', 'run_'],
  ['/api/admin/orders/get', 'order', ''],
  ['/api/admin/exports/get', 'export', 'exp_'],
] as const;

const definition = {
  name: 'Mine now',
  trigger: { event: 'order.created' },
  steps: [{ id: 'a', wait: '1h' }],
};
const WRITTEN: readonly (readonly [string, keyof Ids, string, (id: string) => JsonObject])[] = [
  ['/api/admin/workflows/update', 'workflow', 'wf_', (id) => ({ id, version: 1, ...definition })],
  ['/api/admin/workflows/enable', 'workflow', 'wf_', (id) => ({ id })],
  ['/api/admin/workflows/disable', 'workflow', 'wf_', (id) => ({ id })],
  ['/api/admin/workflow-runs/approve', 'run', 'run_', (runId) => ({ runId })],
  ['/api/admin/workflow-runs/deny', 'run', 'run_', (runId) => ({ runId, comment: 'no' })],
  ['/api/admin/workflow-runs/cancel', 'run', 'run_', (runId) => ({ runId })],
  ['/api/admin/api-keys/revoke', 'key', 'key_', (id) => ({ id })],
  ['/api/admin/exports/link', 'export', 'exp_', (id) => ({ id })],
];

function expectSame(one: Answer, other: Answer): void {
  const plain = ({ status, body }: Answer) => ({ status, body: { ...body, requestId: '' } });
  expect(one.status).toBe(404);
  expect(plain(one)).toEqual(plain(other));
}

test.each(READ)(
  'GET %s of another tenant is as if it were not there',
  async (path, what, prefix) => {
    const { tenant, ids } = mine;
    const ask = (id: string) => tenant.get(`${path}?id=${id}`, 'admin');
    expect((await ask(ids[what])).status).toBe(200);
    expectSame(await ask(theirs.ids[what]), await ask(`${prefix}${MISSING}`));
  },
);

test.each(WRITTEN)(
  'POST %s of another tenant is as if it were not there',
  async (path, what, prefix, body) => {
    const ask = (id: string) => mine.tenant.post(path, body(id));
    expectSame(await ask(theirs.ids[what]), await ask(`${prefix}${MISSING}`));
  },
);

test('and nothing of the other tenant was changed by the attempts', async () => {
  const { tenant, ids } = theirs;
  const run = await tenant.get(`/api/admin/workflow-runs/get?id=${ids.run}`);
  expect(at(run, 'run.status')).toBe('pending_approval');
  const workflow = await tenant.get(`/api/admin/workflows/get?id=${ids.workflow}`);
  expect(at(workflow, 'workflow.version')).toBe(1);
  expect(at(workflow, 'workflow.enabled')).toBe(true);
  const keys = await tenant.get('/api/admin/api-keys', 'admin');
  expect(listAt(keys).every((key) => at({ body: { key } }, 'key.revokedAt') === null)).toBe(true);
});

describe('lists', () => {
  const LISTS = [
    'events',
    'workflows',
    'workflow-runs',
    'orders',
    'flags',
    'flags/history',
    'exports',
    'mailbox',
    'audit',
    'api-keys',
    'connections',
  ];

  test.each(LISTS)('GET /api/admin/%s holds nothing of another tenant', async (list) => {
    const { text } = await mine.tenant.get(`/api/admin/${list}`, 'admin');
    for (const id of Object.values(theirs.ids)) expect(text).not.toContain(id);
    expect(text).not.toContain(theirs.tenant.id);
  });

  test.each(['events', 'workflows', 'workflow-runs', 'audit'])(
    "another tenant's cursor of %s shows own rows alone",
    async (list) => {
      if (list === 'workflow-runs') await startRun(theirs.tenant, 'theirs-2');
      if (list === 'workflow-runs')
        await eventually(
          () => theirs.tenant.get('/api/admin/workflow-runs'),
          (answer) => expect(listAt(answer).length).toBeGreaterThan(1),
        );
      const page = await theirs.tenant.get(`/api/admin/${list}?limit=1`, 'admin');
      const cursor = textAt(page, 'nextCursor');
      const { status, text } = await mine.tenant.get(
        `/api/admin/${list}?cursor=${cursor}`,
        'admin',
      );
      expect(status).toBe(200);
      for (const id of Object.values(theirs.ids)) expect(text).not.toContain(id);
    },
  );

  test('a tenant named in query, body or header selects nothing', async () => {
    const { tenant } = mine;
    const headers = { 'x-tenant-id': theirs.tenant.id };
    const token = await tenant.key('viewer');
    const { text } = await send('GET', '/api/admin/workflow-runs', { token, headers });
    expect(text).toContain(mine.ids.run);
    expect(text).not.toContain(theirs.ids.run);
    const query = await tenant.get(`/api/admin/workflow-runs?tenantId=${theirs.tenant.id}`);
    expect(query.status).toBe(400);
  });
});
