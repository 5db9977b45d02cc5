/** Erasing a person: nothing of them is left anywhere, and the audit chain verifies as before. */
import { env } from 'cloudflare:workers';
import { beforeAll, describe, expect, test } from 'vitest';
import { inclusionProof } from '../../../src/contract/checkpoints.ts';
import { leafHash } from '../../../src/engine/merkle.ts';
import { verifyInclusion } from '../../../src/engine/merkle-proof.ts';
import {
  check,
  exported,
  exportLines,
  publishedKeys,
  signed,
  verdictOn,
} from '../audit/support.ts';
import { addPerson, type Person } from '../notices/support.ts';
import { at, textAt } from '../support/answers.ts';
import { newTenant, runWithStatus, send, type Tenant } from '../support/api.ts';
import { createWorkflow, flagWorkflow, tagWorkflow } from '../support/samples.ts';
import { allQuiet, ERASE, type Erased, eraseWhole, hitsOf } from './support.ts';

const EMAIL = 'canary.customer@shop.example';
const CUSTOMER = 'cust-7781-canary';
const NAME = 'Carla Canary';
const CANARIES = [EMAIL, CUSTOMER, NAME, 'canary', 'kanarie'];
/** Somebody whose address ends in the customer's. */
const OTHER = `x${EMAIL}`;

function orderOf(id: string, customer: object, more: object = {}) {
  const total = { amount: 9900, currency: 'USD' };
  const order = { id, total, customer: { ...customer }, ...more };
  return JSON.parse(JSON.stringify({ type: 'order.created', data: { order } }));
}

async function vote(person: Person, runId: string, route: string, more: object) {
  const body = JSON.parse(JSON.stringify({ runId, ...more }));
  const path = `/api/admin/workflow-runs/${route}`;
  const answer = await send('POST', path, { token: person.key, body });
  expect(answer.status, answer.text).toBe(200);
}

interface Shop {
  readonly tenant: Tenant;
  readonly ann: Person;
  readonly runIds: string[];
  readonly otherEvent: string;
}

/** Events of a customer, mails, an approval that was edited and commented on, a denial. */
async function openShop(): Promise<Shop> {
  const tenant = await newTenant();
  const ann = await addPerson(tenant, 'ann', 'admin');
  const bob = await addPerson(tenant, 'bob', 'approver');
  await tenant.post('/api/admin/approval-policy/update', {
    actions: { 'order.refund': { edit: 'approver', approvals: 1 } },
  });
  await createWorkflow(
    tenant,
    tagWorkflow({
      name: 'Say hello',
      trigger: { event: 'order.created' },
      steps: [
        {
          id: 'mail',
          action: 'notify.email',
          with: {
            to: '{{ event.data.order.customer.email }}',
            subject: 'Hello {{ event.data.order.customer.name }}',
            text: 'Thanks, {{ event.data.order.customer.name }}',
          },
        },
      ],
    }),
  );
  await createWorkflow(
    tenant,
    flagWorkflow({
      name: 'Refund',
      trigger: { event: 'custom.refund.asked' },
      steps: [
        {
          id: 'refund',
          action: 'order.refund',
          with: {
            orderId: '{{ event.data.orderId }}',
            amount: { amount: 100, currency: 'USD' },
            reason: '{{ event.data.reason }}',
          },
        },
      ],
    }),
  );
  const sent = await tenant.events([
    orderOf(
      '9001',
      { id: CUSTOMER, email: EMAIL.toUpperCase(), name: NAME },
      { tags: ['kanarie'] },
    ),
    orderOf('9002', { email: OTHER, name: 'Xavier Other' }),
  ]);
  const runIds = [textAt(sent, 'events.0.runs.0'), textAt(sent, 'events.1.runs.0')];
  for (const runId of runIds) await runWithStatus(tenant, runId, 'succeeded');
  for (const decision of ['approve', 'deny']) {
    const reason = 'the kanarie of the house is ill';
    const asked = await tenant.events({
      type: 'custom.refund.asked',
      subject: 'about a kanarie',
      data: { orderId: '9001', reason },
    });
    const runId = textAt(asked, 'events.0.runs.0');
    runIds.push(runId);
    await runWithStatus(tenant, runId, 'pending_approval');
    await vote(bob, runId, 'edit', {
      input: { orderId: '9001', amount: { amount: 50, currency: 'USD' }, reason: 'half a kanarie' },
      comment: 'only half for the kanarie',
    });
    await vote(ann, runId, decision, { comment: `I know ${NAME}, write to ${EMAIL}` });
    await runWithStatus(tenant, runId, decision === 'approve' ? 'succeeded' : 'denied');
  }
  await allQuiet(tenant);
  return { tenant, ann, runIds, otherEvent: textAt(sent, 'events.1.id') };
}

