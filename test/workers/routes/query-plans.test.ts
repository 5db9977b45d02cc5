/**
 * Every list that grows is read along one index, however long it is and however deep the page: what
 * SQLite says it would do for each query of each list of the API, with every filter alone and with two.
 */
import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { beforeAll, describe, expect, test } from 'vitest';
import { overdueRuns } from '../../../src/db/find-runs.ts';
import { encodeCursor } from '../../../src/http/cursor.ts';
import type { Route } from '../../../src/http/route.ts';
import { expiredExports, untidyExports } from '../../../src/ports/export-removal.ts';
import { ROUTES } from '../../../src/routes/index.ts';
import worker from '../../../src/worker.ts';
import { newTenant, type Tenant } from '../support/api.ts';

const TIME = '2026-03-01T12:00:00.000Z';
const LATER = '2026-03-02T12:00:00.000Z';
const HEX = '0195524b3a007abc8def0123456789ab';

/** The name that a list's cursors carry, and a key of it as a page in the middle has one. */
const CURSORS: Readonly<Record<string, readonly [string, string]>> = {
  '/api/admin/events': ['events', `evt_${HEX}`],
  '/api/admin/workflow-runs': ['runs', `run_${HEX}`],
  '/api/admin/approvals': ['approvals', `${TIME} apr_${HEX}-1`],
  '/api/admin/audit': ['audit', '500'],
  '/api/admin/audit/checkpoints': ['checkpoints', '500'],
  '/api/admin/deliveries': ['deliveries', `dlv_${HEX}`],
  '/api/admin/flags': ['flags', 'checkout'],
  '/api/admin/flags/history': ['flags-history', `${TIME} checkout run_${HEX}/on`],
  '/api/admin/orders': ['orders', `${TIME} 1001`],
  '/api/admin/mailbox': ['mailbox', `${TIME} msg_${HEX}`],
  '/api/admin/exports': ['exports', `exp_${HEX}`],
  '/api/platform/tenants': ['tenants', 'acme'],
};

/** Lists that a tenant's object keeps: it has at most so many of each. */
const KEPT_SMALL = [
  '/api/admin/workflows',
  '/api/admin/members',
  '/api/admin/api-keys',
  '/api/admin/destinations',
];

/** What each filter alone is found by; where nothing is said here, by the primary key. */
const INDEXES: Readonly<Record<string, string>> = {
  '/api/admin/events?type': 'events_by_type',
  '/api/admin/events?source': 'events_by_source',
  '/api/admin/events?correlationId': 'events_by_correlation',
  '/api/admin/workflow-runs?status': 'runs_by_status',
  '/api/admin/workflow-runs?workflowId': 'runs_by_workflow',
  '/api/admin/workflow-runs?eventType': 'runs_by_workflow',
  '/api/admin/workflow-runs?correlationId': 'events_by_correlation',
  '/api/admin/approvals?status=pending': 'approvals_pending',
  '/api/admin/deliveries?status=failed': 'deliveries_failed_by_time',
  '/api/admin/deliveries?destination&status=failed': 'deliveries_failed',
  '/api/admin/deliveries?runId': 'deliveries_again',
  '/api/admin/flags/history?key': 'flag_changes_of_key',
  '/api/admin/orders?from': 'orders_by_time',
  '/api/admin/orders?to': 'orders_by_time',
};

/** One value for each filter; where a filter's values are asked for by different indexes, all of them. */
const VALUES: Readonly<Record<string, readonly string[]>> = {
  action: ['approval.approved'],
  actor: ['key_1'],
  correlationId: ['order-1001'],
  destination: ['https://example.com/hook'],
  eventType: ['order.created'],
  from: [TIME],
  key: ['checkout'],
  mine: ['true', 'false'],
  q: ['order-1001', `run_${HEX.slice(0, 13)}`, `evt_${HEX}`],
  runId: [`run_${HEX}`],
  source: ['shop'],
  target: ['wf_1'],
  to: [LATER],
  type: ['order.created'],
  workflowId: ['wf_1'],
};
const STATUSES: Readonly<Record<string, readonly string[]>> = {
  '/api/admin/workflow-runs': ['failed', 'pending_approval'],
  '/api/admin/approvals': ['pending', 'approved'],
  '/api/admin/deliveries': ['delivered', 'failed'],
};

