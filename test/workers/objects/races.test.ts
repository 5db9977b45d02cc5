/** Everyone at once on one run: one outcome, and the effect at most once (I2, I3). */
import { env } from 'cloudflare:workers';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { RunAnswer } from '../../../src/objects/run.ts';
import { listFlags } from '../../../src/ports/flags.ts';
import { auditActions, ended, reached, types } from './support/history.ts';
import { Receiver } from './support/receiver.ts';
import {
  addWorkflow,
  cancel,
  flagOn,
  hook,
  openShop,
  runOf,
  setPolicy,
  startOne,
  vote,
} from './support/shop.ts';

const receiver = new Receiver();
beforeEach(() => receiver.listen());
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const ROUNDS = Array.from({ length: 8 }, (_, round) => round);

/** Eight calls, in an order that differs from round to round. */
function mixed(shop: string, runId: string, round: number): Promise<RunAnswer | undefined>[] {
  const calls: (() => Promise<RunAnswer | undefined>)[] = [
    () => vote(shop, runId, 'approved', 'ann'),
    () => vote(shop, runId, 'denied', 'bob'),
    () => cancel(shop, runId),
    () => vote(shop, runId, 'approved', 'cid'),
    async () => {
      await runOf(shop, runId).poke();
      return undefined;
    },
    () => vote(shop, runId, 'denied', 'dan'),
    () => vote(shop, runId, 'approved', 'ann'),
    () => cancel(shop, runId),
  ];
  return [...calls.slice(round), ...calls.slice(0, round)].map((call) => call());
}

describe('eight at once', () => {
  test.each(ROUNDS)('one of them decides, round %i', async (round) => {
    const shop = await openShop();
    const url = receiver.address();
    await addWorkflow(shop, [hook('gate', url, { approval: { approvals: 1 } })]);
    const runId = await startOne(shop);
    await reached(shop, runId, 'pending_approval');
    const answers = await Promise.all(mixed(shop, runId, round));
    const accepted = answers.filter((answer) => answer?.ok === true);
    const run = await ended(shop, runId);
    // A cancel may still come after an approval, while the attempt is in flight.
    expect(accepted.length).toBeGreaterThanOrEqual(1);
    expect(accepted.length).toBeLessThanOrEqual(2);
    const granted = types(run).includes('approval_granted');
    await vi.waitFor(() => expect(receiver.at(url)).toHaveLength(granted ? 1 : 0));
    expect(run.status).not.toBe('failed');
    const audit = await auditActions(shop, runId);
    expect(audit.filter((action) => /approved|denied|expired/.test(action)).length).toBe(
      run.approvals[0]?.decisions.length,
    );
  });

  test.each(ROUNDS)('with the expiry among them, round %i', async (round) => {
    const shop = await openShop();
    await setPolicy(shop, { 'flag.enable': { expiresIn: '1s' } });
    await addWorkflow(shop, [flagOn('gate', 'beta')]);
    const runId = await startOne(shop);
    const { approvals } = await reached(shop, runId, 'pending_approval');
    const left = Date.parse(approvals[0]?.expiresAt ?? '') - Date.now();
    await new Promise((resolve) => setTimeout(resolve, left - 4 + round));
    await Promise.all(mixed(shop, runId, round));
    const run = await ended(shop, runId);
    const { items } = await listFlags(env.DB, shop, { limit: 10, after: null });
    const effect = types(run).includes('attempt_succeeded');
    await vi.waitFor(() => expect(items.length).toBe(effect ? 1 : 0));
    for (const decision of run.approvals[0]?.decisions ?? [])
      expect(decision.at < (run.approvals[0]?.expiresAt ?? '')).toBe(true);
  });
});

test('the last two votes of a quorum at once start one attempt', async () => {
  const shop = await openShop();
  await setPolicy(shop, { 'flag.enable': { approvals: 3 } });
  await addWorkflow(shop, [flagOn('gate', 'beta')]);
  const runId = await startOne(shop);
  await reached(shop, runId, 'pending_approval');
  const voters = ['ann', 'bob', 'cid', 'dan', 'ann', 'bob'];
  const answers = await Promise.all(voters.map((who) => vote(shop, runId, 'approved', who)));
  expect(answers.filter(({ ok }) => ok)).toHaveLength(3);
  const run = await ended(shop, runId);
  expect(run.steps[0]?.attempts).toBe(1);
  expect(new Set(run.approvals[0]?.decisions.map(({ actor }) => actor.id)).size).toBe(3);
});

test('two gates of one run are decided each for itself', async () => {
  const shop = await openShop();
  await addWorkflow(shop, [
    flagOn('left', 'l', { needs: [] }),
    flagOn('right', 'r', { needs: [] }),
  ]);
  const runId = await startOne(shop);
  const { approvals } = await reached(shop, runId, 'pending_approval');
  const unnamed = await vote(shop, runId, 'approved', 'ann');
  expect(unnamed).toMatchObject({ ok: false, code: 'approval_ambiguous' });
  const answers = await Promise.all(
    approvals.map(({ id }) => vote(shop, runId, 'approved', 'ann', { approvalId: id })),
  );
  expect(answers.map(({ ok }) => ok)).toEqual([true, true]);
  expect((await ended(shop, runId)).status).toBe('succeeded');
});
