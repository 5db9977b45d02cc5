/** Runs over the API: reading, listing, deciding, cancelling, and what is refused with which code. */
import { beforeAll, describe, expect, test } from 'vitest';
import type { Json } from '../../../src/contract/json.ts';
import { type Answer, at, faultPaths, fieldsOf, listAt, textAt } from '../support/answers.ts';
import { eventually, newTenant, runWithStatus, type Tenant } from '../support/api.ts';
import { openAddress } from '../support/real-receiver.ts';
import {
  createWorkflow,
  flagWorkflow,
  orderEvent,
  startRun,
  tagWorkflow,
} from '../support/samples.ts';

const APPROVE = '/api/admin/workflow-runs/approve';
const DENY = '/api/admin/workflow-runs/deny';
const CANCEL = '/api/admin/workflow-runs/cancel';

function read(tenant: Tenant, id: string): Promise<Answer> {
  return tenant.get(`/api/admin/workflow-runs/get?id=${id}`);
}

/** A tenant with a run that waits for an approval. */
async function waiting(more = {}): Promise<{ tenant: Tenant; runId: string }> {
  const tenant = await newTenant();
  await createWorkflow(tenant, flagWorkflow(more));
  const runId = await startRun(tenant);
  await runWithStatus(tenant, runId, 'pending_approval');
  return { tenant, runId };
}

function expectGapFree(answer: Answer): void {
  const numbers = listAt(answer, 'run.timeline').map((entry) =>
    at({ body: { entry } }, 'entry.seq'),
  );
  expect(numbers).toEqual(numbers.map((_, index) => index + 1));
}

describe('a run', () => {
  test('shows its steps, its timeline without a gap, and what started it', async () => {
    const tenant = await newTenant();
    const workflowId = await createWorkflow(tenant, tagWorkflow());
    const sent = await tenant.events(orderEvent('7', { correlationid: 'corr' }));
    const id = textAt(sent, 'events.0.runs.0');
    const answer = await runWithStatus(tenant, id, 'succeeded');
    expect(answer.body.run).toMatchObject({
      id,
      workflowId,
      workflowName: 'Tag orders',
      workflowVersion: 1,
      eventId: textAt(sent, 'events.0.id'),
      eventType: 'order.created',
      requestId: sent.headers.get('x-request-id'),
      correlationId: 'corr',
      error: null,
      steps: [{ id: 'tag', action: 'tag.order', status: 'succeeded', attempts: 1 }],
    });
    expect(at(answer, 'run.steps.0.input')).toEqual({ orderId: '7', tag: 'new' });
    expectGapFree(answer);
  });

  test('is found at once by the id that the answer to its event tells, while it waits for its destination', async () => {
    const tenant = await newTenant();
    const { url, react } = await openAddress([{ kind: 'held' }]);
    const steps = [{ id: 'send', action: 'notify.webhook', with: { url, body: {} } }];
    await createWorkflow(tenant, tagWorkflow({ steps }));
    const id = textAt(await tenant.events(orderEvent('8')), 'events.0.runs.0');
    const answer = await read(tenant, id);
    expect(answer.body.run).toMatchObject({ id, status: 'queued', timeline: [] });
    await react({ replies: [{ kind: 'answer', status: 200 }] });
    await runWithStatus(tenant, id, 'succeeded');
  });

  test('goes on in the version that started it', async () => {
    const { tenant, runId } = await waiting();
    const id = textAt(await read(tenant, runId), 'run.workflowId');
    const { enabled: _enabled, ...definition } = flagWorkflow({ name: 'Changed meanwhile' });
    await tenant.post('/api/admin/workflows/update', { id, version: 1, ...definition });
    await tenant.post(APPROVE, { runId }, { role: 'approver' });
    const done = await runWithStatus(tenant, runId, 'succeeded');
    expect(at(done, 'run.workflowVersion')).toBe(1);
    expect(at(done, 'run.workflowName')).toBe('Switch a flag');
  });
});

