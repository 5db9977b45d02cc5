/** A tenant of its own for a test: a key for each role, a known signing secret, and what tests ask. */
import { randomBytes } from 'node:crypto';
import * as z from 'zod';
import { type AuditEntry, auditEntry } from '../../../src/contract/audit.ts';
import { acceptedEvent, eventRecord } from '../../../src/contract/events.ts';
import { type Run, type RunItem, run, runItem } from '../../../src/contract/runs.ts';
import { newApiKey } from '../../../src/contract/tenants.ts';
import { type Workflow, workflow } from '../../../src/contract/workflows.ts';
import type { Client } from './client.ts';
import type { Caller } from './server.ts';
import { until } from './wait.ts';

const oneKey = z.object({ apiKey: newApiKey });
const oneRun = z.object({ run });
const taken = z.object({ requestId: z.string(), events: z.array(acceptedEvent) });
const ENDED = ['succeeded', 'failed', 'denied', 'expired', 'cancelled'];

export const newSigningSecret = () => `whsec_${randomBytes(32).toString('base64')}`;

export interface Tenant {
  readonly id: string;
  readonly keys: { admin: string; approver: string; viewer: string; ingest: string };
}

export async function openTenant(server: Caller, signingSecret: string): Promise<Tenant> {
  const id = `t-${randomBytes(6).toString('hex')}`;
  const created = await server.platform.post(
    '/api/platform/tenants/create',
    { id, name: 'A shop' },
    oneKey,
  );
  const admin = created.apiKey.secret;
  const key = async (role: string) => {
    const made = await server
      .as(admin)
      .post('/api/admin/api-keys/create', { name: role, role }, oneKey);
    return made.apiKey.secret;
  };
  const keys = {
    admin,
    approver: await key('approver'),
    viewer: await key('viewer'),
    ingest: await key('ingest'),
  };
  const tenant = { id, keys };
  await connect(server, tenant, { kind: 'webhook', signingSecret });
  return tenant;
}

/** Sets a connection. */
export async function connect(server: Caller, { keys }: Tenant, body: object): Promise<void> {
  await server.as(keys.admin).post('/api/admin/connections/set', body, z.unknown());
}

/** Creates the workflow, enabled. */
export async function createWorkflow(
  server: Caller,
  { keys }: Tenant,
  body: object,
): Promise<Workflow> {
  const path = '/api/admin/workflows/create';
  const answer = await server
    .as(keys.admin)
    .post(path, { ...body, enabled: true }, z.object({ workflow }));
  return answer.workflow;
}

/** A workflow of one step that sends the event on to `url`. */
export function forwarding(event: string, url: string, more: object = {}) {
  return {
    name: `Forward ${event}`,
    trigger: { event },
    steps: [{ id: 'send', action: 'notify.webhook', with: { url }, ...more }],
  };
}

export async function postEvents(server: Caller, { keys }: Tenant, events: object) {
  return (await server.as(keys.ingest).post('/api/events', events, taken)).events;
}

export async function readRun(server: Caller, { keys }: Tenant, id: string): Promise<Run> {
  const path = `/api/admin/workflow-runs/get?id=${id}`;
  return (await server.as(keys.viewer).get(path, oneRun)).run;
}

/** The run once it is in the status; one that ended differently fails at once. */
export async function runIn(
  server: Caller,
  tenant: Tenant,
  id: string,
  status: Run['status'],
): Promise<Run> {
  let seen: Run | undefined;
  const found = await until(`run ${id} to be ${status}`, async () => {
    seen = await readRun(server, tenant, id);
    return seen.status === status || ENDED.includes(seen.status) ? seen : undefined;
  });
  if (found.status !== status)
    throw new Error(`run ${id} is ${found.status}: ${JSON.stringify(found.error)}`);
  return found;
}

export async function approve(server: Caller, key: string, body: object): Promise<Run> {
  return (await server.as(key).post('/api/admin/workflow-runs/approve', body, oneRun)).run;
}

export const listRuns = (server: Caller, tenant: Tenant, query = ''): Promise<RunItem[]> =>
  listAll(server.as(tenant.keys.viewer), '/api/admin/workflow-runs', query, runItem);

export const listEvents = (server: Caller, tenant: Tenant, query = '') =>
  listAll(server.as(tenant.keys.viewer), '/api/admin/events', query, eventRecord);

/** The whole trail, oldest entry first. */
export async function listAudit(server: Caller, tenant: Tenant): Promise<AuditEntry[]> {
  const newestFirst = await listAll(
    server.as(tenant.keys.viewer),
    '/api/admin/audit',
    '',
    auditEntry,
  );
  return newestFirst.toReversed();
}

/** All pages of a list. @param query as in `status=failed` */
export async function listAll<Item extends z.ZodType>(
  client: Client,
  path: string,
  query: string,
  item: Item,
): Promise<z.output<Item>[]> {
  const page = z.object({ items: z.array(item), nextCursor: z.string().nullable() });
  const items: z.output<Item>[] = [];
  let cursor: string | null = '';
  while (cursor !== null) {
    const after = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`;
    const read: z.output<typeof page> = await client.get(
      `${path}?limit=200&${query}${after}`,
      page,
    );
    items.push(...read.items);
    cursor = read.nextCursor;
  }
  return items;
}
