/** Who is told of an approval, when, and what the mail and the chat say. */
import { env } from 'cloudflare:workers';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { isJsonObject } from '../../../src/contract/json.ts';
import { makeApprovalToken } from '../../../src/objects/approval-link.ts';
import type { Notice } from '../../../src/objects/messages.ts';
import { mailNotice } from '../../../src/objects/notice-sending.ts';
import { passTime, ring } from '../objects/support/disturb.ts';
import { faultPaths, listAt, textAt } from '../support/answers.ts';
import { newTenant, send } from '../support/api.ts';
import { createWorkflow, flagWorkflow, orderEvent, startRun } from '../support/samples.ts';
import { edit, mails, mailsWith, person, readRun, setRule, waiting } from './support.ts';

const POLICY = '/api/admin/approval-policy';
const NEEDED = 'Approval needed: ';

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

describe('a pending approval', () => {
  test('is mailed to whoever may decide it, each with a link of their own', async () => {
    const at = await waiting({ ann: 'approver', bob: 'admin', vic: 'viewer' });
    const sent = await mailsWith(at.tenant, NEEDED, 2);
    expect(sent.map(({ to }) => to).toSorted()).toEqual(['ann@example.com', 'bob@example.com']);
    const links = sent.map(({ text }) => /https:\S+\/approvals\/\S+/.exec(text)?.[0]);
    expect(new Set(links).size).toBe(2);
    expect(links).not.toContain(undefined);
  });

  test('says what will be done with which inputs, by which version, why, and until when', async () => {
    const at = await waiting({ ann: 'approver' }, { approvals: 2 });
    const [mail] = await mailsWith(at.tenant, NEEDED, 1);
    const run = await readRun(at.tenant, at.runId);
    expect(mail?.subject).toBe('Approval needed: Switch the flag sale on');
    const until = textAt(run, 'run.approvals.0.expiresAt').slice(0, 16).replace('T', ' ');
    for (const part of [
      'Switch the flag sale on',
      '"key": "sale"',
      'Switch a flag, version 1',
      'order.created',
      'flag.enable needs the approval of 2 different people; 0 of 2 approvals are there.',
      `${until} UTC`,
      at.runId,
      textAt(run, 'run.approvals.0.inputHash'),
    ])
      expect(mail?.text).toContain(part);
    expect(mail?.html).toContain('<h1 style="font-size:20px"><bdi>Switch the flag sale on</bdi>');
    expect(mail?.html).not.toMatch(/<img|<script|<link/);
  });

  test('is not mailed to the person who sent the event', async () => {
    const tenant = (await waiting({})).tenant;
    const member = { name: 'Ann', email: 'ann@example.com', role: 'approver' };
    const made = await tenant.post('/api/admin/members/create', member);
    const memberId = textAt(made, 'member.id');
    const bob = { name: 'Bob', email: 'bob@example.com', role: 'approver' };
    await tenant.post('/api/admin/members/create', bob);
    const body = { name: 'Feed', role: 'ingest', memberId };
    const key = await tenant.post('/api/admin/api-keys/create', body);
    const token = textAt(key, 'apiKey.secret');
    await send('POST', '/api/events', { token, body: orderEvent('2') });
    const sent = await mailsWith(tenant, NEEDED, 1);
    expect(sent[0]?.to).toBe('bob@example.com');
  });

  test('escapes what the tenant’s data holds, and shows what would be invisible', async () => {
    const tenant = (await waiting({ ann: 'approver' })).tenant;
    const orderId = '<b>1</b>\u202e\nBcc: x@example.com';
    const steps = [{ id: 'no', action: 'order.cancel', with: { orderId } }];
    const name = '<script>alert(1)</script>';
    await createWorkflow(tenant, flagWorkflow({ name, steps, trigger: { event: 'custom.thing' } }));
    await tenant.events({ type: 'custom.thing', data: {} });
    const [mail] = await mailsWith(tenant, 'Approval needed: Cancel order', 1);
    expect(mail?.subject).toBe(
      'Approval needed: Cancel order <b>1</b>\\u{202E} Bcc: x@example.com',
    );
    expect(mail?.html).not.toMatch(/<b>1|<script|\u202e/);
    expect(mail?.text).not.toContain('\u202e');
  });

  test('is told again to approvers when its inputs are changed, but not to who changed them', async () => {
    const at = await waiting({ ann: 'approver', bob: 'approver', eve: 'admin' });
    await mailsWith(at.tenant, NEEDED, 3);
    await edit(at, person(at.people, 'eve'), 'winter');
    const again = await mailsWith(at.tenant, 'Inputs changed, approval needed again: ', 2);
    expect(again.map(({ to }) => to).toSorted()).toEqual(['ann@example.com', 'bob@example.com']);
    expect(again[0]?.text).toContain('"key": "winter"');
    expect(again[0]?.text).toMatch(/Changed by +eve/);
  });

  test('is brought to mind, only of those who have not decided', async () => {
    const at = await waiting(
      { ann: 'approver', bob: 'approver' },
      { approvals: 2, remindEvery: '1h' },
    );
    const token = person(at.people, 'ann').key;
    const body = { runId: at.runId };
    await send('POST', '/api/admin/workflow-runs/approve', { token, body });
    for (const count of [1, 2]) {
      passTime(3_600_000);
      await ring(at.tenant.id, at.runId);
      const told = await mailsWith(at.tenant, 'Still waiting for approval: ', count);
      expect(new Set(told.map(({ to }) => to))).toEqual(new Set(['bob@example.com']));
    }
  });

  test('goes to others when nobody decides in time', async () => {
    const escalateTo = { roles: ['admin'], members: [], expiresIn: '1h' };
    const at = await waiting(
      { ann: 'approver', boss: 'admin' },
      { roles: [], members: ['nobody'], expiresIn: '1s', onExpire: 'escalate', escalateTo },
    );
    const [mail, ...others] = await mailsWith(at.tenant, 'Approval escalated to you: ', 1);
    expect(mail?.to).toBe('boss@example.com');
    expect(mail?.text).toContain('nobody decided in time');
    expect(others).toEqual([]);
  });

  test('that is overridden is told to every admin, with the reason and without a link', async () => {
    const at = await waiting(
      { ann: 'approver', boss: 'admin', chief: 'admin' },
      { breakGlass: true },
    );
    const body = { runId: at.runId, comment: 'The shop is on fire' };
    const token = person(at.people, 'boss').key;
    const done = await send('POST', '/api/admin/workflow-runs/override', { token, body });
    expect(done.status).toBe(200);
    const told = await mailsWith(at.tenant, 'Approval overridden: ', 2);
    expect(told.map(({ to }) => to).toSorted()).toEqual(['boss@example.com', 'chief@example.com']);
    expect(told[0]?.text).toContain('The shop is on fire');
    expect(told[0]?.text).not.toContain('/approvals/');
  });

  test('waits silently where there is nobody to tell', async () => {
    const at = await waiting({ vic: 'viewer' });
    expect(await mails(at.tenant)).toEqual([]);
  });
});

