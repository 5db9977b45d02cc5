/** Once an admin's tightening was answered, no gate opens by the former policy: whoever still holds it. */
import { runInDurableObject } from 'cloudflare:test';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { passTime, ring, withoutTenant } from './support/disturb.ts';
import { ended, reached, readRun } from './support/history.ts';
import { Receiver } from './support/receiver.ts';
import {
  addWorkflow,
  FREELY,
  flagOn,
  flagsOf,
  hook,
  openShop,
  pause,
  runOf,
  setPolicy,
  startOne,
  tenantOf,
  vote,
} from './support/shop.ts';

const HOUR_MS = 3_600_000;
const receiver = new Receiver();
beforeEach(() => receiver.listen());
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** Flags may be switched freely, until the webhook before one is under way. */
async function tightenedOnTheWay(approval: { approval?: { approvals: number } }): Promise<string> {
  const shop = await openShop();
  await setPolicy(shop, { 'flag.enable': FREELY });
  const url = receiver.address(async () => {
    await setPolicy(shop, { 'flag.enable': { required: true } });
    return 200;
  });
  await addWorkflow(shop, [hook('tell', url, approval), flagOn('on', 'beta')]);
  return shop;
}

test('a run that an executor drives', async () => {
  const shop = await tightenedOnTheWay({});
  const run = await reached(shop, await startOne(shop), 'pending_approval', 'succeeded');
  expect(run.status).toBe('pending_approval');
  expect(await flagsOf(shop)).toEqual([]);
});

test('a run in an object of its own', async () => {
  const shop = await tightenedOnTheWay({ approval: { approvals: 1 } });
  const runId = await startOne(shop);
  await reached(shop, runId, 'pending_approval');
  await vote(shop, runId, 'approved', 'ann');
  const run = await vi.waitFor(
    async () => {
      const shown = await readRun(shop, runId);
      expect(shown?.steps[0]?.status).toBe('succeeded');
      expect(shown?.steps[1]?.status).not.toBe('pending');
      return shown;
    },
    { timeout: 10_000 },
  );
  expect(run?.status).toBe('pending_approval');
  expect(await flagsOf(shop)).toEqual([]);
});

test('a tightening is answered at once where no run can hold the former policy', async () => {
  const shop = await openShop();
  const before = Date.now();
  await setPolicy(shop, { 'flag.enable': { required: true } });
  expect(Date.now() - before).toBeLessThan(1_000);
});

test('a run that cannot reach its tenant opens no gate by what it knew before', async () => {
  const shop = await openShop();
  await setPolicy(shop, { 'flag.enable': FREELY });
  await addWorkflow(shop, [pause('nap', '1h'), flagOn('on', 'beta')]);
  const runId = await startOne(shop);
  await reached(shop, runId, 'waiting');
  await setPolicy(shop, { 'flag.enable': { required: true } });
  passTime(2 * HOUR_MS);
  await withoutTenant(shop, async () => {
    await ring(shop, runId);
    expect(await flagsOf(shop)).toEqual([]);
  });
  await ring(shop, runId);
  const run = await reached(shop, runId, 'pending_approval');
  expect(run.steps[0]?.status).toBe('succeeded');
  expect(await flagsOf(shop)).toEqual([]);
  await vote(shop, runId, 'approved', 'ann');
  expect((await ended(shop, runId)).status).toBe('succeeded');
});

const ANNS_VOTE = {
  decision: 'approved',
  approvalId: undefined,
  inputHash: undefined,
  actor: { type: 'member', id: 'mem_ann', name: 'Ann' },
  role: 'approver',
  comment: null,
  requestId: 'req-ann',
} as const;

/** A run that waits for Ann, and then switches a flag for which nobody is asked. */
async function waitingForAnn(): Promise<{ shop: string; runId: string; url: string }> {
  const shop = await openShop();
  await setPolicy(shop, { 'flag.enable': FREELY });
  const url = receiver.address();
  await addWorkflow(shop, [
    hook('tell', url, { approval: { approvals: 1 } }),
    flagOn('on', 'beta'),
  ]);
  const runId = await startOne(shop);
  await reached(shop, runId, 'pending_approval');
  return { shop, runId, url };
}

test('an outcome that comes while the tenant is out of reach is kept, and the run goes on later', async () => {
  const { shop, runId, url } = await waitingForAnn();
  await withoutTenant(shop, async () => {
    passTime(10_000);
    const voted = await runOf(shop, runId).vote(ANNS_VOTE);
    expect(voted).toMatchObject({ ok: true });
    await vi.waitFor(() => expect(receiver.at(url)).toHaveLength(1));
    expect(await flagsOf(shop)).toEqual([]);
  });
  await ring(shop, runId);
  const run = await ended(shop, runId);
  expect(run).toMatchObject({ status: 'succeeded', steps: [{ attempts: 1 }, { attempts: 1 }] });
  expect(receiver.at(url)).toHaveLength(1);
});

test('what a caller brings along from the tenant is gone by for a second, and then no more', async () => {
  for (const [age, flags] of [
    [0, 1],
    [2_000, 0],
  ] as const) {
    const { shop, runId, url } = await waitingForAnn();
    passTime(10_000);
    const lent = await tenantOf(shop).context();
    await withoutTenant(shop, async () => {
      passTime(age);
      expect(await runOf(shop, runId).vote(ANNS_VOTE, lent)).toMatchObject({ ok: true });
      await vi.waitFor(() => expect(receiver.at(url)).toHaveLength(1));
      if (flags > 0) await vi.waitFor(async () => expect(await flagsOf(shop)).toHaveLength(flags));
      else expect(await flagsOf(shop)).toEqual([]);
    });
    await ring(shop, runId);
    expect((await ended(shop, runId)).status).toBe('succeeded');
  }
});

test('a run goes by nothing that another tenant has said', async () => {
  const { shop, runId, url } = await waitingForAnn();
  const lent = await tenantOf(await openShop()).context();
  const refused = await runInDurableObject(runOf(shop, runId), (object) =>
    object.vote(ANNS_VOTE, lent).catch((error: Error) => error.message),
  );
  expect(refused).toBe('this context is of another tenant');
  expect(receiver.at(url)).toEqual([]);
  expect((await readRun(shop, runId))?.status).toBe('pending_approval');
});
