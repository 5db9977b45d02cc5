/** The attempts at one message: when they come, how many there are, and what is the same in each. */
import { Webhook } from 'standardwebhooks';
import { afterEach, describe, expect, test } from 'vitest';
import type { Entry } from '../../../src/contract/entries.ts';
import { answer } from '../../fixtures/receiver/script.ts';
import { openAddress } from '../support/real-receiver.ts';
import {
  endOf,
  forward,
  historyOf,
  logOf,
  nextAttemptOf,
  passToNextAttempt,
  realTime,
  recordOf,
  sendingTenant,
  startRun,
  TWICE,
} from './support.ts';

afterEach(realTime);

const [SECOND, MINUTE, HOUR] = [1, 60, 3_600];
/** In seconds: as with Svix. */
const SCHEDULE = [5 * SECOND, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 10 * HOUR];
const DEFAULT = {};

/** How long a run waited after each failed attempt, in seconds; null: it did not try again. */
function delaysIn(history: readonly Entry[]): (number | null)[] {
  return history.flatMap((entry) => {
    if (entry.type !== 'attempt_failed') return [];
    return entry.retryAt === null
      ? null
      : (Date.parse(entry.retryAt) - Date.parse(entry.at)) / 1_000;
  });
}

describe('a receiver that never takes a message', () => {
  test('is asked eight times: at once and after 5 s, 5 m, 30 m, 2 h, 5 h, 10 h, 10 h, by a fifth more or less', async () => {
    const { tenant, secret } = await sendingTenant();
    const address = await openAddress([answer(500)]);
    await forward(tenant, address.url, DEFAULT);
    const runId = await startRun(tenant);
    for (let attempt = 1; attempt <= 8; attempt += 1) {
      const [newest] = await logOf(tenant, '', attempt);
      expect(newest).toMatchObject({ attempt, status: 'failed' });
      const last = (await address.taken()).at(-1);
      // The library refuses what is older than five minutes by the clock of now.
      new Webhook(secret).verify(last?.body ?? '', { ...last?.headers });
      if (attempt < 8) await passToNextAttempt(tenant, runId);
    }
    expect(await endOf(tenant, runId)).toBe('failed');

    const history = await historyOf(tenant, runId);
    const delays = delaysIn(history);
    expect(delays).toHaveLength(8);
    expect(delays[7]).toBeNull();
    for (const [index, nominal] of SCHEDULE.entries()) {
      expect(delays[index]).toBeGreaterThanOrEqual(nominal * 0.8);
      expect(delays[index]).toBeLessThanOrEqual(nominal * 1.2);
    }
    expect(history.at(-1)).toMatchObject({
      type: 'run_failed',
      error: { code: 'endpoint_failed', stepId: 'send' },
    });
    expect(await recordOf(tenant, address.url)).toMatchObject({ state: 'failing', failures: 8 });

    const taken = await address.taken();
    const different = (name: string) => new Set(taken.map(({ headers }) => headers[name])).size;
    expect(taken).toHaveLength(8);
    expect(new Set(taken.map(({ body }) => body)).size).toBe(1);
    expect(different('webhook-id')).toBe(1);
    expect(different('webhook-timestamp')).toBe(8);
    expect(different('webhook-signature')).toBe(8);
  });

  test('is not asked by all of its runs at one time', async () => {
    const { tenant } = await sendingTenant();
    const address = await openAddress([answer(503)]);
    await forward(tenant, address.url, DEFAULT);
    const runs = await Promise.all(Array.from({ length: 10 }, () => startRun(tenant)));
    const delays = await Promise.all(
      runs.map(async (runId) => {
        await nextAttemptOf(tenant, runId);
        return delaysIn(await historyOf(tenant, runId))[0];
      }),
    );
    expect(new Set(delays).size).toBeGreaterThan(5);
  });
});

test('a step may ask for fewer attempts, sooner', async () => {
  const { tenant } = await sendingTenant();
  const address = await openAddress([answer(500)]);
  await forward(tenant, address.url, TWICE);
  const runId = await startRun(tenant);
  await passToNextAttempt(tenant, runId);
  expect(await endOf(tenant, runId)).toBe('failed');
  const [delay, none] = delaysIn(await historyOf(tenant, runId));
  expect([delay, none]).toEqual([expect.closeTo(1, 0), null]);
  expect(await address.taken()).toHaveLength(2);
});

test('without a secret that signs nothing leaves; once there is one again, the message is delivered', async () => {
  const { tenant } = await sendingTenant();
  const address = await openAddress();
  await forward(tenant, address.url, DEFAULT);
  await tenant.post('/api/admin/connections/remove', { kind: 'webhook' });
  const runId = await startRun(tenant);
  await nextAttemptOf(tenant, runId);
  const failed = (await historyOf(tenant, runId)).find(({ type }) => type === 'attempt_failed');
  expect(failed).toMatchObject({ error: { code: 'no_signing_secret' } });
  expect(await address.taken()).toEqual([]);
  await logOf(tenant, '', 0);
  await tenant.post('/api/admin/connections/rotate', { kind: 'webhook' });
  await passToNextAttempt(tenant, runId);
  expect(await endOf(tenant, runId)).toBe('succeeded');
  expect(await address.taken()).toHaveLength(1);
});
