/**
 * A customer who is everywhere: put in through every entrance there is, each time with a word that no
 * other place has, and after the erasure looked for in every table, every object and every file.
 */
import { beforeAll, describe, expect, test } from 'vitest';
import page from '../../../docs/privacy.md?raw';
import { consistencyProof, inclusionProof } from '../../../src/contract/checkpoints.ts';
import type { Json, JsonObject } from '../../../src/contract/json.ts';
import { leafHash } from '../../../src/engine/merkle.ts';
import { verifyConsistency, verifyInclusion } from '../../../src/engine/merkle-proof.ts';
import { answer } from '../../fixtures/receiver/script.ts';
import { exported, exportLines, signed, verdictOn } from '../audit/support.ts';
import { addPerson, type Person } from '../notices/support.ts';
import { at, listAt, textAt } from '../support/answers.ts';
import { eventually, newTenant, runWithStatus, send, type Tenant } from '../support/api.ts';
import { openAddress } from '../support/real-receiver.ts';
import { createWorkflow } from '../support/samples.ts';
import { allQuiet, type Erased, eraseWhole, hitsOf, placesOf } from './support.ts';

const EMAIL = 'quill.canary@shop.example';
const CUSTOMER = 'cust-90210-quill';
const NAME = 'Quill Canary';
/** What says nothing of whom it is about: it has to go with the event or the order that it stood in. */
const WORD = 'zeisig';
const PERSON = { id: CUSTOMER, email: EMAIL, name: NAME };
const MARKS = [EMAIL, CUSTOMER, NAME, 'quill', 'canary'];

/** Workflows that carry what an event says into everything that a workflow can write. */
const WORKFLOWS: Readonly<Record<string, JsonObject>> = {
  'order.created': {
    steps: [
      {
        id: 'thank',
        action: 'notify.email',
        with: {
          to: '{{ event.data.order.customer.email }}',
          subject: 'Thank you, {{ event.data.order.customer.name }}',
          html: '<p>{{ event.data.order.note }}-html</p>',
        },
      },
      {
        id: 'pack',
        action: 'notify.email',
        with: {
          to: 'ops@example.com',
          subject: 'Pack it',
          text: 'Mind the {{ event.data.order.note }}-ops',
        },
      },
      {
        id: 'tag',
        action: 'tag.order',
        with: { orderId: '{{ event.data.order.id }}', tag: '{{ event.data.order.note }}-tag' },
      },
      {
        id: 'vip',
        action: 'flag.enable',
        with: { key: 'vip-{{ event.data.order.customer.id }}' },
      },
    ],
  },
  'flags.changed': {
    steps: [
      {
        id: 'tell',
        action: 'notify.email',
        with: {
          to: 'ops@example.com',
          subject: 'A flag changed',
          text: '{{ event.data.flag.key }}',
        },
      },
    ],
  },
  'custom.refund.asked': {
    steps: [
      // Its input fills the run's row in the log: what comes later has rows of its own.
      {
        id: 'say',
        action: 'notify.email',
        with: { to: 'ops@example.com', subject: 'Asked', text: 'as he said '.repeat(1_600) },
      },
      {
        id: 'refund',
        needs: ['say'],
        action: 'order.refund',
        with: {
          orderId: '{{ event.data.orderId }}',
          amount: { amount: 100, currency: 'USD' },
          reason: '{{ event.data.reason }}',
        },
      },
    ],
  },
  'custom.skipped': {
    steps: [
      {
        id: 'never',
        action: 'notify.email',
        if: 'event.data.who == "somebody else"',
        with: { to: 'ops@example.com', subject: 'x', text: 'x' },
      },
      {
        id: 'broken',
        action: 'notify.email',
        needs: [],
        with: { to: '{{ event.data.who }}', subject: 'x', text: 'x' },
      },
    ],
  },
  'custom.condition': {
    trigger: { event: 'custom.condition', if: 'event.data.who.name == "x"' },
    steps: [
      {
        id: 'a',
        action: 'notify.email',
        with: { to: 'ops@example.com', subject: 'x', text: 'x' },
      },
    ],
  },
  'custom.export': {
    steps: ['csv', 'ndjson'].map((format) => ({
      id: format,
      action: 'export.orders',
      with: { format },
    })),
  },
};

