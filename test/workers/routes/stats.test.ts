/** The numbers of an overview: right, of one's own tenant, and from indexes alone however much there is. */
import { env } from 'cloudflare:workers';
import { describe, expect, test } from 'vitest';
import { stats } from '../../../src/contract/stats.ts';
import { readStats } from '../../../src/db/stats.ts';
import { answer } from '../../fixtures/receiver/script.ts';
import { faultPaths, textAt } from '../support/answers.ts';
import { eventually, newTenant, runWithStatus, type Tenant } from '../support/api.ts';
import { openAddress } from '../support/real-receiver.ts';
import {
  createWorkflow,
  customEvent,
  flagWorkflow,
  startRun,
  tagWorkflow,
} from '../support/samples.ts';

const HOUR_MS = 3_600_000;

async function statsOf(tenant: Tenant, query = '') {
  return stats.parse((await tenant.get(`/api/admin/stats${query}`)).body.stats);
}

test('a tenant with nothing in it has hours with nothing in them', async () => {
  const { hours, from, to, ...rest } = await statsOf(await newTenant(), '?hours=3');
  const nothing = { succeeded: 0, failed: 0, denied: 0, expired: 0, cancelled: 0, open: 0 };
  expect(hours).toHaveLength(3);
  for (const [index, hour] of hours.entries())
    expect(hour).toEqual({
      from: new Date(Date.parse(from) + index * HOUR_MS).toISOString(),
      events: 0,
      runs: nothing,
      estimated: false,
    });
  expect(Date.parse(to) - Date.parse(hours[2]?.from ?? '')).toBeLessThan(HOUR_MS);
  expect(rest).toEqual({
    approvals: { pending: 0, isMore: false, oldestRequestedAt: null, nextExpiresAt: null },
    workflows: [],
    destinations: { attempts: 0, isMore: false, slowest: [], failing: [] },
  });
});

test('what happened is counted, in its own tenant alone', async () => {
  const [tenant, other] = [await newTenant(), await newTenant()];
  const { url } = await openAddress([answer(500), answer(200), answer(200)]);
  const send = { id: 'send', action: 'notify.webhook', with: { url }, retry: { attempts: 1 } };
  const sending = await createWorkflow(tenant, tagWorkflow({ name: 'Send', steps: [send] }));
  await runWithStatus(tenant, await startRun(tenant), 'failed');
  await runWithStatus(tenant, await startRun(tenant), 'succeeded');
  const last = await startRun(tenant);
  await runWithStatus(tenant, last, 'succeeded');
  const asking = await createWorkflow(
    tenant,
    flagWorkflow({ name: 'Ask', trigger: { event: 'custom.thing' } }),
  );
  const waiting = textAt(await tenant.events(customEvent()), 'events.0.runs.0');
  const run = await runWithStatus(tenant, waiting, 'pending_approval');
  await eventually(
    () => tenant.get('/api/admin/stats'),
    (read) => expect(stats.parse(read.body.stats).approvals.pending).toBe(1),
  );
  const seen = await statsOf(tenant);
  const total = (of: (hour: (typeof seen.hours)[number]) => number) =>
    seen.hours.reduce((sum, hour) => sum + of(hour), 0);
  expect(total(({ events }) => events)).toBe(4);
  expect(total(({ runs }) => runs.succeeded)).toBe(2);
  expect(total(({ runs }) => runs.failed)).toBe(1);
  expect(total(({ runs }) => runs.open)).toBe(1);
  expect(seen.approvals.oldestRequestedAt).toBe(textAt(run, 'run.approvals.0.requestedAt'));
  expect(seen.approvals.nextExpiresAt).toBe(textAt(run, 'run.approvals.0.expiresAt'));
  expect(seen.workflows).toMatchObject([
    { workflowId: asking, workflowName: 'Ask', runs: 1, successRate: null, lastRunId: waiting },
    {
      workflowId: sending,
      runs: 3,
      successRate: 0.6667,
      recent: ['failed', 'succeeded', 'succeeded'],
      lastRunId: last,
      lastRunStatus: 'succeeded',
    },
  ]);
  const failing = { destination: url, attempts: 3, failed: 1, errorRate: 0.3333 };
  expect(seen.destinations).toMatchObject({ attempts: 3, failing: [failing], slowest: [failing] });
  const nothing = await statsOf(other);
  expect(nothing.workflows).toEqual([]);
  expect(nothing.hours.every(({ events }) => events === 0)).toBe(true);
});

