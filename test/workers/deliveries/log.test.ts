/** The delivery log: each request that `notify.webhook` made, what was sent, what was answered. */
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Delivery } from '../../../src/contract/deliveries.ts';
import { answer } from '../../fixtures/receiver/script.ts';
import { fieldsOf, listAt, textAt } from '../support/answers.ts';
import type { Tenant } from '../support/api.ts';
import { openAddress, type RealAddress } from '../support/real-receiver.ts';
import {
  DELIVERIES,
  DESTINATIONS,
  detailOf,
  endOf,
  forward,
  historyOf,
  logOf,
  ONCE,
  passToNextAttempt,
  realTime,
  recordOf,
  type Sending,
  sendAndEnd,
  sendingTenant,
  startRun,
  TWICE,
} from './support.ts';

afterEach(realTime);

/** Two destinations: one takes what it is sent, the other one refuses. Two runs to each. */
async function someDeliveries(): Promise<Sending & { good: RealAddress; bad: RealAddress }> {
  const sending = await sendingTenant();
  const [good, bad] = [await openAddress(), await openAddress([answer(500, { body: 'no' })])];
  await forward(sending.tenant, `${good.url}?of=good`);
  await forward(sending.tenant, bad.url, ONCE, 'custom.bad');
  for (const type of ['custom.thing', 'custom.bad', 'custom.thing', 'custom.bad'])
    await endOf(sending.tenant, await startRun(sending.tenant, { type }, { type }));
  await logOf(sending.tenant, '', 4);
  return { ...sending, good, bad };
}

describe('a list', () => {
  let tenant: Tenant;
  let good: RealAddress;
  let bad: RealAddress;
  let all: Delivery[];
  beforeAll(async () => {
    ({ tenant, good, bad } = await someDeliveries());
    all = await logOf(tenant, '', 4);
  });
  const idsOf = async (query: string, count: number) =>
    (await logOf(tenant, query, count)).map(({ id }) => id);
  const idsWhere = (holds: (row: Delivery, index: number) => boolean) =>
    all.filter(holds).map(({ id }) => id);

  test('goes from the newest on, with what each attempt came to', async () => {
    expect(all.map(({ startedAt }) => startedAt)).toEqual(
      all.map(({ startedAt }) => startedAt).toSorted((a, b) => (a < b ? 1 : -1)),
    );
    const [failed, delivered] = all;
    expect(failed).toMatchObject({
      destination: bad.url,
      status: 'failed',
      code: 'endpoint_failed',
      responseStatus: 500,
      attempt: 1,
      redelivery: false,
    });
    expect(delivered).toMatchObject({ destination: good.url, status: 'delivered', code: null });
    for (const { webhookId, runId, stepId, durationMs } of all) {
      expect(webhookId).toBe(`${runId}_${stepId}`);
      expect(durationMs).toBeGreaterThanOrEqual(0);
    }
  });

  test('by destination, with or without a query; by status; by both', async () => {
    const ofBad = idsWhere(({ destination }) => destination === bad.url);
    const ofGood = idsWhere(({ destination }) => destination === good.url);
    expect(ofGood).toHaveLength(2);
    expect(await idsOf(`destination=${encodeURIComponent(bad.url)}`, 2)).toEqual(ofBad);
    const withQuery = encodeURIComponent(`${good.url}?token=other`);
    expect(await idsOf(`destination=${withQuery}`, 2)).toEqual(ofGood);
    expect(await idsOf('status=failed', 2)).toEqual(ofBad);
    expect(await idsOf('status=delivered', 2)).toEqual(ofGood);
    expect(await idsOf(`status=delivered&destination=${encodeURIComponent(bad.url)}`, 0)).toEqual(
      [],
    );
    expect(await idsOf('destination=not-a-url', 0)).toEqual([]);
  });

  test('by run; a run that does not exist has none', async () => {
    const { runId, id } = all[2] ?? {};
    expect(await idsOf(`runId=${runId}`, 1)).toEqual([id]);
    expect(await idsOf('runId=run_019a6b3c5d7e7f8091a2b3c4d5e6f708', 0)).toEqual([]);
  });

  test('from a time at which a request began, which counts, to another, which does not', async () => {
    const [from, to] = [all[2]?.startedAt ?? '', all[0]?.startedAt ?? ''];
    expect(await idsOf(`from=${from}`, 3)).toEqual(idsWhere((_, index) => index <= 2));
    expect(await idsOf(`to=${to}`, 3)).toEqual(idsWhere((_, index) => index >= 1));
    expect(await idsOf(`from=${from}&to=${to}`, 2)).toEqual(
      idsWhere((_, index) => index === 1 || index === 2),
    );
  });

  test('by all of it at once', async () => {
    const { runId, id, startedAt } = all[2] ?? {};
    const query = `destination=${encodeURIComponent(bad.url)}&status=failed&from=${startedAt}`;
    expect(await idsOf(`${query}&runId=${runId}`, 1)).toEqual([id]);
    expect(await idsOf(`${query}&runId=${runId}&to=${startedAt}`, 0)).toEqual([]);
  });

  test.each([
    ['whole', '', () => true],
    ['what failed', 'status=failed', ({ status }: Delivery) => status === 'failed'],
    [
      'what failed at a destination',
      'status=failed&destination={bad}',
      ({ status }: Delivery) => status === 'failed',
    ],
  ])('page by page, %s', async (_what, filter, holds) => {
    const seen: unknown[] = [];
    for (let cursor: unknown = ''; cursor !== null; ) {
      const query = filter.replace('{bad}', encodeURIComponent(bad.url));
      const from = cursor === '' ? '' : `&cursor=${cursor}`;
      const page = await tenant.get(`${DELIVERIES}?limit=1&${query}${from}`);
      expect(listAt(page)).toHaveLength(1);
      seen.push(...fieldsOf(page, 'id'));
      cursor = page.body.nextCursor ?? null;
    }
    expect(seen).toEqual(idsWhere(holds));
  });

  test.each(['status=lost', 'from=yesterday', 'limit=0', 'limit=201', 'cursor=eA', 'who=me'])(
    '?%s is 400',
    async (query) => {
      expect((await tenant.get(`${DELIVERIES}?${query}`)).status).toBe(400);
    },
  );
});

