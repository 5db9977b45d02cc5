/** What is heard, and when; what is heard after an absence; and by whom nothing more is heard. */
import { evictDurableObject, runInDurableObject } from 'cloudflare:test';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { LIVE_SOCKETS_MAX, SILENT_MAX_MS } from '../../../src/objects/live.ts';
import { billedFor } from '../billing/meter.ts';
import { passTime, withoutReadModel } from '../objects/support/disturb.ts';
import { textAt } from '../support/answers.ts';
import { newKey, newTenant, runWithStatus, type Tenant } from '../support/api.ts';
import {
  createWorkflow,
  customEvent,
  flagWorkflow,
  startRun,
  tagWorkflow,
} from '../support/samples.ts';
import { expectNothingWaits } from '../support/untold.ts';
import { closes, hangUp, hears, knock, listen, listenOn, objectOf, offering } from './support.ts';

afterEach(() => {
  hangUp();
  vi.useRealTimers();
  vi.restoreAllMocks();
});

async function sendThing(tenant: Tenant): Promise<string> {
  return textAt(await tenant.events(customEvent()), 'events.0.id');
}

describe('what changes', () => {
  test('is told of events, runs and approvals, and never what is in them', async () => {
    const tenant = await newTenant();
    await createWorkflow(tenant, flagWorkflow());
    const listener = await listen(tenant);
    const runId = await startRun(tenant, 'order-4711');
    const run = await runWithStatus(tenant, runId, 'pending_approval');
    const approvalId = textAt(run, 'run.approvals.0.id');
    const eventId = textAt(run, 'run.eventId');
    await hears(listener, [
      { kind: 'event', id: eventId, status: 'received' },
      { kind: 'run', id: runId, status: 'pending_approval' },
      { kind: 'approval', id: approvalId, runId, status: 'pending' },
    ]);
    await tenant.post('/api/admin/workflow-runs/approve', { runId }, { role: 'approver' });
    await hears(listener, [
      { kind: 'approval', id: approvalId, status: 'approved' },
      { kind: 'run', id: runId, status: 'succeeded' },
    ]);
    expect(JSON.stringify(listener.heard)).not.toMatch(/4711|sale|order/);
  });

  test('is told once the read model shows it, and not before', async () => {
    const tenant = await newTenant();
    await createWorkflow(tenant, tagWorkflow());
    const listener = await listen(tenant);
    const runId = await withoutReadModel(async () => {
      const runId = await startRun(tenant);
      await vi.waitFor(async () => {
        const failed = await runInDurableObject(objectOf(tenant), async (_, { storage }) =>
          storage.sql.exec(`SELECT 1 FROM intake WHERE state = 1`).toArray(),
        );
        expect(failed).toHaveLength(1);
      });
      expect(listener.heard.map(({ kind }) => kind)).toEqual(['reset']);
      return runId;
    });
    await runInDurableObject(objectOf(tenant), async (object) => await object.poke());
    await hears(listener, [{ kind: 'run', id: runId, status: 'succeeded' }]);
    const shown = await tenant.get(`/api/admin/workflow-runs/get?id=${runId}`);
    expect(textAt(shown, 'run.status')).toBe('succeeded');
  });

  test('is told to every socket of its tenant and to none of another', async () => {
    const [tenant, other] = [await newTenant(), await newTenant()];
    const [one, two] = [await listen(tenant), await listen(tenant)];
    const stranger = await listen(other);
    const wanted = [{ kind: 'event', id: await sendThing(tenant) }];
    await Promise.all([hears(one, wanted), hears(two, wanted)]);
    await hears(stranger, [{ id: await sendThing(other) }]);
    expect(stranger.heard).toHaveLength(2);
  });

  test('is one reset for all that is too much at once', async () => {
    const tenant = await newTenant();
    const listener = await listen(tenant);
    const before = listener.cursor();
    await tenant.events(Array.from({ length: 300 }, () => customEvent()));
    const heard = () => listener.heard.slice(1).map(({ kind }) => kind);
    await vi.waitFor(() => expect(heard()).toContain('reset'), 5_000);
    expect(heard().filter((kind) => kind === 'reset')).toEqual(['reset']);
    expect(heard().length).toBeLessThanOrEqual(1 + 100);
    const late = await listen(tenant, { cursor: before });
    await hears(late, [{ kind: 'reset' }]);
  });
});

describe('after an absence', () => {
  test('a socket goes on where it was', async () => {
    const tenant = await newTenant();
    const first = await listen(tenant);
    const seen = await sendThing(tenant);
    await hears(first, [{ id: seen }]);
    first.socket.close(1000);
    const missed = [await sendThing(tenant), await sendThing(tenant)];
    const other = await listen(tenant);
    await vi.waitFor(async () => {
      const again = await listen(tenant, { cursor: first.cursor() });
      await vi.waitFor(() => expect(again.heard.length).toBeGreaterThan(0));
      expect(again.heard.flatMap((told) => ('id' in told ? told.id : []))).toEqual(missed);
    });
    const now = await listen(tenant, { cursor: other.cursor() });
    const next = await sendThing(tenant);
    await hears(now, [{ id: next }]);
    expect(now.heard).toHaveLength(1);
  });

  test.each(['not-ours', 'x', '0-0', 'a-1-1'])('%s is no place to go on from', async (cursor) => {
    await hears(await listen(await newTenant(), { cursor }), [{ kind: 'reset' }]);
  });
});

