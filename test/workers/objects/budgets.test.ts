/** What may be done without a human in a window: never more, whoever asks at once, whatever dies. */

import { runInDurableObject } from 'cloudflare:test';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { RuleChanges } from '../../../src/contract/approvals.ts';
import { placeOfRun } from '../../../src/objects/intake.ts';
import { disturb, passTime, ring } from './support/disturb.ts';
import { ended, reached, tenantRows, types } from './support/history.ts';
import { Receiver } from './support/receiver.ts';
import {
  addWorkflow,
  cancel,
  flagOn,
  hook,
  incoming,
  openShop,
  SENDER,
  setPolicy,
  startOne,
  tenantOf,
  vote,
} from './support/shop.ts';

const receiver = new Receiver();
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
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
    'More than 50.00 USD of order.refund within 1h.',
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
  for (const runId of ['run_1', 'run_2'])
    await tenantRows(
      shop,
      `INSERT INTO intake (state, source, event_id, id, runs, body) VALUES (3, ' run', ?, '', '[]', '1')`,
      runId,
    );
  const question = {
    runId: 'run_1',
    place: placeOfRun('run_1'),
    stepId: 'on',
    action: 'flag.enable',
    budget: { count: 1, window: '1h' },
    amount: null,
  };
  expect(await tenantOf(shop).reserveBudget(question)).toEqual({ granted: true });
  await disturb(kind);
  expect(await tenantOf(shop).reserveBudget(question)).toEqual({ granted: true });
  expect(
    await tenantOf(shop).reserveBudget({ ...question, runId: 'run_2', place: placeOfRun('run_2') }),
  ).toMatchObject({
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

describe('what a run has reserved and did not use', () => {
  /** A shop that may post once an hour, to an address that answers so. */
  async function hookShop(react: Parameters<Receiver['address']>[0]): Promise<[string, string]> {
    receiver.listen();
    const shop = await openShop();
    await setPolicy(shop, { 'notify.webhook': freely({ count: 1, window: '1h' }) });
    return [shop, receiver.address(react)];
  }
  const asked = async (url: string) =>
    await vi.waitFor(() => expect(receiver.at(url)).toHaveLength(1), { timeout: 5_000 });

  test('is free again when the run is cancelled, and what was under way fails', async () => {
    const [shop, url] = await hookShop(() => ({ afterMs: 700, status: 410 }));
    await addWorkflow(shop, [hook('one', url)]);
    const runId = await startOne(shop);
    await asked(url);
    expect(await cancel(shop, runId)).toMatchObject({ ok: true });
    expect(await uses(shop)).toBe(1);
    await vi.waitFor(async () => expect(await uses(shop)).toBe(0), { timeout: 5_000 });
    expect(types(await ended(shop, runId)).at(-1)).toBe('attempt_failed');
  });

  test('stays used when what was under way happens after the cancel', async () => {
    const [shop, url] = await hookShop(() => ({ afterMs: 700, status: 200 }));
    await addWorkflow(shop, [hook('one', url)]);
    const runId = await startOne(shop);
    await asked(url);
    await cancel(shop, runId);
    await vi.waitFor(
      async () => expect(types(await ended(shop, runId)).at(-1)).toBe('attempt_succeeded'),
      { timeout: 5_000 },
    );
    expect(await uses(shop)).toBe(1);
  });

  test('is free again when another branch ends the run before the next attempt', async () => {
    const [shop, url] = await hookShop(() => 503);
    const retry = { attempts: 3, delay: '1h' };
    await setPolicy(shop, { 'notify.webhook': freely({ count: 2, window: '1h' }) });
    await addWorkflow(shop, [
      hook('one', url, { needs: [], retry }),
      { id: 'nap', wait: '2s', needs: [] },
      hook(
        'no',
        receiver.address(() => 410),
        { needs: ['nap'] },
      ),
    ]);
    const runId = await startOne(shop);
    await asked(url);
    expect(await uses(shop)).toBe(1);
    expect(await ended(shop, runId)).toMatchObject({ status: 'failed', error: { stepId: 'no' } });
    await vi.waitFor(async () => expect(await uses(shop)).toBe(0));
  });

  test('stays used when nobody knows whether it happened', async () => {
    const [shop, url] = await hookShop(() => ({ afterMs: 3_000, status: 410 }));
    await addWorkflow(shop, [hook('one', url, { retry: { attempts: 1 } })]);
    const runId = await startOne(shop);
    await asked(url);
    passTime(60_000);
    await ring(shop, runId);
    const run = await ended(shop, runId);
    expect(run).toMatchObject({ status: 'failed', error: { code: 'attempt_lost' } });
    expect(await uses(shop)).toBe(1);
  });

  test.each(['before the tenant is asked', 'before it has answered'])(
    'is nothing of a run that is cancelled %s',
    async (when) => {
      const shop = await flagShop(1);
      let runId = '';
      const prototype = await runInDurableObject(tenantOf(shop), (object) =>
        Object.getPrototypeOf(object),
      );
      const { reserveBudget } = prototype;
      const spy = vi.spyOn(prototype, 'reserveBudget').mockImplementation(async function (
        this: unknown,
        question: unknown,
      ) {
        const isLate = when === 'before it has answered';
        const early = isLate ? await reserveBudget.call(this, question) : null;
        await vi.waitFor(() => expect(runId).not.toBe(''));
        await cancel(shop, runId);
        return early ?? (await reserveBudget.call(this, question));
      });
      runId = await start(shop, 'one');
      expect((await ended(shop, runId)).status).toBe('cancelled');
      await vi.waitFor(() => expect(spy.mock.results).toHaveLength(1));
      await Promise.all(spy.mock.results.map(({ value }) => value));
      expect(await uses(shop)).toBe(0);
    },
  );
});

test('a window that is made longer finds what was done before', async () => {
  const shop = await flagShop(1);
  await ended(shop, await start(shop, 'first'));
  passTime(2 * 3_600_000);
  await ended(shop, await start(shop, 'second'));
  await setPolicy(shop, { 'flag.enable': freely({ count: 2, window: '1d' }) });
  await reached(shop, await start(shop, 'third'), 'pending_approval');
});