describe('one delivery', () => {
  test('shows the request as it came to the receiver, and the whole of its answer', async () => {
    const { tenant } = await sendingTenant();
    const headers = {
      'content-type': 'text/plain',
      'x-request-id': 'theirs-1',
      'set-cookie': 'a=b',
    };
    const address = await openAddress([answer(202, { headers, body: 'taken, thanks' })]);
    const input = { url: `${address.url}?q=1`, method: 'PUT', headers: { 'X-Shop': 'a b' } };
    await forward(tenant, input.url, { with: { ...input, body: { é: [1, null, 'x'] } }, ...ONCE });
    await sendAndEnd(tenant);
    const [row] = await logOf(tenant, '', 1);
    const detail = await detailOf(tenant, row?.id ?? '');
    const [taken] = await address.taken();
    expect(detail).toEqual({
      ...row,
      request: {
        method: 'PUT',
        url: input.url,
        headers: {
          'content-type': 'application/json',
          'user-agent': 'Signalbox/1 (+webhooks)',
          'webhook-id': taken?.headers['webhook-id'],
          'webhook-timestamp': taken?.headers['webhook-timestamp'],
          'x-shop': 'a b',
        },
        body: taken?.body,
      },
      response: {
        status: 202,
        headers: {
          'content-type': 'text/plain',
          date: expect.any(String),
          'x-request-id': 'theirs-1',
        },
        body: 'taken, thanks',
      },
    });
    expect(taken).toMatchObject({ method: 'PUT', body: '{"é":[1,null,"x"]}' });
    expect(taken?.headers).toMatchObject(detail.request?.headers ?? {});
  });

  test('is one of each attempt at a message, with the answer of that attempt', async () => {
    const { tenant } = await sendingTenant();
    const address = await openAddress([
      answer(500, { body: 'first' }),
      answer(200, { body: 'second' }),
    ]);
    await forward(tenant, address.url, TWICE);
    const runId = await startRun(tenant);
    await passToNextAttempt(tenant, runId);
    await endOf(tenant, runId);
    const rows = await logOf(tenant, `runId=${runId}`, 2);
    expect(rows.map(({ attempt, status }) => [attempt, status])).toEqual([
      [2, 'delivered'],
      [1, 'failed'],
    ]);
    const details = await Promise.all(rows.map(({ id }) => detailOf(tenant, id)));
    expect(details.map(({ response }) => response?.body)).toEqual(['second', 'first']);
    const times = details.map(({ request }) => request?.headers['webhook-timestamp']);
    const came = (await address.taken()).map(({ headers }) => headers['webhook-timestamp']);
    expect(times).toEqual(came.toReversed());
    expect(new Set(rows.map(({ webhookId }) => webhookId)).size).toBe(1);
  });

  test('of another tenant answers as one that does not exist, and is in no list', async () => {
    const [mine, theirs] = [await sendingTenant(), await sendingTenant()];
    const address = await openAddress([answer(500)]);
    await forward(theirs.tenant, address.url);
    const runId = await sendAndEnd(theirs.tenant);
    const [row] = await logOf(theirs.tenant, '', 1);
    const ask = async (id: string) => {
      const { status, body } = await mine.tenant.get(`${DELIVERIES}/get?id=${id}`);
      return { status, body: { ...body, requestId: null } };
    };
    const missing = await ask('dlv_019a6b3c5d7e7f8091a2b3c4d5e6f708');
    expect(missing.status).toBe(404);
    expect(await ask(row?.id ?? '')).toEqual(missing);
    for (const query of ['', `runId=${runId}`, `destination=${encodeURIComponent(address.url)}`])
      await logOf(mine.tenant, query, 0);
    expect(await recordOf(mine.tenant, address.url)).toBeNull();
  });
});

