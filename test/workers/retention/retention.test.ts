/** What is kept for so many days goes afterwards, and nothing else does, whatever happens meanwhile. */
import { env } from 'cloudflare:workers';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { tenantObject } from '../../../src/objects/index.ts';
import { sweep } from '../../../src/objects/sweep.ts';
import { exported, exportLines, signed, verdictOn } from '../audit/support.ts';
import { disturb } from '../objects/support/disturb.ts';
import { at, faultPaths, listAt } from '../support/answers.ts';
import { eventually, newTenant, runWithStatus, type Tenant } from '../support/api.ts';
import { createWorkflow, flagWorkflow, startRun } from '../support/samples.ts';
import { daysAgo, removeAll, rowsOf, seedRuns } from './support.ts';

const UPDATE = '/api/admin/retention/update';
const NOTHING = { runs: 0, deliveries: 0, events: 0, identities: 0 };
const MINUTE_MS = 60_000;

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

async function keeping(runsDays: number | null, eventsDays: number | null): Promise<Tenant> {
  const tenant = await newTenant();
  const set = await tenant.post(UPDATE, { runsDays, eventsDays });
  expect(set.status, set.text).toBe(200);
  return tenant;
}

/** What the audit tells of each day's removal, the newest first. */
async function told(tenant: Tenant, times: number) {
  const page = await eventually(
    () => tenant.get('/api/admin/audit?action=retention.removed'),
    (answer) => expect(listAt(answer)).toHaveLength(times),
  );
  return listAt(page).map((_, index) => at(page, `items.${index}.data.removed`));
}

describe('the setting', () => {
  test('is for ever at first; admins change it, all may see it, and it is told once', async () => {
    const tenant = await newTenant();
    const read = async () => (await tenant.get('/api/admin/retention')).body.retention;
    expect(await read()).toEqual({ runsDays: null, eventsDays: null });
    await tenant.post(UPDATE, { runsDays: 30 });
    await tenant.post(UPDATE, { runsDays: 30 });
    expect((await tenant.post(UPDATE, { eventsDays: 90 })).body.retention).toEqual({
      runsDays: 30,
      eventsDays: 90,
    });
    expect(await read()).toEqual({ runsDays: 30, eventsDays: 90 });
    const page = await tenant.get('/api/admin/audit?action=retention.updated');
    expect(listAt(page)).toHaveLength(2);
    expect(at(page, 'items.0.data')).toEqual({ runsDays: 30, eventsDays: 90 });
  });

  test.each([
    [{ runsDays: 30, eventsDays: 29 }, 'eventsDays'],
    [{ eventsDays: 29 }, 'eventsDays'],
    [{ runsDays: 0 }, 'runsDays'],
    [{ runsDays: 1.5 }, 'runsDays'],
    [{ eventsDays: 4_000 }, 'eventsDays'],
    [{ runsDays: '30' }, 'runsDays'],
  ])('refuses %j', async (body, path) => {
    const tenant = await newTenant();
    const answer = await tenant.post(UPDATE, body);
    expect(answer.status).toBe(400);
    expect(faultPaths(answer)).toEqual([path]);
  });
});

