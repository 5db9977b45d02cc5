/** What may be done without a human in a window: never more, whoever asks at once, whatever dies. */
import { afterEach, expect, test, vi } from 'vitest';
import type { RuleChanges } from '../../../src/contract/approvals.ts';
import { disturb, passTime } from './support/disturb.ts';
import { ended, reached, tenantRows } from './support/history.ts';
import {
  addWorkflow,
  flagOn,
  incoming,
  openShop,
  SENDER,
  setPolicy,
  startOne,
  tenantOf,
  vote,
} from './support/shop.ts';

afterEach(() => {
  vi.useRealTimers();
});

function freely(
  budget: NonNullable<RuleChanges[string]>['budget'],
): NonNullable<RuleChanges[string]> {
  return { required: false, budget };
}

/** A shop whose one workflow switches on the flag that the event names. */
async function flagShop(count: number): Promise<string> {
  const shop = await openShop();
  await setPolicy(shop, { 'flag.enable': freely({ count, window: '1h' }) });
  await addWorkflow(shop, [flagOn('on', '{{ event.data.key }}')]);
  return shop;
}

function start(shop: string, key: string): Promise<string> {
  return startOne(shop, { data: { key } });
}

async function uses(shop: string): Promise<number> {
  return (await tenantRows(shop, 'SELECT key FROM budget_uses')).length;
}

test('of many runs at once no more are let through than there is budget', async () => {
  const shop = await flagShop(3);
  const events = Array.from({ length: 20 }, (_, n) => incoming({ data: { key: `f${n}` } }));
  const accepted = await tenantOf(shop).intake(events, SENDER);
  const runs = await Promise.all(
    accepted.flatMap(({ runs: ids }) =>
      ids.map((id) => reached(shop, id, 'succeeded', 'pending_approval')),
    ),
  );
  expect(runs.filter(({ status }) => status === 'succeeded')).toHaveLength(3);
  expect(runs.filter(({ status }) => status === 'pending_approval')).toHaveLength(17);
  expect(await uses(shop)).toBe(3);
});

test('beyond the budget a person decides, and what they allow takes nothing of it', async () => {
  const shop = await flagShop(1);
  await ended(shop, await start(shop, 'free'));
  const runId = await start(shop, 'asked');
  const run = await reached(shop, runId, 'pending_approval');
  expect(run.timeline).toContainEqual(
    expect.objectContaining({
      type: 'budget_exceeded',
      detail: 'More than 1 of flag.enable within 1h.',
    }),
  );
  expect((await vote(shop, runId, 'approved', 'ann')).ok).toBe(true);
  expect((await ended(shop, runId)).status).toBe('succeeded');
  expect(await uses(shop)).toBe(1);
});

test('what was used is free again when the window has passed', async () => {
  const shop = await flagShop(1);
  expect((await ended(shop, await start(shop, 'first'))).status).toBe('succeeded');
  passTime(3_599_000);
  await reached(shop, await start(shop, 'second'), 'pending_approval');
  passTime(2_000);
  expect((await ended(shop, await start(shop, 'third'))).status).toBe('succeeded');
});

test('a step that fails gives its part back', async () => {
  const shop = await openShop();
  const limit = { amount: { amount: 5_000, currency: 'USD' }, window: '1h' };
  await setPolicy(shop, { 'order.refund': freely(limit) });
  const refund = { orderId: 'no-such-order', amount: { amount: 5_000, currency: 'USD' } };
  await addWorkflow(shop, [
    { id: 'refund', action: 'order.refund', with: refund, retry: { attempts: 1 } },
  ]);
  for (const _ of [1, 2]) {
    const run = await ended(shop, await startOne(shop));
    expect(run).toMatchObject({ status: 'failed', steps: [{ attempts: 1 }] });
    expect(await uses(shop)).toBe(0);
  }
});

test.each([
  [
    'another currency',
    { amount: 1, currency: 'EUR' },
    'The budget of order.refund is in USD, not EUR.',
  ],
  ['no amount', undefined, 'The amount is not known, and order.refund has a budget.'],
  [
    'too much',
    { amount: 5_001, currency: 'USD' },
    'More than 5000 USD (minor units) of order.refund within 1h.',
  ],
])('%s never fits', async (_what, amount, detail) => {
  const shop = await openShop();
  const limit = { amount: { amount: 5_000, currency: 'USD' }, window: '1h' };
  await setPolicy(shop, { 'order.refund': freely(limit) });
  const refund = { orderId: '1', ...(amount === undefined ? {} : { amount }) };
  await addWorkflow(shop, [{ id: 'refund', action: 'order.refund', with: refund }]);
  const run = await reached(shop, await startOne(shop), 'pending_approval');
  expect(run.timeline).toContainEqual(expect.objectContaining({ type: 'budget_exceeded', detail }));
  expect(await uses(shop)).toBe(0);
});

test.each(['evict', 'crash'] as const)('asking again after %s reserves once', async (kind) => {
  const shop = await openShop();
  const question = {
    key: 'run_1_on',
    action: 'flag.enable',
    budget: { count: 1, window: '1h' },
    amount: null,
  };
  expect(await tenantOf(shop).reserveBudget(question)).toEqual({ granted: true });
  await disturb(kind);
  expect(await tenantOf(shop).reserveBudget(question)).toEqual({ granted: true });
  expect(await tenantOf(shop).reserveBudget({ ...question, key: 'run_2_on' })).toMatchObject({
    granted: false,
  });
  expect(await uses(shop)).toBe(1);
});

test.each(['evict', 'crash'] as const)(
  '%s while runs are under way lets no more through',
  async (kind) => {
    const shop = await flagShop(2);
    const events = Array.from({ length: 6 }, (_, n) => incoming({ data: { key: `f${n}` } }));
    const accepted = await tenantOf(shop).intake(events, SENDER);
    await disturb(kind);
    await tenantOf(shop).poke();
    const runs = await Promise.all(
      accepted.flatMap(({ runs: ids }) =>
        ids.map((id) => reached(shop, id, 'succeeded', 'pending_approval')),
      ),
    );
    expect(runs.filter(({ status }) => status === 'succeeded')).toHaveLength(2);
    expect(await uses(shop)).toBe(2);
  },
);
