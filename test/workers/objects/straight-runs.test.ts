/** Runs that can finish at once: an executor drives them, and only those that must wait get an object. */
import { listDurableObjectIds } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Executor } from '../../../src/objects/executor.ts';
import { placeOfRun } from '../../../src/objects/intake.ts';
import { journalOf } from '../support/journal.ts';
import {
  ended,
  intakeRows,
  quiet,
  reached,
  readRun,
  reportAgain,
  tenantRows,
  types,
} from './support/history.ts';
import { Receiver } from './support/receiver.ts';
import {
  addWorkflow,
  by,
  cancel,
  hook,
  openShop,
  pause,
  send,
  startOne,
  tenantOf,
} from './support/shop.ts';

const receiver = new Receiver();
beforeEach(() => receiver.listen());
afterEach(() => void vi.restoreAllMocks());

async function hasObject(tenantId: string, runId: string): Promise<boolean> {
  const id = env.RUNS.idFromName(`r:${tenantId}:${runId}`);
  return (await listDurableObjectIds(env.RUNS)).some((known) => known.equals(id));
}

describe('a run without waits and gates', () => {
  test('succeeds without an object of its own', async () => {
    const shop = await openShop();
    const url = receiver.address();
    await addWorkflow(shop, [hook('one', url), hook('two', url)]);
    const runId = await startOne(shop);
    const run = await ended(shop, runId);
    expect(run.status).toBe('succeeded');
    expect(run.steps.map(({ attempts }) => attempts)).toEqual([1, 1]);
    expect(receiver.at(url).map(({ id }) => id)).toEqual([`${runId}_one`, `${runId}_two`]);
    expect(await hasObject(shop, runId)).toBe(false);
    expect(await intakeRows(shop, 'live')).toEqual([]);
  });

  test('fails without an object when the failure is final', async () => {
    const shop = await openShop();
    const url = receiver.address(() => 410);
    await addWorkflow(shop, [hook('one', url), hook('two', url)]);
    const runId = await startOne(shop);
    const run = await ended(shop, runId);
    expect(run).toMatchObject({
      status: 'failed',
      error: { code: 'endpoint_gone', stepId: 'one' },
    });
    expect(run.steps.map(({ status }) => status)).toEqual(['failed', 'cancelled']);
    expect(await hasObject(shop, runId)).toBe(false);
  });
});

describe('a run that has to be tried again', () => {
  test('moves into an object, whose alarm tries it again under the same key', async () => {
    const shop = await openShop();
    const url = receiver.address((nth) => (nth < 3 ? 503 : 200));
    await addWorkflow(shop, [hook('one', url, { retry: { attempts: 4, delay: '1s' } })]);
    const runId = await startOne(shop);
    const waiting = await reached(shop, runId, 'waiting');
    expect(waiting.steps[0]).toMatchObject({ attempts: 1, status: 'waiting' });
    const run = await ended(shop, runId);
    expect(run.status).toBe('succeeded');
    expect(run.steps[0]?.attempts).toBe(3);
    expect(receiver.at(url)).toHaveLength(3);
    expect(receiver.idsAt(url)).toEqual([`${runId}_one`]);
    expect(types(run)).toEqual([
      'run_created',
      'step_started',
      'attempt_started',
      'attempt_failed',
      'attempt_started',
      'attempt_failed',
      'attempt_started',
      'attempt_succeeded',
      'run_succeeded',
    ]);
    expect(await hasObject(shop, runId)).toBe(true);
    await vi.waitFor(async () => expect(await intakeRows(shop, 'live')).toEqual([]));
  });

  test('what succeeded before the handover is not done again', async () => {
    const shop = await openShop();
    const good = receiver.address();
    const bad = receiver.address((nth) => (nth === 1 ? 500 : 200));
    await addWorkflow(shop, [
      hook('good', good),
      hook('bad', bad, { retry: { delay: '1s' } }),
      hook('last', good),
    ]);
    const runId = await startOne(shop);
    const run = await ended(shop, runId);
    expect(run.status).toBe('succeeded');
    expect(run.steps.map(({ attempts }) => attempts)).toEqual([1, 2, 1]);
    expect(receiver.at(good).map(({ id }) => id)).toEqual([`${runId}_good`, `${runId}_last`]);
  });

  test('the object has the history that the executor began', async () => {
    const shop = await openShop();
    const url = receiver.address(() => 500);
    await addWorkflow(shop, [hook('one', url, { retry: { delay: '1h' } })]);
    const runId = await startOne(shop);
    const run = await reached(shop, runId, 'waiting');
    await quiet(shop);
    const parts = await journalOf(shop, runId);
    expect(parts.flatMap(({ entries }) => JSON.parse(entries))).toEqual(run.timeline);
  });
});

