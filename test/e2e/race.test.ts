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
/** One key for each member. */
let people: string[];

beforeAll(async () => {
  const secret = newSigningSecret();
  place = await newPlace();
  server = await startServer(place);
  sink = await openSink(secret);
  tenant = await openTenant(server, secret);
  people = await Promise.all(Array.from({ length: PEOPLE }, (_, n) => keyOfNewMember(n)));
});
afterAll(async () => {
  await server?.stop();
  await sink?.goDown();
  removePlace(place);
});

async function keyOfNewMember(n: number): Promise<string> {
  const admin = server.as(tenant.keys.admin);
  const person = { name: `Person ${n}`, email: `person-${n}@example.com`, role: 'admin' };
  const made = await admin.post('/api/admin/members/create', person, z.object({ member }));
  const key = { name: 'Theirs', role: 'admin', memberId: made.member.id };
  const answer = z.object({ apiKey: newApiKey });
  return (await admin.post('/api/admin/api-keys/create', key, answer)).apiKey.secret;
}

/** A run whose one step waits for ten people, and then sends to the sink. */
async function waitingRun(name: string, expiresIn: string): Promise<string> {
  const approval = { approvals: NEEDED, expiresIn };
  const url = new URL(name, sink.url).href;
  await createWorkflow(server, tenant, forwarding(`custom.${name}`, url, { approval }));
  const [event] = await postEvents(server, tenant, { type: `custom.${name}`, data: {} });
  const runId = event?.runs[0] ?? '';
  await runIn(server, tenant, runId, 'pending_approval');
  return runId;
}

/** All calls are under way at once; which one is which depends on `verbOf`. */
async function storm(runId: string, verbOf: (n: number) => string): Promise<number[]> {
  const calls = Array.from({ length: CALLS }, async (_, n) => {
    const path = `/api/admin/workflow-runs/${verbOf(n)}`;
    const body = { runId, comment: `call ${n}` };
    return (await server.as(people[n % PEOPLE] ?? '').call('POST', path, body)).status;
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
async function expectOneOutcome(run: Run, name: string): Promise<void> {
  expect(run.timeline.map(({ seq }) => seq)).toEqual(run.timeline.map((_, index) => index + 1));
  const finals = run.timeline.filter(({ type }) =>
    /^run_(succeeded|failed|denied|expired|cancelled)$/.test(type),
  );
  expect(finals).toHaveLength(1);
  const decisions = run.approvals[0]?.decisions ?? [];
  expect(new Set(decisions.map(({ actor }) => actor.id)).size).toBe(decisions.length);
  const granted = run.timeline.some(({ type }) => type === 'approval_granted');
  if (granted) expect(decisions).toHaveLength(NEEDED);
  expect(sink.received.filter(({ path }) => path.endsWith(name))).toHaveLength(granted ? 1 : 0);
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

  it('approvals against an expiry: in time or not at all', async () => {
    const runId = await waitingRun('late', '1s');
    await storm(runId, () => 'approve');
    const run = await outcome(runId);
    expect(['succeeded', 'expired']).toContain(run.status);
    await expectOneOutcome(run, 'late');
  });
});
