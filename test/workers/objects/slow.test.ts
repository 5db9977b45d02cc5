/** I6: a slow or dead destination delays only the runs that talk to it. */
import { listDurableObjectIds } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { findRun } from '../../../src/db/find-runs.ts';
import { ended, quiet, reached, types } from './support/history.ts';
import { Receiver } from './support/receiver.ts';
import {
  addWorkflow,
  hook,
  incoming,
  openShop,
  pause,
  SENDER,
  send,
  startOne,
  tenantOf,
  vote,
} from './support/shop.ts';

const SLOW_MS = 4_000;
const receiver = new Receiver();
beforeEach(() => receiver.listen());
afterEach(() => void vi.restoreAllMocks());

/** Two workflows: on `custom.slow`, to an address that takes its time, and on `custom.fast`. */
async function slowAndFast(): Promise<{ shop: string; slow: string; fast: string }> {
  const shop = await openShop();
  const slow = receiver.address(() => ({ afterMs: SLOW_MS, status: 200 }));
  const fast = receiver.address();
  await addWorkflow(shop, [hook('one', slow)], 'custom.slow');
  await addWorkflow(shop, [hook('one', fast)], 'custom.fast');
  return { shop, slow, fast };
}

async function sendMany(shop: string, types: readonly string[]): Promise<string[]> {
  const events = types.map((type) => incoming({ type }));
  const accepted = await tenantOf(shop).intake(events, SENDER);
  return accepted.flatMap(({ runs }) => runs);
}

test('while one run waits for its destination, the others finish', async () => {
  const { shop } = await slowAndFast();
  const begun = Date.now();
  const slow = await startOne(shop, { type: 'custom.slow' });
  const fast = await Promise.all(
    Array.from({ length: 10 }, () => startOne(shop, { type: 'custom.fast' })),
  );
  for (const runId of fast) expect((await ended(shop, runId)).status).toBe('succeeded');
  expect(Date.now() - begun).toBeLessThan(SLOW_MS - 1_000);
  const run = await ended(shop, slow);
  expect(run.status).toBe('succeeded');
  expect(run.steps[0]?.attempts).toBe(1);
});

test('slow runs at the head of a batch do not hold up the fast ones behind them', async () => {
  const { shop, slow } = await slowAndFast();
  const begun = Date.now();
  const runIds = await sendMany(shop, [
    ...Array.from({ length: 8 }, () => 'custom.slow'),
    ...Array.from({ length: 12 }, () => 'custom.fast'),
  ]);
  const fast = await Promise.all(runIds.slice(8).map((runId) => ended(shop, runId)));
  expect(Date.now() - begun).toBeLessThan(SLOW_MS - 500);
  expect(fast.map(({ status }) => status)).toEqual(Array.from({ length: 12 }, () => 'succeeded'));
  const runs = await Promise.all(runIds.slice(0, 8).map((runId) => ended(shop, runId)));
  for (const run of runs) {
    expect(run.status).toBe('succeeded');
    expect(types(run)).toHaveLength(5);
  }
  expect(receiver.at(slow)).toHaveLength(8);
});

test('what has not begun while six others are slow is given out again, and none gets an object for it', async () => {
  const { shop, slow } = await slowAndFast();
  const runIds = await sendMany(
    shop,
    Array.from({ length: 9 }, () => 'custom.slow'),
  );
  await Promise.all(runIds.map((runId) => ended(shop, runId)));
  const objects = await listDurableObjectIds(env.RUNS);
  const own = runIds.filter((runId) =>
    objects.some((id) => id.equals(env.RUNS.idFromName(`r:${shop}:${runId}`))),
  );
  expect(own).toEqual([]);
  expect(receiver.at(slow)).toHaveLength(9);
});

test('of many that wait for their destination each is shown meanwhile, though nobody hurries', async () => {
  const { shop } = await slowAndFast();
  const runIds = await sendMany(
    shop,
    Array.from({ length: 50 }, () => 'custom.slow'),
  );
  const inLog = async () => {
    const found = await env.DB.prepare('SELECT id, status FROM runs WHERE tenant_id = ?')
      .bind(shop)
      .all<{ id: string; status: string }>();
    return found.results;
  };
  await vi.waitFor(async () => expect(await inLog()).toHaveLength(50), { timeout: SLOW_MS - 500 });
  expect((await inLog()).map(({ id }) => id).sort()).toEqual(runIds.toSorted());
  expect((await inLog()).every(({ status }) => status === 'queued')).toBe(true);
  await Promise.all(runIds.map((runId) => ended(shop, runId)));
});

test('a run that no other is on its way with is shown as soon as it has ended', async () => {
  const { shop } = await slowAndFast();
  // Asked more often than `ended` asks, whose steps would be most of what is compared.
  const isShown = async (runId: string) =>
    expect((await findRun(env.DB, shop, runId))?.item.status).toBe('succeeded');
  const tenInTurn = async () => {
    const begun = Date.now();
    for (let n = 0; n < 10; n++) {
      const runId = await startOne(shop, { type: 'custom.fast' });
      await vi.waitFor(() => isShown(runId), { timeout: 5_000, interval: 5 });
    }
    return Date.now() - begun;
  };
  const alone = await tenInTurn();
  await startOne(shop, { type: 'custom.slow' });
  expect(alone).toBeLessThan((await tenInTurn()) / 2);
});

test('a run is settled when it ends, not when the slowest of its batch does', async () => {
  const shop = await openShop();
  const slower = receiver.address(() => ({ afterMs: 6_000, status: 200 }));
  const slow = receiver.address(() => ({ afterMs: 2_000, status: 200 }));
  await addWorkflow(shop, [hook('one', slower)], 'custom.slower');
  await addWorkflow(shop, [hook('one', slow)], 'custom.slow');
  const begun = Date.now();
  const [, runId = ''] = await sendMany(shop, ['custom.slower', 'custom.slow']);
  await ended(shop, runId);
  expect(Date.now() - begun).toBeLessThan(4_000);
});

test('a slow attempt of a run in its own object is reported back when it ends', async () => {
  const shop = await openShop();
  const slow = receiver.address((nth) => ({ afterMs: 2_500, status: nth === 1 ? 500 : 200 }));
  await addWorkflow(shop, [pause('nap'), hook('one', slow, { retry: { delay: '1s' } })]);
  const gated = receiver.address();
  const approval = { approvals: 1 };
  await addWorkflow(shop, [hook('gate', gated, { approval })], 'custom.gated');
  const runId = await startOne(shop);
  await vi.waitFor(() => expect(receiver.at(slow)).toHaveLength(1), { timeout: 5_000 });
  const begun = Date.now();
  const other = await startOne(shop, { type: 'custom.gated' });
  await vote(shop, other, 'approved', 'ann');
  expect((await ended(shop, other)).status).toBe('succeeded');
  expect(Date.now() - begun).toBeLessThan(2_000);
  const run = await ended(shop, runId);
  expect(run.status).toBe('succeeded');
  expect(run.steps[1]?.attempts).toBe(2);
});

test('a destination that never answers in time ends its run, and no other', async () => {
  const shop = await openShop();
  const dead = receiver.address(() => ({ afterMs: 1_200, status: 503 }));
  await addWorkflow(shop, [hook('one', dead, { retry: { attempts: 2, delay: '1s' } })]);
  const runId = await startOne(shop);
  await reached(shop, runId, 'waiting');
  expect((await send(shop, { type: 'custom.other' })).duplicate).toBe(false);
  expect(await ended(shop, runId)).toMatchObject({
    status: 'failed',
    error: { code: 'endpoint_failed', stepId: 'one' },
  });
  await quiet(shop);
});