describe('the list', () => {
  let tenant: Tenant;
  const known: Record<string, string> = {};
  beforeAll(async () => {
    tenant = await newTenant();
    known.tagging = await createWorkflow(tenant, tagWorkflow());
    const trigger = { event: 'custom.flag' };
    known.switching = await createWorkflow(tenant, flagWorkflow({ trigger }));
    const first = await tenant.events(orderEvent('1', { correlationid: 'c1' }));
    known.first = textAt(first, 'events.0.runs.0');
    known.second = textAt(await tenant.events(orderEvent('2')), 'events.0.runs.0');
    const third = await tenant.events({ type: 'custom.flag', data: {}, correlationid: 'c1' });
    known.third = textAt(third, 'events.0.runs.0');
    await runWithStatus(tenant, known.first, 'succeeded');
    await runWithStatus(tenant, known.second, 'succeeded');
    await runWithStatus(tenant, known.third, 'pending_approval');
  });

  test.each([
    ['', ['third', 'second', 'first']],
    ['status=succeeded', ['second', 'first']],
    ['status=pending_approval', ['third']],
    ['status=failed', []],
    ['workflowId=<tagging>', ['second', 'first']],
    ['eventType=custom.flag', ['third']],
    ['correlationId=c1', ['third', 'first']],
    ['correlationId=c1&status=succeeded', ['first']],
    ['from=2000-01-01T00:00:00Z&to=2999-01-01T00:00:00Z', ['third', 'second', 'first']],
    ['from=2999-01-01T00:00:00Z', []],
    ['to=2000-01-01T00:00:00Z', []],
  ])('?%s', async (query, names) => {
    const filled = query.replace(/<(\w+)>/, (_, name: string) => known[name] ?? '');
    const page = await tenant.get(`/api/admin/workflow-runs?${filled}`);
    expect(fieldsOf(page, 'id')).toEqual(names.map((name) => known[name]));
    for (const item of listAt(page)) expect(item).not.toHaveProperty('steps');
  });

  test('a status that is none, and a time that is none, are refused', async () => {
    const answer = await tenant.get('/api/admin/workflow-runs?status=done&to=soon');
    expect(faultPaths(answer).toSorted()).toEqual(['query.status', 'query.to']);
  });

  test('pages hold every run once while more come in', async () => {
    const other = await newTenant();
    await createWorkflow(other, tagWorkflow());
    const sent = await other.events(Array.from({ length: 5 }, (_, n) => orderEvent(`${n}`)));
    const runs = listAt(sent, 'events').map((event) => at({ body: { event } }, 'event.runs.0'));
    await eventually(
      () => other.get('/api/admin/workflow-runs'),
      (page) => expect(listAt(page)).toHaveLength(5),
    );
    const seen: Json[] = [];
    let cursor: Json | undefined = '';
    for (let n = 0; typeof cursor === 'string'; n += 1) {
      const more = cursor === '' ? '' : `&cursor=${cursor}`;
      const page = await other.get(`/api/admin/workflow-runs?limit=2${more}`);
      seen.push(...fieldsOf(page, 'id'));
      cursor = at(page, 'nextCursor');
      await other.events(orderEvent(`later-${n}`));
    }
    expect(seen.toSorted()).toEqual(runs.toSorted());
  });
});

