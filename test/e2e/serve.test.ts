/**
 * `npm run serve`: the product without the development proxy, over the same state as `npm start`,
 * through the death of the runtime and of everything.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { newApiKey } from '../../src/contract/tenants.ts';
import { isLike, listenLive } from './support/live.ts';
import { killNow, living, treeOf, workerdOf } from './support/processes.ts';
import {
  BY_SERVE,
  newPlace,
  type Place,
  removePlace,
  runStart,
  type Server,
  startServer,
} from './support/server.ts';
import { openSink, type Sink } from './support/sink.ts';
import {
  createWorkflow,
  forwarding,
  listRuns,
  newSigningSecret,
  openTenant,
  postEvents,
  runIn,
  type Tenant,
} from './support/tenant.ts';
import { until, within } from './support/wait.ts';

const oneKey = z.object({ apiKey: newApiKey });
const retry = { retry: { attempts: 10, delay: '1s', maxDelay: '2s' } };

let place: Place;
let server: Server;
let sink: Sink;
let tenant: Tenant;

beforeAll(async () => {
  const secret = newSigningSecret();
  place = await newPlace();
  server = await startServer(place, ['--no-demo'], BY_SERVE);
  sink = await openSink(secret);
  tenant = await openTenant(server, secret);
  await createWorkflow(server, tenant, forwarding('custom.serve', sink.url, retry));
});
afterAll(async () => {
  await server?.stop();
  await sink?.goDown();
  removePlace(place);
});

async function startRun(id: string): Promise<string> {
  const event = { id, source: 'serve-test', type: 'custom.serve', data: { id } };
  const [accepted] = await postEvents(server, tenant, event);
  return accepted?.runs[0] ?? '';
}

describe('the served Worker', () => {
  it('takes an event, delivers it signed, and shows the run', async () => {
    const runId = await startRun('first');
    await runIn(server, tenant, runId, 'succeeded');
    const [delivered] = sink.received.filter(({ body }) => body.includes('"first"'));
    expect(delivered?.verified).toBe(true);
  });

  it('tells what changes by a WebSocket, and cuts off a key that is revoked', async () => {
    const made = await server
      .as(tenant.keys.admin)
      .post('/api/admin/api-keys/create', { name: 'A screen', role: 'viewer' }, oneKey);
    const live = await listenLive(server.origin, made.apiKey.secret);
    const runId = await startRun('told');
    const told = { kind: 'run', id: runId, status: 'succeeded' };
    await until('the run to be told', () => live.heard.some((one) => isLike(one, told)));
    expect(live.isOpen()).toBe(true);
    const { id } = made.apiKey;
    await server.as(tenant.keys.admin).post('/api/admin/api-keys/revoke', { id }, z.unknown());
    await until('the socket to be cut off', () => !live.isOpen(), 10_000);
  });

  it('runs the alarms: a retry comes by itself', async () => {
    let refused = 0;
    sink.reply(() => (refused++ < 2 ? { status: 503 } : { status: 200 }));
    await runIn(server, tenant, await startRun('retried'), 'succeeded');
    expect(refused).toBe(3);
  });

  it('starts workerd again on the same port when it dies', async () => {
    const runId = await startRun('before-the-crash');
    const before = workerdOf(server.pid);
    expect(before).toHaveLength(1);
    killNow(before);
    await until('another workerd to run', () => {
      const now = workerdOf(server.pid);
      return now.length === 1 && now[0] !== before[0];
    });
    await until('it to answer', async () => (await fetch(`${server.origin}/api/health`)).ok);
    await runIn(server, tenant, runId, 'succeeded');
    await runIn(server, tenant, await startRun('after-the-crash'), 'succeeded');
  });

  it('starts workerd again when it dies while it starts, again and again', async () => {
    const runId = await startRun('before-the-crashes');
    for (let crash = 0; crash < 4; crash++) {
      const before = await until('workerd to run', () => {
        const running = workerdOf(server.pid);
        return running.length > 0 && running;
      });
      killNow(before);
      await until('it to be gone', () => living(before).length === 0);
    }
    await until('it to answer', async () => (await fetch(`${server.origin}/api/health`)).ok);
    expect(workerdOf(server.pid)).toHaveLength(1);
    await runIn(server, tenant, runId, 'succeeded');
  });

  it('keeps its state through kill -9 of everything', async () => {
    const runId = await startRun('before-the-kill');
    await server.killAll();
    server = await startServer(place, ['--no-demo'], BY_SERVE);
    await runIn(server, tenant, runId, 'succeeded');
    expect(await startRun('before-the-kill')).toBe(runId);
  });

  it('sweeps at its start while it has a thousand runs to tell of', async () => {
    const events = Array.from({ length: 1_000 }, (_, n) => ({
      ...{ id: `many-${n}`, source: 'serve-test', type: 'custom.serve', data: { n } },
    }));
    const accepted = await postEvents(server, tenant, events);
    await server.killAll();
    server = await startServer(place, ['--no-demo'], BY_SERVE);
    const wanted = accepted.flatMap(({ runs }) => runs);
    await until('every run to have succeeded', async () => {
      const done = new Set(
        (await listRuns(server, tenant, 'status=succeeded')).map(({ id }) => id),
      );
      return wanted.every((id) => done.has(id));
    });
  });

  it('lets nobody start a sweep from outside', async () => {
    const answer = await fetch(`${server.origin}/cdn-cgi/local/scheduled`);
    expect(answer.status).toBe(404);
    expect(await answer.json()).toMatchObject({ code: 'not_found' });
  });

  it('opens the state that npm start writes, and the other way round', async () => {
    const runs = (await listRuns(server, tenant)).length;
    expect(await server.stop()).toBe(0);
    server = await startServer(place);
    expect(await listRuns(server, tenant)).toHaveLength(runs);
    const runId = await startRun('by-npm-start');
    await runIn(server, tenant, runId, 'succeeded');
    await server.stop();
    server = await startServer(place, ['--no-demo'], BY_SERVE);
    expect((await runIn(server, tenant, runId, 'succeeded')).id).toBe(runId);
  });

  it('holds its state against a second server', async () => {
    const next = await newPlace();
    const second = runStart({ port: next.port, stateDir: place.stateDir }, [], BY_SERVE);
    expect(await within(20_000, 'the second to give up', second.ended)).toBe(1);
    expect(second.stderr).toEqual([expect.stringContaining(`Process ${server.pid} is running on`)]);
    removePlace(next);
  });

  it('is production for strangers, who come to a HOST beyond this machine or by a proxy', async () => {
    const { serveSettings } = await import('../../scripts/support/workerd.mjs');
    expect(serveSettings({}).environment).toBe('development');
    expect(serveSettings({ HOST: '0.0.0.0' }).environment).toBe('production');
    const local = serveSettings({ PUBLIC_URL: 'http://[::1]:8080' });
    expect(local.environment).toBe('development');
    const behindProxy = serveSettings({ PUBLIC_URL: 'https://hooks.example.com' });
    expect(behindProxy.environment).toBe('production');
    expect(() => serveSettings({ ENVIRONMENT: 'staging' })).toThrow('development or production');
    expect(() => serveSettings({ PUBLIC_URL: 'https://a.example.com/x' })).toThrow('PUBLIC_URL');
    expect(() => serveSettings({ INSPECTOR_PORT: 'any' })).toThrow('INSPECTOR_PORT');
  });
});

describe('its end', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)('by %s leaves no process', async (signal) => {
    const other = await newPlace();
    const served = await startServer(other, ['--no-demo'], BY_SERVE);
    const tree = treeOf(served.pid);
    expect(await served.stop(signal)).toBe(0);
    await until('every process to be gone', () => living(tree).length === 0, 10_000);
    removePlace(other);
  });
});
