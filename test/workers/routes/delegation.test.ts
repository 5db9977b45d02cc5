/** Letting another member decide: who may say so, for how long, and where it shows. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { JsonObject, Role } from '../../../src/contract/json.ts';
import { addPerson, type Person, person, setRule, standIn, waiting } from '../notices/support.ts';
import { passTime } from '../objects/support/disturb.ts';
import { at, faultPaths, fieldsOf, listAt, textAt } from '../support/answers.ts';
import { newTenant, send, type Tenant } from '../support/api.ts';

const MEMBERS = '/api/admin/members';
const MINE = '/api/admin/approvals?mine=true';
const DAY_MS = 86_400_000;

let tenant: Tenant;
let people: Record<'ann' | 'bob' | 'root', Person>;
beforeEach(async () => {
  tenant = await newTenant();
  people = {
    ann: await addPerson(tenant, 'ann', 'approver'),
    bob: await addPerson(tenant, 'bob', 'viewer'),
    root: await addPerson(tenant, 'root', 'admin'),
  };
});
afterEach(() => {
  vi.useRealTimers();
});

const inDays = (days: number) => new Date(Date.now() + days * DAY_MS).toISOString();

async function delegate(by: Person, body: JsonObject, verb = 'delegate') {
  return await send('POST', `${MEMBERS}/${verb}`, { token: by.key, body });
}

async function delegationOf(who: Person) {
  const list = await tenant.get(MEMBERS);
  return at(list, `items.${fieldsOf(list, 'id').indexOf(who.id)}.delegation`);
}

describe('a delegation', () => {
  test('is set, shown to everybody, replaced and ended, each told in the audit', async () => {
    const { ann, bob, root } = people;
    const until = inDays(7);
    const set = await delegate(ann, { to: bob.id, until, comment: 'On leave' });
    expect(set.status, set.text).toBe(200);
    expect(set.body.member).toMatchObject({ id: ann.id, delegation: { to: bob.id, until } });
    expect(await delegationOf(ann)).toEqual(at(set, 'member.delegation'));
    expect(await delegationOf(bob)).toBeNull();
    await delegate(ann, { to: root.id, until });
    expect(await delegationOf(ann)).toMatchObject({ to: root.id });
    for (const _ of [1, 2]) {
      const ended = await delegate(ann, {}, 'undelegate');
      expect(at(ended, 'member.delegation')).toBeNull();
    }
    const told = await tenant.get(`/api/admin/audit?target=${ann.id}`);
    expect(told.body.items).toMatchObject([
      { action: 'member.undelegated', data: { to: root.id } },
      { action: 'member.delegated', data: { to: root.id, comment: null } },
      {
        action: 'member.delegated',
        actor: { type: 'member', id: ann.id },
        data: { to: bob.id, until, comment: 'On leave' },
      },
      { action: 'member.created' },
    ]);
    expect(at(told, 'items.2.private')).toHaveProperty(['data.comment']);
    expect(at(told, 'items.2.private')).not.toHaveProperty(['data.to']);
  });

  test('may begin later, begins now when its beginning has passed, and is gone after its end', async () => {
    const { ann, bob } = people;
    const [from, until] = [inDays(1), inDays(2)];
    await delegate(ann, { to: bob.id, from, until });
    expect(await delegationOf(ann)).toEqual({ to: bob.id, from, until });
    const past = await delegate(ann, { to: bob.id, from: inDays(-1), until });
    expect(Date.parse(textAt(past, 'member.delegation.from'))).toBeGreaterThan(Date.now() - 60_000);
    passTime(2 * DAY_MS);
    expect(await delegationOf(ann)).toBeNull();
    expect((await delegate(ann, {}, 'undelegate')).status).toBe(200);
  });

  test.each(['ann', 'bob'] as const)('ends with the membership of %s', async (name) => {
    const { ann, bob } = people;
    await delegate(ann, { to: bob.id, until: inDays(1) });
    await tenant.post(`${MEMBERS}/remove`, { id: people[name].id });
    expect(await delegationOf(ann)).toBeNull();
  });

  test('of anybody may be set and ended by an admin, and by nobody else', async () => {
    const { ann, bob, root } = people;
    const body = { memberId: ann.id, to: bob.id, until: inDays(1) };
    expect((await delegate(root, body)).body.member).toMatchObject({ id: ann.id });
    const cyd = await addPerson(tenant, 'cyd', 'approver');
    const ended = await delegate(cyd, { memberId: ann.id }, 'undelegate');
    expect([ended.status, ended.body.code]).toEqual([403, 'forbidden']);
    const set = await delegate(cyd, { ...body, to: cyd.id });
    expect([set.status, set.body.code]).toEqual([403, 'forbidden']);
    expect(await delegationOf(ann)).toMatchObject({ to: bob.id });
    const byKey = await tenant.post(`${MEMBERS}/undelegate`, { memberId: ann.id });
    expect(at(byKey, 'member.delegation')).toBeNull();
  });

  test('makes nobody a stand-in who asks for it themselves', async () => {
    const { ann, root } = people;
    const body = { memberId: ann.id, to: root.id, until: inDays(1) };
    expect(faultPaths(await delegate(root, body))).toEqual(['to']);
    expect(await delegationOf(ann)).toBeNull();
  });

  test('of a key that is no person’s has to name a member', async () => {
    const body = { to: people.bob.id, until: inDays(1) };
    expect(faultPaths(await tenant.post(`${MEMBERS}/delegate`, body))).toEqual(['memberId']);
    expect(faultPaths(await tenant.post(`${MEMBERS}/undelegate`, {}))).toEqual(['memberId']);
    const weak = await tenant.post(`${MEMBERS}/delegate`, body, { role: 'approver' });
    expect(faultPaths(weak)).toEqual(['memberId']);
  });

  test('to nobody, to oneself, or for a time that is none, is refused with each fault', async () => {
    const { ann, bob } = people;
    const cyd = await addPerson(tenant, 'cyd', 'approver');
    await tenant.post(`${MEMBERS}/remove`, { id: cyd.id });
    const until = inDays(1);
    const refused: readonly (readonly [JsonObject, readonly string[]])[] = [
      [{ to: 'mem_none', until }, ['to']],
      [{ to: cyd.id, until }, ['to']],
      [{ to: ann.id, until }, ['to']],
      [{ to: bob.id, until: inDays(-1) }, ['until']],
      [{ to: bob.id, from: inDays(2), until }, ['until']],
      [{ to: bob.id, until: inDays(93) }, ['until']],
      [{ to: 'mem_none', until: inDays(-1) }, ['to', 'until']],
      [{ to: bob.id, until: 'tomorrow' }, ['until']],
      [{ to: bob.id, until, comment: ' ' }, ['comment']],
    ];
    for (const [body, paths] of refused) {
      const answer = await delegate(ann, body);
      expect(answer.status).toBe(400);
      expect(faultPaths(answer)).toEqual(paths);
    }
    expect(await delegationOf(ann)).toBeNull();
    expect((await delegate(ann, { to: bob.id, until: inDays(91) })).status).toBe(200);
  });

  test('of a member of another tenant is none', async () => {
    const other = await newTenant();
    const eve = await addPerson(other, 'eve', 'approver');
    const until = inDays(1);
    expect(faultPaths(await delegate(people.ann, { to: eve.id, until }))).toEqual(['to']);
    const body = { memberId: people.ann.id, to: eve.id, until };
    expect((await other.post(`${MEMBERS}/delegate`, body)).status).toBe(404);
    expect((await other.post(`${MEMBERS}/undelegate`, { memberId: people.ann.id })).status).toBe(
      404,
    );
  });
});

describe('the inbox of a stand-in', () => {
  const inbox = async (who: Person, role: Role = 'viewer') => {
    const list = await send('GET', MINE, { token: who.key });
    expect(list.status, role).toBe(200);
    return listAt(list);
  };

  test('has what the other may decide, and says in whose place', async () => {
    const where = await waiting({ ann: 'approver', bob: 'approver', vic: 'viewer' });
    const [ann, vic] = [person(where.people, 'ann'), person(where.people, 'vic')];
    const token = await keyToDecide(where.tenant, vic);
    expect(await inbox({ ...vic, key: token })).toEqual([]);
    await standIn(where, 'vic', 'ann');
    expect(await inbox({ ...vic, key: token })).toMatchObject([
      { runId: where.runId, onBehalfOf: [{ id: ann.id, name: 'ann' }] },
    ]);
    await standIn(where, 'vic', 'bob');
    const [both] = await inbox({ ...vic, key: token });
    expect(both).toMatchObject({ onBehalfOf: [{ name: 'ann' }, { name: 'bob' }] });
    expect(await inbox(ann)).toMatchObject([{ onBehalfOf: [] }]);
    const all = await send('GET', '/api/admin/approvals', { token });
    expect(at(all, 'items.0')).not.toHaveProperty('onBehalfOf');
  });

  test('has it by their own right where they have one', async () => {
    const where = await waiting({ ann: 'admin', bob: 'approver' });
    await standIn(where, 'bob', 'ann');
    expect(await inbox(person(where.people, 'bob'))).toMatchObject([{ onBehalfOf: [] }]);
    await setRule(where.tenant, { roles: ['admin'] });
    await where.tenant.events({ type: 'order.created', data: SECOND });
    await vi.waitFor(async () =>
      expect(await inbox(person(where.people, 'bob'))).toMatchObject([
        { roles: ['approver'], onBehalfOf: [] },
        { roles: ['admin'], onBehalfOf: [{ name: 'ann' }] },
      ]),
    );
  });

  test('loses it when either has decided, or nobody is behind it any more', async () => {
    const where = await waiting({ ann: 'approver', bob: 'approver', vic: 'viewer' }, TWO);
    const { id, key: annsKey } = person(where.people, 'ann');
    const vic = { ...person(where.people, 'vic') };
    const key = await keyToDecide(where.tenant, vic);
    const mine = async () => (await inbox({ ...vic, key })).length;
    await standIn(where, 'vic', 'ann');
    await where.tenant.post(`${MEMBERS}/update`, { id, role: 'viewer' });
    expect(await mine()).toBe(0);
    await where.tenant.post(`${MEMBERS}/update`, { id, role: 'approver' });
    expect(await mine()).toBe(1);
    const body = { runId: where.runId };
    await send('POST', '/api/admin/workflow-runs/approve', { token: annsKey, body });
    expect(await mine()).toBe(0);
    await standIn(where, 'vic', 'bob');
    expect(await mine()).toBe(1);
    const vote = { ...body, onBehalfOf: person(where.people, 'bob').id };
    const voted = await send('POST', '/api/admin/workflow-runs/approve', {
      token: key,
      body: vote,
    });
    expect(at(voted, 'run.approvals.0.status')).toBe('approved');
    expect(await inbox(person(where.people, 'bob'))).toEqual([]);
  });
});

const TWO = { approvals: 2 };
const SECOND = { order: { id: '2', total: { amount: 1, currency: 'USD' } } };

async function keyToDecide(where: Tenant, { id }: Person): Promise<string> {
  const body = { name: 'To decide', role: 'approver', memberId: id };
  return textAt(await where.post('/api/admin/api-keys/create', body), 'apiKey.secret');
}
