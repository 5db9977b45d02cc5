/**
 * One destination's health on the running system: failing, disabled, tried by a probe, well again; and
 * whom each change is told to: the audit, workflows, every admin's mailbox.
 */
import { afterEach, describe, expect, test, vi } from 'vitest';
import * as z from 'zod';
import { answer } from '../../fixtures/receiver/script.ts';
import { addPerson } from '../notices/support.ts';
import { fieldsOf, listAt, textAt } from '../support/answers.ts';
import type { Tenant } from '../support/api.ts';
import { openAddress, type RealAddress } from '../support/real-receiver.ts';
import {
  auditOf,
  DESTINATIONS,
  endOf,
  forward,
  HOUR_MS,
  historyOf,
  logOf,
  messagesAt,
  nextAttemptOf,
  ONCE,
  passTime,
  passToNextAttempt,
  realTime,
  recordOf,
  recordWith,
  sendAndEnd,
  sendingTenant,
  startRun,
} from './support.ts';

afterEach(realTime);

const MINUTE_MS = 60_000;
const DAY_MS = 24 * HOUR_MS;
const FAILURES = 10;

interface Watched {
  readonly tenant: Tenant;
  readonly address: RealAddress;
  /** Where workflows on `destination.disabled` and `destination.enabled` report to. */
  readonly watcher: RealAddress;
}

/** Two admins and an approver; the destination fails. */
async function watched(step: Parameters<typeof forward>[2] = ONCE): Promise<Watched> {
  const { tenant } = await sendingTenant();
  const [address, watcher] = [await openAddress([answer(500)]), await openAddress()];
  await addPerson(tenant, 'ann', 'admin');
  await addPerson(tenant, 'ben', 'admin');
  await addPerson(tenant, 'cleo', 'approver');
  await forward(tenant, address.url, step);
  await forward(tenant, watcher.url, ONCE, 'destination.disabled');
  await forward(tenant, watcher.url, ONCE, 'destination.enabled');
  return { tenant, address, watcher };
}

/** So many webhooks, all failed, the last one after five days. */
async function failForFiveDays(tenant: Tenant, url: string): Promise<void> {
  await startMany(tenant, FAILURES - 1);
  await recordWith(tenant, url, { state: 'failing', failures: FAILURES - 1 });
  passTime(5 * DAY_MS);
  await sendAndEnd(tenant);
}

/** A destination that was disabled for failing, and everybody has been told. */
async function disabled(step: Parameters<typeof forward>[2] = ONCE): Promise<Watched> {
  const all = await watched(step);
  await failForFiveDays(all.tenant, all.address.url);
  await recordWith(all.tenant, all.address.url, { state: 'disabled', reason: 'failing' });
  await messagesAt(all.watcher, 1);
  return all;
}

const mailbox = z.array(
  z.object({ to: z.array(z.string()), subject: z.string(), text: z.string() }),
);

/** Waits for so many mails about destinations, newest first. (Admins get checkpoints, too.) */
async function mailsOf(tenant: Tenant, count: number): Promise<z.infer<typeof mailbox>> {
  return await vi.waitFor(
    async () => {
      const box = await tenant.get('/api/admin/mailbox?limit=200', 'admin');
      const mails = mailbox
        .parse(listAt(box))
        .filter(({ subject }) => subject.startsWith('Webhooks to '));
      expect(mails).toHaveLength(count);
      return mails;
    },
    { timeout: 10_000, interval: 25 },
  );
}

const told = z.object({ type: z.string(), data: z.object({ destination: z.looseObject({}) }) });

/** The events of which a workflow was told, in order. */
async function eventsAt(watcher: RealAddress, count: number): Promise<z.infer<typeof told>[]> {
  return (await messagesAt(watcher, count)).map(({ body }) => told.parse(JSON.parse(body)));
}

/** Why runs failed, each with how many did. */
async function codesOf(tenant: Tenant, runs: readonly string[]): Promise<Record<string, number>> {
  const codes: Record<string, number> = {};
  for (const runId of runs) {
    await endOf(tenant, runId);
    const last = (await historyOf(tenant, runId)).at(-1);
    const code = last?.type === 'run_failed' ? last.error.code : 'none';
    codes[code] = (codes[code] ?? 0) + 1;
  }
  return codes;
}

/** Several runs that begin together. */
async function startMany(tenant: Tenant, count: number): Promise<string[]> {
  const events = Array.from({ length: count }, () => ({ type: 'custom.thing', data: {} }));
  const accepted = await tenant.events(events);
  return events.map((_, index) => textAt(accepted, `events.${index}.runs.0`));
}