describe('deciding', () => {
  test('an approval lets the run go on, and the answer shows it', async () => {
    const { tenant, runId } = await waiting();
    const shown = await read(tenant, runId);
    expect(at(shown, 'run.approvals.0.status')).toBe('pending');
    const inputHash = textAt(shown, 'run.approvals.0.inputHash');
    const body = { runId, inputHash, comment: 'Fine' };
    const approved = await tenant.post(APPROVE, body, { role: 'approver' });
    expect(approved.status).toBe(200);
    expect(at(approved, 'run.approvals.0')).toMatchObject({
      status: 'approved',
      decisions: [{ decision: 'approved', comment: 'Fine', actor: { type: 'api_key' } }],
    });
    expectGapFree(await runWithStatus(tenant, runId, 'succeeded'));
    const flags = await tenant.get('/api/admin/flags');
    expect(at(flags, 'items.0')).toMatchObject({ key: 'sale', enabled: true });
  });

  test('a denial needs a comment and ends the run', async () => {
    const { tenant, runId } = await waiting();
    const silent = await tenant.post(DENY, { runId }, { role: 'approver' });
    expect(faultPaths(silent)).toEqual(['comment']);
    const blank = await tenant.post(DENY, { runId, comment: '  ' }, { role: 'approver' });
    expect(faultPaths(blank)).toEqual(['comment']);
    const denied = await tenant.post(DENY, { runId, comment: 'No' }, { role: 'approver' });
    expect(at(denied, 'run.status')).toBe('denied');
    expect(at(await read(tenant, runId), 'run.status')).toBe('denied');
    expect(listAt(await tenant.get('/api/admin/flags'))).toEqual([]);
  });

  test('what is decided is decided: 409 with the run as it is', async () => {
    const { tenant, runId } = await waiting();
    await tenant.post(DENY, { runId, comment: 'No' }, { role: 'approver' });
    for (const role of ['approver', 'admin'] as const) {
      const late = await tenant.post(APPROVE, { runId }, { role });
      expect(late.status).toBe(409);
      expect(['approval_decided', 'run_finished']).toContain(late.body.code);
      expect(at(late, 'run.status')).toBe('denied');
    }
  });

  test('inputs other than those that were shown are 409 approval_mismatch', async () => {
    const { tenant, runId } = await waiting();
    const body = { runId, inputHash: '0'.repeat(64) };
    const answer = await tenant.post(APPROVE, body, { role: 'approver' });
    expect(answer.body.code).toBe('approval_mismatch');
    expect(at(await read(tenant, runId), 'run.status')).toBe('pending_approval');
  });

  test('the author of the workflow and the sender of the event may not decide', async () => {
    const { tenant, runId } = await waiting();
    const byAuthor = await tenant.post(APPROVE, { runId });
    expect(byAuthor.status).toBe(403);
    expect(byAuthor.body.code).toBe('self_approval');
  });

  test('two approvals have to come from two people', async () => {
    const steps = [
      { id: 'on', action: 'flag.enable', with: { key: 'sale' }, approval: { approvals: 2 } },
    ];
    const { tenant, runId } = await waiting({ steps });
    const first = await tenant.post(APPROVE, { runId }, { role: 'approver' });
    expect(at(first, 'run.status')).toBe('pending_approval');
    const again = await tenant.post(APPROVE, { runId }, { role: 'approver' });
    expect(again.body.code).toBe('self_approval');
    expect(listAt(await read(tenant, runId), 'run.approvals.0.decisions')).toHaveLength(1);
  });

  test('without an approvalId two pending ones are ambiguous, with it they are not', async () => {
    const steps = ['one', 'two'].map((key) => ({
      id: key,
      action: 'flag.enable',
      with: { key },
      needs: [],
    }));
    const { tenant, runId } = await waiting({ steps });
    const unclear = await tenant.post(APPROVE, { runId }, { role: 'approver' });
    expect(unclear.body.code).toBe('approval_ambiguous');
    const approvalId = textAt(await read(tenant, runId), 'run.approvals.1.id');
    const clear = await tenant.post(APPROVE, { runId, approvalId }, { role: 'approver' });
    expect(at(clear, 'run.approvals.1.status')).toBe('approved');
    expect(at(clear, 'run.approvals.0.status')).toBe('pending');
    const unknown = await tenant.post(
      APPROVE,
      { runId, approvalId: 'apr_1' },
      { role: 'approver' },
    );
    expect(unknown.status).toBe(404);
  });

  test('of twenty votes at once one counts', async () => {
    const { tenant, runId } = await waiting();
    await tenant.key('approver');
    const votes = await Promise.all(
      Array.from({ length: 20 }, () => tenant.post(APPROVE, { runId }, { role: 'approver' })),
    );
    expect(votes.filter(({ status }) => status === 200)).toHaveLength(1);
    const done = await runWithStatus(tenant, runId, 'succeeded');
    expect(listAt(done, 'run.approvals.0.decisions')).toHaveLength(1);
    expect(at(done, 'run.steps.0.attempts')).toBe(1);
  });
});

describe('cancelling', () => {
  test('ends a run that waits, with its approval; afterwards nothing can be decided', async () => {
    const { tenant, runId } = await waiting();
    const cancelled = await tenant.post(CANCEL, { runId, comment: 'A mistake' });
    expect(at(cancelled, 'run.status')).toBe('cancelled');
    expect(at(cancelled, 'run.approvals.0.status')).toBe('cancelled');
    const shown = await read(tenant, runId);
    expect(at(shown, 'run.status')).toBe('cancelled');
    expectGapFree(shown);
    const late = await tenant.post(APPROVE, { runId }, { role: 'approver' });
    expect(late.status).toBe(409);
    const again = await tenant.post(CANCEL, { runId });
    expect(again.body.code).toBe('run_finished');
    expect(at(again, 'run.status')).toBe('cancelled');
    const trail = await tenant.get(`/api/admin/audit?action=run.cancelled&target=${runId}`);
    expect(at(trail, 'items.0.data.comment')).toBe('A mistake');
  });

  test('a run that waits for a time ends too', async () => {
    const tenant = await newTenant();
    await createWorkflow(tenant, tagWorkflow({ steps: [{ id: 'cool', wait: '7d' }] }));
    const runId = await startRun(tenant);
    await runWithStatus(tenant, runId, 'waiting');
    const cancelled = await tenant.post(CANCEL, { runId });
    expect(at(cancelled, 'run.status')).toBe('cancelled');
    expect(at(cancelled, 'run.steps.0.status')).toBe('cancelled');
  });

  test('a run that has ended is 409 with the run as it is', async () => {
    const tenant = await newTenant();
    await createWorkflow(tenant, tagWorkflow());
    const runId = await startRun(tenant);
    await runWithStatus(tenant, runId, 'succeeded');
    const late = await tenant.post(CANCEL, { runId });
    expect(late.status).toBe(409);
    expect(late.body.code).toBe('run_finished');
    expect(at(late, 'run.status')).toBe('succeeded');
  });
});
