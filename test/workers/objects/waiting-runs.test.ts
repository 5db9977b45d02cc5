/** Runs that wait: gates, delays, retries and the end of each, by people and by alarms. */
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { RunObject } from '../../../src/objects/run.ts';
import { sweep } from '../../../src/objects/sweep.ts';
import { journalOf } from '../support/journal.ts';
import { passTime, ring, withoutTenant } from './support/disturb.ts';
import { auditActions, ended, quiet, reached, readRun, types } from './support/history.ts';
import { Receiver } from './support/receiver.ts';
import {
  addWorkflow,
  cancel,
  flagOn,
  flagsOf,
  hook,
  openShop,
  pause,
  person,
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

async function gated(key = 'beta'): Promise<{ shop: string; runId: string }> {
  const shop = await openShop();
  await addWorkflow(shop, [flagOn('gate', key)]);
  const runId = await startOne(shop);
  await reached(shop, runId, 'pending_approval');
  return { shop, runId };
}

describe('a gate', () => {
  test('opens for an approval, and the action is performed once', async () => {
    const { shop, runId } = await gated();
    expect(await flagsOf(shop)).toEqual([]);
    const answer = await vote(shop, runId, 'approved', 'ann');
    expect(answer.ok).toBe(true);
    const run = await ended(shop, runId);
    expect(run.status).toBe('succeeded');
    expect(run.steps[0]).toMatchObject({ attempts: 1, output: { changed: true } });
    expect(await flagsOf(shop)).toEqual(['beta']);
    expect(await auditActions(shop, runId)).toEqual(['approval.requested', 'approval.approved']);
  });

  test('shows what an approval did as soon as it has answered', async () => {
    const { shop, runId } = await gated();
    await vote(shop, runId, 'denied', 'ann');
    expect((await readRun(shop, runId))?.status).toBe('denied');
  });

  test('stays shut for ever after a denial', async () => {
    const { shop, runId } = await gated();
    await vote(shop, runId, 'denied', 'ann');
    const late = await vote(shop, runId, 'approved', 'bob');
    expect(late).toMatchObject({ ok: false, code: 'approval_decided' });
    const run = await ended(shop, runId);
    expect(run).toMatchObject({ status: 'denied', error: { code: 'approval_denied' } });
    expect(await flagsOf(shop)).toEqual([]);
    expect(await auditActions(shop, runId)).toEqual(['approval.requested', 'approval.denied']);
  });

  test('asks for as many different people as the policy says', async () => {
    const shop = await openShop();
    await setPolicy(shop, { 'flag.enable': { approvals: 2, roles: ['approver', 'admin'] } });
    await addWorkflow(shop, [flagOn('gate', 'beta')]);
    const runId = await startOne(shop);
    await vote(shop, runId, 'approved', 'ann');
    const twice = await vote(shop, runId, 'approved', 'ann');
    expect(twice).toMatchObject({ ok: false, code: 'self_approval' });
    for (const excluded of ['author', 'sender'])
      expect(await vote(shop, runId, 'approved', excluded)).toMatchObject({
        code: 'self_approval',
      });
    const viewer = await vote(shop, runId, 'approved', 'eve', { role: 'viewer' });
    expect(viewer).toMatchObject({ ok: false, code: 'forbidden' });
    expect((await readRun(shop, runId))?.status).toBe('pending_approval');
    await vote(shop, runId, 'approved', 'bob');
    expect((await ended(shop, runId)).status).toBe('succeeded');
  });

  test('takes an approval only for the inputs that were shown', async () => {
    const { shop, runId } = await gated();
    const shown = (await readRun(shop, runId))?.approvals[0]?.inputHash ?? '';
    const other = await vote(shop, runId, 'approved', 'ann', { inputHash: 'f'.repeat(64) });
    expect(other).toMatchObject({ ok: false, code: 'approval_mismatch' });
    const same = await vote(shop, runId, 'approved', 'ann', { inputHash: shown });
    expect(same.ok).toBe(true);
  });

  test('expires by its alarm, and silence denies', async () => {
    const { shop, runId } = await gated();
    passTime(73 * HOUR_MS);
    await ring(shop, runId);
    const run = await ended(shop, runId);
    expect(run).toMatchObject({ status: 'expired', error: { code: 'approval_expired' } });
    expect(await flagsOf(shop)).toEqual([]);
    expect(await auditActions(shop, runId)).toEqual(['approval.requested', 'approval.expired']);
  });

  test('expires by a real alarm', async () => {
    const shop = await openShop();
    await setPolicy(shop, { 'flag.enable': { expiresIn: '1s' } });
    await addWorkflow(shop, [flagOn('gate', 'beta')]);
    const runId = await startOne(shop);
    expect((await ended(shop, runId)).status).toBe('expired');
  });

  test('does not expire a moment too early', async () => {
    const { shop, runId } = await gated();
    passTime(71 * HOUR_MS);
    await ring(shop, runId);
    expect((await readRun(shop, runId))?.status).toBe('pending_approval');
    expect((await vote(shop, runId, 'approved', 'ann')).ok).toBe(true);
  });

  test('refuses a vote after its time, even when the alarm has not come yet', async () => {
    const { shop, runId } = await gated();
    passTime(73 * HOUR_MS);
    const late = await vote(shop, runId, 'approved', 'ann');
    expect(late).toMatchObject({ ok: false, code: 'approval_expired', run: { status: 'expired' } });
    expect((await readRun(shop, runId))?.status).toBe('expired');
    expect(await flagsOf(shop)).toEqual([]);
  });

  test('closes with the run that is cancelled', async () => {
    const { shop, runId } = await gated();
    expect(await cancel(shop, runId)).toMatchObject({ ok: true, run: { status: 'cancelled' } });
    expect(await cancel(shop, runId)).toMatchObject({ ok: false, code: 'run_finished' });
    expect(await vote(shop, runId, 'approved', 'ann')).toMatchObject({ code: 'run_finished' });
    expect(await auditActions(shop, runId)).toEqual([
      'approval.requested',
      'approval.cancelled',
      'run.cancelled',
    ]);
  });
});

describe('a delay', () => {
  test('ends by a real alarm', async () => {
    const shop = await openShop();
    const url = receiver.address();
    await addWorkflow(shop, [pause('nap'), hook('one', url)]);
    const run = await ended(shop, await startOne(shop));
    expect(run.status).toBe('succeeded');
    expect(types(run).slice(0, 3)).toEqual(['run_created', 'delay_started', 'delay_ended']);
    const [napped] = run.steps;
    expect(Date.parse(napped?.finishedAt ?? '')).toBeGreaterThanOrEqual(
      Date.parse(napped?.startedAt ?? '') + 1_000,
    );
  });

  test('of days ends when its alarm comes, not before', async () => {
    const shop = await openShop();
    const url = receiver.address();
    await addWorkflow(shop, [pause('nap', '7d'), hook('one', url)]);
    const runId = await startOne(shop);
    await reached(shop, runId, 'waiting');
    await runOf(shop, runId).poke();
    passTime(6 * 24 * HOUR_MS);
    await ring(shop, runId);
    expect(receiver.at(url)).toEqual([]);
    passTime(25 * HOUR_MS);
    await ring(shop, runId);
    expect((await ended(shop, runId)).status).toBe('succeeded');
    expect(receiver.at(url)).toHaveLength(1);
  });

  test('ends with the run that is cancelled', async () => {
    const shop = await openShop();
    const url = receiver.address();
    await addWorkflow(shop, [pause('nap', '1h'), hook('one', url)]);
    const runId = await startOne(shop);
    await cancel(shop, runId);
    passTime(2 * HOUR_MS);
    await runOf(shop, runId).poke();
    expect((await readRun(shop, runId))?.status).toBe('cancelled');
    expect(receiver.at(url)).toEqual([]);
  });
});

describe('alarms', () => {
  test('never throw, and come again when the tenant cannot be reached', async () => {
    const { shop, runId } = await gated();
    passTime(73 * HOUR_MS);
    await withoutTenant(shop, async () => {
      await ring(shop, runId);
      const alarm = await runInDurableObject(runOf(shop, runId), (_, { storage }) =>
        storage.getAlarm(),
      );
      expect(alarm).not.toBeNull();
    });
    await ring(shop, runId);
    expect((await ended(shop, runId)).status).toBe('expired');
  });

  test('a tenant whose alarm comes while its tables are away does not throw', async () => {
    const shop = await openShop();
    await withoutTenant(shop, async () => void (await runDurableObjectAlarm(tenantOf(shop))));
    await tenantOf(shop).poke();
    await quiet(shop);
  });

  test('one that was lost is made good by the sweep', async () => {
    const shop = await openShop();
    const url = receiver.address((nth) => (nth < 3 ? 503 : 200));
    await addWorkflow(shop, [hook('one', url, { retry: { delay: '10m', attempts: 5 } })]);
    const runId = await startOne(shop);
    await reached(shop, runId, 'waiting');
    await quiet(shop);
    await runInDurableObject(runOf(shop, runId), (_, { storage }) => storage.deleteAlarm());
    await sweep(env, Date.now());
    expect((await readRun(shop, runId))?.status).toBe('waiting');
    passTime(HOUR_MS);
    await sweep(env, Date.now());
    await vi.waitFor(() => expect(receiver.at(url)).toHaveLength(2));
    await reached(shop, runId, 'waiting');
    // The alarm stands again, without another sweep.
    passTime(HOUR_MS);
    await ring(shop, runId);
    expect((await ended(shop, runId)).status).toBe('succeeded');
  });
});

test('an object that was given no run knows none and stores nothing', async () => {
  const shop = await openShop();
  const object = runOf(shop, 'run_unknown');
  expect(await object.cancel(person('owner'), null, 'r')).toMatchObject({ code: 'not_found' });
  await object.poke();
  await object.attemptEnded('one', 1, { kind: 'succeeded', output: null, events: [] });
  expect(await journalOf(shop, 'run_unknown')).toEqual([]);
  const tables = await runInDurableObject(object, (_, { storage }) =>
    storage.sql.exec('SELECT name FROM sqlite_master').toArray(),
  );
  expect(tables).toEqual([]);
});

test('an object refuses a run of another tenant', async () => {
  const { shop, runId } = await gated();
  const other = await openShop();
  const [part] = await journalOf(shop, runId);
  const seed = JSON.parse(part?.seed ?? '');
  const refused = await runInDurableObject(runOf(other, runId), (object) =>
    object.adopt({ seed, entries: [] }).catch((error: Error) => error.message),
  );
  expect(refused).toBe('this object belongs to another run');
});

test('a run that is given to its object once more after its end does not begin anew', async () => {
  const adopted = vi.spyOn(RunObject.prototype, 'adopt');
  const { shop, runId } = await gated();
  const [handover] = adopted.mock.calls.flatMap(([given]) =>
    given.seed.runId === runId ? [given] : [],
  );
  if (handover === undefined) throw new Error('the run has no object');
  await vote(shop, runId, 'denied', 'ann');
  await quiet(shop);
  await evictDurableObject(runOf(shop, runId));
  await runOf(shop, runId).adopt(handover);
  expect(await vote(shop, runId, 'approved', 'bob')).toMatchObject({ code: 'approval_decided' });
  expect(await flagsOf(shop)).toEqual([]);
});
