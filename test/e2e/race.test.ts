/** 500 calls at once on one run, by 20 people: one outcome, every vote one person's, one effect. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { member } from '../../src/contract/members.ts';
import { isFinal, type Run } from '../../src/contract/runs.ts';
import { newApiKey } from '../../src/contract/tenants.ts';
import { newPlace, type Place, removePlace, type Server, startServer } from './support/server.ts';
import { openSink, type Sink } from './support/sink.ts';
import {
  createWorkflow,
  forwarding,
  listAudit,
  newSigningSecret,
  openTenant,
  postEvents,
  readRun,
  runIn,
  type Tenant,
} from './support/tenant.ts';
import { until } from './support/wait.ts';

const PEOPLE = 20;
const CALLS = 500;
const NEEDED = 10;

let place: Place;
let server: Server;
let sink: Sink;
let tenant: Tenant;
/** One id and one key for each member. */
let people: { id: string; key: string }[];

beforeAll(async () => {
  const secret = newSigningSecret();
  place = await newPlace();
  server = await startServer(place);
  sink = await openSink(secret);
  tenant = await openTenant(server, secret);
  people = await Promise.all(Array.from({ length: PEOPLE }, (_, n) => newMember(n)));
});
afterAll(async () => {
  await server?.stop();
  await sink?.goDown();
  removePlace(place);
});

async function newMember(n: number): Promise<{ id: string; key: string }> {
  const admin = server.as(tenant.keys.admin);
  const person = { name: `Person ${n}`, email: `person-${n}@example.com`, role: 'admin' };
  const made = await admin.post('/api/admin/members/create', person, z.object({ member }));
  const key = { name: 'Theirs', role: 'admin', memberId: made.member.id };
  const answer = z.object({ apiKey: newApiKey });
  const { apiKey } = await admin.post('/api/admin/api-keys/create', key, answer);
  return { id: made.member.id, key: apiKey.secret };
}

/** A run whose one step waits for ten people, and then sends to the sink. */
async function waitingRun(name: string, expiresIn: string, approvals = NEEDED): Promise<string> {
  const approval = { approvals, expiresIn };
  const url = new URL(name, sink.url).href;
  await createWorkflow(server, tenant, forwarding(`custom.${name}`, url, { approval }));
  const [event] = await postEvents(server, tenant, { type: `custom.${name}`, data: {} });
  const runId = event?.runs[0] ?? '';
  await runIn(server, tenant, runId, 'pending_approval');
  return runId;
}

/** All calls are under way at once; which one is which depends on `verbOf`. */
async function storm(
  runId: string,
  verbOf: (n: number) => string,
  moreOf: (n: number) => { onBehalfOf?: string } = () => ({}),
): Promise<number[]> {
  const calls = Array.from({ length: CALLS }, async (_, n) => {
    const path = `/api/admin/workflow-runs/${verbOf(n)}`;
    const body = { runId, comment: `call ${n}`, ...moreOf(n) };
    return (await server.as(people[n % PEOPLE]?.key ?? '').call('POST', path, body)).status;
  });
  return await Promise.all(calls);
}

async function outcome(runId: string): Promise<Run> {
  return await until(`run ${runId} to have ended`, async () => {
    const run = await readRun(server, tenant, runId);
    return isFinal(run.status) ? run : undefined;
  });
}