describe('sending', () => {
  const notice: Notice = {
    kind: 'requested',
    seq: 3,
    at: new Date().toISOString(),
    requestId: 'r',
    tenant: { id: 'mail-tests', name: 'Mail tests' },
    item: {
      id: 'apr_1-1',
      stepId: 's',
      kind: 'gate',
      status: 'pending',
      required: 1,
      roles: ['approver'],
      members: [],
      reasonRequired: false,
      edits: 0,
      escalated: false,
      overridden: false,
      inputHash: 'a'.repeat(64),
      requestedAt: new Date().toISOString(),
      expiresAt: new Date(Date.now() + 60_000).toISOString(),
      decisions: [],
      runId: 'run_1',
      workflowId: 'wf_1',
      workflowName: 'W',
      workflowVersion: 1,
      eventType: 'order.created',
      action: 'order.refund',
      input: { orderId: '1001', amount: { amount: 7500, currency: 'USD' } },
      error: null,
    },
    overBudget: 'More than 3 in 1h.',
    by: null,
    recipients: [{ memberId: 'mem_1', name: 'Ann', email: 'ann@example.com' }],
  };

  async function sentTo(tenantId: string): Promise<{ text: string; subject: string }[]> {
    const { results } = await env.DB.prepare('SELECT * FROM mailbox WHERE tenant_id = ?')
      .bind(tenantId)
      .all<{ text: string; subject: string }>();
    return results;
  }

  test('twice is one mail', async () => {
    await mailNotice(env, notice, []);
    await mailNotice(env, notice, []);
    const [mail, ...others] = await sentTo('mail-tests');
    expect(others).toEqual([]);
    expect(mail?.subject).toBe('Approval needed: Refund 75.00 USD of order 1001');
    expect(mail?.text).toContain('More than 3 in 1h. Beyond it, order.refund needs');
  });

  test('without a public address says where to decide instead of giving a link', async () => {
    const tenant = { id: 'no-link', name: 'No link' };
    await mailNotice({ ...env, PUBLIC_URL: '' }, { ...notice, tenant }, []);
    const [mail] = await sentTo('no-link');
    expect(mail?.text).not.toContain('https://');
    expect(mail?.text).toContain('/api/admin/workflow-runs/approve');
  });

  test('is given up after a day', async () => {
    const tenant = { id: 'too-late', name: 'Too late' };
    const at = new Date(Date.now() - 25 * 3_600_000).toISOString();
    expect(await mailNotice(env, { ...notice, tenant, at }, [])).toBeNull();
    expect(await sentTo('too-late')).toEqual([]);
  });

  test('one mail that fails keeps no other back, and it alone is tried again', async () => {
    const tenant = { id: 'one-fails', name: 'One fails' };
    const recipients = ['ann', 'bob'].map((name) => ({
      memberId: name,
      name,
      email: `${name}@example.com`,
    }));
    let asked = 0;
    const broken = {
      ...env,
      get KEY_SECRET(): string {
        asked += 1;
        if (asked > 1) return env.KEY_SECRET;
        throw new Error('no secret');
      },
    };
    vi.spyOn(console, 'error').mockImplementation(() => {});
    const left = await mailNotice(broken, { ...notice, tenant, recipients }, []);
    expect(await sentTo('one-fails')).toHaveLength(1);
    if (left?.mail.kind !== 'notice') throw new Error('nothing is left');
    expect(left.mail.notice.recipients).toEqual([recipients[0]]);
    expect(await mailNotice(env, left.mail.notice, [])).toBeNull();
    expect(await sentTo('one-fails')).toHaveLength(2);
  });
});

