/** Three databases: each tenant's read model is in one of them, whole, and callers notice nothing. */
import { env } from 'cloudflare:workers';
import { beforeAll, describe, expect, test } from 'vitest';
import * as z from 'zod';
import {
  databaseAt,
  databaseForNew,
  databasesOf,
  envForWork,
  envOf,
} from '../../src/db/databases.ts';
import { tenantsOfEmail } from '../../src/db/members.ts';
import { tenantObject } from '../../src/objects/index.ts';
import { sweep } from '../../src/objects/sweep.ts';
import { openPorts } from '../../src/ports/open.ts';
import { exported, exportLines, signed, verdictOn } from '../workers/audit/support.ts';
import { openShop } from '../workers/objects/support/shop.ts';
import { fieldsOf, listAt, textAt } from '../workers/support/answers.ts';
import { eventually, newTenant, runWithStatus, send, type Tenant } from '../workers/support/api.ts';
import { createWorkflow, flagWorkflow, orderEvent, startRun } from '../workers/support/samples.ts';

const DATABASES = [0, 1, 2];
const TABLES = `SELECT name FROM sqlite_master WHERE type = 'table' AND sql LIKE '%tenant_id%'`;
const tableNames = z.array(z.object({ name: z.string() }));

/** One tenant in each database. */
const tenants: Tenant[] = [];
beforeAll(async () => {
  expect(databasesOf(env)).toHaveLength(DATABASES.length);
  for (let tries = 0; tries < 60 && DATABASES.some((n) => !tenants[n]); tries += 1) {
    const tenant = await newTenant();
    const { database } = (await directoryRow(tenant.id)) ?? { database: -1 };
    tenants[database] ??= tenant;
  }
});

async function directoryRow(tenantId: string) {
  return await env.DB.prepare('SELECT database FROM tenants WHERE tenant_id = ?')
    .bind(tenantId)
    .first<{ database: number }>();
}

function tenantIn(database: number): Tenant {
  const tenant = tenants[database];
  if (tenant === undefined) throw new Error(`no tenant is in database ${database}`);
  return tenant;
}

/** Names of the tables of a database that have rows of a tenant. */
async function tablesWith(tenantId: string, database: number): Promise<string[]> {
  const db = databaseAt(env, database);
  const { results } = await db.prepare(TABLES).all();
  const found: string[] = [];
  for (const { name } of tableNames.parse(results)) {
    const row = await db
      .prepare(`SELECT 1 FROM "${name}" WHERE tenant_id = ? LIMIT 1`)
      .bind(tenantId)
      .first();
    if (row !== null) found.push(name);
  }
  return found.toSorted();
}

describe.each(DATABASES)('a tenant in database %i', (database) => {
  test('has its events, runs, approvals, orders, flags and audit there, and nowhere else', async () => {
    const tenant = tenantIn(database);
    await createWorkflow(tenant, flagWorkflow());
    const runId = await startRun(tenant);
    await runWithStatus(tenant, runId, 'pending_approval');
    expect(fieldsOf(await tenant.get('/api/admin/approvals'), 'runId')).toEqual([runId]);
    await tenant.post('/api/admin/workflow-runs/approve', { runId }, { role: 'approver' });
    await runWithStatus(tenant, runId, 'succeeded');
    await tenant.events(orderEvent('1'));
    await eventually(
      () => tenant.get('/api/admin/orders'),
      (page) => expect(fieldsOf(page, 'id')).toEqual(expect.arrayContaining(['1'])),
    );
    await tenant.post('/api/admin/flags/set', { key: 'by-hand', enabled: true });
    const member = { name: 'Ann', email: `ann@${tenant.id}.example.com`, role: 'approver' };
    await tenant.post('/api/admin/members/create', member);
    expect(fieldsOf(await tenant.get('/api/admin/workflow-runs'), 'id')).toContain(runId);
    const own = await tablesWith(tenant.id, database);
    expect(own).toEqual(
      expect.arrayContaining([
        'approvals',
        'audit',
        'events',
        'flags',
        'orders',
        'runs',
        'tenants',
      ]),
    );
    for (const other of DATABASES.filter((n) => n !== database)) {
      const directory = other === 0 ? ['members', 'tenants'] : [];
      expect(await tablesWith(tenant.id, other), `database ${other}`).toEqual(directory);
    }
  });

  test('evaluates flags with a frontend key, and its chain verifies', async () => {
    const tenant = tenantIn(database);
    const token = await tenant.key('frontend');
    const { body } = await send('GET', '/api/flags', { token });
    expect(body.flags).toMatchObject({ 'by-hand': true });
    const last = await signed(tenant);
    expect(await verdictOn(tenant, await exportLines(tenant), [last])).toMatchObject({ ok: true });
    expect((await exported(tenant)).length).toBeGreaterThan(4);
  });

  test('is found by the email of a member, whose address goes when the member is erased', async () => {
    const tenant = tenantIn(database);
    const email = `ann@${tenant.id}.example.com`;
    expect(await tenantsOfEmail(env.DB, email)).toEqual([tenant.id]);
    const id = textAt(await tenant.get('/api/admin/members', 'admin'), 'items.0.id');
    await tenant.post('/api/admin/members/remove', { id });
    const erased = await tenant.post('/api/admin/privacy/erase', { memberId: id, reason: 'left' });
    expect(erased.status, erased.text).toBe(200);
    const { results } = await env.DB.prepare('SELECT email FROM members WHERE tenant_id = ?')
      .bind(tenant.id)
      .all();
    expect(results).toEqual([{ email: '[erased]' }]);
  });

  test('has what is overdue there woken, and what is old removed, by the sweep', async () => {
    const tenant = tenantIn(database);
    const db = databaseAt(env, database);
    await tenant.post('/api/admin/retention/update', { runsDays: 1 });
    await db
      .prepare(
        `INSERT INTO deliveries (tenant_id, id, run_id, step_id, attempt, webhook_id, destination,
           started_at, duration_ms) VALUES (?, 'dlv_01', 'run_gone', 's', 1, 'w', 'd', '', 1)`,
      )
      .bind(tenant.id)
      .run();
    const runId = await startRun(tenant);
    await runWithStatus(tenant, runId, 'pending_approval');
    await db
      .prepare(
        "UPDATE runs SET wake_at = '2020-01-01T00:00:00.000Z' WHERE tenant_id = ? AND id = ?",
      )
      .bind(tenant.id, runId)
      .run();
    for (let slice = 0; slice < 30; slice += 1) await sweep(env, Date.now() + slice * 120_000);
    await eventually(
      () => tenant.get('/api/admin/audit?action=retention.removed'),
      (page) => expect(listAt(page)).toHaveLength(1),
    );
    expect(await tablesWith(tenant.id, database)).not.toContain('deliveries');
  });
});

