/** What an erasure cannot take away yet, or ever: it is named, with why, and goes when it can. */
import { describe, expect, test, vi } from 'vitest';
import type { Json, JsonObject } from '../../../src/contract/json.ts';
import { answer } from '../../fixtures/receiver/script.ts';
import { exported } from '../audit/support.ts';
import { addPerson } from '../notices/support.ts';
import { withoutReadModel } from '../objects/support/disturb.ts';
import { at, listAt, textAt } from '../support/answers.ts';
import { eventually, newTenant, runWithStatus, type Tenant } from '../support/api.ts';
import { openAddress } from '../support/real-receiver.ts';
import { createWorkflow, flagWorkflow, tagWorkflow } from '../support/samples.ts';
import { allQuiet, ERASE, type Erased, eraseWhole, hitsOf } from './support.ts';

const EMAIL = 'wren.waits@shop.example';
const NAME = 'Wren Waits';
const CUSTOMER = { customer: { email: EMAIL, name: NAME } };
const WORDS = [EMAIL, 'wren', 'waits', 'zeisig'];

async function erase(tenant: Tenant): Promise<Erased> {
  const answers = await eraseWhole(tenant, CUSTOMER, 'asked');
  const last = answers.at(-1);
  if (last === undefined) throw new Error('no answer');
  return last;
}

function remainingOf({ remaining }: Erased, wanted: string) {
  return remaining.find(({ kind }) => kind === wanted);
}

/** A workflow of one webhook to an address, on `custom.send`. */
async function sendTo(tenant: Tenant, url: string, more: JsonObject = {}): Promise<void> {
  const step = { id: 'send', action: 'notify.webhook', with: { url }, ...more };
  await createWorkflow(tenant, tagWorkflow({ trigger: { event: 'custom.send' }, steps: [step] }));
}

async function started(tenant: Tenant, event: Json): Promise<string> {
  return textAt(await tenant.events(event), 'events.0.runs.0');
}

function orderOf(id: string): JsonObject {
  const order = { id, total: { amount: 9900, currency: 'USD' }, customer: CUSTOMER.customer };
  return { type: 'order.created', data: { order } };
}

