/**
 * What receivers do to a webhook, over real HTTP: each way in which a request can come back, what the
 * run makes of it, and what an operator sees of it.
 */
import { afterEach, describe, expect, test } from 'vitest';
import { answer, type Reply, type Taken } from '../../fixtures/receiver/script.ts';
import { openAddress } from '../support/real-receiver.ts';
import {
  detailOf,
  endOf,
  forward,
  historyOf,
  logOf,
  nextAttemptOf,
  passToNextAttempt,
  realTime,
  recordOf,
  recordWith,
  sendAndEnd,
  sendingTenant,
  startRun,
} from './support.ts';

afterEach(realTime);

const SECOND_MS = 1_000;
/** A second attempt soon, and no long wait for a receiver that says nothing. */
const SOON = { retry: { attempts: 2, delay: '1s' }, timeout: '1s' };

const redirect = (status: number) => answer(status, { headers: { location: '/elsewhere' } });

describe('a webhook that comes back like this has failed, is tried again, and is delivered then', () => {
  test.each<[string, Reply, string, number | null]>([
    ['500', answer(500), 'endpoint_failed', 500],
    ['502', answer(502), 'endpoint_failed', 502],
    ['429 without Retry-After', answer(429), 'endpoint_failed', 429],
    ['503 without Retry-After', answer(503), 'endpoint_failed', 503],
    ['a client error', answer(404), 'endpoint_failed', 404],
    ['a client error that sounds final', answer(401), 'endpoint_failed', 401],
    ['not modified', answer(304, { body: '' }), 'redirect_refused', 304],
    ['a redirect, permanent', redirect(301), 'redirect_refused', 301],
    ['a redirect, found', redirect(302), 'redirect_refused', 302],
    ['a redirect that keeps the method', redirect(307), 'redirect_refused', 307],
    ['a redirect that keeps the method, permanent', redirect(308), 'redirect_refused', 308],
    ['no answer in time', { kind: 'silence' }, 'timeout', null],
    ['a connection that is dropped', { kind: 'drop' }, 'connection_failed', null],
    ['what is no HTTP', { kind: 'garbage' }, 'connection_failed', null],
  ])('%s', async (_what, reply, code, status) => {
    const { tenant } = await sendingTenant();
    const address = await openAddress([reply, answer(200)]);
    await forward(tenant, address.url, SOON);
    const runId = await startRun(tenant);
    await nextAttemptOf(tenant, runId);

    const [failed] = await logOf(tenant, '', 1);
    expect(failed).toMatchObject({ status: 'failed', code, responseStatus: status, attempt: 1 });
    const { response } = await detailOf(tenant, failed?.id ?? '');
    expect(response?.status ?? null).toBe(status);
    expect(await recordOf(tenant, address.url)).toMatchObject({
      state: 'failing',
      failures: 1,
      failingSince: failed?.startedAt,
      lastCode: code,
      lastStatus: status,
    });

    await passToNextAttempt(tenant, runId);
    expect(await endOf(tenant, runId)).toBe('succeeded');
    await recordWith(tenant, address.url, null);
    const [delivered] = await logOf(tenant, '', 2);
    expect(delivered).toMatchObject({ status: 'delivered', responseStatus: 200, attempt: 2 });
    expect((await address.taken()).map(idOf)).toEqual([delivered?.webhookId, failed?.webhookId]);
  });

  test('a certificate that nobody has vouched for: nothing of the webhook leaves', async () => {
    const { tenant } = await sendingTenant();
    const address = await openAddress();
    await forward(tenant, address.distrusted);
    const runId = await sendAndEnd(tenant);
    expect(await endOf(tenant, runId)).toBe('failed');
    const [failed] = await logOf(tenant, '', 1);
    expect(failed).toMatchObject({ code: 'connection_failed', responseStatus: null });
    const ended = (await historyOf(tenant, runId)).find(({ type }) => type === 'attempt_failed');
    expect(ended).toMatchObject({ error: { message: 'The endpoint could not be reached.' } });
    expect(await address.taken()).toEqual([]);
  });

  test('a host that nobody listens at', async () => {
    const { tenant } = await sendingTenant();
    await forward(tenant, 'http://127.0.0.1:1/hook');
    await sendAndEnd(tenant);
    expect(await logOf(tenant, '', 1)).toMatchObject([{ code: 'connection_failed' }]);
  });
});