/** Events that say who they are about each in a way of its own. */
const EVENTS: readonly Json[] = [
  {
    type: 'order.created',
    subject: `orders/of/${WORD}-subject`,
    nickname: `${WORD}-extension`,
    data: {
      order: {
        id: '7001',
        name: `#7001 ${NAME}`,
        total: { amount: 9900, currency: 'USD' },
        customer: { ...PERSON, email: EMAIL.toUpperCase() },
        tags: [`${WORD}-given`],
        note: WORD,
      },
    },
  },
  {
    type: 'order.refunded',
    data: {
      order: { id: '7001' },
      refund: {
        id: 'r1',
        amount: { amount: 10, currency: 'USD' },
        reason: `${WORD}-refund`,
      },
    },
  },
  { type: 'customer.created', data: { customer: PERSON, more: `${WORD}-customer` } },
  { type: 'custom.note', data: { text: `Call ${NAME} back`, more: `${WORD}-name` } },
  {
    type: 'custom.url',
    data: { url: `https://x.example/?to=${encodeURIComponent(EMAIL)}&${WORD}` },
  },
  { type: 'custom.html', data: { html: `<b>quill.canary&#64;shop.example ${WORD}</b>` } },
  { type: 'custom.json', data: { raw: JSON.stringify({ a: { email: EMAIL }, b: WORD }) } },
  { type: 'custom.field', data: { [EMAIL]: `${WORD}-by-name` } },
  { type: 'custom.by-id', data: { customer_id: CUSTOMER, more: `${WORD}-id` } },
  { type: 'custom.of-order', data: { order: { id: 7001 }, more: `${WORD}-order` } },
  { type: 'custom.subject', subject: `mailto:${EMAIL}`, data: { more: `${WORD}-of-subject` } },
  { type: 'custom.extension', contact: EMAIL, data: { more: `${WORD}-of-extension` } },
  { type: 'custom.skipped', data: { who: `${NAME} ${WORD}` } },
  { type: 'custom.condition', data: { who: { email: EMAIL } } },
];

interface Scene {
  readonly tenant: Tenant;
  readonly runIds: string[];
  readonly deliveryId: string;
  readonly waitingId: string;
  readonly keyed: { readonly key: string; readonly body: JsonObject };
}

async function vote(person: Person, runId: string, route: string, more: JsonObject, headers = {}) {
  const path = `/api/admin/workflow-runs/${route}`;
  const body = { runId, ...more };
  const voted = await send('POST', path, { token: person.key, body, headers });
  expect(voted.status, voted.text).toBe(200);
}

/** Starts a run and waits until it has come so far. */
async function startedUntil(tenant: Tenant, event: JsonObject, status: string): Promise<string> {
  const runId = textAt(await tenant.events(event), 'events.0.runs.0');
  await runWithStatus(tenant, runId, status);
  return runId;
}

async function openScene(): Promise<Scene> {
  const tenant = await newTenant();
  const ann = await addPerson(tenant, 'ann', 'admin');
  const bob = await addPerson(tenant, 'bob', 'approver');
  await tenant.post('/api/admin/approval-policy/update', {
    actions: {
      'order.refund': { edit: 'approver', breakGlass: true },
      'flag.enable': { required: false },
      'export.orders': { required: false },
    },
  });
  for (const [event, more] of Object.entries(WORKFLOWS))
    await createWorkflow(tenant, {
      name: `On ${event}`,
      trigger: { event },
      enabled: true,
      ...more,
    });
  const runIds: string[] = [];
  for (const event of EVENTS) {
    const sent = await tenant.events(event);
    for (const id of listAt({ ...sent, body: { items: at(sent, 'events.0.runs') ?? [] } }))
      runIds.push(String(id));
  }
  for (const runId of runIds)
    await eventually(
      () => tenant.get(`/api/admin/workflow-runs/get?id=${runId}`),
      (run) => expect(['succeeded', 'failed']).toContain(at(run, 'run.status')),
    );
  runIds.push(...(await decided(tenant, ann, bob)));
  runIds.push(await startedUntil(tenant, { type: 'custom.export', data: {} }, 'succeeded'));
  const { runIds: forwarded, deliveryId } = await delivered(tenant);
  runIds.push(...forwarded);
  const keyed = { key: 'seen-once', body: { runId: runIds[0] ?? '' } };
  const cancel = { headers: { 'Idempotency-Key': keyed.key } };
  const refused = await tenant.post('/api/admin/workflow-runs/cancel', keyed.body, cancel);
  expect(refused.text).toContain(WORD);
  await allQuiet(tenant);
  return { tenant, runIds, deliveryId, keyed, waitingId: await waiting(tenant) };
}

