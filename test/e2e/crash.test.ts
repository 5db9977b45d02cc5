/** What was answered 202 survives `kill -9` of every process, and happens once (I1, I2). */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newPlace, type Place, removePlace, type Server, startServer } from './support/server.ts';
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
import { until } from './support/wait.ts';

const retry = { retry: { attempts: 10, delay: '1s', maxDelay: '2s' } };

let place: Place;
let server: Server;
let sink: Sink;
let tenant: Tenant;

beforeAll(async () => {
  const secret = newSigningSecret();
  place = await newPlace();
  server = await startServer(place);
  sink = await openSink(secret);
  tenant = await openTenant(server, secret);
  await createWorkflow(server, tenant, forwarding('custom.crash', sink.url, retry));
});
afterAll(async () => {
  await server?.stop();
  await sink?.goDown();
  removePlace(place);
});

/** Sends one event; the run it started. */
async function startRun(id: string): Promise<string> {
  const event = { id, source: 'crash-test', type: 'custom.crash', data: { id } };
  const [accepted] = await postEvents(server, tenant, event);
  return accepted?.runs[0] ?? '';
}

async function crashAndRestart(): Promise<void> {
  await server.killAll();
  server = await startServer(place);
}

const about = (id: string) => sink.received.filter(({ body }) => body.includes(`"${id}"`));

async function expectOneDelivery(id: string, runId: string): Promise<void> {
  await runIn(server, tenant, runId, 'succeeded');
  expect((await listRuns(server, tenant)).filter((run) => run.id === runId)).toHaveLength(1);
  expect(new Set(about(id).map((request) => request.id)).size).toBe(1);
  expect(about(id).every(({ verified }) => verified)).toBe(true);
}

describe('kill -9 between the 202 and the delivery', () => {
  it('with the request under way: it is sent again under the same webhook-id', async () => {
    sink.reply(() => ({ status: 200, delayMs: 60_000 }));
    const runId = await startRun('under-way');
    await until('the receiver to have the request', () => about('under-way').length > 0);
    await server.killAll();
    sink.reply(() => ({ status: 200 }));
    server = await startServer(place);
    await expectOneDelivery('under-way', runId);
    expect(about('under-way').length).toBeGreaterThan(1);
  });

  it('with the receiver down: the retry outlives the crash', async () => {
    await sink.goDown();
    const runId = await startRun('down');
    await until('a first attempt to have failed', async () => {
      const run = await runIn(server, tenant, runId, 'waiting');
      return (run.steps[0]?.attempts ?? 0) > 0;
    });
    await server.killAll();
    await sink.comeUp();
    server = await startServer(place);
    await expectOneDelivery('down', runId);
  });

  it('at once after the 202, ten times: none is lost, none runs twice', async () => {
    const ids = Array.from({ length: 10 }, (_, index) => `at-once-${index}`);
    const runIds = await Promise.all(ids.map(startRun));
    await crashAndRestart();
    for (const [index, id] of ids.entries()) await expectOneDelivery(id, runIds[index] ?? '');
    const again = await Promise.all(ids.map(startRun));
    expect(again).toEqual(runIds);
  });
});