describe('an idle socket', () => {
  test('lets the object go, is there when it is back, and writes nothing', async () => {
    const tenant = await newTenant();
    const listener = await listen(tenant);
    const { rows } = await billedFor(async () => {
      await listen(tenant);
      listener.socket.send('ping');
      await vi.waitFor(() => expect(listener.others).toEqual(['pong']));
      await evictDurableObject(objectOf(tenant));
      listener.socket.send('ping');
      await vi.waitFor(() => expect(listener.others).toEqual(['pong', 'pong']));
    });
    expect(rows).toEqual({});
    await hears(listener, [{ id: await sendThing(tenant) }]);
    expect(listener.closed).toEqual([]);
  });

  test('hears nothing twice, though the object tells its last parcel again', async () => {
    const tenant = await newTenant();
    await createWorkflow(tenant, flagWorkflow());
    const listener = await listen(tenant);
    const runId = await startRun(tenant);
    await runWithStatus(tenant, runId, 'pending_approval');
    await hears(listener, [{ kind: 'run', id: runId, status: 'pending_approval' }]);
    await vi.waitFor(() => expectNothingWaits(tenant.id));
    const { length } = listener.heard;
    await evictDurableObject(objectOf(tenant));
    await objectOf(tenant).poke();
    const id = await sendThing(tenant);
    await hears(listener, [{ id }]);
    expect(JSON.stringify(listener.heard.slice(length))).not.toContain(runId);
  });

  test('is cut off all the same when its key is revoked meanwhile', async () => {
    const tenant = await newTenant();
    const { id, secret } = await newKey(await tenant.key('admin'), 'viewer');
    const listener = await listen(tenant, { key: secret });
    await evictDurableObject(objectOf(tenant));
    await tenant.post('/api/admin/api-keys/revoke', { id });
    await closes(listener, 4401);
  });
});

describe('cut off at once is', () => {
  test('whose key is revoked, though the read model be down, and nobody else', async () => {
    const tenant = await newTenant();
    const { id, secret } = await newKey(await tenant.key('admin'), 'viewer');
    const listener = await listen(tenant, { key: secret });
    const other = await listen(tenant);
    await withoutReadModel(async () => {
      const revoking = tenant.post('/api/admin/api-keys/revoke', { id });
      await closes(listener, 4401);
      await revoking;
    });
    expect((await knock(offering(secret))).status).toBe(401);
    expect(other.closed).toEqual([]);
  });

  test('a member who is removed, and one whose role is lowered', async () => {
    const tenant = await newTenant();
    const listeners = [];
    for (const name of ['ann', 'bob', 'eve']) {
      const email = `${name}@example.com`;
      const made = await tenant.post('/api/admin/members/create', { name, email, role: 'admin' });
      const id = textAt(made, 'member.id');
      const body = { name: 'Theirs', role: 'approver', memberId: id };
      const key = await tenant.post('/api/admin/api-keys/create', body);
      const listener = await listen(tenant, { key: textAt(key, 'apiKey.secret') });
      listeners.push({ id, listener });
    }
    const [ann, bob, eve] = listeners;
    if (ann === undefined || bob === undefined || eve === undefined) throw new Error('too few');
    await tenant.post('/api/admin/members/remove', { id: ann.id });
    await closes(ann.listener, 4401);
    await tenant.post('/api/admin/members/update', { id: bob.id, role: 'viewer' });
    await closes(bob.listener, 4403);
    // Not lower than what the key gave.
    await tenant.post('/api/admin/members/update', { id: eve.id, role: 'approver' });
    await hears(eve.listener, [{ id: await sendThing(tenant) }]);
    expect(eve.listener.closed).toEqual([]);
  });

  test('who sends anything but ping', async () => {
    const listener = await listen(await newTenant());
    listener.socket.send('hello');
    await closes(listener, 1008);
  });

  test('who has not pinged for long, once there is something to tell', async () => {
    const tenant = await newTenant();
    // The platform's own clock says when it was pinged: that one cannot be moved.
    passTime(-SILENT_MAX_MS - 1_000);
    const [silent, alive] = [await listen(tenant), await listen(tenant)];
    vi.useRealTimers();
    alive.socket.send('ping');
    await vi.waitFor(() => expect(alive.others).toEqual(['pong']));
    expect(silent.closed).toEqual([]);
    const id = await sendThing(tenant);
    await closes(silent, 4408);
    await hears(alive, [{ id }]);
  });

  test('whose socket is older than a sign-in', async () => {
    const tenant = await newTenant();
    const listener = await listen(tenant);
    passTime(12 * 3_600_000 + 1);
    await sendThing(tenant);
    await closes(listener, 4408);
  });
});

test('a tenant has so many sockets and no more, until one closes', async () => {
  const tenant = await newTenant();
  const first = await listen(tenant);
  const headers = offering(await tenant.key('viewer'));
  for (let count = 1; count < LIVE_SOCKETS_MAX; count += 1) listenOn(await knock(headers));
  const refused = await knock(headers);
  expect(refused.status).toBe(429);
  expect(refused.headers.get('retry-after')).toBe('30');
  expect((await (await newTenant()).get('/api/admin/workflows')).status).toBe(200);
  first.socket.close(1000);
  await vi.waitFor(async () => listenOn(await knock(headers)));
});