/** A run that is nobody's, and in an object still. */
async function waiting(tenant: Tenant): Promise<string> {
  const steps = [{ id: 'pause', wait: '1h' }];
  const trigger = { event: 'custom.wait' };
  await createWorkflow(tenant, { name: 'Wait', trigger, enabled: true, steps });
  return await startedUntil(tenant, { type: 'custom.wait', data: {} }, 'waiting');
}

/** Comments and edits, in every way of deciding: by people who write of the customer. */
async function decided(tenant: Tenant, ann: Person, bob: Person): Promise<string[]> {
  const runIds: string[] = [];
  for (const [route, status] of [
    ['approve', 'succeeded'],
    ['deny', 'denied'],
    ['cancel', 'cancelled'],
    ['override', 'succeeded'],
  ] as const) {
    // Nothing in it is the customer's but the number of the order.
    const data = { orderId: '7001', reason: `${WORD}-reason` };
    const asked = await tenant.events({ type: 'custom.refund.asked', data });
    const runId = textAt(asked, 'events.0.runs.0');
    await runWithStatus(tenant, runId, 'pending_approval');
    const input = { ...data, amount: { amount: 50, currency: 'USD' }, reason: `${WORD}-edited` };
    await vote(bob, runId, 'edit', { input, comment: `half of it for ${WORD}-edit` });
    await vote(ann, runId, route, { comment: `I know ${WORD}-comment` });
    await runWithStatus(tenant, runId, status);
    runIds.push(runId);
  }
  return runIds;
}

/** A webhook that fails, with words of its receiver, and is sent once more; and another one fails. */
async function delivered(tenant: Tenant): Promise<{ runIds: string[]; deliveryId: string }> {
  const headers = { 'retry-after': '1', 'x-request-id': `${WORD}-header` };
  const no = answer(500, { body: `${WORD}-refused`, headers });
  const address = await openAddress([no, answer(200, { body: `${WORD}-taken` }), no]);
  await createWorkflow(tenant, {
    name: 'Forward',
    trigger: { event: 'custom.forward' },
    enabled: true,
    steps: [
      {
        id: 'send',
        action: 'notify.webhook',
        with: {
          url: `${address.url}/{{ event.data.customer.id }}?w={{ event.data.word }}`,
          headers: { 'x-word': '{{ event.data.word }}' },
        },
        retry: { attempts: 1 },
      },
    ],
  });
  const data = { customer: PERSON, word: WORD };
  const forward = () => startedUntil(tenant, { type: 'custom.forward', data }, 'failed');
  const runId = await forward();
  const deliveryId = textAt(await tenant.get(`/api/admin/deliveries?runId=${runId}`), 'items.0.id');
  await tenant.post('/api/admin/deliveries/redeliver', { id: deliveryId });
  await eventually(
    () => tenant.get(`/api/admin/deliveries?runId=${runId}`),
    (list) => expect(listAt(list)).toHaveLength(2),
  );
  return { runIds: [runId, await forward()], deliveryId };
}

