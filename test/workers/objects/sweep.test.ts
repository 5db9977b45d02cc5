/** The net under the alarms: whatever sleeps because its alarm was lost is found by the cron. */
import { abortAllDurableObjects, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { expect, test, vi } from 'vitest';
import { listEvents } from '../../../src/db/events.ts';
import { sweep } from '../../../src/objects/sweep.ts';
import { D1_ERRORS, failing, withD1 } from '../support/d1-faults.ts';
import { openShop, send, tenantOf } from './support/shop.ts';

/** The cron comes every two minutes, and has been at every tenant within an hour. */
const [EVERY_MS, TIMES] = [120_000, 30];

async function loggedEvents(tenantId: string): Promise<number> {
  const page = await listEvents(env.DB, tenantId, {}, { limit: 50, after: null });
  return page.items.length;
}

/** The tenant's object has something to send, and nothing will wake it. */
async function asleep(): Promise<string> {
  const shop = await openShop();
  await withD1(failing(D1_ERRORS[0]), async () => {
    await send(shop);
    await runInDurableObject(tenantOf(shop), (_, { storage }) => storage.deleteAlarm());
    await abortAllDurableObjects();
  });
  return shop;
}

test('a tenant whose alarm was lost is woken within an hour', async () => {
  const shop = await asleep();
  expect(await loggedEvents(shop)).toBe(0);
  const now = Date.now();
  for (let turn = 0; turn < TIMES; turn += 1) await sweep(env, now + turn * EVERY_MS);
  await vi.waitFor(async () => expect(await loggedEvents(shop)).toBe(1), 5_000);
});

test('a sweep while D1 is down fails, and the next one finds what is overdue', async () => {
  const shop = await asleep();
  const now = Date.now();
  const down = withD1(failing(D1_ERRORS[0]), () => sweep(env, now));
  await expect(down).rejects.toThrow();
  for (let turn = 0; turn < TIMES; turn += 1) await sweep(env, now + turn * EVERY_MS);
  await vi.waitFor(async () => expect(await loggedEvents(shop)).toBe(1), 5_000);
});
