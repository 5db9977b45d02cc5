/** Every way to decide × every rule of the policy, over HTTP: refused as the table says, and nothing moved. */
import { describe, expect, test } from 'vitest';
import * as z from 'zod';
import type { JsonObject } from '../../../src/contract/json.ts';
import { PROBLEMS } from '../../../src/contract/problems.ts';
import { ROUTES } from '../../../src/routes/index.ts';
import {
  DECISION_RULES,
  NO_DECISION,
  WAY_NAMES,
  WAYS,
  type Way,
} from '../../fixtures/decision-rules.ts';
import {
  addPerson,
  edit,
  forgedLink,
  type Person,
  person,
  readRun,
  setRule,
  standIn,
  submit,
  type Waiting,
  waiting,
} from '../notices/support.ts';
import { at, listAt, textAt } from '../support/answers.ts';
import { eventually, newTenant, runWithStatus, send, type Tenant } from '../support/api.ts';
import { orderEvent } from '../support/samples.ts';

/** Who decides, with what: as the API takes it, and as the page's form does. */
interface Try {
  readonly at: Waiting;
  readonly token: string;
  /** Of the member behind the link. */
  readonly who?: string;
  readonly comment?: string | null;
  readonly inputHash?: string;
  readonly link?: string;
  /** The id of the member in whose place. */
  readonly onBehalfOf?: string;
}

const ANN_AND_BOB = { ann: 'approver', bob: 'approver', root: 'admin' } as const;
/** Everything is allowed that a rule could forbid, but for the rule under test. */
const LENIENT = { breakGlass: true, edit: 'approver', approvals: 2 };

async function attempt(way: Way, sent: Try): Promise<{ status: number; code: string }> {
  if (way === 'link') return await byLink(sent);
  const { at: where, token, comment = 'Because', inputHash, onBehalfOf } = sent;
  const body: JsonObject = {
    runId: where.runId,
    ...(comment === null ? {} : { comment }),
    ...(inputHash === undefined ? {} : { inputHash }),
    ...(onBehalfOf === undefined ? {} : { onBehalfOf }),
    ...(way === 'edit' ? { input: { key: 'another' } } : {}),
  };
  const answer = await send('POST', `/api/admin/workflow-runs/${way}`, { token, body });
  return { status: answer.status, code: String(answer.body.code ?? 'ok') };
}

/** The page says it in words; its status has to be that of the code, and nothing else has to move. */
async function byLink(sent: Try) {
  const { at: where, who = 'ann', comment = 'Because', inputHash, link, onBehalfOf } = sent;
  const more = {
    ...(inputHash === undefined ? {} : { inputHash }),
    ...(onBehalfOf === undefined ? {} : { onBehalfOf }),
  };
  const path = link ?? (await forgedLink(where, who, more));
  const { email } = person(where.people, who);
  const { status, html } = await submit(path, {
    decision: 'approved',
    email,
    comment: comment ?? '',
  });
  return { status, code: /You approved this( for \w+)? at/.test(html) ? 'ok' : `page ${status}` };
}

interface Scene {
  readonly rule?: JsonObject;
  prepare(at: Waiting): Promise<Omit<Try, 'at'> & { readonly elsewhere?: Waiting }>;
}

const keyOf = ({ people }: Waiting, name: string) => person(people, name).key;

