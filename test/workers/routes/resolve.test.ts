/** An outcome that nobody knows, over HTTP: the inbox asks, a person answers, the audit has it. */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { JsonObject } from '../../../src/contract/json.ts';
import {
  addPerson,
  auditOf,
  linkIn,
  look,
  mailsWith,
  readRun,
  submit,
  type Waiting,
} from '../notices/support.ts';
import { at, textAt } from '../support/answers.ts';
import { eventually, newTenant, runWithStatus, send } from '../support/api.ts';
import { createWorkflow, startRun } from '../support/samples.ts';

/** Stripe, which has seen our key with other inputs, until it takes the refund. */
let refunds: 'unknown' | 'done' | 'refused' = 'unknown';
let asked = 0;

const CHARGE = { id: 'ch_1', currency: 'usd', amount: 7_500, amount_refunded: 0 };
const INTENT = { id: 'pi_1', currency: 'usd', amount_received: 7_500, latest_charge: CHARGE };
const REFUND = { id: 're_1', currency: 'usd', amount: 500, status: 'succeeded' };
const REFUSED = { error: { type: 'invalid_request_error', message: 'Already refunded.' } };
const CONFLICT = { error: { type: 'idempotency_error', message: 'Another request.' } };

beforeAll(() => {
  vi.spyOn(globalThis, 'fetch').mockImplementation(async (input, init) => {
    const { pathname } = new URL(String(input));
    if (init?.method === 'POST' && pathname === '/v1/refunds') {
      asked += 1;
      if (refunds === 'done') return Response.json(REFUND);
      return Response.json(refunds === 'refused' ? REFUSED : CONFLICT, { status: 400 });
    }
    return Response.json(pathname === '/v1/refunds' ? { data: [] } : INTENT);
  });
});
afterAll(() => {
  vi.restoreAllMocks();
});

/** A refund that Ann approved, of which nobody knows whether it was made. */
async function unknownRefund(): Promise<Waiting> {
  refunds = 'unknown';
  asked = 0;
  const tenant = await newTenant();
  const people = {
    ann: await addPerson(tenant, 'ann', 'approver'),
    bob: await addPerson(tenant, 'bob', 'viewer'),
  };
  const stripe = { kind: 'stripe', webhookSecret: 'whsec_12345678', apiKey: 'sk_test_12345678' };
  expect((await tenant.post('/api/admin/connections/set', stripe)).status).toBe(200);
  const input = { orderId: 'pi_1', amount: { amount: 500, currency: 'USD' } };
  await createWorkflow(tenant, {
    name: 'Refund',
    enabled: true,
    trigger: { event: 'order.created' },
    steps: [{ id: 'back', action: 'order.refund', with: input }],
  });
  const runId = await startRun(tenant);
  await runWithStatus(tenant, runId, 'pending_approval');
  const body = { runId };
  await send('POST', '/api/admin/workflow-runs/approve', { token: people.ann.key, body });
  await eventually(
    () => readRun(tenant, runId),
    (run) => expect(at(run, 'run.approvals.1.kind')).toBe('resolve'),
  );
  return { tenant, people, runId };
}

async function say(where: Waiting, path: 'approve' | 'deny', body: JsonObject, who = 'ann') {
  const token = where.people[who]?.key ?? '';
  const sent = { token, body: { runId: where.runId, ...body } };
  return await send('POST', `/api/admin/workflow-runs/${path}`, sent);
}

