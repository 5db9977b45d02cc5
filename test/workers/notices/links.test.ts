/** The page behind a link: looking changes nothing, the form decides, and the policy still holds. */
import { afterEach, describe, expect, test, vi } from 'vitest';
import { listAt, at as valueAt } from '../support/answers.ts';
import { fetchApi, runWithStatus, send } from '../support/api.ts';
import {
  auditOf,
  edit,
  forgedLink,
  linkOf,
  look,
  person,
  readRun,
  statusOf,
  submit,
  waiting,
} from './support.ts';

const ANN = 'ann@example.com';
const BOB = 'bob@example.com';
const YES = { decision: 'approved', email: ANN, comment: '' };
const NO = { decision: 'denied', email: ANN, comment: 'Not this week' };

afterEach(() => {
  vi.restoreAllMocks();
});

describe('looking', () => {
  test('a hundred times by GET, HEAD and OPTIONS changes nothing', async () => {
    const at = await waiting({ ann: 'approver' });
    const link = await linkOf(at, 'ann');
    const before = [await readRun(at.tenant, at.runId), await auditOf(at)];
    for (let count = 0; count < 100; count += 1)
      for (const method of ['GET', 'HEAD', 'OPTIONS']) {
        const { status } = await look(link, method);
        expect(status).toBe(method === 'OPTIONS' ? 204 : 200);
      }
    const [run, audit] = [await readRun(at.tenant, at.runId), await auditOf(at)];
    expect(run.body.run).toEqual(before[0] && 'body' in before[0] ? before[0].body.run : null);
    expect(audit).toEqual(before[1]);
    expect(await statusOf(at)).toBe('pending_approval');
  });

  test('shows the whole request and a form with a label for every field', async () => {
    const at = await waiting({ ann: 'approver' }, { approvals: 2 });
    const { html, headers, status } = await look(await linkOf(at, 'ann'));
    expect(status).toBe(200);
    const run = await readRun(at.tenant, at.runId);
    for (const part of [
      'Switch the flag sale on',
      '<dt>key</dt><dd><pre><bdi>sale</bdi></pre>',
      'Switch a flag</bdi>, version 1',
      'order.created',
      'flag.enable',
      at.runId,
      String(valueAt(run, 'run.approvals.0.inputHash')),
      'needs the approval of 2 different people',
      '<label for="email">',
      '<label for="comment">',
      'value="approved"',
      'value="denied"',
    ])
      expect(html).toContain(part);
    expect(html).not.toContain(ANN);
    expect(html).not.toMatch(/<script|<img|<link| style=| on\w+=/i);
    expect(headers.get('referrer-policy')).toBe('no-referrer');
    expect(headers.get('cache-control')).toBe('no-store');
    const policy = headers.get('content-security-policy') ?? '';
    expect(policy).toContain("form-action 'self'");
    expect(policy).toContain("frame-ancestors 'none'");
    const style = /<style>([\s\S]*?)<\/style>/.exec(html)?.[1] ?? '';
    const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(style));
    expect(policy).toContain(btoa(String.fromCharCode(...new Uint8Array(digest))));
  });

  test('escapes the inputs, and writes out characters that would hide or turn text', async () => {
    const at = await waiting({ ann: 'approver' });
    const steps = [
      { id: 'no', action: 'order.cancel', with: { orderId: '<i>1</i>\u202eevil\u200b' } },
    ];
    const trigger = { event: 'custom.thing' };
    const body = { name: '<u>W</u>', trigger, steps, enabled: true };
    await at.tenant.post('/api/admin/workflows/create', body);
    const sent = await at.tenant.events({ type: 'custom.thing', data: {} });
    const runId = String(valueAt(sent, 'events.0.runs.0'));
    await runWithStatus(at.tenant, runId, 'pending_approval');
    const { html } = await look(await forgedLink({ ...at, runId }, 'ann'));
    expect(html).toContain('&lt;i&gt;1&lt;/i&gt;\\u{202E}evil\\u{200B}');
    expect(html).not.toMatch(/<i>1|<u>W|\u202e|\u200b/);
  });
});

