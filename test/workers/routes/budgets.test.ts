/** Budgets over HTTP: refunds that need nobody up to an amount in an hour, and a person beyond it. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Json, JsonObject } from '../../../src/contract/json.ts';
import { disturb, passTime } from '../objects/support/disturb.ts';
import { at, fieldsOf, listAt, textAt } from '../support/answers.ts';
import { eventually, newTenant, runWithStatus, type Tenant } from '../support/api.ts';
import { createWorkflow } from '../support/samples.ts';

const usd = (amount: number) => ({ amount, currency: 'USD' });
const HOUR_MS = 3_600_000;
const FINAL = ['succeeded', 'pending_approval'];

let tenant: Tenant;
beforeEach(async () => {
  tenant = await newTenant();
  const steps = [
    {
      id: 'refund',
      action: 'order.refund',
      with: { orderId: '{{ event.data.orderId }}', amount: '{{ event.data.amount }}' },
      retry: { attempts: 1 },
    },
  ];
  const trigger = { event: 'custom.refund.requested' };
  await createWorkflow(tenant, { name: 'Refund', trigger, steps, enabled: true });
  await orders(usd(1_000_000));
});
afterEach(() => {
  vi.useRealTimers();
});

/** Orders `<currency>`, worth that much. */
async function orders(...totals: readonly { amount: number; currency: string }[]): Promise<void> {
  await tenant.events(
    totals.map((total) => ({
      type: 'order.created',
      data: { order: { id: total.currency, total } },
    })),
  );
  for (const { currency } of totals)
    await eventually(
      () => tenant.get(`/api/admin/orders/get?id=${currency}`),
      (answer) => expect(answer.status).toBe(200),
    );
}

async function budget(of: JsonObject): Promise<void> {
  const actions = { 'order.refund': { required: false, budget: { window: '1h', ...of } } };
  const set = await tenant.post('/api/admin/approval-policy/update', { actions });
  expect(set.status, set.text).toBe(200);
}

const request = (amount: Json, orderId = 'USD') => ({
  type: 'custom.refund.requested',
  data: { orderId, amount },
});

async function refund(amount: Json, orderId?: string): Promise<string> {
  return textAt(await tenant.events(request(amount, orderId)), 'events.0.runs.0');
}

const free = async (amount: Json, orderId?: string) =>
  await runWithStatus(tenant, await refund(amount, orderId), 'succeeded');
const asked = async (amount: Json, orderId?: string) =>
  await runWithStatus(tenant, await refund(amount, orderId), 'pending_approval');

/** The runs of the workflow, once every one of them has ended or waits for a person. */
async function rested(count: number): Promise<readonly Json[]> {
  const path = '/api/admin/workflow-runs?eventType=custom.refund.requested&limit=200';
  const list = await eventually(
    () => tenant.get(path),
    (answer) => {
      const statuses = fieldsOf(answer, 'status');
      expect(statuses).toHaveLength(count);
      expect(statuses.filter((status) => !FINAL.includes(String(status)))).toEqual([]);
    },
  );
  return fieldsOf(list, 'status');
}

async function exceeded(): Promise<number> {
  return listAt(await tenant.get('/api/admin/audit?action=budget.exceeded&limit=200')).length;
}

async function refunded(currency = 'USD'): Promise<Json | undefined> {
  return at(await tenant.get(`/api/admin/orders/get?id=${currency}`), 'order.refunded.amount');
}

test('500.00 USD an hour without a human: what fits is refunded, the rest is asked for and audited', async () => {
  await budget({ amount: usd(50_000) });
  await free(usd(30_000));
  const over = await asked(usd(20_001));
  const [exceeding] = listAt(over, 'run.timeline').filter(
    (entry) => at({ body: { entry } }, 'entry.type') === 'budget_exceeded',
  );
  expect(exceeding).toMatchObject({
    detail: 'More than 500.00 USD of order.refund within 1h.',
  });
  await free(usd(20_000));
  await asked(usd(1));
  expect(await refunded()).toBe(50_000);
  const told = await tenant.get('/api/admin/audit?action=budget.exceeded');
  expect(told.body.items).toMatchObject([
    { target: { type: 'run' }, data: { stepId: 'refund' } },
    { target: { type: 'run', id: at(over, 'run.id') } },
  ]);
});

test.each(['nothing', 'evict', 'crash'] as const)(
  'of fifty refunds at once just the ten that fit are free, the others wait, none is lost: %s',
  async (kind) => {
    await budget({ amount: usd(10_000) });
    const sent = await tenant.events(Array.from({ length: 50 }, () => request(usd(1_000))));
    expect(sent.status).toBe(202);
    await disturb(kind);
    await tenant.get('/api/admin/workflow-runs');
    const statuses = await rested(50);
    expect(statuses.filter((status) => status === 'succeeded')).toHaveLength(10);
    expect(await refunded()).toBe(10_000);
    expect(await exceeded()).toBe(40);
    expect(listAt(await tenant.get('/api/admin/approvals?limit=200'))).toHaveLength(40);
  },
);

describe('the window slides', () => {
  test('and each part is free again an hour after it was used', async () => {
    await budget({ amount: usd(10_000) });
    await free(usd(6_000));
    passTime(HOUR_MS / 2);
    await free(usd(4_000));
    await asked(usd(1));
    passTime(HOUR_MS / 2 + 1_000);
    await free(usd(6_000));
    await asked(usd(1));
  });
});

describe('a count and an amount', () => {
  test('both have to hold', async () => {
    await budget({ count: 2, amount: usd(10_000) });
    await free(usd(1_000));
    await asked(usd(9_001));
    await free(usd(9_000));
    await asked(usd(0 + 1));
  });

  test('a count alone counts whatever the currency', async () => {
    await orders({ amount: 10_000, currency: 'EUR' });
    await budget({ count: 2 });
    await free(usd(1));
    await free({ amount: 1, currency: 'EUR' }, 'EUR');
    await asked(usd(1));
  });
});

describe('currencies', () => {
  test('another than the budget’s is always asked for, and takes nothing of it', async () => {
    await orders({ amount: 10_000, currency: 'EUR' });
    await budget({ amount: usd(1_000) });
    await asked({ amount: 1, currency: 'EUR' }, 'EUR');
    await free(usd(1_000));
  });

  test('what was used in one is not counted in another after the budget has changed', async () => {
    await orders({ amount: 10_000, currency: 'EUR' });
    await budget({ amount: usd(1_000) });
    await free(usd(1_000));
    await budget({ amount: { amount: 500, currency: 'EUR' } });
    await free({ amount: 500, currency: 'EUR' }, 'EUR');
    await asked({ amount: 1, currency: 'EUR' }, 'EUR');
    await budget({ amount: usd(1_000) });
    await asked(usd(1));
  });
});

test('a refund that the shop refuses gives its part back', async () => {
  await budget({ amount: usd(1_000) });
  const failed = await refund(usd(1_000), 'no-such-order');
  await runWithStatus(tenant, failed, 'failed');
  await free(usd(1_000));
});

test('what a person allows takes nothing of the budget', async () => {
  await budget({ amount: usd(1_000) });
  const runId = textAt(await asked(usd(5_000)), 'run.id');
  const body = { runId };
  await tenant.post('/api/admin/workflow-runs/approve', body, { role: 'approver' });
  await runWithStatus(tenant, runId, 'succeeded');
  await free(usd(1_000));
});
