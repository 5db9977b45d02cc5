/** What somebody looks for is found: by the ids that people have at hand, old ones too, and retries. */
import { env } from 'cloudflare:workers';
import { beforeAll, describe, expect, test } from 'vitest';
import { NEWEST_LOOKED_AT } from '../../../src/db/run-list.ts';
import { fieldsOf, textAt } from '../support/answers.ts';
import { eventually, newTenant, runWithStatus, type Tenant } from '../support/api.ts';
import { createWorkflow, orderEvent, tagWorkflow } from '../support/samples.ts';

const LIST = '/api/admin/workflow-runs';
let tenant: Tenant;
/** Run and event of each order. */
const runs = new Map<string, string>();
const events = new Map<string, string>();

async function take(order: string, correlationid: string): Promise<void> {
  const sent = await tenant.events(orderEvent(order, { correlationid }));
  const runId = textAt(sent, 'events.0.runs.0');
  await runWithStatus(tenant, runId, 'succeeded');
  runs.set(order, runId);
  events.set(order, textAt(sent, 'events.0.id'));
}

async function found(q: string, more = ''): Promise<unknown[]> {
  return fieldsOf(await tenant.get(`${LIST}?q=${encodeURIComponent(q)}${more}`), 'id');
}

beforeAll(async () => {
  tenant = await newTenant();
  await createWorkflow(tenant, tagWorkflow());
  await take('1001', 'cart-7');
  await take('1002', 'cart-7');
  await take('1003', 'cart-8');
});

describe('runs are found', () => {
  test('by their id, and by its beginning', async () => {
    const id = runs.get('1002') ?? '';
    expect(await found(id)).toEqual([id]);
    expect(await found(id.slice(0, -1))).toContain(id);
    expect(await found(id.slice(0, 12))).toEqual([...runs.values()].toReversed());
    expect(await found(`${id}0`)).toEqual([]);
  });

  test('by the id of their event, and by its beginning', async () => {
    const id = events.get('1003') ?? '';
    expect(await found(id)).toEqual([runs.get('1003')]);
    expect(await found(id.slice(0, 12))).toEqual([...runs.values()].toReversed());
  });

  test('by correlation and by order, to the letter, with other filters and page by page', async () => {
    expect(await found('cart-7')).toEqual([runs.get('1002'), runs.get('1001')]);
    expect(await found('1001')).toEqual([runs.get('1001')]);
    expect(await found('100')).toEqual([]);
    expect(await found('cart-7', '&status=failed')).toEqual([]);
    expect(await found('1001', '&correlationId=cart-7')).toEqual([runs.get('1001')]);
    expect(await found('1001', '&correlationId=cart-8')).toEqual([]);
    const first = await tenant.get(`${LIST}?q=cart-7&limit=1`);
    expect(fieldsOf(first, 'id')).toEqual([runs.get('1002')]);
    const next = `&limit=1&cursor=${textAt(first, 'nextCursor')}`;
    expect(await found('cart-7', next)).toEqual([runs.get('1001')]);
  });

  test('of their own tenant alone', async () => {
    const other = await newTenant();
    for (const q of ['cart-7', '1001', runs.get('1001'), events.get('1001')])
      expect(fieldsOf(await other.get(`${LIST}?q=${q}`), 'id')).toEqual([]);
  });
});

test('a retry is found by whatever its event is found by', async () => {
  const own = await newTenant();
  const id = await createWorkflow(own, tagWorkflow({ steps: [{ id: 'w', wait: '1h' }] }));
  const sent = await own.events(orderEvent('2001', { correlationid: 'cart-9' }));
  const runId = textAt(sent, 'events.0.runs.0');
  await runWithStatus(own, runId, 'waiting');
  await own.post('/api/admin/workflow-runs/cancel', { runId });
  const made = await own.post('/api/admin/workflow-runs/retry', { runId });
  const again = textAt(made, 'run.id');
  const wanted = [again, runId];
  for (const query of [
    'q=2001',
    'q=cart-9',
    `q=${textAt(sent, 'events.0.id')}`,
    'correlationId=cart-9',
    `workflowId=${id}`,
  ])
    await eventually(
      () => own.get(`${LIST}?${query}`),
      (answer) => expect(fieldsOf(answer, 'id'), query).toEqual(wanted),
    );
});

test('an order is found when thousands of events have come after it', async () => {
  const id = `printf('evt_ffffffff%024x', n)`;
  await env.DB.prepare(
    `INSERT INTO events (tenant_id, id, event_id, source, type, time, data, correlation_id,
       request_id, received_at, runs, matches)
     WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n <= ${NEWEST_LOOKED_AT})
     SELECT ?1, ${id}, n, 'shop', 'custom.a', '', '{}', n, 'r', '', '[]', '[]' FROM c`,
  )
    .bind(tenant.id)
    .run();
  expect(await found('1001')).toEqual([runs.get('1001')]);
});