describe('a destination that fails', () => {
  test('has a record from its first failure on, and none after the next success', async () => {
    const { tenant, address } = await watched();
    await sendAndEnd(tenant);
    await sendAndEnd(tenant);
    const [last, first] = await logOf(tenant, '', 2);
    expect(await recordOf(tenant, address.url)).toEqual({
      url: address.url,
      state: 'failing',
      failingSince: first?.startedAt,
      failures: 2,
      lastFailureAt: last?.startedAt,
      lastCode: 'endpoint_failed',
      lastStatus: 500,
      disabledAt: null,
      reason: null,
      nextProbeAt: null,
    });
    await address.react({ replies: [] });
    await sendAndEnd(tenant);
    await recordWith(tenant, address.url, null);
    expect(await auditOf(tenant, 'destination.disabled')).toEqual([]);
  });

  test('is disabled after five days of nothing but failure, and everyone who should know is told once', async () => {
    const { tenant, address, watcher } = await watched();
    await failForFiveDays(tenant, address.url);
    const record = await recordWith(tenant, address.url, { state: 'disabled' });
    const rows = await logOf(tenant, `destination=${encodeURIComponent(address.url)}`, FAILURES);
    const [last, first] = [rows[0]?.startedAt ?? '', rows.at(-1)?.startedAt ?? ''];
    expect(record).toMatchObject({
      failures: FAILURES,
      failingSince: first,
      disabledAt: last,
      reason: 'failing',
      nextProbeAt: new Date(Date.parse(last) + HOUR_MS).toISOString(),
    });

    const news = {
      url: address.url,
      reason: 'failing',
      failures: FAILURES,
      failingSince: first,
      lastCode: 'endpoint_failed',
      lastStatus: 500,
    };
    expect(await auditOf(tenant, 'destination.disabled')).toMatchObject([
      { actor: { type: 'system' }, target: { type: 'destination' }, data: news },
    ]);
    expect(await eventsAt(watcher, 1)).toMatchObject([
      { type: 'destination.disabled', data: { destination: news } },
    ]);
    const mails = await mailsOf(tenant, 2);
    expect(mails.flatMap(({ to }) => to).toSorted()).toEqual([
      'ann@example.com',
      'ben@example.com',
    ]);
    for (const { subject, text } of mails) {
      expect(subject).toBe(`Webhooks to ${address.url} are disabled`);
      expect(text).toContain('for five days');
      expect(text).toContain('POST /api/admin/destinations/enable');
    }
  });

  test('is not disabled by one message, though all of its attempts fail', async () => {
    const { tenant, address } = await watched({});
    const runId = await startRun(tenant);
    for (let attempt = 1; attempt < 8; attempt += 1) {
      await recordWith(tenant, address.url, { failures: attempt });
      await passToNextAttempt(tenant, runId);
    }
    expect(await endOf(tenant, runId)).toBe('failed');
    passTime(6 * DAY_MS);
    await forward(tenant, address.url, ONCE, 'custom.other');
    await endOf(tenant, await startRun(tenant, {}, { type: 'custom.other' }));
    await recordWith(tenant, address.url, { state: 'failing', failures: 9 });
  });
});