describe('deciding', () => {
  test('approves once, and a second click shows the outcome that is recorded', async () => {
    const at = await waiting({ ann: 'approver' });
    const link = await linkOf(at, 'ann');
    const done = await submit(link, YES);
    expect(done.status).toBe(200);
    expect(done.html).toContain('You approved this at');
    const run = await runWithStatus(at.tenant, at.runId, 'succeeded');
    expect(listAt(run, 'run.approvals.0.decisions')).toMatchObject([
      { actor: { type: 'member', id: person(at.people, 'ann').id, name: 'ann' }, comment: null },
    ]);
    const audit = await auditOf(at);
    for (const again of [await submit(link, YES), await submit(link, NO), await look(link)]) {
      expect(again.html).toContain('You approved this at');
      expect(again.html).not.toContain('<form');
    }
    expect((await submit(link, YES)).status).toBe(200);
    expect((await submit(link, NO)).status).toBe(409);
    expect(await auditOf(at)).toEqual(audit);
  });

  test('denies with a reason and never without one', async () => {
    const at = await waiting({ ann: 'approver' });
    const link = await linkOf(at, 'ann');
    const silent = await submit(link, { ...NO, comment: ' ' });
    expect(silent.status).toBe(400);
    expect(silent.html).toContain('aria-describedby="comment-fault"');
    expect(await statusOf(at)).toBe('pending_approval');
    const done = await submit(link, NO);
    expect(done.html).toContain('You denied this at');
    expect(done.html).toContain('Not this week');
    expect(await statusOf(at)).toBe('denied');
  });

  test('asks for a reason to approve where the policy does', async () => {
    const at = await waiting({ ann: 'approver' }, { reasonRequired: true });
    const link = await linkOf(at, 'ann');
    expect((await submit(link, YES)).status).toBe(400);
    expect(await statusOf(at)).toBe('pending_approval');
    expect((await submit(link, { ...YES, comment: 'Checked' })).status).toBe(200);
  });

  test('by ten clicks at once is one decision', async () => {
    const at = await waiting({ ann: 'approver' }, { approvals: 2 });
    const link = await linkOf(at, 'ann');
    const pages = await Promise.all(Array.from({ length: 10 }, () => submit(link, YES)));
    expect(pages.map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 200));
    const run = await readRun(at.tenant, at.runId);
    expect(listAt(run, 'run.approvals.0.decisions')).toHaveLength(1);
    expect(await statusOf(at)).toBe('pending_approval');
  });

  test('completes a quorum of two people by their two links', async () => {
    const at = await waiting({ ann: 'approver', bob: 'approver' }, { approvals: 2 });
    const first = await submit(await linkOf(at, 'ann'), YES);
    expect(first.html).toContain('1 of 2 approvals are there');
    expect(await statusOf(at)).toBe('pending_approval');
    await submit(await linkOf(at, 'bob'), { ...YES, email: BOB });
    await runWithStatus(at.tenant, at.runId, 'succeeded');
  });

  test('takes the address that the link was sent to, in any case, and no other', async () => {
    const at = await waiting({ ann: 'approver', bob: 'approver' });
    const link = await linkOf(at, 'ann');
    for (const email of ['', 'x', BOB, 'ann@example.org']) {
      const { status, html } = await submit(link, { ...YES, email, comment: 'As typed <b>' });
      expect(status).toBe(403);
      expect(html).toContain('This is not the address that the link was sent to.');
      expect(html).toContain('As typed &lt;b&gt;</textarea>');
      expect(html).not.toContain(ANN);
    }
    expect(await statusOf(at)).toBe('pending_approval');
    expect((await submit(link, { ...YES, email: ' Ann@Example.com ' })).status).toBe(200);
  });

  test('without a choice, with another content type or from another site does nothing', async () => {
    const at = await waiting({ ann: 'approver' });
    const link = await linkOf(at, 'ann');
    const { decision: _decision, ...noChoice } = YES;
    expect((await submit(link, noChoice)).status).toBe(400);
    expect((await submit(link, { ...YES, decision: 'maybe' })).status).toBe(400);
    expect((await submit(link, { ...YES, comment: 'a\0b' })).status).toBe(400);
    expect((await submit(link, { ...YES, comment: 'x'.repeat(2_001) })).status).toBe(400);
    const foreign: Record<string, string>[] = [
      { origin: 'https://evil.example' },
      { 'sec-fetch-site': 'cross-site' },
      { origin: 'null', 'sec-fetch-site': 'cross-site' },
    ];
    for (const headers of foreign) expect((await submit(link, YES, headers)).status).toBe(403);
    const json = await fetchApi('POST', link, { body: YES });
    expect(json.status).toBe(415);
    expect(await statusOf(at)).toBe('pending_approval');
    const own = { origin: 'null', 'sec-fetch-site': 'same-origin' };
    expect((await submit(link, YES, own)).status).toBe(200);
  });

  test('shows others’ decision to whoever comes after it', async () => {
    const at = await waiting({ ann: 'approver', bob: 'approver' });
    const bobs = await linkOf(at, 'bob');
    await submit(await linkOf(at, 'ann'), NO);
    const late = await submit(bobs, { ...YES, email: BOB });
    expect(late.status).toBe(409);
    expect(late.html).toContain('<bdi>ann</bdi> denied at');
    const page = await look(bobs);
    expect(page.status).toBe(200);
    expect(page.html).toContain('Not this week');
    expect(page.html).not.toContain('<form');
  });

  test('by a forwarded link decides nothing more after its owner has', async () => {
    const at = await waiting({ ann: 'approver', bob: 'approver' }, { approvals: 2 });
    const link = await linkOf(at, 'ann');
    await submit(link, YES);
    await submit(link, { ...YES, email: BOB });
    const run = await readRun(at.tenant, at.runId);
    expect(listAt(run, 'run.approvals.0.decisions')).toHaveLength(1);
    expect(await statusOf(at)).toBe('pending_approval');
  });
});

