/**
 * A store that takes no more rows: what is asked is refused as something that passes, and done not even
 * by half; what was under way goes on when there is room again.
 */
import { runInDurableObject } from 'cloudflare:test';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { fieldsOf, listAt, textAt } from '../support/answers.ts';
import { newTenant, runWithStatus, type Tenant } from '../support/api.ts';
import { createWorkflow, customEvent, flagWorkflow } from '../support/samples.ts';
import { passTime } from './support/disturb.ts';
import { auditChain } from './support/history.ts';
import { Receiver } from './support/receiver.ts';
import { runOf, tenantOf } from './support/shop.ts';

const MINUTE_MS = 60_000;
const receiver = new Receiver();
beforeEach(() => receiver.listen());
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

type Stub = ReturnType<typeof tenantOf>;

/** While `work` is done, every insert and update fails as SQLite says it of a full disk. */
async function whileFull<Value>(stub: Stub, work: () => Promise<Value>): Promise<Value> {
  const tables = await onTables(stub, (table) =>
    ['INSERT', 'UPDATE'].map(
      (deed) =>
        `CREATE TRIGGER full_${table}_${deed} BEFORE ${deed} ON ${table} BEGIN
           SELECT RAISE(ABORT, 'database or disk is full: SQLITE_FULL'); END`,
    ),
  );
  expect(tables).toBeGreaterThan(0);
  try {
    return await work();
  } finally {
    await onTables(stub, (table) =>
      ['INSERT', 'UPDATE'].map((deed) => `DROP TRIGGER IF EXISTS full_${table}_${deed}`),
    );
  }
}

/** The same for a run, which keeps no tables. */
async function whileRunIsFull(tenantId: string, runId: string, work: () => Promise<void>) {
  const put = await runInDurableObject(runOf(tenantId, runId), (_, { storage }) =>
    vi.spyOn(Object.getPrototypeOf(storage.kv), 'put').mockImplementation(() => {
      throw new Error('database or disk is full: SQLITE_FULL');
    }),
  );
  try {
    await work();
  } finally {
    put.mockRestore();
  }
}

async function onTables(stub: Stub, statements: (table: string) => string[]): Promise<number> {
  return await runInDurableObject(stub, (_: unknown, { storage: { sql } }: DurableObjectState) => {
    const tables = sql
      .exec(`SELECT name FROM sqlite_master WHERE type = 'table'`)
      .toArray()
      .map(({ name }) => String(name))
      .filter((name) => !/^(_cf_|sqlite_)/.test(name));
    for (const table of tables) for (const statement of statements(table)) sql.exec(statement);
    return tables.length;
  });
}

async function forwarding(tenant: Tenant, url: string, more = {}): Promise<string> {
  const step = { id: 'send', action: 'notify.webhook', with: { url }, ...more };
  const trigger = { event: 'custom.thing' };
  return await createWorkflow(tenant, flagWorkflow({ name: 'Forward', trigger, steps: [step] }));
}

test('an event is refused, nothing of it is kept, and it is new when it comes again', async () => {
  const tenant = await newTenant();
  const url = receiver.address();
  await forwarding(tenant, url);
  const event = customEvent({ n: 1 }, { id: 'e-1' });
  await tenant.events(customEvent({ n: 0 }, { id: 'e-0' }));
  await vi.waitFor(() => expect(receiver.at(url)).toHaveLength(1));
  await whileFull(tenantOf(tenant.id), async () => {
    const refused = await tenant.events([customEvent({ n: 2 }, { id: 'e-2' }), event]);
    expect(refused.status, refused.text).toBe(503);
    expect(refused.body.code).toBe('unavailable');
    const changed = await tenant.post('/api/admin/api-keys/create', { name: 'x', role: 'viewer' });
    expect(changed.status, changed.text).toBe(503);
    expect((await tenant.get('/api/admin/events', 'admin')).status).toBe(200);
  });
  const taken = await tenant.events(event);
  expect(taken.body).toMatchObject({ events: [{ duplicate: false }] });
  await runWithStatus(tenant, textAt(taken, 'events.0.runs.0'), 'succeeded');
  const listed = await tenant.get('/api/admin/events?limit=50');
  expect(fieldsOf(listed, 'eventId')).toEqual(['e-1', 'e-0']);
  expect(receiver.at(url)).toHaveLength(2);
  await auditChain(tenant.id);
});

test('what an executor had under way is settled once there is room', async () => {
  const tenant = await newTenant();
  let answer: (status: number) => void = () => {};
  const answered = new Promise<number>((resolve) => {
    answer = resolve;
  });
  const url = receiver.address((nth) => (nth === 1 ? answered : 200));
  await forwarding(tenant, url);
  const runId = textAt(await tenant.events(customEvent()), 'events.0.runs.0');
  await vi.waitFor(() => expect(receiver.at(url)).toHaveLength(1));
  await whileFull(tenantOf(tenant.id), async () => {
    answer(200);
    await tenantOf(tenant.id)
      .poke()
      .catch(() => null);
    await vi.waitFor(() => expect(console.error).toBeDefined());
  });
  passTime(MINUTE_MS);
  await tenantOf(tenant.id).poke();
  await runWithStatus(tenant, runId, 'succeeded');
  expect(receiver.idsAt(url)).toEqual([`${runId}_send`]);
});

/** A run that waits for one approval, and who gives it. */
async function gated() {
  const tenant = await newTenant();
  const url = receiver.address();
  await forwarding(tenant, url, { approval: { approvals: 1 } });
  const runId = textAt(await tenant.events(customEvent()), 'events.0.runs.0');
  await runWithStatus(tenant, runId, 'pending_approval');
  await tenant.key('approver');
  const approve = () =>
    tenant.post('/api/admin/workflow-runs/approve', { runId }, { role: 'approver' });
  return { tenant, url, runId, approve };
}

test('a vote at a full run is refused and does not count, and counts when it is given again', async () => {
  const { tenant, url, runId, approve } = await gated();
  await whileRunIsFull(tenant.id, runId, async () => {
    const refused = await approve();
    expect(refused.status, refused.text).toBe(503);
  });
  expect(receiver.at(url)).toEqual([]);
  expect((await approve()).status).toBe(200);
  const run = await runWithStatus(tenant, runId, 'succeeded');
  expect(listAt(run, 'run.approvals.0.decisions')).toHaveLength(1);
  expect(receiver.at(url)).toHaveLength(1);
});

test('a vote counts though the tenant is full: its run tells it later, once', async () => {
  const { tenant, url, runId, approve } = await gated();
  await whileFull(tenantOf(tenant.id), async () => expect((await approve()).status).toBe(200));
  passTime(MINUTE_MS);
  await runOf(tenant.id, runId).poke();
  await runWithStatus(tenant, runId, 'succeeded');
  expect(receiver.idsAt(url)).toEqual([`${runId}_send`]);
  const actions = (await auditChain(tenant.id)).map(({ action }) => action);
  expect(actions.filter((action) => action === 'approval.approved')).toHaveLength(1);
});
