/** `Idempotency-Key`: the same key and body answer with the first outcome, per tenant. */
import { abortAllDurableObjects } from 'cloudflare:test';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { type Person, person, waiting } from '../notices/support.ts';
import { at, faultPaths, fieldsOf, listAt, textAt } from '../support/answers.ts';
import { newTenant, send, type Tenant } from '../support/api.ts';
import { withoutAnswers } from '../support/d1-faults.ts';
import { flagWorkflow, tagWorkflow } from '../support/samples.ts';

const CREATE = '/api/admin/workflows/create';
const KEYS = '/api/admin/api-keys/create';

function keyed(key: string) {
  return { headers: { 'idempotency-key': key } };
}

afterEach(() => void vi.useRealTimers());

async function namesOfKeys(tenant: Tenant) {
  return fieldsOf(await tenant.get('/api/admin/api-keys', 'admin'), 'name');
}

describe('the same key', () => {
  test('with the same body answers the first outcome, marked as such, and does nothing again', async () => {
    const tenant = await newTenant();
    const first = await tenant.post(CREATE, tagWorkflow(), keyed('once'));
    expect(first.status).toBe(201);
    expect(first.headers.get('idempotency-replayed')).toBeNull();
    const again = await tenant.post(CREATE, tagWorkflow(), keyed('once'));
    expect(again.status).toBe(201);
    expect(again.headers.get('idempotency-replayed')).toBe('true');
    expect(again.text).toBe(first.text);
    expect(again.headers.get('x-request-id')).not.toBe(first.headers.get('x-request-id'));
    expect(listAt(await tenant.get('/api/admin/workflows'))).toHaveLength(1);
  });

  test('shows the secret again that is shown once: it is the same key that was made', async () => {
    const tenant = await newTenant();
    const body = { name: 'Feed', role: 'ingest' };
    const first = await tenant.post(KEYS, body, keyed('secret'));
    const again = await tenant.post(KEYS, body, keyed('secret'));
    expect(textAt(again, 'apiKey.secret')).toBe(textAt(first, 'apiKey.secret'));
    expect(listAt(await tenant.get('/api/admin/api-keys', 'admin'))).toHaveLength(2);
  });

  test('with another body, or on another route, is 409 idempotency_mismatch', async () => {
    const tenant = await newTenant();
    await tenant.post(CREATE, tagWorkflow(), keyed('mine'));
    const other = await tenant.post(CREATE, flagWorkflow(), keyed('mine'));
    expect(other.status).toBe(409);
    expect(other.body.code).toBe('idempotency_mismatch');
    const route = await tenant.post('/api/admin/workflows/enable', tagWorkflow(), keyed('mine'));
    expect(route.body.code).toBe('idempotency_mismatch');
    expect(listAt(await tenant.get('/api/admin/workflows'))).toHaveLength(1);
  });

  test('keeps a refusal too', async () => {
    const tenant = await newTenant();
    const first = await tenant.post(CREATE, { name: 'Half' }, keyed('bad'));
    const again = await tenant.post(CREATE, { name: 'Half' }, keyed('bad'));
    expect(again.status).toBe(400);
    expect(again.text).toBe(first.text);
    expect(again.headers.get('content-type')).toBe('application/problem+json');
  });

  test('does nothing again when the first one died between its change and its answer', async () => {
    const tenant = await newTenant();
    const body = { name: 'Only one', role: 'viewer' };
    await withoutAnswers(async () => {
      const dying = tenant.post(KEYS, body, keyed('died'));
      await vi.waitFor(async () => expect(await namesOfKeys(tenant)).toContain('Only one'));
      await abortAllDurableObjects();
      expect((await dying).status).toBeGreaterThanOrEqual(500);
    });
    vi.setSystemTime(Date.now() + 61_000);
    const again = await tenant.post(KEYS, body, keyed('died'));
    expect(again.status).toBe(409);
    expect(again.body).toMatchObject({
      code: 'conflict',
      detail: expect.stringContaining('was carried out'),
    });
    const names = await namesOfKeys(tenant);
    expect(names.filter((name) => name === 'Only one')).toHaveLength(1);
  });

  test('in twenty requests at once does the thing once', async () => {
    const tenant = await newTenant();
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => tenant.post(CREATE, tagWorkflow(), keyed('parallel'))),
    );
    const made = answers.filter(({ status }) => status === 201);
    expect(made.length).toBeGreaterThan(0);
    expect(new Set(made.map((answer) => textAt(answer, 'workflow.id'))).size).toBe(1);
    for (const answer of answers)
      if (answer.status !== 201) expect(answer.body.code).toBe('idempotency_in_progress');
    expect(listAt(await tenant.get('/api/admin/workflows'))).toHaveLength(1);
    const later = await tenant.post(CREATE, tagWorkflow(), keyed('parallel'));
    expect(later.status).toBe(201);
  });

  test('in two tenants is two keys', async () => {
    const [one, two] = [await newTenant(), await newTenant()];
    const first = await one.post(CREATE, tagWorkflow(), keyed('shared'));
    const second = await two.post(CREATE, flagWorkflow(), keyed('shared'));
    expect(second.status).toBe(201);
    expect(at(second, 'workflow.id')).not.toBe(at(first, 'workflow.id'));
  });

  test('does not let a weaker role see what a stronger one was answered', async () => {
    const tenant = await newTenant();
    const body = { name: 'Feed', role: 'ingest' };
    await tenant.post(KEYS, body, keyed('strong'));
    const weak = await tenant.post(KEYS, body, { ...keyed('strong'), role: 'approver' });
    expect(weak.status).toBe(403);
  });
});