const lists = ROUTES.filter(({ method, query }) => method === 'GET' && query?.unwrap().shape.limit);
const grown = lists.filter(({ path }) => !KEPT_SMALL.includes(path));

let tenant: Tenant;
beforeAll(async () => {
  tenant = await newTenant();
});

/** No filter, each alone, each two together, and all: as pairs of a name and a value. */
function filtersOf({ path, query }: Route): URLSearchParams[] {
  const names = Object.keys(query?.unwrap().shape ?? {}).filter(
    (name) => !/^(limit|cursor)$/.test(name),
  );
  const values = names.map((name) =>
    (name === 'status' ? STATUSES[path] : VALUES[name])?.map((value) => [name, value]),
  );
  const chosen = values.map((of, index) => {
    if (of === undefined) throw new Error(`${path}: no value for ${names[index]}`);
    return of;
  });
  const alone = chosen.flat();
  const pairs = alone.flatMap((one) =>
    alone
      .filter((other) => other[0] !== undefined && other[0] > (one[0] ?? ''))
      .map((other) => [one, other]),
  );
  return [[], ...alone.map((one) => [one]), ...pairs, chosen.flatMap((of) => of.slice(0, 1))].map(
    (filters) => new URLSearchParams(filters),
  );
}

interface Asked {
  readonly sql: string;
  readonly values: readonly unknown[];
}

/** The database, with each statement that is asked written down. */
function watched(): { DB: D1Database; asked: Asked[] } {
  const asked: Asked[] = [];
  const prepare = (sql: string) =>
    new Proxy(env.DB.prepare(sql), {
      get(statement, name) {
        if (name !== 'bind') return Reflect.get(statement, name).bind(statement);
        return (...values: readonly unknown[]) => {
          asked.push({ sql, values });
          return statement.bind(...values);
        };
      },
    });
  const DB = new Proxy(env.DB, {
    get: (db, name) => (name === 'prepare' ? prepare : Reflect.get(db, name)),
  });
  return { DB, asked };
}

async function statementsOf(
  path: string,
  query: URLSearchParams,
  of: Tenant = tenant,
): Promise<Asked[]> {
  const token = path.startsWith('/api/platform/') ? env.PLATFORM_TOKEN : await of.key('admin');
  const { DB, asked } = watched();
  const ctx = createExecutionContext();
  const request = new Request<unknown, IncomingRequestCfProperties>(
    `https://api.test${path}?${query}`,
    { headers: { authorization: `Bearer ${token}` } },
  );
  const response = await worker.fetch(request, { ...env, DB }, ctx);
  await waitOnExecutionContext(ctx);
  expect(response.status, `${path}?${query} ${await response.text()}`).toBe(200);
  return asked;
}

async function planOf({ sql, values }: Asked): Promise<string[]> {
  const { results } = await env.DB.prepare(`EXPLAIN QUERY PLAN ${sql}`)
    .bind(...values)
    .all<{ detail: string }>();
  return results.map(({ detail }) => detail);
}

test('every list is one that this file knows', () => {
  const known = [...Object.keys(CURSORS), ...KEPT_SMALL].toSorted();
  expect([...new Set(lists.map(({ path }) => path))].toSorted()).toEqual(known);
});

/**
 * Rows that are read one after the other, but for those of a JSON array in one row or in the query, and
 * those that a part of the query has found and limited.
 */
const SCAN = /^SCAN (?!.* VIRTUAL TABLE|\(subquery-\d+\)$|few$)/;
/** Of an event's own runs; they are few. */
const RUNS_OF_EVENT = 'USE TEMP B-TREE FOR LAST TERM OF ORDER BY';
/** Of the workflows that a type of event has started, and of a page of each. */
const RUNS_OF_WORKFLOWS = 'USE TEMP B-TREE FOR ORDER BY';