describe('a customer', () => {
  let shop: Shop;
  let before: Awaited<ReturnType<typeof exported>>;
  let checkpoint: Awaited<ReturnType<typeof signed>>;
  let answers: Erased[];
  beforeAll(async () => {
    shop = await openShop();
    checkpoint = await signed(shop.tenant);
    before = await exported(shop.tenant);
    expect((await hitsOf(shop.tenant, shop.runIds, CANARIES)).length).toBeGreaterThan(20);
    const customer = { id: CUSTOMER, email: EMAIL, name: NAME };
    answers = await eraseWhole(shop.tenant, { customer }, `Asked for by ${EMAIL}`);
    await allQuiet(shop.tenant);
  }, 60_000);

  test('nothing of them is left in D1, in an object or in R2, but for the other customer', async () => {
    const { tenant, runIds } = shop;
    const names = CANARIES.filter((word) => word !== EMAIL && word !== 'canary');
    expect(await hitsOf(tenant, runIds, names)).toEqual([]);
    const others = await hitsOf(tenant, runIds, [OTHER]);
    expect(await hitsOf(tenant, runIds, ['canary'])).toEqual(others);
  });

  test('a customer whose address ends in theirs keeps everything', async () => {
    const { tenant, otherEvent } = shop;
    const { text } = await tenant.get(`/api/admin/events/get?id=${otherEvent}`);
    expect(text).toContain(OTHER);
    const order = await tenant.get('/api/admin/orders/get?id=9002');
    expect(at(order, 'order.customer.email')).toBe(OTHER);
    expect((await tenant.get('/api/admin/mailbox', 'admin')).text).toContain(OTHER);
  });

  test('the chain, its checkpoints and its proofs verify as before', async () => {
    const { tenant } = shop;
    const after = await exported(tenant);
    expect(after.slice(0, before.length).map(({ hash }) => hash)).toEqual(
      before.map(({ hash }) => hash),
    );
    await check(tenant, checkpoint, await publishedKeys());
    const verdict = await verdictOn(tenant, await exportLines(tenant), [checkpoint]);
    expect(verdict).toMatchObject({ ok: true, entries: after.length, checkpoints: 1 });
    const erased = after.flatMap((entry) =>
      Object.values(entry.private ?? {}).filter(({ salt }) => salt === undefined),
    );
    expect(verdict).toMatchObject({ parts: { erased: erased.length } });
    expect(erased.length).toBe(answers.reduce((sum, one) => sum + one.erased.auditParts, 0));
    const { size, root } = checkpoint;
    const path = `/api/admin/audit/proof?seq=3&size=${size}`;
    const { hashes } = inclusionProof.parse((await tenant.get(path)).body);
    const leaf = leafHash(after[2]?.hash ?? '');
    expect(verifyInclusion({ index: 2, size, leaf, root }, hashes)).toBe(true);
  });

  test('what the members are called stays, and who decided what', async () => {
    const { tenant, runIds, ann } = shop;
    const { body } = await tenant.get(`/api/admin/workflow-runs/get?id=${runIds[3]}`);
    expect(at({ body }, 'run.status')).toBe('denied');
    expect(at({ body }, 'run.approvals.0.decisions.0.actor.id')).toBe(ann.id);
    expect(at({ body }, 'run.approvals.0.decisions.0.comment')).toBe('[erased]');
    const entries = await exported(tenant);
    const denied = entries.find(({ action }) => action === 'approval.denied');
    expect(denied?.actor.name).toBe('ann');
    expect(denied?.data.comment).toBe('[erased]');
  });

  test('the audit tells of it by a pseudonym and numbers alone', async () => {
    const entries = await exported(shop.tenant);
    const told = entries.filter(({ action }) => action.startsWith('privacy.'));
    expect(told.map(({ action }) => action)).toEqual([
      'privacy.erasure_requested',
      ...answers.map(() => 'privacy.erased'),
    ]);
    const pseudonym = answers[0]?.subject ?? '';
    expect(pseudonym).toMatch(/^sub_[0-9a-f]{32}$/);
    for (const { target } of told) expect(target).toEqual({ type: 'subject', id: pseudonym });
    expect(told[0]?.data).toEqual({ kind: 'customer', reason: '[erased]' });
    expect(told.at(-1)?.data).toMatchObject({
      done: true,
      erased: { events: 4, runs: 3, orders: 1, members: 0 },
    });
  });

  test('asked for again, it finds nothing more and answers the same pseudonym', async () => {
    const customer = { id: CUSTOMER, email: EMAIL };
    const [again, ...more] = await eraseWhole(shop.tenant, { customer }, 'To be sure');
    expect(more).toEqual([]);
    expect(again).toMatchObject({ subject: answers[0]?.subject, done: true, remaining: [] });
    expect(Object.values(again?.erased ?? {}).every((count) => count === 0)).toBe(true);
  });
});

