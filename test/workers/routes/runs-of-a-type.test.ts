/** The run log by the type of event, which is found by way of the workflows: whatever they are, it is as if all were looked through. */
import { env } from 'cloudflare:workers';
import { beforeAll, expect, test } from 'vitest';
import { at, fieldsOf } from '../support/answers.ts';
import { newTenant, type Tenant } from '../support/api.ts';

const RUNS = 600;
const LIMIT = 7;
const NOON = Date.parse('2026-03-01T12:00:00.000Z');
const FROM = new Date(NOON + 100_000).toISOString();
const TO = new Date(NOON + 500_000).toISOString();

interface Made {
  readonly id: string;
  readonly workflowId: string;
  readonly eventType: string;
  readonly status: string;
}

/**
 * A few workflows have many runs and many have a few, some of them of a type that others have, too; and
 * for long stretches it is always the same one.
 */
const runs: readonly Made[] = Array.from({ length: RUNS }, (_, n) => {
  const time = (NOON + n * 1_000).toString(16).padStart(12, '0');
  const workflow = n % 50 < 25 ? 0 : (n * n + 7 * n) % 61;
  return {
    id: `run_${time}7${String(n).padStart(19, '0')}`,
    workflowId: `wf_${workflow}`,
    eventType: (n * 3 + workflow) % 5 < 3 ? 'order.created' : 'custom.a',
    status: n % 9 === 0 ? 'failed' : 'succeeded',
  };
});

let tenant: Tenant;
beforeAll(async () => {
  tenant = await newTenant();
  await env.DB.prepare(
    `INSERT INTO runs (tenant_id, id, seq, workflow_id, workflow_name, workflow_version, event_id,
       event_type, status, request_id, correlation_id, created_at)
     SELECT ?1, r.value->>'id', 3, r.value->>'workflowId', 'W', 1, 'evt_1', r.value->>'eventType',
       r.value->>'status', 'r', 'c', '2026-03-01T12:00:00.000Z' FROM json_each(?2) AS r`,
  )
    .bind(tenant.id, JSON.stringify(runs))
    .run();
});

async function allPages(query: string): Promise<unknown[]> {
  const found: unknown[] = [];
  for (let cursor = ''; ; ) {
    const more = cursor === '' ? '' : `&cursor=${cursor}`;
    const page = await tenant.get(`/api/admin/workflow-runs?limit=${LIMIT}&${query}${more}`);
    expect(page.status, page.text).toBe(200);
    found.push(...fieldsOf(page, 'id'));
    const next = at(page, 'nextCursor');
    if (typeof next !== 'string') return found;
    cursor = next;
  }
}

const isOfType = ({ eventType }: Made) => eventType === 'order.created';
const inPeriod = ({ id }: Made) =>
  id >= `run_${(NOON + 100_000).toString(16).padStart(12, '0')}` &&
  id < `run_${(NOON + 500_000).toString(16).padStart(12, '0')}`;

test.each([
  ['', isOfType],
  ['&status=succeeded', (run: Made) => isOfType(run) && run.status === 'succeeded'],
  ['&status=failed', (run: Made) => isOfType(run) && run.status === 'failed'],
  ['&workflowId=wf_0', (run: Made) => isOfType(run) && run.workflowId === 'wf_0'],
  [`&from=${FROM}&to=${TO}`, (run: Made) => isOfType(run) && inPeriod(run)],
])('eventType=order.created%s', async (more, isWanted) => {
  const wanted = runs.filter(isWanted).map(({ id }) => id);
  expect(wanted.length).toBeGreaterThan(3 * LIMIT);
  expect(await allPages(`eventType=order.created${more}`)).toEqual(wanted.toReversed());
});

test('a type that has started none', async () => {
  expect(await allPages('eventType=custom.nothing')).toEqual([]);
});

test('what is kept of a type is a row for each of its workflows', async () => {
  const rows = await env.DB.prepare(
    'SELECT event_type, workflow_id FROM run_kinds WHERE tenant_id = ?',
  )
    .bind(tenant.id)
    .raw();
  const kinds = runs.map(({ eventType, workflowId }) => JSON.stringify([eventType, workflowId]));
  expect(rows.map((row) => JSON.stringify(row)).toSorted()).toEqual([...new Set(kinds)].toSorted());
});