describe('what is under way', { timeout: 60_000 }, () => {
  test('an order that a run waits for keeps its customer, by which alone the run is theirs', async () => {
    const tenant = await newTenant();
    await createWorkflow(tenant, flagWorkflow({ trigger: { event: 'custom.ask' } }));
    await tenant.events([orderOf('81'), orderOf('82')]);
    const data = { orderId: '81', note: 'zeisig' };
    const runId = await started(tenant, { type: 'custom.ask', data });
    await runWithStatus(tenant, runId, 'pending_approval');
    const first = await erase(tenant);
    expect(remainingOf(first, 'runs')).toMatchObject({ count: 1, ids: [runId] });
    const emailOf = async (id: string) =>
      at(await tenant.get(`/api/admin/orders/get?id=${id}`), 'order.customer.email');
    expect([await emailOf('81'), await emailOf('82')]).toEqual([EMAIL, null]);
    await tenant.post('/api/admin/workflow-runs/cancel', { runId });
    await runWithStatus(tenant, runId, 'cancelled');
    await allQuiet(tenant);
    expect((await erase(tenant)).remaining).toEqual([]);
    expect(await hitsOf(tenant, [runId], WORDS)).toEqual([]);
  });

  test('a run that is out with an executor stays until it has ended', async () => {
    const tenant = await newTenant();
    const address = await openAddress([{ kind: 'held' }]);
    await sendTo(tenant, address.url);
    const runId = await started(tenant, { type: 'custom.send', data: { who: EMAIL } });
    await runWithStatus(tenant, runId, 'queued');
    expect(remainingOf(await erase(tenant), 'runs')?.ids).toEqual([runId]);
    expect(await hitsOf(tenant, [runId], [EMAIL])).toContain('d1.events');
    await address.react({ replies: [answer(200, { body: 'zeisig' })] });
    await runWithStatus(tenant, runId, 'succeeded');
    await allQuiet(tenant);
    expect((await erase(tenant)).remaining).toEqual([]);
    expect(await hitsOf(tenant, [runId], WORDS)).toEqual([]);
  });

  test('messages that wait for a chat or a destination are named, and are gone once they are', async () => {
    const tenant = await newTenant();
    const address = await openAddress([answer(503)]);
    const notifyUrl = { actions: {}, notifyUrl: address.url };
    expect((await tenant.post('/api/admin/approval-policy/update', notifyUrl)).status).toBe(200);
    const steps = [{ id: 'on', action: 'flag.enable', with: { key: '{{ event.data.word }}' } }];
    await createWorkflow(tenant, flagWorkflow({ trigger: { event: 'custom.ask' }, steps }));
    await sendTo(tenant, `${address.url}/{{ event.data.who }}`, { retry: { attempts: 1 } });
    const data = { word: 'zeisig', who: EMAIL };
    const asked = await started(tenant, { type: 'custom.ask', data });
    const sent = await started(tenant, { type: 'custom.send', data });
    await runWithStatus(tenant, asked, 'pending_approval');
    await runWithStatus(tenant, sent, 'failed');
    await tenant.post('/api/admin/workflow-runs/cancel', { runId: asked });
    await runWithStatus(tenant, asked, 'cancelled');
    const list = await tenant.get(`/api/admin/deliveries?runId=${sent}`);
    await tenant.post('/api/admin/deliveries/redeliver', { id: textAt(list, 'items.0.id') });
    // Both have been tried and wait to be tried again.
    await eventually(
      () => tenant.get(`/api/admin/deliveries?runId=${sent}`),
      (deliveries) => expect(listAt(deliveries).length).toBeGreaterThan(1),
    );
    const first = await erase(tenant);
    expect(remainingOf(first, 'deliveries')?.count).toBeGreaterThan(1);
    await address.react({ replies: [answer(200)] });
    await allQuiet(tenant);
    await vi.waitFor(async () => expect((await erase(tenant)).remaining).toEqual([]), {
      timeout: 20_000,
      interval: 500,
    });
    await allQuiet(tenant);
    expect(await hitsOf(tenant, [asked, sent], WORDS)).toEqual([]);
  });

  test('with the read model down nothing is begun, and it says so', async () => {
    const tenant = await newTenant();
    await tenant.events(orderOf('91'));
    const refused = await withoutReadModel(() => tenant.post(ERASE, { ...CUSTOMER, reason: 'x' }));
    expect(refused.status, refused.text).toBe(503);
    const order = await tenant.get('/api/admin/orders/get?id=91');
    expect(at(order, 'order.customer.email')).toBe(EMAIL);
  });

  test('one request does so much; cut off, it goes on from its cursor or begins again', async () => {
    const tenant = await newTenant();
    // Each event starts more runs than a third of a request can erase.
    const names = Array.from({ length: 25 }, (_, n) => `Workflow ${n}`);
    for (const name of names) await createWorkflow(tenant, tagWorkflow({ name }));
    const sent = await tenant.events(Array.from({ length: 6 }, (_, n) => orderOf(`7${n}`)));
    const runIds = Array.from({ length: 6 }, (_, n) => n).flatMap((n) =>
      names.map((_, m) => textAt(sent, `events.${n}.runs.${m}`)),
    );
    for (const runId of runIds) await runWithStatus(tenant, runId, 'succeeded');
    await allQuiet(tenant);
    const first = await tenant.post(ERASE, { ...CUSTOMER, reason: 'x' });
    expect(at(first, 'done')).toBe(false);
    const cursor = textAt(first, 'nextCursor');
    const other = { customer: { email: 'other@shop.example' }, reason: 'x', cursor };
    expect(at(await tenant.post(ERASE, other), 'code')).toBe('invalid_cursor');
    const second = await tenant.post(ERASE, { ...CUSTOMER, reason: 'x', cursor });
    expect(at(second, 'erased.runs')).not.toBe(0);
    const rest = await eraseWhole(tenant, CUSTOMER, 'again');
    const all = (what: keyof Erased['erased']) =>
      [first, second].reduce((total, one) => total + Number(at(one, `erased.${what}`)), 0) +
      rest.reduce((total, { erased }) => total + erased[what], 0);
    expect([all('events'), all('runs'), all('orders')]).toEqual([6, 150, 6]);
    expect(await hitsOf(tenant, [], WORDS)).toEqual([]);
  });

  test('one event that started more runs than a request can erase is erased by several', async () => {
    const tenant = await newTenant();
    const names = Array.from({ length: 140 }, (_, n) => `Workflow ${n}`);
    await Promise.all(names.map((name) => createWorkflow(tenant, tagWorkflow({ name }))));
    const sent = await tenant.events(orderOf('1'));
    for (const [n] of names.entries())
      await runWithStatus(tenant, textAt(sent, `events.0.runs.${n}`), 'succeeded');
    await allQuiet(tenant);
    const answers = await eraseWhole(tenant, CUSTOMER, 'asked');
    expect(answers.length).toBeGreaterThan(2);
    expect(answers.reduce((sum, { erased }) => sum + erased.runs, 0)).toBe(140);
    expect(await hitsOf(tenant, [], WORDS)).toEqual([]);
  });
});

