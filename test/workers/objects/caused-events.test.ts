/** Events that actions cause: they start workflows like any other, and loops come to a stop. */
import { env } from 'cloudflare:workers';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { RunItem } from '../../../src/contract/runs.ts';
import { listEvents } from '../../../src/db/events.ts';
import { listRuns } from '../../../src/db/run-list.ts';
import { disturb } from './support/disturb.ts';
import { auditChain, ended, quiet } from './support/history.ts';
import { Receiver } from './support/receiver.ts';
import {
  addWorkflow,
  FREELY,
  flagOn,
  hook,
  openShop,
  runOf,
  send,
  setPolicy,
  startOne,
  vote,
} from './support/shop.ts';

const receiver = new Receiver();
beforeEach(() => receiver.listen());
afterEach(() => void vi.restoreAllMocks());

const ALL = { limit: 200, after: null };

/** A tenant whose flags may be switched without asking. */
async function freeShop(): Promise<string> {
  const shop = await openShop();
  await setPolicy(shop, { 'flag.enable': FREELY, 'flag.disable': FREELY });
  return shop;
}

/** Every run of the tenant, oldest first, once nothing moves any more. */
async function allRuns(shop: string): Promise<RunItem[]> {
  return await vi.waitFor(
    async () => {
      await quiet(shop);
      const { items } = await listRuns(env.DB, shop, {}, ALL);
      expect(items.filter(({ finishedAt }) => finishedAt === null)).toEqual([]);
      return items.reverse();
    },
    { timeout: 12_000 },
  );
}

const onFlag = (key: string) => `event.data.flag.key == "${key}"`;

async function loopsStopped(shop: string) {
  return (await auditChain(shop)).filter(({ action }) => action === 'loop.stopped');
}

test('a flag that was switched on starts the workflows on flags.changed', async () => {
  const shop = await freeShop();
  const url = receiver.address();
  const body = { flag: '{{ event.data.flag.key }}', was: '{{ event.data.previous }}' };
  await addWorkflow(shop, [flagOn('on', 'beta')]);
  await addWorkflow(shop, [hook('tell', url, { with: { url, body } })], 'flags.changed');
  await send(shop, { correlationId: 'story-7' });
  const runs = await allRuns(shop);
  expect(runs.map(({ status }) => status)).toEqual(['succeeded', 'succeeded']);
  expect(receiver.at(url).map((request) => JSON.parse(request.body))).toEqual([
    { flag: 'beta', was: false },
  ]);
  expect(runs.map(({ correlationId }) => correlationId)).toEqual(['story-7', 'story-7']);
  const { items } = await listEvents(env.DB, shop, { type: 'flags.changed' }, ALL);
  expect(items).toHaveLength(1);
  expect(items[0]?.source).toBe(`/runs/${runs[0]?.id}`);
});

test('so does one behind a gate, whose run has an object of its own', async () => {
  const shop = await openShop();
  const url = receiver.address();
  await addWorkflow(shop, [flagOn('on', 'beta')]);
  await addWorkflow(shop, [hook('tell', url)], 'flags.changed');
  const runId = await startOne(shop);
  await vote(shop, runId, 'approved', 'ann');
  expect(await allRuns(shop)).toHaveLength(2);
  expect(receiver.at(url)).toHaveLength(1);
});

test('a flag that was on already causes no event', async () => {
  const shop = await freeShop();
  await addWorkflow(shop, [flagOn('on', 'beta')]);
  await addWorkflow(shop, [hook('tell', receiver.address())], 'flags.changed');
  await ended(shop, await startOne(shop));
  await ended(shop, await startOne(shop));
  expect(await allRuns(shop)).toHaveLength(3);
});

test('two workflows that start each other stop, and the audit says so', async () => {
  const shop = await freeShop();
  const off = { id: 'off', action: 'flag.disable', with: { key: 'a' } };
  const changed = 'flags.changed';
  const ping = await addWorkflow(shop, [flagOn('on', 'a')], changed, '!event.data.flag.enabled');
  const pong = await addWorkflow(shop, [off], changed, 'event.data.flag.enabled');
  await send(shop, { type: changed, data: { flag: { key: 'a', enabled: false } } });
  const runs = await allRuns(shop);
  expect(runs.map(({ workflowId }) => workflowId)).toEqual([ping.id, pong.id]);
  const stopped = await loopsStopped(shop);
  expect(stopped).toHaveLength(1);
  expect(stopped[0]).toMatchObject({
    target: { type: 'workflow', id: ping.id },
    data: { path: [ping.id, pong.id] },
  });
});

test('a chain of different workflows stops at eight hops', async () => {
  const shop = await freeShop();
  for (let hop = 0; hop < 10; hop += 1)
    await addWorkflow(shop, [flagOn('on', `f${hop + 1}`)], 'flags.changed', onFlag(`f${hop}`));
  await send(shop, { type: 'flags.changed', data: { flag: { key: 'f0', enabled: true } } });
  const runs = await allRuns(shop);
  expect(runs).toHaveLength(8);
  const stopped = await loopsStopped(shop);
  expect(stopped).toHaveLength(1);
  expect(stopped[0]?.data.path).toEqual(runs.map(({ workflowId }) => workflowId));
  expect(stopped[0]?.data.reason).toContain('8 hops');
});

test('what a sender says about a path is kept as an attribute and believed by nobody', async () => {
  const shop = await freeShop();
  const { id } = await addWorkflow(shop, [flagOn('on', 'beta')]);
  await send(shop, { extensions: { path: id, causationpath: id } });
  await send(shop, { extensions: { path: id }, source: '/runs/run_1' });
  const runs = await allRuns(shop);
  expect(runs).toHaveLength(2);
  expect(await loopsStopped(shop)).toEqual([]);
});

test('an effect that is repeated after a crash causes one event', async () => {
  const shop = await freeShop();
  const url = receiver.address();
  await addWorkflow(shop, [flagOn('on', 'beta'), hook('slow', receiver.address())]);
  await addWorkflow(shop, [hook('tell', url)], 'flags.changed');
  await send(shop);
  await disturb('crash');
  await runOf(shop, 'run_unknown').poke();
  await send(shop, { type: 'custom.other' });
  expect(await allRuns(shop)).toHaveLength(2);
  expect(receiver.idsAt(url)).toHaveLength(1);
});
