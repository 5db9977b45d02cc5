/** What breaks if this happens just then: each test is an order of events that somebody can bring about. */
import { env } from 'cloudflare:workers';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Entry } from '../../../src/contract/entries.ts';
import { disturb } from './support/disturb.ts';
import { auditActions, ended, reached, readRun, tenantRows } from './support/history.ts';
import { Receiver } from './support/receiver.ts';
import {
  addWorkflow,
  by,
  FREELY,
  flagOn,
  flagsOf,
  hook,
  incoming,
  openShop,
  pause,
  runOf,
  SENDER,
  send,
  setPolicy,
  startOne,
  tenantOf,
  vote,
} from './support/shop.ts';

const receiver = new Receiver();
beforeEach(() => receiver.listen());
afterEach(() => void vi.restoreAllMocks());

/** Every write to D1 takes at least this long. */
function slowReadModel(ms: number): void {
  const prototype: D1Database = Object.getPrototypeOf(env.DB);
  const { batch } = prototype;
  vi.spyOn(prototype, 'batch').mockImplementation(async function (this: D1Database, statements) {
    await new Promise((resolve) => setTimeout(resolve, ms));
    return await batch.call(this, statements);
  });
}

describe('a change holds from its commit on, not from when the read model shows it', () => {
  test('a stricter policy', async () => {
    const shop = await openShop();
    await tenantOf(shop).getPolicy();
    slowReadModel(1_000);
    const update = setPolicy(shop, { 'notify.webhook': { required: true } });
    await vi.waitFor(async () =>
      expect(await tenantRows(shop, `SELECT * FROM settings WHERE name = 'policy'`)).toHaveLength(
        1,
      ),
    );
    const { 'notify.webhook': rule } = await tenantOf(shop).getPolicy();
    await update;
    expect(rule?.required).toBe(true);
  });

  test('a workflow that is disabled', async () => {
    const shop = await openShop();
    const workflow = await addWorkflow(shop, [hook('one', receiver.address())]);
    await send(shop);
    slowReadModel(1_000);
    const disabled = tenantOf(shop).setWorkflowEnabled(workflow.id, false, by('owner'));
    await vi.waitFor(async () =>
      expect(await tenantRows(shop, 'SELECT * FROM workflows WHERE enabled = 0')).toHaveLength(1),
    );
    const { runs } = await send(shop);
    await disabled;
    expect(runs).toEqual([]);
  });
});

test('a policy that becomes stricter while an executor is at work holds for its next step', async () => {
  const shop = await openShop();
  await setPolicy(shop, { 'flag.enable': FREELY });
  const slow = receiver.address(() => ({ afterMs: 2_500, status: 200 }));
  await addWorkflow(shop, [hook('one', slow), flagOn('gate', 'beta')]);
  const runId = await startOne(shop);
  await vi.waitFor(() => expect(receiver.at(slow)).toHaveLength(1));
  await setPolicy(shop, { 'flag.enable': { required: true } });
  await reached(shop, runId, 'pending_approval');
  expect(await flagsOf(shop)).toEqual([]);
  await vote(shop, runId, 'approved', 'ann');
  expect((await ended(shop, runId)).status).toBe('succeeded');
});

test('a run that cannot be driven does not take the others of its batch with it', async () => {
  const shop = await openShop();
  const url = receiver.address();
  await addWorkflow(shop, [hook('one', url)]);
  vi.spyOn(console, 'error').mockReturnValue();
  // A version that no longer compiles, as after a deployment that takes an action away.
  const gone = await addWorkflow(shop, [hook('a', url)]);
  await tenantRows(
    shop,
    `UPDATE workflow_versions SET definition = replace(definition, 'notify.webhook', 'gone')
     WHERE workflow_id = ?`,
    gone.id,
  );
  await disturb('evict');
  const { runs } = await send(shop);
  const runId = runs[0] ?? '';
  const run = await ended(shop, runId);
  expect(run.status).toBe('succeeded');
  expect(receiver.at(url).filter(({ id }) => id === `${runId}_one`)).toHaveLength(1);
});

