/** Whoever stands in for somebody is told, decides by a link of their own, and sees for whom. */
import { describe, expect, test, vi } from 'vitest';
import { passTime, ring } from '../objects/support/disturb.ts';
import { listAt, textAt } from '../support/answers.ts';
import { runWithStatus, send } from '../support/api.ts';
import { createWorkflow, flagWorkflow } from '../support/samples.ts';
import {
  auditOf,
  edit,
  forgedLink,
  linkIn,
  look,
  mailsWith,
  person,
  readRun,
  standIn,
  statusOf,
  submit,
  type Waiting,
  waiting,
} from './support.ts';

const FOR_ANN = 'For ann: Approval needed: ';
const VIC = 'vic@example.com';
const YES = { decision: 'approved', email: VIC, comment: '' };

/** A run that waits while `vic`, a viewer, stands in for `ann`. */
async function away(
  rule = {},
  people: Parameters<typeof waiting>[0] = { ann: 'approver', vic: 'viewer' },
): Promise<Waiting> {
  const before = await waiting(people, rule, 'before');
  await standIn(before, 'vic', 'ann');
  const steps = [{ id: 'on', action: 'flag.enable', with: { key: 'sale' } }];
  const trigger = { event: 'custom.later' };
  await createWorkflow(before.tenant, flagWorkflow({ trigger, steps }));
  const sent = await before.tenant.events({ type: 'custom.later', data: {} });
  const runId = textAt(sent, 'events.0.runs.0');
  await runWithStatus(before.tenant, runId, 'pending_approval');
  return { ...before, runId };
}

async function linkOfVic(where: Waiting): Promise<string> {
  const [mail] = await mailsWith(where.tenant, FOR_ANN, 1);
  if (mail === undefined) throw new Error('no mail');
  return linkIn(mail);
}

describe('a stand-in', () => {
  test('is mailed besides the member who is away, each with a link of their own', async () => {
    const where = await away();
    const [mail] = await mailsWith(where.tenant, FOR_ANN, 1);
    expect(mail?.to).toBe(VIC);
    expect(mail?.subject).toBe('For ann: Approval needed: Switch the flag sale on');
    expect(mail?.text).toMatch(/^For +ann, in whose place you may decide$/m);
    expect(mail?.html).toContain('ann, in whose place you may decide');
    const [own] = await mailsWith(where.tenant, 'Approval needed: Switch the flag sale on', 1);
    expect(own?.to).toBe('ann@example.com');
    expect(own?.text).not.toContain('in whose place');
  });

  test('with a right of their own is mailed once, for themselves', async () => {
    const where = await away({}, { ann: 'approver', vic: 'approver' });
    const own = await mailsWith(where.tenant, 'Approval needed: Switch the flag sale on', 2);
    expect(own.map(({ to }) => to).toSorted()).toEqual(['ann@example.com', VIC]);
    await mailsWith(where.tenant, 'For ann', 0);
  });

  test('is told of edits, reminders and escalations too', async () => {
    const escalateTo = { roles: ['approver'], members: [], expiresIn: '2h' };
    const where = await away(
      { remindEvery: '1h', expiresIn: '150m', onExpire: 'escalate', escalateTo, edit: 'approver' },
      { ann: 'approver', eve: 'approver', vic: 'viewer' },
    );
    await edit(where, person(where.people, 'eve'), 'winter');
    await mailsWith(where.tenant, 'For ann: Inputs changed, approval needed again: ', 1);
    passTime(3_600_000);
    await ring(where.tenant.id, where.runId);
    await mailsWith(where.tenant, 'For ann: Still waiting for approval: Switch the flag winter', 1);
    passTime(2 * 3_600_000);
    await ring(where.tenant.id, where.runId);
    const [mail] = await mailsWith(where.tenant, 'For ann: Approval escalated to you: ', 1);
    vi.useRealTimers();
    expect(mail?.to).toBe(VIC);
  });

  test('is not told where either of the two may not decide', async () => {
    const where = await away(
      { edit: 'approver' },
      { ann: 'approver', vic: 'viewer', bob: 'approver' },
    );
    await mailsWith(where.tenant, FOR_ANN, 1);
    await edit(where, person(where.people, 'ann'), 'winter');
    const again = await mailsWith(where.tenant, 'Inputs changed, approval needed again: ', 1);
    expect(again.map(({ to }) => to)).toEqual(['bob@example.com']);
    await mailsWith(where.tenant, 'For ann: Inputs changed', 0);
  });
});