describe('a refund of which nobody knows whether it was made', () => {
  test('waits in the inbox with the question, and was asked for once', async () => {
    const where = await unknownRefund();
    expect(at(await readRun(where.tenant, where.runId), 'run.status')).toBe('pending_approval');
    const inbox = await eventually(
      () => send('GET', '/api/admin/approvals?mine=true', { token: where.people.ann?.key ?? '' }),
      (list) => expect(at(list, 'items.0.kind')).toBe('resolve'),
    );
    expect(at(inbox, 'items.0.error.code')).toBe('outcome_unknown');
    expect(at(inbox, 'items.0.input.orderId')).toBe('pi_1');
    expect(asked).toBe(1);
  });

  test('needs to be told which, by somebody who may', async () => {
    const where = await unknownRefund();
    const silent = await say(where, 'approve', {});
    expect(silent).toMatchObject({ status: 400, body: { code: 'validation_failed' } });
    expect(at(silent, 'errors.0.path')).toBe('resolution');
    expect((await say(where, 'approve', { resolution: 'perhaps' })).status).toBe(400);
    expect((await say(where, 'approve', { resolution: 'happened' }, 'bob')).status).toBe(403);
    expect(asked).toBe(1);
  });

  test('happened: the run succeeds without another request, and the audit says who said so', async () => {
    const where = await unknownRefund();
    const said = await say(where, 'approve', { resolution: 'happened', comment: 'Seen there.' });
    expect(at(said, 'run.status')).toBe('succeeded');
    expect(at(said, 'run.approvals.1.decisions.0.resolution')).toBe('happened');
    expect(asked).toBe(1);
    const audit = await where.tenant.get(`/api/admin/audit?target=${where.runId}`);
    expect(at(audit, 'items.0.action')).toBe('approval.approved');
    expect(at(audit, 'items.0.data.resolution')).toBe('happened');
    expect(at(audit, 'items.1.data.kind')).toBe('resolve');
    const again = await say(where, 'approve', { resolution: 'retry' });
    expect(again).toMatchObject({ status: 409, body: { code: 'approval_decided' } });
  });

  test('try again: one more request, and then it is done', async () => {
    const where = await unknownRefund();
    refunds = 'done';
    await say(where, 'approve', { resolution: 'retry' });
    const run = await runWithStatus(where.tenant, where.runId, 'succeeded');
    expect(at(run, 'run.steps.0.output.amount.amount')).toBe(500);
    expect(asked).toBe(2);
  });

  test('give up: denied, with the reason', async () => {
    const where = await unknownRefund();
    const said = await say(where, 'deny', { comment: 'We will call them.' });
    expect(at(said, 'run.status')).toBe('denied');
    expect(textAt(said, 'run.error.message')).toContain('gave up');
    expect(await auditOf(where)).toContain('approval.denied');
  });

  test.each([
    ['happened', { resolution: 'happened' }, 'approve', 'pending_approval'],
    ['given up', { comment: 'We will call them.' }, 'deny', 'pending_approval'],
    ['tried again, and refused', { resolution: 'retry' }, 'approve', 'succeeded'],
  ] as const)('%s: its part of a budget is kept as long as it may have happened', async (...of) => {
    const [, body, path, next] = of;
    refunds = 'unknown';
    const tenant = await newTenant();
    const ann = await addPerson(tenant, 'ann', 'approver');
    const stripe = { kind: 'stripe', webhookSecret: 'whsec_12345678', apiKey: 'sk_test_12345678' };
    await tenant.post('/api/admin/connections/set', stripe);
    const budget = { count: 1, window: '1h' };
    const actions = { 'order.refund': { required: false, budget } };
    await tenant.post('/api/admin/approval-policy/update', { actions });
    const input = { orderId: 'pi_1', amount: { amount: 500, currency: 'USD' } };
    await createWorkflow(tenant, {
      name: 'Refund',
      enabled: true,
      trigger: { event: 'order.created' },
      steps: [{ id: 'back', action: 'order.refund', with: input, retry: { attempts: 1 } }],
    });
    const runId = await startRun(tenant);
    await runWithStatus(tenant, runId, 'pending_approval');
    if (next === 'succeeded') refunds = 'refused';
    await say({ tenant, people: { ann }, runId }, path, body);
    await eventually(
      () => readRun(tenant, runId),
      (run) => expect(at(run, 'run.finishedAt')).not.toBeNull(),
    );
    refunds = 'done';
    await runWithStatus(tenant, await startRun(tenant, '2'), next);
  });

  test('the mail asks, and the page behind its link has three answers', async () => {
    const where = await unknownRefund();
    const [mail] = await mailsWith(where.tenant, 'Did this happen?', 1);
    if (mail === undefined) throw new Error('no mail');
    const link = linkIn(mail);
    const page = await look(link);
    expect(page.html).toContain('Did this happen?');
    expect(page.html).toContain('value="retry"');
    expect(page.html).not.toContain('value="approved"');
    const email = where.people.ann?.email ?? '';
    const wrong = await submit(link, { decision: 'approved', email });
    expect(wrong.html).toContain('Nothing was decided');
    const done = await submit(link, { decision: 'happened', email });
    expect(done.html).toContain('You said that it happened at');
    expect(at(await readRun(where.tenant, where.runId), 'run.status')).toBe('succeeded');
  });
});