test('a sender cannot suppress the event of an action by sending its id beforehand', async () => {
  const shop = await openShop();
  const url = receiver.address();
  await addWorkflow(shop, [flagOn('gate', 'beta')]);
  await addWorkflow(shop, [hook('tell', url)], 'flags.changed');
  const runId = await startOne(shop);
  await send(shop, { id: `${runId}_gate`, source: `/runs/${runId}`, type: 'custom.decoy' });
  await vote(shop, runId, 'approved', 'ann');
  await ended(shop, runId);
  await vi.waitFor(() => expect(receiver.at(url)).toHaveLength(1));
});

test('an approval is in the read model when it is answered, also while other entries go home', async () => {
  const shop = await openShop();
  const slow = receiver.address(() => ({ afterMs: 2_500, status: 200 }));
  await addWorkflow(shop, [
    hook('slow', slow, { needs: [] }),
    flagOn('gate', 'beta', { needs: [] }),
  ]);
  const runId = await startOne(shop);
  await reached(shop, runId, 'pending_approval');
  await vi.waitFor(() => expect(receiver.at(slow)).toHaveLength(1));
  slowReadModel(300);
  const outcome = { kind: 'succeeded', output: null, events: [] } as const;
  const [, answer] = await Promise.all([
    runOf(shop, runId).attemptEnded('slow', 1, outcome),
    vote(shop, runId, 'denied', 'ann'),
  ]);
  expect(answer.ok).toBe(true);
  expect((await readRun(shop, runId))?.status).toBe('denied');
});

describe('size', () => {
  /** D1 takes a string of 2 MB, and UTF-8 up to three bytes for a character. */
  test('events as large as they may be, at once, come to the read model with their runs', async () => {
    const shop = await openShop();
    for (let n = 0; n < 3; n += 1) await addWorkflow(shop, [pause('nap', '1h')]);
    const data = { text: '\u6f22'.repeat(85_000) };
    const events = Array.from({ length: 12 }, () => incoming({ data }));
    const accepted = await tenantOf(shop).intake(events, SENDER);
    for (const runId of accepted.flatMap(({ runs }) => runs))
      expect((await reached(shop, runId, 'waiting')).eventType).toBe('custom.go');
    const rows = 'SELECT count(*) AS n FROM events WHERE tenant_id = ? AND length(data) > 85000';
    expect(await env.DB.prepare(rows).bind(shop).first('n')).toBe(events.length);
  });

  test('a thousand runs that have to wait all arrive in their objects', async () => {
    const shop = await openShop();
    await addWorkflow(shop, [pause('nap', '1h')]);
    const events = Array.from({ length: 1_000 }, () => incoming());
    const accepted = await tenantOf(shop).intake(events, SENDER);
    await vi.waitFor(
      async () => {
        const waiting = await env.DB.prepare(
          `SELECT count(*) AS n FROM runs WHERE tenant_id = ? AND status = 'waiting'`,
        )
          .bind(shop)
          .first('n');
        expect(waiting).toBe(accepted.length);
      },
      { timeout: 55_000, interval: 500 },
    );
  }, 60_000);
});

test('two more votes than are needed, at once, count as one', async () => {
  const shop = await openShop();
  await setPolicy(shop, { 'flag.enable': { approvals: 2 } });
  await addWorkflow(shop, [flagOn('gate', 'beta')]);
  const runId = await startOne(shop);
  await vote(shop, runId, 'approved', 'ann');
  const before = await readRun(shop, runId);
  const votes = (entries: readonly Entry[] = []) =>
    entries.filter(({ type }) => type === 'approval_approved');
  expect(votes(before?.timeline)).toHaveLength(1);
  const [one, two] = await Promise.all([
    vote(shop, runId, 'approved', 'bob'),
    vote(shop, runId, 'approved', 'cid'),
  ]);
  expect([one.ok, two.ok].filter(Boolean)).toHaveLength(1);
  const run = await ended(shop, runId);
  expect(votes(run.timeline)).toHaveLength(2);
  expect(await auditActions(shop, runId)).toHaveLength(3);
});