describe('a link does not hold', () => {
  test('after the inputs were edited; the newer mail’s link does', async () => {
    const at = await waiting({ ann: 'approver', eve: 'admin' });
    const old = await linkOf(at, 'ann');
    await edit(at, person(at.people, 'eve'), 'winter');
    for (const stale of [await look(old), await submit(old, YES)]) {
      expect(stale.status).toBe(409);
      expect(stale.html).not.toContain('winter');
    }
    expect(await statusOf(at)).toBe('pending_approval');
    const fresh = await vi.waitFor(
      async () => {
        const link = await linkOf(at, 'ann');
        expect(link).not.toBe(old);
        return link;
      },
      { timeout: 10_000 },
    );
    expect((await look(fresh)).html).toContain('<bdi>eve</bdi> at');
    expect((await submit(fresh, YES)).status).toBe(200);
    await runWithStatus(at.tenant, at.runId, 'succeeded');
  });

  test('once it has expired', async () => {
    const at = await waiting({ ann: 'approver' });
    const link = await forgedLink(at, 'ann', { expiresAt: new Date(Date.now() - 1).toISOString() });
    for (const page of [await look(link), await submit(link, YES)]) {
      expect(page.status).toBe(410);
      expect(page.html).not.toContain('sale');
    }
    expect(await statusOf(at)).toBe('pending_approval');
  });

  test('once its member has been removed, even when they come back as another', async () => {
    const at = await waiting({ ann: 'approver' });
    const link = await linkOf(at, 'ann');
    await at.tenant.post('/api/admin/members/remove', { id: person(at.people, 'ann').id });
    const member = { name: 'ann', email: ANN, role: 'approver' };
    await at.tenant.post('/api/admin/members/create', member);
    for (const page of [await look(link), await submit(link, YES)]) {
      expect(page.status).toBe(403);
      expect(page.html).not.toContain('sale');
    }
    expect(await statusOf(at)).toBe('pending_approval');
  });

  test('when a role is too low by now', async () => {
    const at = await waiting({ ann: 'approver' });
    const link = await linkOf(at, 'ann');
    const id = person(at.people, 'ann').id;
    await at.tenant.post('/api/admin/members/update', { id, role: 'viewer' });
    for (const page of [await look(link), await submit(link, YES)]) {
      expect(page.status).toBe(403);
      expect(page.html).not.toContain('<form');
    }
    expect(await statusOf(at)).toBe('pending_approval');
  });

  test('for whoever changed the inputs', async () => {
    const at = await waiting({ ann: 'approver', eve: 'admin' });
    await edit(at, person(at.people, 'eve'), 'winter');
    const link = await forgedLink(at, 'eve');
    const page = await look(link);
    expect(page.status).toBe(403);
    expect(page.html).toContain('changed the inputs may not decide');
    const tried = await submit(link, { ...YES, email: 'eve@example.com' });
    expect(tried.status).toBe(403);
    expect(await statusOf(at)).toBe('pending_approval');
  });

  test('with any part of it changed, and says nothing of any request', async () => {
    const at = await waiting({ ann: 'approver' });
    const link = await linkOf(at, 'ann');
    const start = '/approvals/'.length;
    for (let index = start; index < link.length; index += 7) {
      const other = link[index] === 'A' ? 'B' : 'A';
      const changed = link.slice(0, index) + other + link.slice(index + 1);
      const { status, html } = await look(changed);
      expect(status, String(index)).toBe(404);
      expect(html).not.toContain('sale');
    }
    for (const wrong of ['x', 'a.b', '%00', '.', 'é', 'x'.repeat(5_000)])
      expect((await look(`/approvals/${encodeURI(wrong)}`)).status).toBe(404);
    expect((await submit(`${link}A`, YES)).status).toBe(404);
    expect(await statusOf(at)).toBe('pending_approval');
  });

  test('in another tenant, for another approval', async () => {
    const mine = await waiting({ ann: 'approver' });
    const theirs = await waiting({ ann: 'approver' });
    const crossed = await forgedLink({ ...theirs, people: mine.people }, 'ann');
    expect((await submit(crossed, YES)).status).toBe(403);
    expect(await statusOf(theirs)).toBe('pending_approval');
  });
});

