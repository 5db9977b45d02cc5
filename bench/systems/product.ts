/** The product as a system of the bench: a tenant with 20 workflows for W1, and one with a gate. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ask } from '../support/ask.ts';
import { pause, until } from '../support/clock.ts';
import type { LoadRequest } from '../support/load-job.ts';
import { ROOT } from '../support/processes.ts';
import {
  askTenant,
  listOf,
  type ProductServer,
  startProductServer,
  type Tenant,
} from './product-server.ts';
import { inParts, LAST_OF_ROUND, orderCreated, type Round, type System } from './system.ts';

const WORKFLOWS = 20;
const RUNS = '/api/admin/workflow-runs';
const POST_MAX = 50;

export async function startProduct(sinkUrl: string): Promise<System> {
  const server = await startProductServer();
  const tenant = await server.openTenant('bench');
  await createW1(tenant, sinkUrl);
  await createGate(tenant, sinkUrl);
  return systemOf(server, tenant);
}

/** A tenant of a server as a system; also for measures that compare the product with itself. */
export function systemOf(server: ProductServer, tenant: Tenant, name = 'Signalbox'): System {
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  return {
    name,
    version,
    part: 1,
    isNewEachTurn: false,
    running: server.running,
    origin: server.origin,
    events: (round, perPost) =>
      eventPosts(tenant, round.name, round.ids.map(orderCreated), perPost),
    decisions: (round) => prepareDecisions(tenant, round),
    isDone: async (round) => {
      const last = round.ids.slice(-LAST_OF_ROUND);
      const shown = new Set(await succeeded(tenant, round.name, last.length));
      return last.every((id) => shown.has(id));
    },
    succeeded: (round) => succeeded(tenant, round.name),
    stop: server.stop,
  };
}

/** The round's name goes as the request id, which is the correlation id of all that comes of it. */
export function eventPosts(
  tenant: Tenant,
  round: string,
  events: readonly object[],
  perPost: number,
): LoadRequest[] {
  const headers = { ...asSender(tenant), 'x-request-id': round };
  return inParts(events, perPost).map((part) => ({
    method: 'POST',
    path: '/api/events',
    headers,
    body: JSON.stringify(perPost === 1 ? part[0] : part),
    ids: part.flatMap((event) => ('id' in event && typeof event.id === 'string' ? event.id : [])),
  }));
}

function asSender({ keys }: Tenant) {
  return { authorization: `Bearer ${keys.ingest}`, 'content-type': 'application/json' };
}

/** W1's workflows: of 20 that are enabled, only the first one's condition is true of its events. */
export async function createW1(tenant: Tenant, sinkUrl: string): Promise<void> {
  for (let n = 0; n < WORKFLOWS; n++) {
    const least = n === 0 ? 10_000 : 10_000_000 + n;
    const trigger = { event: 'order.created', if: `event.data.order.total.amount > ${least}` };
    await createWorkflow(tenant, { name: `Rule ${n}`, trigger, steps: [delivery(sinkUrl)] });
  }
}

export async function createWorkflow(tenant: Tenant, definition: object): Promise<string> {
  const body = { ...definition, enabled: true };
  return (await askTenant(tenant, '/api/admin/workflows/create', body)).workflow.id;
}

/** A step that tells the sink the event's id. */
export function delivery(url: string, more: object = {}) {
  const input = { url, body: { id: '{{ event.id }}' } };
  return { id: 'send', action: 'notify.webhook', with: input, ...more };
}

/** The workflow whose runs wait for a decision. */
export async function createGate(tenant: Tenant, sinkUrl: string): Promise<void> {
  const steps = [delivery(sinkUrl, { approval: { approvals: 1 } })];
  await createWorkflow(tenant, { name: 'Gated', trigger: { event: 'custom.gated' }, steps });
}

/** @param atMost looks at so many of the newest events alone */
async function succeeded(tenant: Tenant, round: string, atMost?: number): Promise<string[]> {
  const query = `correlationId=${round}`;
  const events = await listOf(tenant, '/api/admin/events', query, atMost);
  const runs = await listOf(tenant, RUNS, query, atMost);
  const eventIds = new Map(events.map(({ id, eventId }) => [id, eventId]));
  return runs.flatMap(({ status, eventId }) =>
    status === 'succeeded' ? (eventIds.get(eventId) ?? eventId) : [],
  );
}

async function prepareDecisions(tenant: Tenant, { name, ids }: Round): Promise<LoadRequest[]> {
  const runOf = new Map<string, string>();
  for (const part of inParts(ids, POST_MAX)) {
    const events = part.map((id) => ({ id, source: 'bench', type: 'custom.gated', data: {} }));
    const headers = { ...asSender(tenant), 'x-request-id': name };
    const taken = await ask(`${tenant.origin}/api/events`, { headers, body: events });
    for (const { eventId, runs } of taken.events) runOf.set(eventId, runs[0]);
  }
  const waiting = () => listOf(tenant, RUNS, `correlationId=${name}&status=pending_approval`);
  const all = await until(waiting, (found) => found.length === ids.length, {
    waitMs: 60_000,
    everyMs: 100,
  });
  if (all.length !== ids.length) throw new Error(`${all.length} of ${ids.length} runs wait`);
  await pause(500); // What follows a commit is over by then.
  const headers = {
    authorization: `Bearer ${tenant.keys.approver}`,
    'content-type': 'application/json',
  };
  return ids.map((id) => ({
    method: 'POST',
    path: `${RUNS}/approve`,
    headers,
    body: JSON.stringify({ runId: runOf.get(id) }),
    ids: [id],
  }));
}