const SCENES: Readonly<Record<string, Scene>> = {
  'a key of the role viewer, or of no such person': {
    async prepare(where) {
      await demote(where, 'ann');
      return { token: await where.tenant.key('viewer') };
    },
  },
  'a key of the role ingest': {
    prepare: async ({ tenant }) => ({ token: await tenant.key('ingest') }),
  },
  'a key of another tenant': {
    prepare: async () => ({ token: await (await newTenant()).key('admin') }),
  },
  'a token that was changed': {
    async prepare(where) {
      const link = await forgedLink(where, 'ann');
      return { token: '', link: link.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A')) };
    },
  },
  'a member who was removed': {
    async prepare(where) {
      const id = person(where.people, 'ann').id;
      await where.tenant.post('/api/admin/members/remove', { id });
      return { token: keyOf(where, 'ann') };
    },
  },
  'a member whose role was lowered since': {
    async prepare(where) {
      await demote(where, 'ann');
      return { token: keyOf(where, 'ann') };
    },
  },
  'not of the roles, not among the members': {
    rule: { roles: ['admin'] },
    prepare: async (where) => ({ token: keyOf(where, 'ann') }),
  },
  'not among those whom the workflow names': {
    async prepare(where) {
      const bob = person(where.people, 'bob').id;
      const runId = await gatedRun(where.tenant, { approval: { members: [bob] } });
      return { token: keyOf(where, 'ann'), ...moved(where, runId) };
    },
  },
  'the sender of the event': {
    async prepare(where) {
      const sender = await addPerson(where.tenant, 'sam', 'admin');
      const sent = await send('POST', '/api/events', { token: sender.key, body: orderEvent('7') });
      const runId = textAt(sent, 'events.0.runs.0');
      return { token: sender.key, who: 'sam', ...moved(where, runId, { sam: sender }) };
    },
  },
  'the author of the workflow': {
    async prepare(where) {
      const runId = await gatedRun(where.tenant, {}, keyOf(where, 'root'));
      return { token: keyOf(where, 'root'), who: 'root', ...moved(where, runId) };
    },
  },
  'the editor of the inputs': {
    async prepare(where) {
      await edit(where, person(where.people, 'ann'), 'edited');
      return { token: keyOf(where, 'ann') };
    },
  },
  'the same person a second time': {
    async prepare(where) {
      const { id } = person(where.people, 'ann');
      await decide(where, 'approve', keyOf(where, 'ann'));
      const body = { name: 'Her other key', role: 'approver', memberId: id };
      const second = await where.tenant.post('/api/admin/api-keys/create', body);
      return { token: textAt(second, 'apiKey.secret') };
    },
  },
  'by the right of another, without naming them': {
    async prepare(where) {
      const people = { ...where.people, vic: await addPerson(where.tenant, 'vic', 'viewer') };
      await standIn({ ...where, people }, 'vic', 'root');
      const vic = await decidingKey(where, person(people, 'vic').id);
      return { token: vic, who: 'vic', elsewhere: { ...where, people } };
    },
  },
  'in the place of somebody who lets nobody': {
    prepare: async (where) => inPlaceOf(where, 'root', 'ann'),
  },
  'in the place of somebody who lets another person': {
    async prepare(where) {
      await standIn(where, 'bob', 'root');
      return inPlaceOf(where, 'ann', 'root');
    },
  },
  'in the place of somebody who lets the one who lets them': {
    async prepare(where) {
      await standIn(where, 'bob', 'root');
      await standIn(where, 'ann', 'bob');
      return inPlaceOf(where, 'ann', 'root');
    },
  },
  'in the place of somebody, before it begins': {
    async prepare(where) {
      const from = new Date(Date.now() + 3_600_000).toISOString();
      await standIn(where, 'ann', 'root', { from });
      return inPlaceOf(where, 'ann', 'root');
    },
  },
  'in the place of somebody, after it was ended': {
    async prepare(where) {
      await standIn(where, 'ann', 'root');
      const memberId = person(where.people, 'root').id;
      const ended = await where.tenant.post('/api/admin/members/undelegate', { memberId });
      expect(ended.status).toBe(200);
      return inPlaceOf(where, 'ann', 'root');
    },
  },
  'in the place of somebody who was removed': {
    async prepare(where) {
      await standIn(where, 'ann', 'root');
      const { id } = person(where.people, 'root');
      await where.tenant.post('/api/admin/members/remove', { id });
      return inPlaceOf(where, 'ann', 'root');
    },
  },
  'in the place of somebody whose role was lowered since': {
    async prepare(where) {
      await standIn(where, 'ann', 'root');
      await demote(where, 'root');
      return inPlaceOf(where, 'ann', 'root');
    },
  },
  'in the place of the author of the workflow': {
    async prepare(where) {
      await standIn(where, 'ann', 'root');
      const runId = await gatedRun(where.tenant, {}, keyOf(where, 'root'));
      return { ...inPlaceOf(where, 'ann', 'root'), ...moved(where, runId) };
    },
  },
  'the author of the workflow, in the place of another': {
    async prepare(where) {
      await standIn(where, 'root', 'ann');
      const runId = await gatedRun(where.tenant, {}, keyOf(where, 'root'));
      return { ...inPlaceOf(where, 'root', 'ann'), ...moved(where, runId) };
    },
  },
  'in the place of the editor of the inputs': {
    async prepare(where) {
      await standIn(where, 'ann', 'bob');
      await edit(where, person(where.people, 'bob'), 'edited');
      return inPlaceOf(where, 'ann', 'bob');
    },
  },
  'the editor of the inputs, in the place of another': {
    async prepare(where) {
      await standIn(where, 'bob', 'ann');
      await edit(where, person(where.people, 'bob'), 'edited');
      return inPlaceOf(where, 'bob', 'ann');
    },
  },
  'in the place of somebody who has decided': {
    async prepare(where) {
      await standIn(where, 'ann', 'bob');
      await decide(where, 'approve', keyOf(where, 'bob'));
      return inPlaceOf(where, 'ann', 'bob');
    },
  },
  'the same person, for themselves and then for another': {
    async prepare(where) {
      await standIn(where, 'ann', 'bob');
      await decide(where, 'approve', keyOf(where, 'ann'));
      return inPlaceOf(where, 'ann', 'bob');
    },
  },
  'somebody in whose place it was decided': {
    async prepare(where) {
      await standIn(where, 'ann', 'bob');
      const { token, onBehalfOf } = inPlaceOf(where, 'ann', 'bob');
      expect(await attempt('approve', { at: where, token, onBehalfOf })).toMatchObject({
        status: 200,
      });
      return { token: keyOf(where, 'bob') };
    },
  },
  'no reason, where one is required': {
    rule: { reasonRequired: true },
    prepare: async (where) => ({ token: keyOf(where, 'root'), who: 'root', comment: null }),
  },
  'no right to edit': {
    rule: { edit: 'nobody' },
    prepare: async (where) => ({ token: keyOf(where, 'root') }),
  },
  'no break-glass': {
    rule: { breakGlass: false },
    prepare: async (where) => ({ token: keyOf(where, 'root') }),
  },
  'the hash of former inputs': {
    async prepare(where) {
      const inputHash = textAt(
        await readRun(where.tenant, where.runId),
        'run.approvals.0.inputHash',
      );
      await edit(where, person(where.people, 'bob'), 'edited');
      return { token: keyOf(where, 'root'), who: 'root', inputHash };
    },
  },
  'decided already': {
    async prepare(where) {
      await decide(where, 'deny', keyOf(where, 'bob'));
      return { token: keyOf(where, 'root'), who: 'root' };
    },
  },
  expired: {
    rule: { expiresIn: '1s' },
    async prepare(where) {
      // A token that outlives the request, so that the request's own expiry is what refuses.
      const expiresAt = new Date(Date.now() + 3_600_000).toISOString();
      const link = await forgedLink(where, 'root', { expiresAt });
      await runWithStatus(where.tenant, where.runId, 'expired');
      return { token: keyOf(where, 'root'), who: 'root', link };
    },
  },
  'the run was cancelled': {
    async prepare(where) {
      const body = { runId: where.runId };
      expect((await where.tenant.post('/api/admin/workflow-runs/cancel', body)).status).toBe(200);
      return { token: keyOf(where, 'root'), who: 'root' };
    },
  },
};

/** One person by another's right. */
function inPlaceOf(where: Waiting, who: string, whose: string) {
  return { token: keyOf(where, who), who, onBehalfOf: person(where.people, whose).id };
}

/** A key of a role that may decide, for a member whose own role may not. */
async function decidingKey({ tenant }: Waiting, memberId: string): Promise<string> {
  const body = { name: 'To decide', role: 'approver', memberId };
  return textAt(await tenant.post('/api/admin/api-keys/create', body), 'apiKey.secret');
}

async function demote({ tenant, people }: Waiting, name: string): Promise<void> {
  const body = { id: person(people, name).id, role: 'viewer' };
  expect((await tenant.post('/api/admin/members/update', body)).status).toBe(200);
}

async function decide(where: Waiting, way: Way, token: string): Promise<void> {
  expect(await attempt(way, { at: where, token })).toEqual({ status: 200, code: 'ok' });
}

/** Another run, of a workflow that a person has written. */
async function gatedRun(tenant: Tenant, step: JsonObject, author?: string): Promise<string> {
  const steps = [{ id: 'on', action: 'flag.enable', with: { key: 'sale' }, ...step }];
  const trigger = { event: 'custom.gate' };
  const body = { name: 'Gate', trigger, steps, enabled: true };
  const token = author ?? (await tenant.key('admin'));
  const made = await send('POST', '/api/admin/workflows/create', { token, body });
  expect(made.status, made.text).toBe(201);
  return textAt(await tenant.events({ type: 'custom.gate', data: {} }), 'events.0.runs.0');
}

/** The scene is about another run than the one that it began with. */
function moved(where: Waiting, runId: string, more: Readonly<Record<string, Person>> = {}) {
  return { elsewhere: { ...where, runId, people: { ...where.people, ...more } } };
}

test('the table has every route that takes a decision, and every rule has its scene', () => {
  const takesApproval = ROUTES.filter(({ method, path, body }) => {
    const schema = body?.unwrap();
    const named = schema instanceof z.ZodObject && Object.hasOwn(schema.shape, 'approvalId');
    return method === 'POST' && (named || path.startsWith('/approvals/'));
  }).map(({ method, path }) => `${method} ${path}`);
  expect(takesApproval.toSorted()).toEqual([...Object.values(WAYS), ...NO_DECISION].toSorted());
  expect(Object.keys(SCENES)).toEqual(Object.keys(DECISION_RULES));
});

const cells = Object.entries(DECISION_RULES).flatMap(([rule, codes]) =>
  WAY_NAMES.filter((way) => codes[way] !== '-').map((way) => [rule, way, codes[way]] as const),
);

test.each(cells)('%s: %s is refused with %s', async (rule, way, code) => {
  const scene = SCENES[rule];
  if (scene === undefined) throw new Error(`no scene for ${rule}`);
  const first = await waiting(ANN_AND_BOB, { ...LENIENT, ...scene.rule });
  const prepared = await scene.prepare(first);
  const where = prepared.elsewhere ?? first;
  await eventually(
    () => readRun(where.tenant, where.runId),
    (run) => expect(at(run, 'run.approvals.0.status')).toBeDefined(),
  );
  const before = await readRun(where.tenant, where.runId);
  const refused = await attempt(way, { ...prepared, at: where });
  expect(refused.code).not.toBe('ok');
  if (way === 'link') expect(String(refused.status)).toBe(pageStatus(code));
  else expect(refused.code).toBe(code);
  expect((await readRun(where.tenant, where.runId)).body.run).toEqual(before.body.run);
});

function pageStatus(code: string): string {
  const known = Object.entries(PROBLEMS).find(([name]) => name === code)?.[1][0];
  return String(known);
}

test.each(['approve', 'link'] as const)('one of two by %s opens nothing', async (way) => {
  const where = await waiting(ANN_AND_BOB, LENIENT);
  expect(await attempt(way, { at: where, token: keyOf(where, 'ann') })).toMatchObject({
    code: 'ok',
  });
  expect(at(await readRun(where.tenant, where.runId), 'run.status')).toBe('pending_approval');
  await decide(where, 'approve', keyOf(where, 'bob'));
  await runWithStatus(where.tenant, where.runId, 'succeeded');
});

describe('a member whose own role is too low', () => {
  test.each(['approve', 'deny', 'link'] as const)(
    'decides by %s where the rule names them',
    async (way) => {
      const where = await waiting({ vic: 'viewer' }, {});
      const { id } = person(where.people, 'vic');
      expect(await setRule(where.tenant, { roles: [], members: [id] })).toBe(200);
      const runId = await gatedRun(where.tenant, {});
      await runWithStatus(where.tenant, runId, 'pending_approval');
      const token = await decidingKey(where, id);
      const done = await attempt(way, { at: { ...where, runId }, token, who: 'vic' });
      expect(done).toEqual({ status: 200, code: 'ok' });
    },
  );

  test('decides nothing by a key that only reads', async () => {
    const where = await waiting({ vic: 'viewer', ann: 'approver' });
    await standIn(where, 'vic', 'ann');
    const onBehalfOf = person(where.people, 'ann').id;
    const token = keyOf(where, 'vic');
    for (const way of ['approve', 'deny'] as const)
      expect(await attempt(way, { at: where, token, onBehalfOf })).toEqual({
        status: 403,
        code: 'forbidden',
      });
    const until = new Date(Date.now() + 3_600_000).toISOString();
    const body = { to: onBehalfOf, until };
    expect((await send('POST', '/api/admin/members/delegate', { token, body })).status).toBe(403);
  });
});

test.each(['approve', 'deny', 'link'] as const)(
  'by %s a vote in the place of another counts, and says whose it is',
  async (way) => {
    const where = await waiting({ vic: 'viewer', ann: 'approver' });
    await standIn(where, 'vic', 'ann');
    const token = await decidingKey(where, person(where.people, 'vic').id);
    const onBehalfOf = person(where.people, 'ann').id;
    const done = await attempt(way, { at: where, token, who: 'vic', onBehalfOf });
    expect(done).toEqual({ status: 200, code: 'ok' });
    const run = await runWithStatus(
      where.tenant,
      where.runId,
      way === 'deny' ? 'denied' : 'succeeded',
    );
    expect(listAt(run, 'run.approvals.0.decisions')).toMatchObject([
      { actor: { name: 'vic' }, onBehalfOf: { type: 'member', id: onBehalfOf, name: 'ann' } },
    ]);
    const action = way === 'deny' ? 'approval.denied' : 'approval.approved';
    const told = await where.tenant.get(`/api/admin/audit?action=${action}`);
    expect(at(told, 'items.0.data.onBehalfOf')).toBe(onBehalfOf);
  },
);

test('where the policy lets people decide what they caused, they may', async () => {
  const where = await waiting(ANN_AND_BOB, { selfApproval: true });
  const runId = await gatedRun(where.tenant, {}, keyOf(where, 'root'));
  await runWithStatus(where.tenant, runId, 'pending_approval');
  await decide({ ...where, runId }, 'approve', keyOf(where, 'root'));
  expect(await setRule(where.tenant, { selfApproval: false })).toBe(200);
});
