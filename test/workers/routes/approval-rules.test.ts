/** The policy's rules from the request to the effect, over HTTP: conditions, frozen rules, edits, time. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { JsonObject } from '../../../src/contract/json.ts';
import { addPerson, type Person, readRun } from '../notices/support.ts';
import { passTime, ring } from '../objects/support/disturb.ts';
import { at, faultPaths, fieldsOf, listAt, textAt } from '../support/answers.ts';
import { newTenant, runWithStatus, send, type Tenant } from '../support/api.ts';
import { createWorkflow } from '../support/samples.ts';

const HOUR_MS = 3_600_000;
const UPDATE = '/api/admin/approval-policy/update';
const usd = (amount: number) => ({ amount, currency: 'USD' });

let tenant: Tenant;
let people: Record<'ann' | 'bob' | 'root', Person>;
beforeEach(async () => {
  tenant = await newTenant();
  people = {
    ann: await addPerson(tenant, 'ann', 'approver'),
    bob: await addPerson(tenant, 'bob', 'approver'),
    root: await addPerson(tenant, 'root', 'admin'),
  };
  await createWorkflow(tenant, refunding({}));
  const order = { id: '1', total: usd(1_000_000) };
  await tenant.events({ type: 'order.created', data: { order } });
});
afterEach(() => {
  vi.useRealTimers();
});

/** Refunds what the event says, under what `step` adds. */
function refunding(step: JsonObject, event = 'custom.refund'): JsonObject {
  const input = { orderId: '1', amount: '{{ event.data.amount }}' };
  const steps = [{ id: 'refund', action: 'order.refund', with: input, ...step }];
  return { name: `On ${event}`, trigger: { event }, steps, enabled: true };
}

async function policy(rule: JsonObject) {
  return await tenant.post(UPDATE, { actions: { 'order.refund': rule } });
}

/** A run whose refund waits; its id. */
async function asked(amount: JsonObject = usd(500), type = 'custom.refund'): Promise<string> {
  const sent = await tenant.events({ type, data: { amount } });
  const runId = textAt(sent, 'events.0.runs.0');
  await runWithStatus(tenant, runId, 'pending_approval');
  return runId;
}

async function say(who: Person, verb: string, runId: string, more: JsonObject = {}) {
  const body = { runId, ...more };
  return await send('POST', `/api/admin/workflow-runs/${verb}`, { token: who.key, body });
}

async function refunded(): Promise<unknown> {
  return at(await tenant.get('/api/admin/orders/get?id=1'), 'order.refunded.amount');
}

describe('a condition on the inputs', () => {
  const LARGE = { if: 'input.amount.amount > 50000', approvals: 2 };

  test('asks for two people beyond 500.00, and for one below', async () => {
    expect((await policy({ when: [LARGE] })).status).toBe(200);
    const small = await asked(usd(50_000));
    expect(at(await say(people.ann, 'approve', small), 'run.approvals.0.status')).toBe('approved');
    const large = await asked(usd(50_001));
    expect(at(await say(people.ann, 'approve', large), 'run.approvals.0.status')).toBe('pending');
    expect(at(await say(people.bob, 'approve', large), 'run.approvals.0.status')).toBe('approved');
    await runWithStatus(tenant, large, 'succeeded');
    expect(await refunded()).toBe(100_001);
  });

  test('of several that are true, the last one wins, field by field', async () => {
    const whole = { if: 'tenant.id != "" && event.type == "custom.refund"', roles: ['admin'] };
    const rule = { when: [LARGE, whole, { if: 'input.amount.amount > 90000', approvals: 3 }] };
    await policy(rule);
    const approval = async (amount: number) =>
      at(await readRun(tenant, await asked(usd(amount))), 'run.approvals.0');
    expect(await approval(1)).toMatchObject({ required: 1, roles: ['admin'] });
    expect(await approval(50_001)).toMatchObject({ required: 2, roles: ['admin'] });
    expect(await approval(90_001)).toMatchObject({ required: 3, roles: ['admin'] });
  });

  test('may say that nobody is needed, or that somebody is', async () => {
    await policy({ when: [{ if: 'input.amount.amount <= 100', required: false }] });
    const sent = await tenant.events({ type: 'custom.refund', data: { amount: usd(100) } });
    await runWithStatus(tenant, textAt(sent, 'events.0.runs.0'), 'succeeded');
    await asked(usd(101));
    await policy({ required: false, when: [{ if: 'input.amount.amount > 100', required: true }] });
    await asked(usd(101));
  });

  test('that cannot be told fails the step: it is taken neither as true nor as false', async () => {
    await policy({ required: false, when: [{ if: 'input.reason == "damaged"', approvals: 2 }] });
    const sent = await tenant.events({ type: 'custom.refund', data: { amount: usd(100) } });
    const run = await runWithStatus(tenant, textAt(sent, 'events.0.runs.0'), 'failed');
    expect(at(run, 'run.error.code')).toBe('policy_failed');
    expect(await refunded()).toBe(0);
  });

  test('that is no CEL, or asks for unknown names, is refused where it stands', async () => {
    const wrong = await policy({ when: [LARGE, { if: 'input.amount.amount >', approvals: 2 }] });
    expect([wrong.status, faultPaths(wrong)]).toEqual([400, ['actions.order.refund.when.1.if']]);
    const unknown = await policy({ when: [{ if: 'steps.a.output == 1', approvals: 2 }] });
    expect(faultPaths(unknown)).toEqual(['actions.order.refund.when.0.if']);
  });

  test('is held against edited inputs too: they cannot be edited past it', async () => {
    await policy({ when: [LARGE] });
    const runId = await asked(usd(50_000));
    const more = { input: { orderId: '1', amount: usd(50_001) } };
    const past = await say(people.root, 'edit', runId, more);
    expect([past.status, past.body.code]).toEqual([409, 'conflict']);
    expect(at(await readRun(tenant, runId), 'run.approvals.0.edits')).toBe(0);
  });
});