/** What may be sorted, for a filter that leads to it. */
function sortsOf(path: string, filters: URLSearchParams): readonly string[] {
  const q = filters.get('q') ?? 'run_';
  if (filters.has('correlationId') || !q.startsWith('run_')) return [RUNS_OF_EVENT];
  const isOfType = path === '/api/admin/workflow-runs' && filters.has('eventType');
  // Both leave fewer to look through, and go first.
  const hasOther = filters.has('status') || filters.has('workflowId');
  return isOfType && !hasOther ? [RUNS_OF_WORKFLOWS] : [];
}

function faultsOf(plan: readonly string[], sorts: readonly string[] = []): string[] {
  return plan.filter(
    (step) =>
      SCAN.test(step) ||
      /AUTOMATIC/.test(step) ||
      (/TEMP B-TREE/.test(step) && !sorts.includes(step)),
  );
}

/** A filter alone, by name or with its value, or two by name and value. */
function indexOf(path: string, query: URLSearchParams): string | undefined {
  const [[name = '', value = ''] = []] = query;
  const status = `${path}?destination&status=${query.get('status')}`;
  if (query.size === 2 && query.has('destination')) return INDEXES[status];
  return query.size === 1
    ? (INDEXES[`${path}?${name}=${value}`] ?? INDEXES[`${path}?${name}`])
    : undefined;
}