describe('outcomes that come twice or late', () => {
  test('the outcome of a run settles it once', async () => {
    const shop = await openShop();
    const url = receiver.address();
    await addWorkflow(shop, [hook('one', url)]);
    const settled = vi.spyOn(console, 'log');
    const runId = await startOne(shop);
    const run = await ended(shop, runId);
    await quiet(shop);
    const before = await tenantRows(shop, 'SELECT seq FROM audit_head');
    const report = reportAgain(run, placeOfRun(runId), true);
    settled.mockClear();
    await tenantOf(shop).settle([{ runId, report }]);
    await tenantOf(shop).settle([{ runId, report: null }]);
    await tenantOf(shop).report([report], true);
    await quiet(shop);
    expect(settled).not.toHaveBeenCalled();
    expect(await tenantRows(shop, 'SELECT seq FROM audit_head')).toEqual(before);
    expect(await readRun(shop, runId)).toEqual(run);
    expect(await hasObject(shop, runId)).toBe(false);
  });

  test('a cancel of what is under way waits for it, and does not tell that nothing happened', async () => {
    const shop = await openShop();
    const url = receiver.address(() => ({ afterMs: 1_000, status: 200 }));
    await addWorkflow(shop, [hook('one', url)]);
    const runId = await startOne(shop);
    await vi.waitFor(() => expect(receiver.at(url)).toHaveLength(1));
    expect(await tenantOf(shop).cancelQueued(runId, by('owner'), 'enough')).toBeNull();
    expect((await readRun(shop, runId))?.status).toBe('succeeded');
  });

  test('and is refused where that takes long', async () => {
    const shop = await openShop();
    const url = receiver.address(() => ({ afterMs: 5_000, status: 200 }));
    await addWorkflow(shop, [hook('one', url)]);
    const runId = await startOne(shop);
    await vi.waitFor(() => expect(receiver.at(url)).toHaveLength(1));
    const refused = await tenantOf(shop).cancelQueued(runId, by('owner'), 'enough');
    expect(refused).toMatchObject({ ok: false, code: 'conflict' });
    expect((await ended(shop, runId)).status).toBe('succeeded');
  });

  test('what goes on afterwards is cancelled where it goes on, and nothing more of it starts', async () => {
    const shop = await openShop();
    const slow = receiver.address(() => ({ afterMs: 2_000, status: 503 }));
    const never = receiver.address();
    await addWorkflow(shop, [hook('one', slow), hook('two', never)]);
    const runId = await startOne(shop);
    await vi.waitFor(() => expect(receiver.at(slow)).toHaveLength(1));
    expect(await tenantOf(shop).cancelQueued(runId, by('owner'), 'enough')).toBeNull();
    expect(await cancel(shop, runId)).toMatchObject({ ok: true, run: { status: 'cancelled' } });
    const run = await ended(shop, runId);
    expect(types(run).slice(2)).toEqual(['attempt_started', 'attempt_failed', 'run_cancelled']);
    expect(receiver.at(never)).toEqual([]);
  });

  test('a run that nobody has begun is cancelled at once', async () => {
    const shop = await openShop();
    const url = receiver.address();
    await addWorkflow(shop, [hook('one', url)]);
    vi.spyOn(console, 'error').mockReturnValue();
    const drive = vi.spyOn(Executor.prototype, 'drive').mockRejectedValue(new Error('not now'));
    const runId = await startOne(shop);
    await vi.waitFor(() => expect(drive).toHaveBeenCalled());
    const view = await tenantOf(shop).cancelQueued(runId, by('owner'), 'enough');
    drive.mockRestore();
    expect(view).toMatchObject({ status: 'cancelled' });
    expect(types(await ended(shop, runId))).toEqual(['run_created', 'run_cancelled']);
    expect(await tenantOf(shop).cancelQueued(runId, by('owner'), null)).toBeNull();
    expect(receiver.at(url)).toEqual([]);
  });

  test('only a run that is queued can be cancelled in the queue', async () => {
    const shop = await openShop();
    await addWorkflow(shop, [pause('nap', '1h')]);
    const runId = await startOne(shop);
    expect(await tenantOf(shop).cancelQueued(runId, by('owner'), null)).toBeNull();
    expect(await tenantOf(shop).cancelQueued('run_unknown', by('owner'), null)).toBeNull();
    await reached(shop, runId, 'waiting');
  });
});

test('many runs at once each end once', async () => {
  const shop = await openShop();
  const url = receiver.address();
  await addWorkflow(shop, [hook('one', url)]);
  await addWorkflow(shop, [hook('two', url)]);
  const sent = await Promise.all(Array.from({ length: 60 }, () => send(shop)));
  const runIds = sent.flatMap(({ runs }) => runs);
  expect(new Set(runIds).size).toBe(120);
  const runs = await Promise.all(runIds.map((runId) => ended(shop, runId)));
  expect(new Set(runs.map(({ status }) => status))).toEqual(new Set(['succeeded']));
  expect(receiver.idsAt(url)).toHaveLength(120);
});