describe('what a workflow asks for beyond the policy', () => {
  test('holds, and never less than the policy', async () => {
    const approval = { approvals: 2, roles: ['admin'], expiresIn: '1h', reasonRequired: true };
    await createWorkflow(tenant, refunding({ approval }, 'custom.strict'));
    const strict = at(
      await readRun(tenant, await asked(usd(1), 'custom.strict')),
      'run.approvals.0',
    );
    expect(strict).toMatchObject({ required: 2, roles: ['admin'], reasonRequired: true });
    await policy({ approvals: 3, roles: ['admin'], expiresIn: '30m' });
    const lax = { approvals: 1, roles: ['approver'], expiresIn: '72h' };
    await createWorkflow(tenant, refunding({ approval: lax }, 'custom.lax'));
    const run = await readRun(tenant, await asked(usd(1), 'custom.lax'));
    expect(at(run, 'run.approvals.0')).toMatchObject({ required: 3, roles: ['admin'] });
    const waits = ['requestedAt', 'expiresAt'].map((name) =>
      Date.parse(textAt(run, `run.approvals.0.${name}`)),
    );
    expect((waits[1] ?? 0) - (waits[0] ?? 0)).toBe(HOUR_MS / 2);
  });

  test('no field of it can ask for less', async () => {
    const lesser: JsonObject[] = [
      { reasonRequired: false },
      { onExpire: 'escalate' },
      { selfApproval: true },
    ];
    for (const less of lesser) {
      const made = await tenant.post('/api/admin/workflows/create', refunding({ approval: less }));
      expect(made.status).toBe(400);
      expect(faultPaths(made)).toEqual([`steps.0.approval.${Object.keys(less)[0]}`]);
    }
  });
});