describe('the page behind a stand-in’s link', () => {
  test('says for whom, decides for them, and shows it afterwards to both', async () => {
    const where = await away();
    const link = await linkOfVic(where);
    const { html, status } = await look(link);
    expect(status).toBe(200);
    expect(html).toContain(
      '<dt>For</dt><dd><bdi>ann</bdi> <small>in whose place you may decide</small>',
    );
    expect(html).toContain('Your decision, <bdi>vic</bdi>, for <bdi>ann</bdi>');
    const done = await submit(link, YES);
    expect(done.status).toBe(200);
    expect(done.html).toContain('You approved this for ann at');
    expect(done.html).toContain('<bdi>vic</bdi> for <bdi>ann</bdi> approved at');
    const run = await runWithStatus(where.tenant, where.runId, 'succeeded');
    expect(listAt(run, 'run.approvals.0.decisions')).toMatchObject([
      { actor: { name: 'vic' }, onBehalfOf: { name: 'ann' } },
    ]);
    const again = await submit(link, YES);
    expect([again.status, again.html.includes('This click added nothing.')]).toEqual([200, true]);
    const anns = await look(await forgedLink(where, 'ann'));
    expect(anns.status).toBe(200);
    expect(anns.html).toContain('vic approved this for you at');
    expect(anns.html).not.toContain('<form');
  });

  test('asks for the stand-in’s address, not for that of the member who is away', async () => {
    const where = await away();
    const link = await linkOfVic(where);
    const wrong = await submit(link, { ...YES, email: 'ann@example.com' });
    expect(wrong.status).toBe(403);
    expect(await statusOf(where)).toBe('pending_approval');
  });

  test('decides nothing once the delegation has ended, though the link be new', async () => {
    const where = await away();
    const link = await linkOfVic(where);
    const memberId = person(where.people, 'ann').id;
    await where.tenant.post('/api/admin/members/undelegate', { memberId });
    for (const page of [await look(link), await submit(link, YES)]) {
      expect(page.status).toBe(403);
      expect(page.html).toContain('does not let you decide in their place now');
      expect(page.html).not.toContain('<form');
    }
    expect(await statusOf(where)).toBe('pending_approval');
  });

  test('is no link of the stand-in’s own: one cannot be made into the other', async () => {
    const where = await away({}, { ann: 'approver', vic: 'approver' });
    const own = await forgedLink(where, 'vic');
    const forAnn = await forgedLink(where, 'vic', { onBehalfOf: person(where.people, 'ann').id });
    const [payload] = forAnn.split('.');
    const [, signature] = own.split('.');
    expect((await look(`${payload}.${signature}`)).status).toBe(404);
  });

  test('looking a hundred times changes nothing, ten posts at once are one vote', async () => {
    const where = await away({ approvals: 2 }, { ann: 'approver', bob: 'approver', vic: 'viewer' });
    const link = await linkOfVic(where);
    const before = [(await readRun(where.tenant, where.runId)).body.run, await auditOf(where)];
    for (let count = 0; count < 100; count += 1)
      await look(link, ['GET', 'HEAD', 'OPTIONS'][count % 3]);
    expect([(await readRun(where.tenant, where.runId)).body.run, await auditOf(where)]).toEqual(
      before,
    );
    await Promise.all(Array.from({ length: 10 }, () => submit(link, YES)));
    const run = await readRun(where.tenant, where.runId);
    expect(listAt(run, 'run.approvals.0.decisions')).toHaveLength(1);
    const token = person(where.people, 'ann').key;
    const late = await send('POST', '/api/admin/workflow-runs/approve', {
      token,
      body: { runId: where.runId },
    });
    expect([late.status, late.body.code]).toEqual([403, 'self_approval']);
  });
});