describe('a disabled destination', () => {
  test('is sent nothing: runs fail at once, and the log says what it missed', async () => {
    const { tenant, address } = await disabled();
    expect(await codesOf(tenant, await startMany(tenant, 3))).toEqual({ endpoint_disabled: 3 });
    const rows = await logOf(
      tenant,
      `destination=${encodeURIComponent(address.url)}`,
      FAILURES + 3,
    );
    const missed = rows.filter(({ code }) => code === 'endpoint_disabled');
    expect(missed).toHaveLength(3);
    for (const row of missed) expect(row).toMatchObject({ responseStatus: null, durationMs: 0 });
    expect(await address.taken()).toHaveLength(FAILURES);
    expect(await recordOf(tenant, address.url)).toMatchObject({ failures: FAILURES });
  });

  test('is tried by a single request when its hour has come, then ever less often', async () => {
    const { tenant, address, watcher } = await disabled();
    for (const [nth, hours] of [
      [1, 1],
      [2, 2],
      [3, 4],
    ] as const) {
      passTime(hours * HOUR_MS);
      const codes = await codesOf(tenant, await startMany(tenant, 5));
      expect(codes).toEqual({ endpoint_disabled: 4, endpoint_failed: 1 });
      expect(await address.taken()).toHaveLength(FAILURES + nth);
      const record = await recordWith(tenant, address.url, { failures: FAILURES + nth });
      const pause = Date.parse(record?.nextProbeAt ?? '') - Date.now();
      expect(pause).toBeGreaterThan(2 * hours * HOUR_MS - 10 * MINUTE_MS);
      expect(pause).toBeLessThanOrEqual(2 * hours * HOUR_MS);
    }
    expect(await auditOf(tenant, 'destination.disabled')).toHaveLength(1);
    await eventsAt(watcher, 1);
    await mailsOf(tenant, 2);
  });

  test('is enabled by a probe that it takes, and everyone who should know is told once', async () => {
    const { tenant, address, watcher } = await disabled();
    await address.react({ replies: [] });
    passTime(HOUR_MS);
    const [runId = ''] = await startMany(tenant, 1);
    expect(await endOf(tenant, runId)).toBe('succeeded');
    await recordWith(tenant, address.url, null);
    expect(await codesOf(tenant, await startMany(tenant, 3))).toEqual({ none: 3 });

    expect(await auditOf(tenant, 'destination.enabled')).toMatchObject([
      { actor: { type: 'system' }, data: { url: address.url, reason: 'failing' } },
    ]);
    const events = await eventsAt(watcher, 2);
    expect(events.map(({ type }) => type)).toEqual(['destination.disabled', 'destination.enabled']);
    const mails = await mailsOf(tenant, 4);
    const enabled = mails.filter(({ subject }) => subject.endsWith('are enabled again'));
    expect(enabled.flatMap(({ to }) => to).toSorted()).toEqual([
      'ann@example.com',
      'ben@example.com',
    ]);
  });

  test('keeps runs waiting that had begun before: they go on after the next probe', async () => {
    const { tenant, address } = await watched({ retry: { attempts: 3, delay: '1h' } });
    const first = await startRun(tenant);
    await nextAttemptOf(tenant, first);
    await forward(tenant, address.url, ONCE, 'custom.other');
    const others = Array.from({ length: FAILURES - 2 }, () => ({ type: 'custom.other', data: {} }));
    await tenant.events(others);
    await recordWith(tenant, address.url, { failures: FAILURES - 1 });
    passTime(5 * DAY_MS);
    await endOf(tenant, await startRun(tenant, {}, { type: 'custom.other' }));
    const record = await recordWith(tenant, address.url, { state: 'disabled' });
    await passToNextAttempt(tenant, first);
    await logOf(tenant, `runId=${first}`, 2);
    const wait = Date.parse(await nextAttemptOf(tenant, first));
    expect(wait).toBeGreaterThanOrEqual(Date.parse(record?.nextProbeAt ?? '') + MINUTE_MS);
    await address.react({ replies: [] });
    await passToNextAttempt(tenant, first);
    expect(await endOf(tenant, first)).toBe('succeeded');
    await recordWith(tenant, address.url, null);
    const attempts = await logOf(tenant, `runId=${first}`, 3);
    expect(attempts.map(({ code }) => code)).toEqual([
      null,
      'endpoint_disabled',
      'endpoint_failed',
    ]);
  });
});

describe('a destination that answers 410', () => {
  test('is disabled at once and for good; the run fails, and so does one that waits', async () => {
    const { tenant, address, watcher } = await watched({});
    const waiting = await startRun(tenant);
    await nextAttemptOf(tenant, waiting);
    await address.react({ replies: [answer(410, { headers: { 'retry-after': '5' } })] });
    const gone = await startRun(tenant);
    expect(await codesOf(tenant, [gone])).toEqual({ endpoint_gone: 1 });
    const attempts = (await historyOf(tenant, gone)).filter(
      ({ type }) => type === 'attempt_failed',
    );
    expect(attempts).toMatchObject([{ retryAt: null }]);
    await recordWith(tenant, address.url, {
      state: 'disabled',
      reason: 'gone',
      lastStatus: 410,
      nextProbeAt: null,
    });
    await passToNextAttempt(tenant, waiting);
    expect(await codesOf(tenant, [waiting])).toEqual({ endpoint_disabled: 1 });
    await address.react({ replies: [] });
    passTime(30 * DAY_MS);
    expect(await codesOf(tenant, await startMany(tenant, 2))).toEqual({ endpoint_disabled: 2 });
    expect(await address.taken()).toHaveLength(2);

    expect(await auditOf(tenant, 'destination.disabled')).toMatchObject([
      { data: { reason: 'gone', lastStatus: 410 } },
    ]);
    await eventsAt(watcher, 1);
    for (const { text } of await mailsOf(tenant, 2)) expect(text).toContain('410 Gone');

    const enabled = await tenant.post(`${DESTINATIONS}/enable`, { url: address.url });
    expect(enabled.body.enabled).toBe(address.url);
    expect(await codesOf(tenant, await startMany(tenant, 1))).toEqual({ none: 1 });
  });
});

