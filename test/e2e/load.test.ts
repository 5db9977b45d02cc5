/** Many senders at once, repeating themselves: each event counts once, and each is delivered. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { newPlace, type Place, removePlace, type Server, startServer } from './support/server.ts';
import { openSink, type Sink } from './support/sink.ts';
import {
  createWorkflow,
  forwarding,
  listEvents,
  listRuns,
  newSigningSecret,
  openTenant,
  postEvents,
  type Tenant,
} from './support/tenant.ts';
import { until } from './support/wait.ts';

const DISTINCT = 400;
const SENDERS = 16;

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
  await createWorkflow(server, tenant, forwarding('custom.load', sink.url));
});
afterAll(async () => {
  await server?.stop();
  await sink?.goDown();
  removePlace(place);
});

it('takes 500 posts of 400 events from 16 senders as 400 events, runs and deliveries', async () => {
  // Every fourth event comes twice in a row, so most repetitions meet the first one under way.
  const numbers = Array.from({ length: DISTINCT }, (_, n) => (n % 4 === 0 ? [n, n] : [n])).flat();
  expect(numbers).toHaveLength(500);
  const queue = numbers.values();
  const answers: { eventId: string; duplicate: boolean; runs: string[] }[] = [];
  const sender = async () => {
    for (const n of queue) {
      const event = { id: `e-${n}`, source: 'load', type: 'custom.load', data: { n } };
      answers.push(...(await postEvents(server, tenant, event)));
    }
  };
  await Promise.all(Array.from({ length: SENDERS }, sender));

  expect(answers.filter(({ duplicate }) => duplicate)).toHaveLength(100);
  const runOf = new Map(answers.map(({ eventId, runs }) => [eventId, runs]));
  for (const { eventId, runs } of answers) {
    expect(runs).toHaveLength(1);
    expect(runs).toEqual(runOf.get(eventId));
  }

  const runs = await until('every run to have succeeded in the run log', async () => {
    const succeeded = await listRuns(server, tenant, 'status=succeeded');
    return succeeded.length >= DISTINCT ? succeeded : undefined;
  });
  expect(new Set(runs.map(({ id }) => id))).toEqual(new Set([...runOf.values()].flat()));
  expect(await listRuns(server, tenant)).toHaveLength(DISTINCT);
  const events = await listEvents(server, tenant, 'type=custom.load');
  expect(new Set(events.map(({ eventId }) => eventId)).size).toBe(DISTINCT);
  expect(events).toHaveLength(DISTINCT);

  expect(sink.received).toHaveLength(DISTINCT);
  expect(new Set(sink.received.map(({ id }) => id)).size).toBe(DISTINCT);
  expect(sink.received.every(({ verified }) => verified)).toBe(true);
});