describe('the removal', () => {
  test('takes what is old and over, thousands of it, and tells of it once', async () => {
    const tenant = await keeping(30, 60);
    await seedRuns(tenant, { name: 'old', count: 2_300, createdDaysAgo: 100, endedDaysAgo: 99 });
    await seedRuns(tenant, { name: 'waits', count: 70, createdDaysAgo: 100, endedDaysAgo: null });
    await seedRuns(tenant, { name: 'late', count: 30, createdDaysAgo: 100, endedDaysAgo: 2 });
    await seedRuns(tenant, { name: 'mid', count: 40, createdDaysAgo: 45, endedDaysAgo: 45 });
    await seedRuns(tenant, { name: 'new', count: 200, createdDaysAgo: 3, endedDaysAgo: 3 });
    await createWorkflow(tenant, flagWorkflow());
    const waiting = await startRun(tenant);
    await runWithStatus(tenant, waiting, 'pending_approval');
    expect(await rowsOf(tenant)).toMatchObject({ runs: 2_641, events: 2_641 });
    for (let slice = 0; slice < 30; slice += 1)
      await sweep(env, Date.now() + slice * 2 * MINUTE_MS);
    const runs = 70 + 30 + 200 + 1;
    // Of those in the middle the events stay; of those that wait, and that ended late, all does.
    const [removed] = await told(tenant, 1);
    expect(removed).toEqual({ runs: 2_340, deliveries: 2_340, events: 2_300, identities: 2_400 });
    expect(await rowsOf(tenant)).toMatchObject({
      ...{ runs, approvals: runs, events: runs + 40, deliveries: runs - 1 },
      identities: 240,
    });
    const { n } = (await env.DB.prepare(
      `SELECT count(*) AS n FROM run_entries AS e WHERE tenant_id = ? AND NOT EXISTS (
         SELECT 1 FROM runs WHERE tenant_id = e.tenant_id AND id = e.run_id)`,
    )
      .bind(tenant.id)
      .first<{ n: number }>()) ?? { n: -1 };
    expect(n).toBe(0);
    expect(await removeAll(tenant)).toBe(1);
    expect(await told(tenant, 1)).toEqual([removed]);
    await tenant.post('/api/admin/workflow-runs/approve', { runId: waiting }, { role: 'approver' });
    await runWithStatus(tenant, waiting, 'succeeded');
    const last = await signed(tenant);
    expect(await verdictOn(tenant, await exportLines(tenant), [last])).toMatchObject({ ok: true });
  });

  test('goes on where it was when it crashes between slices, and counts nothing twice', async () => {
    const tenant = await keeping(30, 30);
    await seedRuns(tenant, { name: 'old', count: 1_700, createdDaysAgo: 100, endedDaysAgo: 99 });
    const d1: D1Database = Object.getPrototypeOf(env.DB);
    const batch = d1.batch;
    let calls = 0;
    vi.spyOn(d1, 'batch').mockImplementation(async function (this: D1Database, statements) {
      calls += 1;
      // What was planned is not told to the log at first.
      if (calls % 2 === 1) throw new Error('D1 is away');
      return await Reflect.apply(batch, this, [statements]);
    });
    const slices = await removeAll(tenant, () => disturb('crash'));
    expect(slices).toBeGreaterThan(10);
    vi.restoreAllMocks();
    await tenantObject(env, tenant.id).poke();
    await vi.waitFor(async () => {
      await tenantObject(env, tenant.id).removeOld();
      expect(await rowsOf(tenant)).toMatchObject({ runs: 0, run_entries: 0, approvals: 0 });
    });
    // What was still on its way when its kind was looked for goes on another day.
    vi.setSystemTime(Date.now() + 86_400_000);
    await removeAll(tenant);
    expect(await rowsOf(tenant)).toEqual({
      ...{ runs: 0, run_entries: 0, approvals: 0, deliveries: 0, events: 0, identities: 0 },
    });
    vi.useRealTimers();
    const entries = await exported(tenant);
    const all = entries.flatMap(({ action, data }) =>
      action === 'retention.removed' ? [data.removed] : [],
    );
    const sum = { ...NOTHING };
    for (const removed of all)
      for (const [kind, count] of Object.entries(Object(removed)))
        Reflect.set(sum, kind, Reflect.get(sum, kind) + Number(count));
    expect(sum).toEqual({ runs: 1_700, deliveries: 1_700, events: 1_700, identities: 1_700 });
  });

  test('ends when somebody says "for ever", and tells of what has gone', async () => {
    const tenant = await keeping(30, null);
    await seedRuns(tenant, { name: 'old', count: 900, createdDaysAgo: 100, endedDaysAgo: 99 });
    expect(await tenantObject(env, tenant.id).removeOld()).toBe(true);
    await tenant.post(UPDATE, { runsDays: null });
    await removeAll(tenant);
    expect(await told(tenant, 1)).toEqual([{ ...NOTHING, runs: 500 }]);
    expect(await rowsOf(tenant)).toMatchObject({ runs: 400, events: 900, identities: 900 });
  });

  test('takes nothing of a tenant that has said nothing, and nothing of another one', async () => {
    const [silent, other] = [await newTenant(), await keeping(1, 1)];
    await seedRuns(silent, { name: 'old', count: 10, createdDaysAgo: 100, endedDaysAgo: 99 });
    expect(await tenantObject(env, silent.id).poke()).toBe(false);
    await removeAll(other);
    await removeAll(silent);
    expect(await rowsOf(silent)).toMatchObject({ runs: 10, events: 10, identities: 10 });
    expect(await told(other, 0)).toEqual([]);
    expect(await tenantObject(env, 'nobody').removeOld()).toBe(false);
  });
});

test('a repeat is known for as long as events are kept', async () => {
  const tenant = await keeping(10, 10);
  await createWorkflow(tenant, flagWorkflow());
  const event = { id: 'once', source: 'shop', type: 'custom.once', data: {} };
  const send = async () => {
    const sent = await tenant.events(event);
    return { id: at(sent, 'events.0.id'), duplicate: at(sent, 'events.0.duplicate') };
  };
  const first = await send();
  await eventually(
    () => tenant.get('/api/admin/events'),
    (answer) => expect(listAt(answer)).toHaveLength(1),
  );
  await removeAll(tenant);
  expect(await send()).toEqual({ ...first, duplicate: true });
  vi.setSystemTime(daysAgo(-11));
  await removeAll(tenant);
  expect(await send()).toMatchObject({ duplicate: false });
});

describe('in the database', () => {
  test.each([
    ["DELETE FROM runs WHERE tenant_id = ? AND status = 'pending_approval'", 'not over'],
    ['DELETE FROM run_entries WHERE tenant_id = ?', 'append-only'],
    ["DELETE FROM approvals WHERE tenant_id = ? AND status = 'pending'", 'pending'],
    ['DELETE FROM events WHERE tenant_id = ?', 'as long as its runs'],
  ])('%s is refused', async (statement, reason) => {
    const tenant = await newTenant();
    await seedRuns(tenant, { name: 'waits', count: 2, createdDaysAgo: 9, endedDaysAgo: null });
    const before = await rowsOf(tenant);
    await expect(env.DB.prepare(statement).bind(tenant.id).run()).rejects.toThrow(reason);
    expect(await rowsOf(tenant)).toEqual(before);
  });
});