describe('what receivers answer is text that nobody trusts', () => {
  const bodyOf = async (reply: Parameters<typeof answer>[1]) => {
    const { tenant } = await sendingTenant();
    const address = await openAddress([answer(200, reply)]);
    await forward(tenant, address.url);
    const runId = await sendAndEnd(tenant);
    const [row] = await logOf(tenant, '', 1);
    const found = await tenant.get(`${DELIVERIES}/get?id=${row?.id}`);
    expect(found.headers.get('content-type')).toBe('application/json');
    const body = textAt(found, 'delivery.response.body');
    const run = await tenant.get(`/api/admin/workflow-runs/get?id=${runId}`);
    expect(textAt(run, 'run.steps.0.output.body')).toBe(body);
    return body;
  };

  test.each([
    ['script', '<script>alert(1)</script>"\'{{ event.id }}'],
    ['control characters', 'a\u0000b\u0007\u001b[31mred\r\n\u2028\u2029'],
    ['characters from beyond the first plane', 'two 😀 and a ligature \ufb01'],
    ['what looks like a faulty answer of ours', '{"items":[],"nextCursor":null}'],
  ])('%s comes back as it was written', async (_what, text) => {
    expect(await bodyOf({ body: text })).toBe(text);
  });

  test('bytes that are no text come back as marks in their place', async () => {
    const bytes = btoa('ok\xff\xfe\xc0\x80\xed\xa0\x80.');
    expect(await bodyOf({ bytes })).toMatch(/^ok\ufffd+\.$/);
  });

  test('its first 4 KiB are kept, and no half of a character', async () => {
    expect(await bodyOf({ body: 'y'.repeat(5_000) })).toBe('y'.repeat(4_096));
    expect(await bodyOf({ body: `x${'é'.repeat(3_000)}` })).toBe(`x${'é'.repeat(2_047)}`);
  });
});

describe('what is not in the log', () => {
  test('a signature or a secret, wherever one looks', async () => {
    const { tenant, secret } = await sendingTenant();
    await tenant.post('/api/admin/connections/rotate', { kind: 'webhook', key: 'signingKey' });
    const address = await openAddress([answer(500)]);
    await forward(tenant, address.url);
    const runId = await sendAndEnd(tenant);
    const [row] = await logOf(tenant, '', 1);
    const [taken] = await address.taken();
    const signatures = (taken?.headers['webhook-signature'] ?? '').split(' ');
    expect(signatures.map((text) => text.split(',')[0])).toEqual(['v1', 'v1a']);
    const pages = await Promise.all(
      [
        DELIVERIES,
        `${DELIVERIES}/get?id=${row?.id}`,
        DESTINATIONS,
        `/api/admin/workflow-runs/get?id=${runId}`,
        '/api/admin/audit',
        '/api/admin/events',
      ].map(async (path) => (await tenant.get(path)).text),
    );
    const secrets = [secret.slice('whsec_'.length), 'whsk_', 'webhook-signature'];
    for (const text of pages)
      for (const word of [...secrets, ...signatures.map((one) => one.split(',')[1] ?? '')])
        expect(text).not.toContain(word);
  });

  test('what was never sent: a refused address leaves its reason in the run alone', async () => {
    const { tenant } = await sendingTenant();
    await forward(tenant, '{{ event.data.url }}');
    const runId = await sendAndEnd(tenant, { url: 'https://10.0.0.1/hook' });
    const failed = (await historyOf(tenant, runId)).find(({ type }) => type === 'attempt_failed');
    expect(failed).toMatchObject({ error: { code: 'destination_refused' }, retryAt: null });
    expect(failed).not.toHaveProperty('delivery');
    expect(listAt(await tenant.get(DELIVERIES))).toEqual([]);
    expect(listAt(await tenant.get(DESTINATIONS))).toEqual([]);
  });
});
