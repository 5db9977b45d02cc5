/**
 * I6 with a real receiver: a destination that takes its time holds no object awake and delays nobody
 * else. It answers when the test says so, so that before and after can be told without a clock.
 */
import { evictAllDurableObjects } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { afterEach, expect, test, vi } from 'vitest';
import type { RunStatus } from '../../../src/contract/runs.ts';
import { tenantRows } from '../objects/support/history.ts';
import type { Tenant } from '../support/api.ts';
import { openAddress, type RealAddress } from '../support/real-receiver.ts';
import { forward, messagesAt, ONCE, realTime, sendingTenant } from './support.ts';

afterEach(realTime);

const SLOW = 200;
const FAST = 60;
const PATIENCE = { timeout: 60_000, interval: 50 };
/** As long as a step may take. */
const PATIENT = { timeout: '25s' };

interface Both {
  readonly tenant: Tenant;
  readonly slow: RealAddress;
  readonly fast: RealAddress;
}

async function both(): Promise<Both> {
  const { tenant } = await sendingTenant();
  const [slow, fast] = [await openAddress([{ kind: 'held' }]), await openAddress()];
  await forward(tenant, slow.url, PATIENT, 'custom.slow');
  await forward(tenant, fast.url, ONCE, 'custom.fast');
  return { tenant, slow, fast };
}

function many(type: string, count: number) {
  return Array.from({ length: count }, () => ({ type, data: {} }));
}

/** How many runs of an event's type there are in one of these statuses. */
async function count({ id }: Tenant, type: string, ...statuses: RunStatus[]): Promise<number> {
  const row = await env.DB.prepare(
    `SELECT count(*) AS n FROM runs WHERE tenant_id = ?1 AND event_type = ?2
       AND status IN (SELECT value FROM json_each(?3))`,
  )
    .bind(id, type, JSON.stringify(statuses))
    .first<{ n: number }>();
  return row?.n ?? 0;
}

/** Waits until so many have succeeded; how long (milliseconds) that took. */
async function succeed(tenant: Tenant, type: string, wanted: number): Promise<number> {
  const begun = performance.now();
  await vi.waitFor(
    async () => expect(await count(tenant, type, 'succeeded')).toBe(wanted),
    PATIENCE,
  );
  return Math.round(performance.now() - begun);
}

test('runs to other destinations finish while two hundred wait, also those that came behind them', async () => {
  const { tenant, slow, fast } = await both();
  await tenant.events(many('custom.fast', FAST));
  const alone = await succeed(tenant, 'custom.fast', FAST);

  await tenant.events([...many('custom.slow', SLOW), ...many('custom.fast', FAST)]);
  const behind = await succeed(tenant, 'custom.fast', 2 * FAST);
  await messagesAt(slow, SLOW);
  await tenant.events(many('custom.fast', FAST));
  const beside = await succeed(tenant, 'custom.fast', 3 * FAST);
  expect(await count(tenant, 'custom.slow', 'succeeded', 'failed')).toBe(0);
  console.log({ alone, behind, beside });

  await slow.react({ replies: [] });
  await succeed(tenant, 'custom.slow', SLOW);
  await messagesAt(slow, SLOW);
  await messagesAt(fast, 3 * FAST);
}, 120_000);

test('no object is kept awake by a request that is under way: all go to sleep, and the runs end all the same, each sent once', async () => {
  const { tenant, slow } = await both();
  await tenant.events(many('custom.slow', SLOW));
  await messagesAt(slow, SLOW);
  const late = `SELECT * FROM intake WHERE body->>'outUntil' IS NOT NULL`;
  await vi.waitFor(
    async () => expect(await tenantRows(tenant.id, late)).toHaveLength(SLOW),
    PATIENCE,
  );

  // Nothing has been answered yet.
  await evictAllDurableObjects();
  await tenant.events(many('custom.nothing', 1));
  expect(await count(tenant, 'custom.slow', 'succeeded', 'failed')).toBe(0);
  await slow.react({ replies: [] });
  await succeed(tenant, 'custom.slow', SLOW);
  expect(await slow.taken()).toHaveLength(SLOW);
}, 120_000);