test('a program is answered with problem+json', async () => {
  const { status, body } = await send('GET', '/approvals/nothing');
  expect(status).toBe(404);
  expect(body.code).toBe('not_found');
});

test('no line of the log has a token in it, whatever is done with a link', async () => {
  const at = await waiting({ ann: 'approver' });
  const link = await linkOf(at, 'ann');
  const lines: string[] = [];
  for (const name of ['log', 'error'] as const)
    vi.spyOn(console, name).mockImplementation((line: string) => void lines.push(line));
  await look(link);
  await look(`${link}/more`);
  await look(`/x${link}`);
  await look(link, 'PUT');
  await submit(link, { ...YES, email: BOB });
  await submit(link, YES);
  await runWithStatus(at.tenant, at.runId, 'succeeded');
  const token = link.slice('/approvals/'.length);
  expect(lines.length).toBeGreaterThan(5);
  expect(lines.join('\n')).toContain('/approvals/:token');
  expect(lines.filter((line) => line.includes(token.slice(0, 60)))).toEqual([]);
});

test('looking through the API is recorded once for each person, and only there', async () => {
  const at = await waiting({ ann: 'approver' });
  const body = { runId: at.runId };
  for (let count = 0; count < 2; count += 1) {
    const token = person(at.people, 'ann').key;
    const seen = await send('POST', '/api/admin/approvals/view', { token, body });
    expect(seen.status).toBe(200);
  }
  await vi.waitFor(async () => {
    const actions = await auditOf(at);
    expect(actions.filter((action) => action === 'approval.viewed')).toHaveLength(1);
  });
  const other = await at.tenant.post('/api/admin/approvals/view', { runId: 'run_none' });
  expect(other.status).toBe(404);
});
