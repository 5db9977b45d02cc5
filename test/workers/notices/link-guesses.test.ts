/** Whoever has a link and not the address that it was sent to cannot try addresses until one fits. */
import { expect, test } from 'vitest';
import { listAt, at as valueAt } from '../support/answers.ts';
import { runWithStatus, send } from '../support/api.ts';
import { linkOf, look, person, statusOf, submit, waiting } from './support.ts';

const ANN = 'ann@example.com';
const YES = { decision: 'approved', email: ANN, comment: '' };
const TRIES = 10;

async function guess(link: string, from = 0): Promise<void> {
  for (let count = from; count < TRIES; count += 1) {
    const { status, html } = await submit(link, { ...YES, email: `a${count}@example.com` });
    expect(status).toBe(403);
    expect(html).not.toContain(ANN);
  }
}

test('after ten wrong addresses a link decides nothing more, and says where to decide instead', async () => {
  const at = await waiting({ ann: 'approver', bob: 'approver' });
  const link = await linkOf(at, 'ann');
  await guess(link);
  const { status, html } = await submit(link, YES);
  expect(status).toBe(403);
  expect(html).toContain('tried with too many wrong addresses');
  expect(html).not.toContain('<form');
  expect((await look(link)).html).not.toContain('<form');
  expect(await statusOf(at)).toBe('pending_approval');
});

test('others and other ways stay open: nobody can be kept from deciding', async () => {
  const at = await waiting({ ann: 'approver', bob: 'approver' }, { approvals: 2 });
  const link = await linkOf(at, 'ann');
  const bobs = await linkOf(at, 'bob');
  await guess(link);
  expect((await submit(bobs, { ...YES, email: 'bob@example.com' })).status).toBe(200);
  const { tenant, runId } = at;
  const token = person(at.people, 'ann').key;
  const vote = await send('POST', '/api/admin/workflow-runs/approve', { token, body: { runId } });
  expect(vote.status, vote.text).toBe(200);
  await runWithStatus(tenant, runId, 'succeeded');
});

test('nine wrong ones and the right one decide; each wrong one is in the audit, without the address', async () => {
  const at = await waiting({ ann: 'approver' });
  const link = await linkOf(at, 'ann');
  await guess(link, 1);
  expect((await submit(link, YES)).status).toBe(200);
  const path = `/api/admin/audit?action=approval.link_refused&target=${at.runId}`;
  const trail = await at.tenant.get(path, 'admin');
  const entries = listAt(trail);
  expect(entries).toHaveLength(TRIES - 1);
  expect(trail.text).not.toContain('@example.com');
  expect(valueAt({ body: { entry: entries[0] ?? null } }, 'entry.data')).toMatchObject({
    memberId: person(at.people, 'ann').id,
    tries: TRIES - 1,
  });
});

test('guesses that come at once count each', async () => {
  const at = await waiting({ ann: 'approver' });
  const link = await linkOf(at, 'ann');
  const fields = Array.from({ length: 20 }, (_, index) => ({
    ...YES,
    email: `b${index}@x.example`,
  }));
  await Promise.all(fields.map((one) => submit(link, one)));
  expect((await submit(link, YES)).status).toBe(403);
  expect(await statusOf(at)).toBe('pending_approval');
});