describe('a request that waits', () => {
  test('is bound to the rule of its beginning, whatever becomes of the policy', async () => {
    await policy({ approvals: 2, breakGlass: true, edit: 'approver' });
    const runId = await asked();
    const { hash, expires } = await shown(runId);
    const stricter = { approvals: 5, roles: ['admin'], breakGlass: false, edit: 'nobody' };
    await policy({ ...stricter, expiresIn: '1s', reasonRequired: true });
    expect(await shown(runId)).toEqual({ hash, expires });
    await say(people.ann, 'approve', runId, { inputHash: hash });
    expect(at(await say(people.bob, 'approve', runId), 'run.approvals.0.status')).toBe('approved');
    await policy({
      approvals: 1,
      breakGlass: true,
      roles: ['approver'],
      expiresIn: '1h',
      reasonRequired: false,
    });
    const second = await asked();
    await policy({ breakGlass: false });
    const broken = await say(people.root, 'override', second, { comment: 'Now' });
    expect(broken.status).toBe(200);
  });

  test('goes on with what was edited, after an escalation, by those to whom it was escalated', async () => {
    const escalateTo = { roles: ['admin'], members: [people.bob.id], expiresIn: '4h' };
    await policy({ expiresIn: '1h', onExpire: 'escalate', escalateTo, edit: 'approver' });
    const runId = await asked(usd(900));
    const before = await shown(runId);
    passTime(HOUR_MS + 1_000);
    await ring(tenant.id, runId);
    const after = await shown(runId);
    expect(after.hash).toBe(before.hash);
    expect(Date.parse(after.expires)).toBeGreaterThan(Date.parse(before.expires));
    const input = { orderId: '1', amount: usd(700) };
    expect((await say(people.ann, 'edit', runId, { input })).status).toBe(200);
    const edited = await shown(runId);
    expect(edited.hash).not.toBe(before.hash);
    const old = await say(people.bob, 'approve', runId, { inputHash: before.hash });
    expect(old.body.code).toBe('approval_mismatch');
    expect((await say(people.ann, 'approve', runId)).body.code).toBe('forbidden');
    await say(people.bob, 'approve', runId, { inputHash: edited.hash });
    await runWithStatus(tenant, runId, 'succeeded');
    expect(await refunded()).toBe(700);
    const trail = await tenant.get(`/api/admin/audit?target=${runId}&limit=200`);
    expect(fieldsOf(trail, 'action')).toEqual([
      'approval.approved',
      'approval.edited',
      'approval.escalated',
      'approval.requested',
    ]);
    const changes = [{ path: 'amount.amount', before: 900, after: 700 }];
    expect(at(trail, 'items.1.data')).toMatchObject({ changes, inputHash: edited.hash });
  });

  test('escalates once: silence after that denies', async () => {
    const escalateTo = { roles: ['admin'], members: [], expiresIn: '1h' };
    await policy({ expiresIn: '1h', onExpire: 'escalate', escalateTo });
    const runId = await asked();
    for (const status of ['pending_approval', 'expired']) {
      passTime(HOUR_MS + 1_000);
      await ring(tenant.id, runId);
      await runWithStatus(tenant, runId, status);
    }
    expect(await refunded()).toBe(0);
  });

  test('takes a reason for an approval where the policy asks for one, and for a denial always', async () => {
    await policy({ reasonRequired: true });
    const runId = await asked();
    const silent = await say(people.ann, 'approve', runId);
    expect([silent.status, faultPaths(silent)]).toEqual([400, ['comment']]);
    expect((await say(people.ann, 'deny', runId)).status).toBe(400);
    expect((await say(people.ann, 'approve', runId, { comment: 'Seen' })).status).toBe(200);
  });
});

describe('a decision', () => {
  test('that comes early, late or twice has an answer, and changes nothing', async () => {
    const steps: JsonObject[] = [
      { id: 'nap', wait: '1h' },
      { id: 'refund', action: 'order.refund', with: { orderId: '1', amount: usd(1) } },
    ];
    const trigger = { event: 'custom.later' };
    await createWorkflow(tenant, { name: 'Later', trigger, steps, enabled: true });
    await policy({ approvals: 2 });
    const sent = await tenant.events({ type: 'custom.later', data: {} });
    const runId = textAt(sent, 'events.0.runs.0');
    await runWithStatus(tenant, runId, 'waiting');
    const early = await say(people.ann, 'approve', runId);
    expect([early.status, early.body.code]).toEqual([409, 'conflict']);
    expect(at(early, 'run.status')).toBe('waiting');
    passTime(HOUR_MS + 1_000);
    await ring(tenant.id, runId);
    await runWithStatus(tenant, runId, 'pending_approval');
    await say(people.ann, 'approve', runId);
    const twice = await say(people.ann, 'approve', runId);
    expect([twice.status, twice.body.code]).toEqual([403, 'self_approval']);
    await say(people.bob, 'approve', runId);
    const late = await say(people.root, 'deny', runId, { comment: 'No' });
    expect([late.status, late.body.code]).toEqual([409, 'approval_decided']);
    const run = await runWithStatus(tenant, runId, 'succeeded');
    expect(listAt(run, 'run.approvals.0.decisions')).toHaveLength(2);
    expect(await refunded()).toBe(1);
  });

  test('alone and against the quorum is loud: in the run, in the audit, with its reason', async () => {
    await policy({ approvals: 5, breakGlass: true });
    const runId = await asked(usd(300));
    await say(people.ann, 'approve', runId);
    const done = await say(people.root, 'override', runId, { comment: 'The customer is here' });
    expect(at(done, 'run.approvals.0')).toMatchObject({ overridden: true, status: 'approved' });
    await runWithStatus(tenant, runId, 'succeeded');
    const told = await tenant.get('/api/admin/audit?action=approval.overridden');
    expect(at(told, 'items.0')).toMatchObject({
      actor: { id: people.root.id },
      target: { id: runId },
      data: { comment: 'The customer is here' },
    });
    expect(await refunded()).toBe(300);
  });
});

async function shown(runId: string): Promise<{ hash: string; expires: string }> {
  const run = await readRun(tenant, runId);
  const hash = textAt(run, 'run.approvals.0.inputHash');
  return { hash, expires: textAt(run, 'run.approvals.0.expiresAt') };
}