describe('a member', () => {
  test('is erased once removed: name, address, comments, and what bears their name', async () => {
    const { tenant, runIds } = await openShop();
    const dora = await addPerson(tenant, 'Dora-Dodo', 'admin');
    const by = { token: dora.key, body: flagWorkflow({ name: 'Of hers' }) };
    expect((await send('POST', '/api/admin/workflows/create', by)).status).toBe(201);
    const asked = await tenant.events({
      type: 'custom.refund.asked',
      data: { orderId: '9002', reason: 'late' },
    });
    const runId = textAt(asked, 'events.0.runs.0');
    await runWithStatus(tenant, runId, 'pending_approval');
    await vote(dora, runId, 'approve', { comment: 'seen by the dodo' });
    await runWithStatus(tenant, runId, 'succeeded');
    const live = await tenant.post(ERASE, { memberId: dora.id, reason: 'left' });
    expect(live.status).toBe(409);
    await tenant.post('/api/admin/members/remove', { id: dora.id });
    await allQuiet(tenant);
    const chain = (await exported(tenant)).map(({ hash }) => hash);
    const last = (await eraseWhole(tenant, { memberId: dora.id }, 'left')).at(-1);
    expect(last).toMatchObject({ done: true, erased: { members: 1, runs: 1 }, remaining: [] });
    await allQuiet(tenant);
    expect(await hitsOf(tenant, [...runIds, runId], ['dodo', dora.email])).toEqual([]);
    const after = await exported(tenant);
    expect(after.slice(0, chain.length).map(({ hash }) => hash)).toEqual(chain);
    const voted = after.findLast(({ action }) => action === 'approval.approved');
    expect(voted?.actor).toEqual({ type: 'member', id: dora.id, name: '[erased]' });
    expect((await tenant.get('/api/admin/orders/get?id=9002')).text).toContain(OTHER);
  }, 60_000);

  test('one that does not exist, or is another tenant’s, is 404', async () => {
    const [tenant, other] = [await newTenant(), await newTenant()];
    const theirs = await addPerson(other, 'eve', 'viewer');
    await other.post('/api/admin/members/remove', { id: theirs.id });
    for (const memberId of [theirs.id, 'mem_019a6b3c5d7e7f8091a2b3c4d5e6f708']) {
      const { status } = await tenant.post(ERASE, { memberId, reason: 'x' });
      expect(status).toBe(404);
    }
  });
});

describe('what waits', () => {
  test('stays, is named as remaining, and goes once it has ended', async () => {
    const { tenant, runIds } = await openShop();
    const reason = `for ${EMAIL}`;
    const asked = await tenant.events({
      type: 'custom.refund.asked',
      data: { orderId: '9002', reason },
    });
    const runId = textAt(asked, 'events.0.runs.0');
    await runWithStatus(tenant, runId, 'pending_approval');
    const subject = { customer: { email: EMAIL, name: NAME, id: CUSTOMER } };
    const first = (await eraseWhole(tenant, subject, 'asked')).at(-1);
    expect(first?.remaining).toContainEqual(
      expect.objectContaining({ kind: 'runs', count: 1, ids: [runId] }),
    );
    const waiting = await tenant.get('/api/admin/approvals?status=pending', 'admin');
    expect(at(waiting, 'items.0.input.reason')).toBe(reason);
    await tenant.post('/api/admin/workflow-runs/cancel', { runId });
    await runWithStatus(tenant, runId, 'cancelled');
    await allQuiet(tenant);
    const second = (await eraseWhole(tenant, subject, 'asked')).at(-1);
    expect(second?.remaining).toEqual([]);
    const hits = await hitsOf(tenant, [...runIds, runId], [`for ${EMAIL}`, NAME, CUSTOMER]);
    expect(hits).toEqual([]);
  }, 60_000);
});

describe('the request', () => {
  test('takes one subject with a reason, and no cursor but its own', async () => {
    const tenant = await newTenant();
    const customer = { email: EMAIL };
    for (const body of [
      { reason: 'x' },
      { customer },
      { customer: {}, reason: 'x' },
      { customer, memberId: 'mem_1', reason: 'x' },
      { customer, reason: ' ' },
      { customer, reason: 'x', cursor: 'eA' },
    ])
      expect((await tenant.post(ERASE, JSON.parse(JSON.stringify(body)))).status).toBe(400);
    expect((await tenant.post(ERASE, { customer, reason: 'x' }, { role: 'approver' })).status).toBe(
      403,
    );
  });

  test('erases nothing of another tenant', async () => {
    const [mine, theirs] = [await newTenant(), await newTenant()];
    for (const tenant of [mine, theirs]) await tenant.events(orderOf('1', { email: EMAIL }));
    await allQuiet(mine);
    await allQuiet(theirs);
    await eraseWhole(mine, { customer: { email: EMAIL } }, 'asked');
    const order = await theirs.get('/api/admin/orders/get?id=1');
    expect(at(order, 'order.customer.email')).toBe(EMAIL);
    expect((await theirs.get('/api/admin/events')).text).toContain(EMAIL);
    const { results } = await env.DB.prepare('SELECT data FROM events WHERE tenant_id = ?')
      .bind(mine.id)
      .all();
    expect(JSON.stringify(results)).not.toContain(EMAIL);
  });
});