describe('the chat', () => {
  const CHAT = 'https://chat.example.com/hooks/secret-part';

  test('hears of approvals by a signed webhook, in which no link can decide', async () => {
    const heard: { url: string; headers: Headers; body: string }[] = [];
    vi.spyOn(globalThis, 'fetch').mockImplementation(async (input, init) => {
      const headers = new Headers(init?.headers);
      heard.push({ url: String(input), headers, body: String(init?.body) });
      return new Response('ok');
    });
    const tenant = await newTenant();
    const set = await tenant.post(`${POLICY}/update`, { notifyUrl: CHAT });
    expect(set.body.notifyUrl).toBe(CHAT);
    expect((await tenant.get(POLICY)).body.notifyUrl).toBe(CHAT);
    await createWorkflow(tenant, flagWorkflow());
    const runId = await startRun(tenant);
    await vi.waitFor(() => expect(heard).toHaveLength(1), { timeout: 10_000 });
    const [message] = heard;
    expect(message?.url).toBe(CHAT);
    expect(message?.headers.get('webhook-signature')).toMatch(/^v1,/);
    expect(message?.headers.get('webhook-id')).toMatch(/_requested_\d+_chat$/);
    const body = JSON.parse(message?.body ?? '');
    expect(body).toMatchObject({
      type: 'approval.requested',
      tenant: { id: tenant.id },
      approval: { runId, action: 'flag.enable', input: { key: 'sale' } },
    });
    expect(body.text).toContain('Approval needed: Switch the flag sale on.');
    expect(message?.body).not.toContain('/approvals/');
    const trail = await tenant.get('/api/admin/audit?action=policy.updated');
    expect(trail.text).toContain('https://chat.example.com');
    expect(trail.text).not.toContain('secret-part');
  });

  test('is asked again after a failure, under the same id', async () => {
    const ids: (string | null)[] = [];
    vi.spyOn(console, 'error').mockImplementation(() => {});
    vi.spyOn(globalThis, 'fetch').mockImplementation(async (_input, init) => {
      ids.push(new Headers(init?.headers).get('webhook-id'));
      return new Response('no', { status: ids.length === 1 ? 503 : 200 });
    });
    const tenant = await newTenant();
    await tenant.post(`${POLICY}/update`, { notifyUrl: CHAT });
    await createWorkflow(tenant, flagWorkflow());
    await startRun(tenant);
    await vi.waitFor(() => expect(ids).toHaveLength(2), { timeout: 10_000 });
    expect(new Set(ids).size).toBe(1);
  });

  test('may not be a private address, and null takes it away', async () => {
    const tenant = await newTenant();
    for (const notifyUrl of [
      'https://10.0.0.1/x',
      'http://chat.example.com/x',
      'https://a.internal/',
    ])
      expect(faultPaths(await tenant.post(`${POLICY}/update`, { notifyUrl }))).toEqual([
        'notifyUrl',
      ]);
    await tenant.post(`${POLICY}/update`, { notifyUrl: CHAT });
    expect(await setRule(tenant, { approvals: 2 })).toBe(200);
    expect((await tenant.get(POLICY)).body.notifyUrl).toBe(CHAT);
    await tenant.post(`${POLICY}/update`, { notifyUrl: null });
    expect((await tenant.get(POLICY)).body.notifyUrl).toBeNull();
    expect((await tenant.post(`${POLICY}/update`, {})).status).toBe(400);
  });
});

test('links are nowhere in the outbox, the audit trail, the run or the log', async () => {
  const lines: string[] = [];
  for (const name of ['log', 'error'] as const)
    vi.spyOn(console, name).mockImplementation((line: string) => void lines.push(line));
  const at = await waiting({ ann: 'approver' });
  const [mail] = await mailsWith(at.tenant, NEEDED, 1);
  const token = /\/approvals\/(\S+)/.exec(mail?.text ?? '')?.[1] ?? 'none';
  const run = await readRun(at.tenant, at.runId);
  const trail = await at.tenant.get('/api/admin/audit');
  for (const text of [run.text, trail.text, lines.join()]) expect(text).not.toContain(token);
  const { body } = run;
  const approval = isJsonObject(body.run) ? listAt(run, 'run.approvals')[0] : null;
  const made = await makeApprovalToken(env.KEY_SECRET, {
    tenantId: at.tenant.id,
    runId: at.runId,
    approvalId: textAt({ body: { approval: approval ?? null }, text: '' }, 'approval.id'),
    memberId: person(at.people, 'ann').id,
    inputHash: textAt(run, 'run.approvals.0.inputHash'),
    expiresAt: textAt(run, 'run.approvals.0.expiresAt'),
  });
  expect(made).toBe(token);
});