test('what names them in the tenant’s own settings, and in identifiers, is named in turn', async () => {
  const tenant = await newTenant();
  const member = await addPerson(tenant, 'wren.waits', 'viewer');
  const email = member.email;
  const key = await tenant.post('/api/admin/api-keys/create', {
    name: `Of ${NAME}`,
    role: 'viewer',
  });
  const condition = `input.reason == "${NAME}"`;
  const rule = { when: [{ if: condition, approvals: 2 }] };
  const request = { headers: { 'X-Request-Id': 'call.wren-4711' } };
  const actions = { 'order.refund': rule };
  await tenant.post('/api/admin/approval-policy/update', { actions }, request);
  const { seq } = (await exported(tenant)).at(-1) ?? {};
  const steps = [{ id: 'a', action: 'notify.email', with: { to: email, subject: 'x', text: 'x' } }];
  const workflowId = await createWorkflow(tenant, tagWorkflow({ steps, enabled: false }));
  const custom = { type: 'custom.x', data: {} };
  const sent = await tenant.events([
    { ...custom, id: `order of ${email}` },
    { ...custom, source: `mailto:${email}` },
    { ...custom, correlationid: email },
  ]);
  const headers = { 'Idempotency-Key': `for-<${email}>` };
  await tenant.post('/api/admin/members/remove', { id: 'mem_none' }, { headers });
  await allQuiet(tenant);
  const subject = { customer: { id: 'wren-4711', email, name: NAME } };
  const last = (await eraseWhole(tenant, subject, 'asked')).at(-1);
  const idsOf = (kind: string) => last?.remaining.find((one) => one.kind === kind)?.ids;
  expect(idsOf('settings')).toEqual(['policy', textAt(key, 'apiKey.id')]);
  expect(idsOf('members')).toEqual([member.id]);
  expect(idsOf('workflows')).toEqual([workflowId]);
  expect(idsOf('identifiers')?.toSorted()).toEqual(
    [
      'Idempotency-Key 1',
      `audit entry ${seq}`,
      ...[0, 1, 2].map((n) => textAt(sent, `events.${n}.id`)),
    ].toSorted(),
  );
  for (const { reason } of last?.remaining ?? []) expect(reason).toMatch(/\.$/);
  expect(last?.remaining.map(({ kind }) => kind).toSorted()).toEqual([
    'identifiers',
    'members',
    'settings',
    'workflows',
  ]);
});