describe('after the erasure', () => {
  let scene: Scene;
  let before: Awaited<ReturnType<typeof exported>>;
  let checkpoint: Awaited<ReturnType<typeof signed>>;
  let answers: Erased[];
  let seen: string[];
  let places: string[];
  beforeAll(async () => {
    scene = await openScene();
    const { tenant, runIds } = scene;
    checkpoint = await signed(tenant);
    before = await exported(tenant);
    seen = [...new Set(await hitsOf(tenant, runIds, [WORD, ...MARKS]))];
    places = await placesOf(tenant, scene.waitingId);
    answers = await eraseWhole(tenant, { customer: PERSON }, `Asked for by ${NAME}, ${WORD}`);
    await allQuiet(tenant);
  }, 120_000);

  test('they had been everywhere that the product keeps what comes from outside', () => {
    expect(seen).toEqual([
      'd1.approvals',
      'd1.audit',
      'd1.deliveries',
      'd1.events',
      'd1.flag_changes',
      'd1.flags',
      'd1.mailbox',
      'd1.order_tags',
      'd1.orders',
      'd1.refunds',
      'd1.run_entries',
      'd1.runs',
      'r2',
      'tenant.destinations',
    ]);
  });

  test('nothing is left, of their marks and of what stood beside them', async () => {
    const { tenant, runIds } = scene;
    expect(await hitsOf(tenant, runIds, MARKS)).toEqual([]);
    expect(await hitsOf(tenant, runIds, [WORD])).toEqual([]);
    expect(answers.at(-1)).toMatchObject({ done: true, nextCursor: null, remaining: [] });
  });

  test('no answer of the API has anything of them', async () => {
    const { tenant, runIds, deliveryId } = scene;
    const paths = [
      ...['events', 'workflow-runs', 'approvals?status=approved', 'audit', 'orders', 'flags'],
      ...['mailbox', 'exports', 'deliveries', 'destinations', 'workflows', 'members'],
      ...runIds.map((id) => `workflow-runs/get?id=${id}`),
      ...['orders/get?id=7001', `deliveries/get?id=${deliveryId}`, 'audit/export'],
    ];
    for (const path of paths) {
      const { text, status } = await tenant.get(`/api/admin/${path}`, 'admin');
      expect(status, path).toBe(200);
      for (const word of [WORD, ...MARKS])
        expect(text.toLowerCase(), path).not.toContain(word.toLowerCase());
    }
  });

  test('what was answered once is not answered again, and nothing is done twice', async () => {
    const { tenant, keyed, deliveryId } = scene;
    const headers = { 'Idempotency-Key': keyed.key };
    const repeat = await tenant.post('/api/admin/workflow-runs/cancel', keyed.body, { headers });
    expect(repeat.status).toBe(409);
    expect(repeat.text).not.toContain(WORD);
    expect((await tenant.get(`/api/admin/deliveries/get?id=${deliveryId}`)).text).toContain(
      '"request":null',
    );
    await tenant.post('/api/admin/deliveries/redeliver', { id: deliveryId });
    await allQuiet(tenant);
    expect(listAt(await tenant.get('/api/admin/deliveries')).length).toBe(3);
  });

  test('the chain, its checkpoint and proofs about both sides of the erasure verify', async () => {
    const { tenant } = scene;
    const after = await exported(tenant);
    const hashes = after.map(({ hash }) => hash);
    expect(hashes.slice(0, before.length)).toEqual(before.map(({ hash }) => hash));
    const later = await signed(tenant);
    const verdict = await verdictOn(tenant, await exportLines(tenant), [checkpoint, later]);
    expect(verdict).toMatchObject({ ok: true, checkpoints: 2 });
    if (!verdict.ok) throw new Error(verdict.reason);
    expect(verdict.parts.erased).toBeGreaterThan(10);
    expect(verdict.parts.told).toBe(verdict.parts.erased);
    const [from, to] = [checkpoint.size, later.size];
    const path = `/api/admin/audit/consistency?from=${from}&to=${to}`;
    const consistency = consistencyProof.parse((await tenant.get(path)).body);
    const roots = { fromRoot: checkpoint.root, toRoot: later.root };
    expect(verifyConsistency({ from, to, ...roots }, consistency.hashes)).toBe(true);
    for (const { seq, hash } of after.filter((entry) => entry.private !== undefined).slice(0, 20)) {
      const proof = await tenant.get(`/api/admin/audit/proof?seq=${seq}&size=${to}`);
      const claim = { index: seq - 1, size: to, leaf: leafHash(hash), root: later.root };
      expect(verifyInclusion(claim, inclusionProof.parse(proof.body).hashes)).toBe(true);
    }
  });

  test('the page about privacy names every place where anything is kept, and no other', () => {
    const rows = page.matchAll(/^\| `((?:d1|tenant|run|r2)\.\w+)` \|/gm);
    expect([...rows].map(([, name]) => name).toSorted()).toEqual(places);
  });

  test('what is no person’s stays: sums, times, decisions, and who decided', async () => {
    const { tenant, runIds } = scene;
    const order = await tenant.get('/api/admin/orders/get?id=7001');
    expect(at(order, 'order')).toMatchObject({
      total: { amount: 9900, currency: 'USD' },
      customer: { id: null, email: null, name: null },
      tags: [],
    });
    expect(at(order, 'order.refunded.amount')).toBe(110);
    for (const runId of runIds) {
      const run = await tenant.get(`/api/admin/workflow-runs/get?id=${runId}`);
      const seqs = listAt({ ...run, body: { items: at(run, 'run.timeline') ?? [] } }).map((entry) =>
        at({ body: { entry } }, 'entry.seq'),
      );
      expect(seqs).toEqual(seqs.map((_, index) => index + 1));
    }
    const decisions = (await exported(tenant)).filter(({ action }) =>
      ['approval.approved', 'approval.denied', 'approval.overridden'].includes(action),
    );
    expect(decisions.map(({ actor }) => actor.name)).toEqual(['ann', 'ann', 'ann']);
    expect(decisions.map(({ data }) => data.comment)).toEqual(['[erased]', '[erased]', '[erased]']);
  });
});
