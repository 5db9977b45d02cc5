/** The same run, with an eviction or a crash after every step: it ends the same way, done once. */
import { abortAllDurableObjects } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { listFlags } from '../../../src/ports/flags.ts';
import { type Disturbance, disturb, passTime, ring } from './support/disturb.ts';
import { auditActions, ended, quiet, reached, readRun, types } from './support/history.ts';
import { Receiver } from './support/receiver.ts';
import {
  addWorkflow,
  flagOn,
  hook,
  openShop,
  pause,
  runOf,
  setPolicy,
  startOne,
  tenantOf,
  vote,
} from './support/shop.ts';

const MINUTE_MS = 60_000;
const receiver = new Receiver();
beforeEach(() => receiver.listen());
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** A webhook, a gate for two people, a delay, and a webhook that fails at first. */
async function wholeStory(kind: Disturbance) {
  const shop = await openShop();
  const [told, failing] = [receiver.address(), receiver.address((n) => (n < 2 ? 500 : 200))];
  await setPolicy(shop, { 'flag.enable': { approvals: 2 } });
  await addWorkflow(shop, [
    hook('tell', told),
    flagOn('gate', 'beta'),
    pause('cool'),
    hook('last', failing, { retry: { delay: '1s' } }),
  ]);
  await disturb(kind);
  const runId = await startOne(shop, { id: 'e' });
  await reached(shop, runId, 'pending_approval');
  await disturb(kind);
  expect((await vote(shop, runId, 'approved', 'ann')).ok).toBe(true);
  await disturb(kind);
  expect((await vote(shop, runId, 'approved', 'ann')).ok).toBe(false);
  expect((await vote(shop, runId, 'approved', 'bob')).ok).toBe(true);
  await reached(shop, runId, 'waiting');
  await disturb(kind);
  await vi.waitFor(() => expect(receiver.at(failing)).toHaveLength(1), { timeout: 10_000 });
  await vi.waitFor(async () =>
    expect((await readRun(shop, runId))?.steps[3]).toMatchObject({ status: 'waiting' }),
  );
  await disturb(kind);
  const run = await ended(shop, runId);
  await disturb(kind);
  const { items: flags } = await listFlags(env.DB, shop, { limit: 50, after: null });
  return {
    status: run.status,
    history: types(run),
    attempts: run.steps.map(({ attempts }) => attempts),
    audit: await auditActions(shop),
    flags: flags.map(({ key, enabled }) => [key, enabled]),
    sent: [...receiver.at(told), ...receiver.at(failing)].map(({ id }) => id?.replace(runId, '')),
    repeated: (await startAgain(shop)) === runId,
  };
}

async function startAgain(shop: string): Promise<string> {
  return await startOne(shop, { id: 'e' });
}

const EXPECTED = {
  status: 'succeeded',
  history: [
    'run_created',
    'step_started',
    'attempt_started',
    'attempt_succeeded',
    'step_started',
    'approval_requested',
    'approval_approved',
    'approval_approved',
    'approval_granted',
    'attempt_started',
    'attempt_succeeded',
    'delay_started',
    'delay_ended',
    'step_started',
    'attempt_started',
    'attempt_failed',
    'attempt_started',
    'attempt_succeeded',
    'run_succeeded',
  ],
  attempts: [1, 1, 0, 2],
  audit: [
    'tenant.created',
    'policy.updated',
    'workflow.created',
    'approval.requested',
    'approval.approved',
    'approval.approved',
  ],
  flags: [['beta', true]],
  sent: ['_tell', '_last', '_last'],
  repeated: true,
};

describe('a long run ends the same way', () => {
  test.each<Disturbance>(['nothing', 'evict', 'crash'])('with %s after each step', async (kind) => {
    expect(await wholeStory(kind)).toEqual(EXPECTED);
  });
});

describe('a crash in the middle of an attempt', () => {
  test('is noticed after the deadline, and the attempt is made again under its key', async () => {
    const shop = await openShop();
    const url = receiver.address((nth) => (nth === 1 ? { afterMs: 1_000, status: 200 } : 200));
    await addWorkflow(shop, [pause('nap'), hook('one', url, { retry: { delay: '1s' } })]);
    const runId = await startOne(shop);
    await vi.waitFor(() => expect(receiver.at(url)).toHaveLength(1), { timeout: 10_000 });
    await abortAllDurableObjects();
    passTime(MINUTE_MS);
    await runOf(shop, runId).poke();
    passTime(MINUTE_MS);
    await ring(shop, runId);
    const run = await ended(shop, runId);
    expect(run.status).toBe('succeeded');
    expect(run.timeline).toContainEqual(
      expect.objectContaining({
        type: 'attempt_failed',
        error: expect.objectContaining({ code: 'attempt_lost' }),
      }),
    );
    expect(run.steps[1]?.attempts).toBe(2);
    expect(receiver.idsAt(url)).toEqual([`${runId}_one`]);
  });

  test('of an executor gives the run out again, and it is settled once', async () => {
    const shop = await openShop();
    const url = receiver.address((nth) => (nth === 1 ? { afterMs: 3_000, status: 200 } : 200));
    await addWorkflow(shop, [hook('one', url)]);
    const runId = await startOne(shop);
    await vi.waitFor(() => expect(receiver.at(url)).toHaveLength(1));
    await abortAllDurableObjects();
    await tenantOf(shop).poke();
    const run = await ended(shop, runId);
    await new Promise((resolve) => setTimeout(resolve, 3_500));
    await quiet(shop);
    expect(await readRun(shop, runId)).toEqual(run);
    expect(run.steps[0]?.attempts).toBe(1);
    expect(receiver.idsAt(url)).toEqual([`${runId}_one`]);
  });

  test('between an approval and its effect does the effect once, later', async () => {
    const shop = await openShop();
    await addWorkflow(shop, [flagOn('gate', 'beta')]);
    const runId = await startOne(shop);
    await reached(shop, runId, 'pending_approval');
    await Promise.allSettled([vote(shop, runId, 'approved', 'ann'), abortAllDurableObjects()]);
    await vote(shop, runId, 'approved', 'ann');
    const run = await vi.waitFor(
      async () => {
        passTime(MINUTE_MS);
        await runOf(shop, runId).poke();
        await new Promise((resolve) => setTimeout(resolve, 300));
        const now = await readRun(shop, runId);
        if (now?.status !== 'succeeded') throw new Error(`it is ${now?.status}`);
        return now;
      },
      { timeout: 15_000 },
    );
    expect(run.status).toBe('succeeded');
    expect(types(run).filter((type) => type === 'approval_approved')).toHaveLength(1);
    expect(await auditActions(shop, runId)).toEqual(['approval.requested', 'approval.approved']);
  });
});
