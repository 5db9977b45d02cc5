/** I1 and I7: what was accepted is on disk, once, whatever crashes and whether D1 is there or not. */

import { abortAllDurableObjects, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { findEvent } from '../../../src/db/events.ts';
import { mintKey } from '../../../src/http/api-key.ts';
import { OpenRuns } from '../../../src/objects/open-runs.ts';
import { withoutReadModel } from './support/disturb.ts';
import { auditActions, auditChain, ended, quiet, reached, tenantRows } from './support/history.ts';
import { Receiver } from './support/receiver.ts';
import {
  addWorkflow,
  flagOn,
  hook,
  incoming,
  openShop,
  SENDER,
  send,
  startOne,
  tenantOf,
  vote,
} from './support/shop.ts';

const receiver = new Receiver();
beforeEach(() => receiver.listen());
afterEach(() => void vi.restoreAllMocks());

describe('admission', () => {
  test('a request is taken as a whole or not at all', async () => {
    const shop = await openShop();
    await addWorkflow(shop, [hook('one', receiver.address())]);
    const events = [incoming({ type: 'custom.other', id: 'a' }), incoming({ id: 'b' })];
    const refused = await runInDurableObject(tenantOf(shop), async (tenant) => {
      const give = vi.spyOn(OpenRuns.prototype, 'give');
      give.mockImplementation(() => {
        throw new Error('no more');
      });
      try {
        await tenant.intake(events, SENDER);
        return null;
      } catch (error) {
        return String(error);
      } finally {
        give.mockRestore();
      }
    });
    expect(refused).toContain('no more');
    expect(await tenantRows(shop, 'SELECT * FROM intake')).toEqual([]);
    expect(await tenantRows(shop, 'SELECT * FROM outbox')).toEqual([]);
    const accepted = await tenantOf(shop).intake(events, SENDER);
    expect(accepted.map(({ duplicate, runs }) => [duplicate, runs.length])).toEqual([
      [false, 0],
      [false, 1],
    ]);
  });

  test('a hundred copies at once are one event with one run', async () => {
    const shop = await openShop();
    const url = receiver.address();
    await addWorkflow(shop, [hook('one', url)]);
    const copies = await Promise.all(
      Array.from({ length: 100 }, () => send(shop, { id: 'same', source: '/checkout' })),
    );
    expect(copies.filter(({ duplicate }) => !duplicate)).toHaveLength(1);
    expect(new Set(copies.map(({ id, runs }) => `${id} ${runs}`)).size).toBe(1);
    const [runId = ''] = copies[0]?.runs ?? [];
    await ended(shop, runId);
    expect(receiver.at(url)).toHaveLength(1);
    expect((await findEvent(env.DB, shop, copies[0]?.id ?? ''))?.runs).toEqual([runId]);
  });

  test('copies within a request, and after an eviction, are told too', async () => {
    const shop = await openShop();
    await addWorkflow(shop, [hook('one', receiver.address())]);
    const event = incoming({ id: 'same' });
    const [first, second] = await tenantOf(shop).intake([event, event], SENDER);
    expect(first?.duplicate).toBe(false);
    expect(second).toEqual({ ...first, duplicate: true });
    await abortAllDurableObjects();
    expect(await send(shop, { id: 'same' })).toEqual({ ...first, duplicate: true });
    expect((await send(shop, { id: 'same', source: 'elsewhere' })).duplicate).toBe(false);
  });

  test('events without an id are never taken for copies', async () => {
    const shop = await openShop();
    await addWorkflow(shop, [hook('one', receiver.address())]);
    const [one, two] = [await send(shop), await send(shop)];
    expect(two.duplicate).toBe(false);
    expect(two.runs).not.toEqual(one.runs);
  });

  test('only enabled workflows of the type whose condition holds start, and the event says why', async () => {
    const shop = await openShop();
    const url = receiver.address();
    const always = await addWorkflow(shop, [hook('one', url)]);
    const never = await addWorkflow(shop, [hook('one', url)], 'custom.go', 'event.data.n > 1');
    const faulty = await addWorkflow(shop, [hook('one', url)], 'custom.go', 'event.data.m == 1');
    const off = await addWorkflow(shop, [hook('one', url)]);
    await tenantOf(shop).setWorkflowEnabled(off.id, false, SENDER);
    const { id, runs } = await send(shop, { data: { n: 1 } });
    expect(runs).toHaveLength(1);
    await quiet(shop);
    const record = await findEvent(env.DB, shop, id);
    const verdicts = record?.matches.map(({ workflowId, matched }) => [workflowId, matched]);
    expect(verdicts).toEqual([
      [always.id, true],
      [never.id, false],
      [faulty.id, false],
    ]);
    expect(record?.matches[2]?.reason).toContain('failed');
  });

  test.each([
    ['condition', 'trigger.if', { trigger: { event: 'custom.go', if: 'event.data.n >> 1' } }],
    ['action', 'steps.0.action', { steps: [{ id: 'one', action: 'order.melt', with: {} }] }],
  ])(
    'a stored version whose %s can no longer be read starts nothing, and the event says so',
    async (_, path, change) => {
      const shop = await openShop();
      const url = receiver.address();
      const broken = await addWorkflow(shop, [hook('one', url)], 'custom.go', 'event.data.n > 1');
      await addWorkflow(shop, [hook('one', url)]);
      await runInDurableObject(tenantOf(shop), (_tenant, { storage }) => {
        const { name, trigger, steps } = broken;
        const stored = { name, trigger, steps, ...change };
        storage.sql.exec(
          'UPDATE workflow_versions SET definition = ? WHERE workflow_id = ?',
          JSON.stringify(stored),
          broken.id,
        );
      });
      await abortAllDurableObjects();
      const { id, runs } = await send(shop, { data: { n: 7 } });
      expect(runs).toHaveLength(1);
      await ended(shop, runs[0] ?? '');
      await quiet(shop);
      const [verdict] = (await findEvent(env.DB, shop, id))?.matches ?? [];
      expect(verdict).toMatchObject({ workflowId: broken.id, matched: false });
      expect(verdict?.reason).toContain(`Version 1 cannot be read any more: ${path}: `);
    },
  );
});

describe('a crash right after the answer', () => {
  test.each([
    ['the alarm', async (shop: string) => void (await runDurableObjectAlarm(tenantOf(shop)))],
    ['the sweep', async (shop: string) => await tenantOf(shop).poke()],
    ['the next caller', async (shop: string) => void (await tenantOf(shop).getPolicy())],
  ])('loses nothing: %s brings the run to its end, once', async (_, wake) => {
    const shop = await openShop();
    const url = receiver.address();
    await addWorkflow(shop, [hook('one', url), hook('two', url)]);
    const { runs } = await send(shop, { id: 'e' });
    await abortAllDurableObjects();
    await wake(shop);
    const run = await ended(shop, runs[0] ?? '');
    expect(run.status).toBe('succeeded');
    expect(receiver.idsAt(url)).toHaveLength(2);
    expect((await send(shop, { id: 'e' })).runs).toEqual(runs);
  });

  test('crashes in quick succession lose none of many runs', async () => {
    const shop = await openShop();
    const url = receiver.address();
    await addWorkflow(shop, [hook('one', url)]);
    const runIds: string[] = [];
    for (let round = 0; round < 5; round += 1) {
      const sent = await Promise.all(Array.from({ length: 10 }, () => send(shop)));
      runIds.push(...sent.flatMap(({ runs }) => runs));
      await abortAllDurableObjects();
    }
    await tenantOf(shop).poke();
    for (const runId of runIds) expect((await ended(shop, runId)).status).toBe('succeeded');
    expect(receiver.idsAt(url).toSorted()).toEqual(runIds.map((id) => `${id}_one`).toSorted());
  });
});

describe('without the read model', () => {
  test('events are taken, runs run and approvals work; later it catches up, in order', async () => {
    const shop = await openShop();
    const url = receiver.address();
    const straight = await addWorkflow(shop, [hook('one', url)], 'custom.straight');
    await addWorkflow(shop, [flagOn('gate', 'beta'), hook('two', url)]);
    const [runs, gated] = await withoutReadModel(async () => {
      const sent = await Promise.all(
        Array.from({ length: 5 }, () => startOne(shop, { type: 'custom.straight' })),
      );
      const runId = await startOne(shop);
      const answer = await vote(shop, runId, 'approved', 'ann');
      expect(answer.ok).toBe(true);
      await tenantOf(shop).setWorkflowEnabled(straight.id, false, SENDER);
      await vi.waitFor(() => expect(receiver.at(url)).toHaveLength(6), { timeout: 10_000 });
      const copies = await send(shop, { type: 'custom.straight', id: 'late' });
      expect(copies.runs).toEqual([]);
      return [sent, runId];
    });
    await tenantOf(shop).poke();
    for (const runId of [...runs, gated])
      expect((await ended(shop, runId)).status).toBe('succeeded');
    await quiet(shop);
    expect(await auditActions(shop)).toEqual([
      'tenant.created',
      'workflow.created',
      'workflow.created',
      'approval.requested',
      'approval.approved',
      'workflow.disabled',
    ]);
    const counted = await env.DB.prepare('SELECT count(*) AS n FROM runs WHERE tenant_id = ?')
      .bind(shop)
      .first('n');
    expect(counted).toBe(6);
  });

  test('a crash in the meantime changes nothing of that', async () => {
    const shop = await openShop();
    await addWorkflow(shop, [flagOn('gate', 'gamma')]);
    const runId = await withoutReadModel(async () => {
      const started = await startOne(shop);
      await vote(shop, started, 'denied', 'ann');
      await abortAllDurableObjects();
      return started;
    });
    await tenantOf(shop).poke();
    const run = await reached(shop, runId, 'denied');
    expect(run.approvals[0]?.decisions).toHaveLength(1);
    await quiet(shop);
    expect((await auditChain(shop)).map(({ seq }) => seq)).toEqual([1, 2, 3, 4]);
  });
});

describe('a tenant that was never created', () => {
  test('has no keys and no connections, takes no events and stores nothing', async () => {
    const nobody = 'shop-that-never-was';
    const tenant = tenantOf(nobody);
    const { key } = await mintKey(env.KEY_SECRET, nobody, { name: 'made up', role: 'admin' });
    expect(await tenant.authenticate(key.digest)).toBeNull();
    expect(await tenant.sealedConnection('webhook')).toBeNull();
    await tenant.poke();
    const taken = await runInDurableObject(tenant, (object) =>
      object.intake([incoming()], SENDER).catch((error: Error) => error.message),
    );
    expect(taken).toBe('there is no such tenant');
    const tables = await tenantRows(nobody, `SELECT name FROM sqlite_master`);
    expect(tables.map(({ name }) => name).filter((name) => name !== '_cf_METADATA')).toEqual([]);
  });

  test('cannot be created twice', async () => {
    const shop = await openShop();
    const { key } = await mintKey(env.KEY_SECRET, shop, { name: 'another', role: 'admin' });
    const connection = { kind: 'webhook', settings: {}, secrets: {}, updatedAt: 'now' } as const;
    const tenant = { id: shop, name: 'Another', createdAt: new Date().toISOString() };
    const again = await tenantOf(shop).create(tenant, key, connection, SENDER);
    expect(again).toMatchObject({ ok: false, code: 'conflict' });
    expect(await tenantOf(shop).authenticate(key.digest)).toBeNull();
  });
});