const idOf = ({ headers }: Taken) => headers['webhook-id'];

describe('a webhook that comes back like this was delivered, and is not sent again', () => {
  test.each<[string, Reply, string]>([
    ['201', answer(201), 'noted'],
    ['204, which has no body', answer(204, { body: '' }), ''],
    ['299', answer(299), 'noted'],
    ['a status, and half of what was to follow', { kind: 'half' }, 'half of it'],
    ['10 MB', { kind: 'huge' }, 'x'.repeat(4_096)],
  ])('%s', async (_what, reply, body) => {
    const { tenant } = await sendingTenant();
    const address = await openAddress([reply]);
    await forward(tenant, address.url, SOON);
    expect(await endOf(tenant, await startRun(tenant))).toBe('succeeded');
    const [row] = await logOf(tenant, '', 1);
    expect(row).toMatchObject({ status: 'delivered', code: null, attempt: 1 });
    const { response } = await detailOf(tenant, row?.id ?? '');
    expect(response?.body).toBe(body);
    expect(await address.taken()).toHaveLength(1);
    expect(await recordOf(tenant, address.url)).toBeNull();
  });
});

test('a redirect is never followed, wherever it leads', async () => {
  const { tenant } = await sendingTenant();
  const canary = await openAddress();
  const headers = { location: canary.url };
  const address = await openAddress([301, 302, 303, 307, 308].map((s) => answer(s, { headers })));
  await forward(tenant, address.url);
  for (let n = 0; n < 5; n += 1) await sendAndEnd(tenant);
  const rows = await logOf(tenant, 'status=failed', 5);
  expect(new Set(rows.map(({ code }) => code))).toEqual(new Set(['redirect_refused']));
  const shown = await detailOf(tenant, rows[0]?.id ?? '');
  expect(shown.response?.headers.location).toBe(canary.url);
  expect(await canary.taken()).toEqual([]);
});

describe('Retry-After', () => {
  /** Until the next attempt, in milliseconds, after an answer of this status with this header. */
  const delayAfter = async (status: number, wish: string) => {
    const { tenant } = await sendingTenant();
    const address = await openAddress([answer(status, { headers: { 'retry-after': wish } })]);
    await forward(tenant, address.url, { retry: { attempts: 2, delay: '10s' } });
    const runId = await startRun(tenant);
    await nextAttemptOf(tenant, runId);
    const [row] = await logOf(tenant, '', 1);
    const { response } = await detailOf(tenant, row?.id ?? '');
    expect(response?.headers['retry-after']).toBe(wish);
    const failed = (await historyOf(tenant, runId)).find(({ type }) => type === 'attempt_failed');
    return failed?.type === 'attempt_failed'
      ? Date.parse(failed.retryAt ?? '') - Date.parse(failed.at)
      : Number.NaN;
  };

  test.each([429, 503])('in seconds, with %d: it is waited for exactly so long', async (status) => {
    expect(await delayAfter(status, '120')).toBe(120 * SECOND_MS);
  });

  test.each([429, 503])('as a date, with %d: it is waited for until then', async (status) => {
    const hour = 3_600 * SECOND_MS;
    const delay = await delayAfter(status, new Date(Date.now() + hour).toUTCString());
    // The date has whole seconds, and some time has passed since it was made.
    expect(delay).toBeLessThanOrEqual(hour);
    expect(delay).toBeGreaterThan(hour / 2);
  });

  test.each([
    ['shorter than the schedule', '1'],
    ['in the past', 'Wed, 21 Oct 2015 07:28:00 GMT'],
    ['that is none', 'soon'],
  ])('%s: the schedule holds', async (_what, wish) => {
    const delay = await delayAfter(503, wish);
    expect(delay).toBeGreaterThanOrEqual(8 * SECOND_MS);
    expect(delay).toBeLessThanOrEqual(12 * SECOND_MS);
  });

  test('that asks for a year gets a day', async () => {
    expect(await delayAfter(429, '31536000')).toBe(86_400 * SECOND_MS);
  });
});