test('the operator sees the tenants of all databases in one list', async () => {
  const page = await send('GET', '/api/platform/tenants?limit=200', { token: env.PLATFORM_TOKEN });
  expect(fieldsOf(page, 'id')).toEqual(expect.arrayContaining(tenants.map(({ id }) => id)));
});

describe('where a tenant is', () => {
  test('was chosen when it was made: a database that is added changes nothing for it', async () => {
    const early = await openShop();
    expect(await directoryRow(early)).toEqual({ database: 0 });
    expect((await envOf(env, early)).DB).toBe(env.DB);
    const { DB_2: _later, ...two } = env;
    const { id } = tenantIn(1);
    expect((await envOf({ ...two, DB_2: undefined }, id)).DB).toBe(env.DB_1);
    expect((await envOf(env, id)).DB).toBe(env.DB_1);
    expect(await envOf({ ...two, DB_1: undefined }, id)).toMatchObject({ DB: env.DB });
  });

  test('is spread evenly over the databases, however alike the ids are', () => {
    const counts = [0, 0, 0];
    for (let n = 1_000; n < 4_000; n += 1) {
      const database = databaseForNew(env, `shop-${n}`);
      counts[database] = (counts[database] ?? 0) + 1;
    }
    for (const count of counts) expect(Math.abs(count - 1_000)).toBeLessThan(150);
  });

  test('is read once, and work that needs no database goes on while it cannot be read', async () => {
    const away = new Proxy(env.DB, {
      get: () => () => {
        throw new Error('the directory is away');
      },
    });
    const { id } = tenantIn(2);
    expect((await envOf({ ...env, DB: away }, id)).DB).toBe(env.DB_2);
    await expect(envOf({ ...env, DB: away }, 'never-asked')).rejects.toThrow();
    const lent = await envForWork({ ...env, DB: away }, 'never-asked');
    const ports = openPorts(lent, 'never-asked', []);
    const call = {
      tenantId: 'never-asked',
      runId: 'r',
      idempotencyKey: 'k',
      now: 1,
      timeoutMs: 1_000,
    };
    await expect(ports.flags.setFlag(call, { key: 'a', enabled: true })).rejects.toThrow(
      'cannot be read',
    );
  });

  test('need not be known for events to be taken and runs to begin', async () => {
    const tenant = await newTenant();
    const token = await tenant.key('admin');
    const event = { id: 'e', source: 'shop', type: 'custom.e', data: {} };
    await env.DB.prepare('ALTER TABLE tenants RENAME TO tenants_away').run();
    const sent = await send('POST', '/api/events', { token, body: event });
    const list = await send('GET', '/api/admin/events', { token });
    await env.DB.prepare('ALTER TABLE tenants_away RENAME TO tenants').run();
    expect([sent.status, list.status]).toEqual([202, 500]);
    await eventually(
      () => send('GET', '/api/admin/events', { token }),
      (page) => expect(listAt(page)).toHaveLength(1),
    );
  });

  test('is asked of nobody else: an unknown tenant has none', async () => {
    await expect(envOf(env, 'nobody')).rejects.toThrow('does not have the tenant');
    expect(await tenantObject(env, 'nobody').poke()).toBe(false);
  });
});