describe('what somebody does as a person', () => {
  const as = (who: Person, key: string) => ({ token: who.key, ...keyed(key) });

  test('counts for each person, though they send the same key and body', async () => {
    const where = await waiting({ ann: 'approver', bob: 'approver' }, { approvals: 2 });
    const body = { runId: where.runId };
    const path = '/api/admin/workflow-runs/approve';
    const [ann, bob] = [person(where.people, 'ann'), person(where.people, 'bob')];
    const first = await send('POST', path, { ...as(ann, 'yes'), body });
    expect(listAt(first, 'run.approvals.0.decisions')).toHaveLength(1);
    const again = await send('POST', path, { ...as(ann, 'yes'), body });
    expect(again.headers.get('idempotency-replayed')).toBe('true');
    expect(again.text).toBe(first.text);
    const second = await send('POST', path, { ...as(bob, 'yes'), body });
    expect(second.headers.get('idempotency-replayed')).toBeNull();
    expect(listAt(second, 'run.approvals.0.decisions')).toHaveLength(2);
    const other = { ...body, comment: 'Fine' };
    const mismatch = await send('POST', path, { ...as(bob, 'yes'), body: other });
    expect(mismatch.body.code).toBe('idempotency_mismatch');
  });

  test.each(['deny', 'edit', 'override', 'view'])('is theirs at %s too', async (verb) => {
    const where = await waiting({ ann: 'admin', bob: 'admin' }, { approvals: 2, breakGlass: true });
    const asked = { runId: where.runId, ...(verb === 'view' ? {} : { comment: 'Because' }) };
    const body = verb === 'edit' ? { ...asked, input: { key: 'winter' } } : asked;
    const path = `/api/admin/${verb === 'view' ? 'approvals' : 'workflow-runs'}/${verb}`;
    for (const name of ['ann', 'bob']) {
      const done = await send('POST', path, { ...as(person(where.people, name), 'k'), body });
      expect(done.headers.get('idempotency-replayed'), name).toBeNull();
    }
  });

  test('is theirs when they say who stands in for them', async () => {
    const where = await waiting({ ann: 'approver', bob: 'approver', cyd: 'viewer' });
    const until = new Date(Date.now() + 3_600_000).toISOString();
    const body = { to: person(where.people, 'cyd').id, until };
    for (const name of ['ann', 'bob']) {
      const who = person(where.people, name);
      const set = await send('POST', '/api/admin/members/delegate', { ...as(who, 'k'), body });
      expect(at(set, 'member.id')).toBe(who.id);
    }
  });
});

describe('a key', () => {
  test.each(['', 'two words', 'x'.repeat(256), 'k\u00e9y'])(
    'that is %j is refused',
    async (key) => {
      const tenant = await newTenant();
      const answer = await tenant.post(CREATE, tagWorkflow(), keyed(key));
      expect(answer.status).toBe(400);
      expect(faultPaths(answer)).toEqual(['Idempotency-Key']);
      expect(listAt(await tenant.get('/api/admin/workflows'))).toEqual([]);
    },
  );

  test('may have 255 characters, and is not needed', async () => {
    const tenant = await newTenant();
    expect((await tenant.post(CREATE, tagWorkflow(), keyed('k'.repeat(255)))).status).toBe(201);
    expect((await tenant.post(CREATE, tagWorkflow())).status).toBe(201);
  });
});