/** What holds whichever way it ended. */
async function expectOneOutcome(run: Run, name: string, approvals = NEEDED): Promise<void> {
  expect(run.timeline.map(({ seq }) => seq)).toEqual(run.timeline.map((_, index) => index + 1));
  const finals = run.timeline.filter(({ type }) =>
    /^run_(succeeded|failed|denied|expired|cancelled)$/.test(type),
  );
  expect(finals).toHaveLength(1);
  const decisions = run.approvals[0]?.decisions ?? [];
  const named = decisions.flatMap(({ actor, onBehalfOf }) =>
    onBehalfOf === undefined ? [actor.id] : [actor.id, onBehalfOf.id],
  );
  expect(new Set(named).size).toBe(named.length);
  const granted = run.timeline.some(({ type }) => type === 'approval_granted');
  if (granted) expect(decisions).toHaveLength(approvals);
  // Of a run that is cancelled just then, what was begun still comes.
  const came = () => sink.received.filter(({ path }) => path.endsWith(name)).length;
  if (granted) await until('the effect', () => (came() > 0 ? true : undefined));
  expect(came()).toBe(granted ? 1 : 0);
  const trail = await until('the decisions to be in the trail', async () => {
    const told = (await listAudit(server, tenant)).filter(({ target }) => target.id === run.id);
    const votes = told.filter(({ action }) => /^approval\.(approved|denied)$/.test(action));
    return votes.length >= decisions.length ? votes : undefined;
  });
  expect(trail).toHaveLength(decisions.length);
}

describe('500 calls at once by 20 people', () => {
  it('approvals alone: ten count, the effect happens once', async () => {
    const runId = await waitingRun('calm', '1h');
    const statuses = await storm(runId, () => 'approve');
    expect(statuses.filter((status) => status === 200)).toHaveLength(NEEDED);
    expect(statuses.filter((status) => ![200, 403, 409].includes(status))).toEqual([]);
    const run = await outcome(runId);
    expect(run.status).toBe('succeeded');
    await expectOneOutcome(run, 'calm');
  });

  it('approve, deny and cancel: one outcome', async () => {
    const runId = await waitingRun('storm', '1h');
    const statuses = await storm(runId, (n) => {
      if (n > 6 && n % 9 === 0) return 'deny';
      return n > 6 && n % 11 === 0 ? 'cancel' : 'approve';
    });
    expect(statuses.filter((status) => ![200, 403, 409].includes(status))).toEqual([]);
    await expectOneOutcome(await outcome(runId), 'storm');
  });

  it('for themselves and for each other: nobody is named by two votes', async () => {
    const until = new Date(Date.now() + 3_600_000).toISOString();
    const answer = z.object({ member });
    for (const [n, { key }] of people.entries()) {
      const to = people[(n + 1) % PEOPLE]?.id;
      await server.as(key).post('/api/admin/members/delegate', { to, until }, answer);
    }
    const needed = 6;
    const runId = await waitingRun('ring', '1h', needed);
    const before = (n: number) => people[(n + PEOPLE - 1) % PEOPLE]?.id ?? '';
    // In each round of calls others vote for themselves, and the rest for whom they stand in.
    const statuses = await storm(
      runId,
      () => 'approve',
      (n) => ((n + Math.floor(n / PEOPLE)) % 3 === 0 ? {} : { onBehalfOf: before(n) }),
    );
    expect(statuses.filter((status) => status === 200)).toHaveLength(needed);
    expect(statuses.filter((status) => ![200, 403, 409].includes(status))).toEqual([]);
    const run = await outcome(runId);
    expect(run.status).toBe('succeeded');
    await expectOneOutcome(run, 'ring', needed);
    expect(run.approvals[0]?.decisions.some(({ onBehalfOf }) => onBehalfOf !== undefined)).toBe(
      true,
    );
  });

  it('approvals against an expiry: in time or not at all', async () => {
    const runId = await waitingRun('late', '1s');
    await storm(runId, () => 'approve');
    const run = await outcome(runId);
    expect(['succeeded', 'expired']).toContain(run.status);
    await expectOneOutcome(run, 'late');
  });

  it('approve, deny and cancel while it expires: one outcome', async () => {
    const runId = await waitingRun('all', '1s', PEOPLE - 1);
    const statuses = await storm(runId, (n) => {
      if (n > 150 && n % 97 === 0) return 'deny';
      return n > 150 && n % 89 === 0 ? 'cancel' : 'approve';
    });
    expect(statuses.filter((status) => ![200, 403, 409].includes(status))).toEqual([]);
    await expectOneOutcome(await outcome(runId), 'all', PEOPLE - 1);
  });
});