test.each(grown.map((route) => [route.path, route] as const))(
  '%s goes along one index, sorts nothing and scans nothing',
  async (path, route) => {
    const [name = '', key = ''] = CURSORS[path] ?? [];
    for (const filters of filtersOf(route))
      for (const deep of [{}, { cursor: encodeCursor(name, key) }]) {
        const query = new URLSearchParams([...filters, ...Object.entries(deep)]);
        const asked = await statementsOf(path, query);
        const plan = (await Promise.all(asked.map(planOf))).flat();
        const told = `${query}\n${plan.join('\n')}`;
        expect(
          plan.some((step) => step.startsWith('SEARCH ')),
          told,
        ).toBe(true);
        expect(faultsOf(plan, sortsOf(path, filters)), told).toEqual([]);
        const index = indexOf(path, filters);
        if (index !== undefined) expect(told).toContain(` INDEX ${index} (`);
        // Of a run all deliveries are looked at: they are few.
        if ('cursor' in deep && !filters.has('runId'))
          expect(told).toMatch(/\(tenant_id(=\? AND .*)?[<>(]/);
      }
  },
);

describe('with 3,000 runs', () => {
  const ROWS = 3_000;
  beforeAll(async () => {
    const id = (prefix: string) => `printf('${prefix}_0195524b3a007%019x', n)`;
    const numbers = `WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < ${ROWS})`;
    const fill = (into: string, values: string) =>
      env.DB.prepare(`INSERT INTO ${into} ${numbers} SELECT ?1, ${values} FROM c`).bind(tenant.id);
    await env.DB.batch([
      fill(
        `events (tenant_id, id, event_id, source, type, time, data, correlation_id, request_id,
           received_at, runs, matches)`,
        `${id('evt')}, n, iif(n % 100, 'web', 'shop'), iif(n % 100, 'custom.a', 'order.created'),
         '${TIME}', '{}', iif(n % 100, 'other', 'order-1001'), 'r', '${TIME}',
         json_array(${id('run')}), '[]'`,
      ),
      fill(
        `runs (tenant_id, id, seq, workflow_id, workflow_name, workflow_version, event_id,
           event_type, status, request_id, correlation_id, created_at)`,
        `${id('run')}, 3, iif(n % 100, 'wf_2', 'wf_1'), 'W', 1, ${id('evt')},
         iif(n % 100, 'custom.a', 'order.created'), iif(n % 100, 'succeeded', 'failed'), 'r',
         iif(n % 100, 'other', 'order-1001'), '${TIME}'`,
      ),
    ]);
  });

  const filters = (path: string) =>
    Object.keys(INDEXES).flatMap((of) => {
      const name = of.split('?')[1] ?? '';
      const [value = ''] = name === 'status' ? ['failed'] : (VALUES[name] ?? []);
      return of.startsWith(`${path}?`) ? [new URLSearchParams({ [name]: value })] : [];
    });
  const paths = ['/api/admin/events', '/api/admin/workflow-runs'];

  test.each(paths)('a page of %s reads little more than what it shows', async (path) => {
    const [name = '', key = ''] = CURSORS[path] ?? [];
    const middle = encodeCursor(name, key.replace(HEX, '0195524b3a0070000000000000005dd'));
    for (const filter of [new URLSearchParams(), ...filters(path)])
      for (const cursor of [[], [['cursor', middle]]]) {
        const query = new URLSearchParams([...filter, ...cursor, ['limit', '10']]);
        const [statement, ...others] = await statementsOf(path, query);
        expect(others).toEqual([]);
        const { meta, results } = await env.DB.prepare(statement?.sql ?? '')
          .bind(...(statement?.values ?? []))
          .all();
        expect(results.length, `${query}`).toBe(11);
        // By correlation: the event in the index and itself, what it names, its run, and that once more.
        expect(meta.rows_read, `${query}`).toBeLessThanOrEqual(7 * 11);
      }
  });
});

describe('with 500 workflows, each edited nine times', () => {
  const [WORKFLOWS, EDITS, EVENTS] = [500, 10, 50];
  const FIRST = `evt_0195524b3a0070000000000000000001`;
  let shop: Tenant;
  beforeAll(async () => {
    shop = await newTenant();
    const numbers = (last: number) =>
      `WITH RECURSIVE c(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM c WHERE n < ${last - 1})`;
    await env.DB.batch([
      env.DB.prepare(
        `INSERT INTO triggers (tenant_id, workflow_id, since, version, event_type, condition)
         ${numbers(WORKFLOWS * EDITS)} SELECT ?1, printf('wf_%05d', n % ${WORKFLOWS}), n,
           n / ${WORKFLOWS} + 1, iif(n % 5, 'order.created', 'custom.a'), 'false' FROM c`,
      ).bind(shop.id),
      env.DB.prepare(
        `INSERT INTO events (tenant_id, id, event_id, source, type, time, data, correlation_id,
           request_id, received_at, runs, matches, revision)
         ${numbers(EVENTS)} SELECT ?1, printf('evt_0195524b3a0070%018x', n + 1), n, 'web',
           iif(n % 5, 'order.created', 'custom.a'), '${TIME}', '{}', 'c', 'r', '${TIME}', '[]', '[]',
           ${WORKFLOWS * EDITS} - n FROM c`,
      ).bind(shop.id),
    ]);
  });

  test.each([
    ['/api/admin/events?limit=50', 500 + 2 * 50],
    ['/api/admin/events?limit=50&type=custom.a', 100 + 2 * 50],
    [`/api/admin/events/get?id=${FIRST}`, 100],
  ])('%s asks for their triggers once, and reads those that stood', async (address, most) => {
    const [path = '', query = ''] = address.split('?');
    const [, triggers, ...others] = await statementsOf(path, new URLSearchParams(query), shop);
    if (triggers === undefined) throw new Error('it does not ask for triggers');
    expect(others).toEqual([]);
    const plan = await planOf(triggers);
    expect(faultsOf(plan), plan.join('\n')).toEqual([]);
    expect(plan.join('\n')).toContain(' INDEX triggers_of_type (');
    const { meta } = await env.DB.prepare(triggers.sql)
      .bind(...triggers.values)
      .all();
    // The row and its place in the index, and the types that were asked for.
    expect(meta.rows_read).toBeLessThanOrEqual(2 * most + 2);
  });

  test('and each change of a workflow finds the row that it ends by the primary key', async () => {
    const plan = await planOf({
      sql: `UPDATE triggers SET until = ?3 WHERE tenant_id = ?1 AND workflow_id = ?2
        AND since < ?3 AND until > ?3`,
      values: [shop.id, 'wf_00001', 9],
    });
    expect(plan).toEqual([
      'SEARCH triggers USING PRIMARY KEY (tenant_id=? AND workflow_id=? AND since<?)',
    ]);
  });
});

describe('with 3,000 audit entries', () => {
  const TILE = 256;
  const ROWS = 3_000;
  /** The number of the tenant's last entry before these. */
  let own = 0;
  beforeAll(async () => {
    const last = await env.DB.prepare('SELECT max(seq) AS n FROM audit WHERE tenant_id = ?1')
      .bind(tenant.id)
      .first<{ n: number }>();
    own = last?.n ?? 0;
    await env.DB.prepare(
      `INSERT INTO audit (tenant_id, seq, id, at, actor_type, actor_id, actor_name, action,
         target_type, target_id, request_id, data, prev_hash, hash)
       WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < ${ROWS})
       SELECT ?1, ?2 + n, printf('aud_%d', n),
         strftime('%Y-%m-%dT%H:%M:%fZ', '2030-01-01', printf('+%d seconds', n - n % 7)), 'system',
         iif(n = 700, 'key_1', 'key_' || (n % 5 + 2)), 'k',
         iif(n = 1100, 'approval.approved', 'event.denied'), 'workflow',
         iif(n = 1500, 'wf_1', printf('wf_%d%010d', n % 300, n % 300)), 'r', '{}', 'h', 'h'
       FROM c`,
    )
      .bind(tenant.id, own)
      .run();
  });

  /** The numbers that a page shows, and how many rows were read for it. */
  async function pageOf(query: string): Promise<{ numbers: unknown[]; read: number }> {
    const asked = await statementsOf('/api/admin/audit', new URLSearchParams(query));
    const answers = await env.DB.batch<{ seq: number }>(
      asked.map(({ sql, values }) => env.DB.prepare(sql).bind(...values)),
    );
    const rows = answers.flatMap(({ results }) => results.map(({ seq }) => seq - own));
    return { numbers: rows, read: answers.reduce((sum, { meta }) => sum + meta.rows_read, 0) };
  }

  const LAST_FIRST = '2030-01-01T00:00:14.000Z';
  test.each([
    ['action=no.such', []],
    ['target=wf_2', []],
    ['to=2000-01-01T00:00:00.000Z', []],
    ['actor=key_1', [700]],
    ['action=approval.approved', [1100]],
    ['target=wf_1', [1500]],
    ['actor=key_1&action=event.denied', [700]],
    ['actor=key_1&action=approval.approved', []],
    [`from=2030-01-01T00:00:00.000Z&to=${LAST_FIRST}`, [13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3]],
  ])(
    '%s reads no more than the tiles that have some, and what is in none',
    async (query, found) => {
      const page = await pageOf(`${query}&limit=10`);
      expect(page.numbers.toSorted((a, b) => Number(b) - Number(a))).toEqual(found);
      const tiles = 2 * Math.ceil((own + ROWS) / TILE);
      const most = (new Set(found.map((n) => Math.floor((n + own - 1) / TILE))).size + 1) * TILE;
      expect(page.read).toBeLessThanOrEqual(most + tiles);
    },
  );

  test('an entry that comes after its tile is full is found, too', async () => {
    const [seq] = [own + ROWS + 2_000];
    const full = Math.ceil(seq / TILE) * TILE;
    for (const number of [full, seq])
      await env.DB.prepare(
        `INSERT INTO audit SELECT tenant_id, ?2, 'aud_' || ?2, at, actor_type, 'key_late', actor_name,
           action, target_type, target_id, request_id, data, prev_hash, ?2, parts
         FROM audit WHERE tenant_id = ?1 AND seq = ?3`,
      )
        .bind(tenant.id, number, own + 1)
        .run();
    const { numbers } = await pageOf('actor=key_late');
    expect(numbers).toEqual([full - own, seq - own]);
  });
});

test('what the sweep asks for in all tenants is found by an index each', async () => {
  const { DB, asked } = watched();
  await overdueRuns(DB, TIME, 10);
  await expiredExports(DB, TIME, 10);
  await untidyExports(DB, TIME, 10);
  expect(asked).toHaveLength(3);
  for (const one of asked) {
    const plan = await planOf(one);
    expect(faultsOf(plan), plan.join('\n')).toEqual([]);
  }
});