describe('by hand', () => {
  test('a destination is disabled before it was ever sent anything, and enabled again', async () => {
    const { tenant, address, watcher } = await watched();
    await address.react({ replies: [] });
    const disable = () => tenant.post(`${DESTINATIONS}/disable`, { url: address.url });
    const first = await disable();
    expect(first.body.destination).toMatchObject({
      url: address.url,
      state: 'disabled',
      reason: 'by_hand',
      failures: 0,
      nextProbeAt: null,
    });
    expect((await disable()).body.destination).toEqual(first.body.destination);
    await eventsAt(watcher, 1);
    passTime(30 * DAY_MS);
    expect(await codesOf(tenant, await startMany(tenant, 2))).toEqual({ endpoint_disabled: 2 });
    for (let times = 0; times < 2; times += 1)
      expect((await tenant.post(`${DESTINATIONS}/enable`, { url: address.url })).status).toBe(200);
    expect(await codesOf(tenant, await startMany(tenant, 2))).toEqual({ none: 2 });
    expect(await address.taken()).toHaveLength(2);

    for (const action of ['destination.disabled', 'destination.enabled'])
      expect(await auditOf(tenant, action)).toMatchObject([
        { actor: { type: 'api_key' }, data: { url: address.url, reason: 'by_hand' } },
      ]);
    const events = await eventsAt(watcher, 2);
    expect(events.map(({ type }) => type)).toEqual(['destination.disabled', 'destination.enabled']);
    await mailsOf(tenant, 0);
  });

  test('what an admin disabled, no success of a request under way enables', async () => {
    const { tenant, address } = await watched();
    await address.react({ replies: [{ kind: 'held' }] });
    const runId = await startRun(tenant);
    await messagesAt(address, 1);
    await tenant.post(`${DESTINATIONS}/disable`, { url: address.url });
    await address.react({ replies: [] });
    expect(await endOf(tenant, runId)).toBe('succeeded');
    expect(await recordOf(tenant, address.url)).toMatchObject({ reason: 'by_hand' });
  });

  test.each(['approver', 'viewer'] as const)('is not for the role %s', async (role) => {
    const { tenant, address } = await watched();
    for (const path of ['disable', 'enable'])
      expect(
        (await tenant.post(`${DESTINATIONS}/${path}`, { url: address.url }, { role })).status,
      ).toBe(403);
    expect(await recordOf(tenant, address.url)).toBeNull();
  });

  test.each([
    'not a url',
    'ftp://example.com/',
    'https://example.com/a?b=c',
    'https://example.com/#d',
  ])('%s is no destination', async (url) => {
    const { tenant } = await sendingTenant();
    const answered = await tenant.post(`${DESTINATIONS}/disable`, { url });
    expect(answered.status).toBe(400);
    expect(fieldsOf({ ...answered, body: { items: answered.body.errors ?? [] } }, 'path')).toEqual([
      'url',
    ]);
  });

  test('the same place by another spelling is the same destination', async () => {
    const { tenant } = await sendingTenant();
    await tenant.post(`${DESTINATIONS}/disable`, { url: 'HTTPS://Hooks.Example.com:443/a' });
    const enabled = await tenant.post(`${DESTINATIONS}/enable`, {
      url: 'https://hooks.example.com/a',
    });
    expect(enabled.body.enabled).toBe('https://hooks.example.com/a');
    expect(listAt(await tenant.get(DESTINATIONS))).toEqual([]);
  });
});

test('what one tenant has disabled, another one still sends to', async () => {
  const { tenant, address } = await disabled();
  const other = await sendingTenant();
  await forward(other.tenant, address.url);
  await address.react({ replies: [] });
  expect(await codesOf(tenant, await startMany(tenant, 1))).toEqual({ endpoint_disabled: 1 });
  expect(await codesOf(other.tenant, await startMany(other.tenant, 2))).toEqual({ none: 2 });
  for (const path of ['disable', 'enable'])
    await other.tenant.post(`${DESTINATIONS}/${path}`, { url: address.url });
  expect(await recordOf(tenant, address.url)).toMatchObject({ reason: 'failing' });
  expect(listAt(await other.tenant.get(DESTINATIONS))).toEqual([]);
});

test('the list goes page by page, the one that began to fail last first', async () => {
  const { tenant } = await sendingTenant();
  const addresses = await Promise.all([0, 1, 2].map(() => openAddress([answer(500)])));
  for (const [index, { url }] of addresses.entries()) {
    await forward(tenant, url, ONCE, `custom.n${index}`);
    await endOf(tenant, await startRun(tenant, {}, { type: `custom.n${index}` }));
  }
  const seen: unknown[] = [];
  for (let cursor: unknown = ''; cursor !== null; ) {
    const page = await tenant.get(
      `${DESTINATIONS}?limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`,
    );
    seen.push(...fieldsOf(page, 'url'));
    cursor = page.body.nextCursor ?? null;
  }
  expect(seen).toEqual(addresses.map(({ url }) => url).toReversed());
});