test('a period is between an hour and a week', async () => {
  const tenant = await newTenant();
  expect((await statsOf(tenant, '?hours=168')).hours).toHaveLength(168);
  for (const hours of ['0', '169', '1.5', 'x'])
    expect(faultPaths(await tenant.get(`/api/admin/stats?hours=${hours}`))).toEqual([
      'query.hours',
    ]);
});

interface Asked {
  readonly sql: string;
  readonly values: readonly unknown[];
}

/** What is asked of the database. */
async function asked(tenantId: string, hours: number, now: number): Promise<Asked[]> {
  const seen: Asked[] = [];
  const prepare = (sql: string) =>
    new Proxy(env.DB.prepare(sql), {
      get: (statement, name) =>
        name === 'bind'
          ? (...values: readonly unknown[]) => {
              seen.push({ sql, values });
              return statement.bind(...values);
            }
          : Reflect.get(statement, name),
    });
  const db = new Proxy(env.DB, {
    get: (target, name) => {
      if (name === 'prepare') return prepare;
      const member = Reflect.get(target, name);
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
  await readStats(db, tenantId, hours, now);
  return seen;
}

describe('with 60,000 runs in three hours', () => {
  test('no question reads a whole table, and none more rows than it says', async () => {
    const tenantId = 'many';
    const now = Date.parse('2026-03-01T12:30:00.000Z');
    const id = (prefix: string) =>
      `printf('${prefix}_%012x%020x', ${now - 3 * HOUR_MS} + n * 180, n)`;
    const numbers =
      'WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 60000)';
    await env.DB.batch([
      env.DB.prepare(
        `INSERT INTO events (tenant_id, id, event_id, source, type, time, data, correlation_id,
           request_id, received_at, runs, matches)
         ${numbers} SELECT ?1, ${id('evt')}, n, 's', 'custom.a', '', '{}', n, 'r', '', '[]', '[]' FROM c`,
      ).bind(tenantId),
      env.DB.prepare(
        `INSERT INTO runs (tenant_id, id, seq, workflow_id, workflow_name, workflow_version,
           event_id, event_type, status, request_id, correlation_id, created_at)
         ${numbers} SELECT ?1, ${id('run')}, 3, 'wf_' || (n % 300), 'W', 1, n, 'custom.a',
           iif(n % 50, 'succeeded', 'failed'), 'r', n, '2026-03-01T12:00:00.000Z' FROM c`,
      ).bind(tenantId),
      env.DB.prepare(
        `INSERT INTO deliveries (tenant_id, id, run_id, step_id, attempt, webhook_id, destination,
           started_at, duration_ms)
         ${numbers} SELECT ?1, ${id('dlv')}, n, 's', 1, n, 'https://example.com/' || (n % 40), '', n % 90
         FROM c`,
      ).bind(tenantId),
    ]);
    for (const { sql, values } of await asked(tenantId, 4, now)) {
      const plan = await env.DB.prepare(`EXPLAIN QUERY PLAN ${sql}`)
        .bind(...values)
        .all<{ detail: string }>();
      const steps = plan.results.map(({ detail }) => detail);
      const scans = steps.filter((step) =>
        /^SCAN (events|runs|approvals|deliveries|[er]|last)\b/.test(step),
      );
      expect(scans, steps.join('\n')).toEqual([]);
      const { meta } = await env.DB.prepare(sql)
        .bind(...values)
        .all();
      expect(meta.rows_read, sql).toBeLessThan(40_000);
    }
    const { hours, workflows, destinations } = await readStats(env.DB, tenantId, 4, now);
    // 20,000 an hour: more than is counted, so about that.
    for (const { events, runs, estimated } of hours.slice(1, 3)) {
      expect(estimated).toBe(true);
      expect(Math.abs(events - 20_000)).toBeLessThan(200);
      expect(Math.abs(runs.succeeded + runs.failed - 20_000)).toBeLessThan(200);
    }
    expect(workflows).toHaveLength(100);
    expect(destinations).toMatchObject({ attempts: 10_000, isMore: true });
    expect(destinations.slowest).toHaveLength(10);
  });
});
