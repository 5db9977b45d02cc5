/** A tenant that sends webhooks to receivers on this machine, and its delivery log. */
import { env } from 'cloudflare:workers';
import { expect, vi } from 'vitest';
import { isJsonObject, type Json, type JsonObject } from '../../../src/contract/json.ts';
import { newSigningSecret } from '../../../src/ports/webhook-keys.ts';
import { type Answer, at, listAt, textAt } from '../support/answers.ts';
import { eventually, newTenant, type Tenant } from '../support/api.ts';
import { createWorkflow } from '../support/samples.ts';

export const DELIVERIES = '/api/admin/deliveries';
export const DESTINATIONS = '/api/admin/destinations';
export const HOUR_MS = 3_600_000;
/** No second attempt. */
export const ONCE = { retry: { attempts: 1 } };

export interface Sending {
  readonly tenant: Tenant;
  /** The shared secret that its webhooks are signed with. */
  readonly secret: string;
}

export async function sendingTenant(): Promise<Sending> {
  const tenant = await newTenant();
  const secret = newSigningSecret();
  const set = { kind: 'webhook', signingSecret: secret };
  expect((await tenant.post('/api/admin/connections/set', set)).status).toBe(200);
  return { tenant, secret };
}

/** A workflow of one step: `event` (such as `custom.thing`) goes to `url`. */
export async function forward(
  tenant: Tenant,
  url: string,
  more: JsonObject = ONCE,
  event = 'custom.thing',
): Promise<string> {
  const step = { id: 'send', action: 'notify.webhook', with: { url }, ...more };
  return await createWorkflow(tenant, {
    name: `Forward ${event}`,
    trigger: { event },
    steps: [step],
    enabled: true,
  });
}

/** Sends one event that starts one run; the run's id. */
export async function startRun(
  tenant: Tenant,
  data: JsonObject = {},
  type = 'custom.thing',
): Promise<string> {
  return textAt(await tenant.events({ type, data }), 'events.0.runs.0');
}

/** Waits until the run has ended; its status. */
export async function endOf(tenant: Tenant, runId: string): Promise<Json | undefined> {
  const ended = await eventually(
    () => tenant.get(`/api/admin/workflow-runs/get?id=${runId}`),
    (answer) => expect(['succeeded', 'failed']).toContain(at(answer, 'run.status')),
  );
  return at(ended, 'run.status');
}

/** Sends an event and waits until its run has ended; the run's id. */
export async function sendAndEnd(tenant: Tenant, data: JsonObject = {}): Promise<string> {
  const runId = await startRun(tenant, data);
  await endOf(tenant, runId);
  return runId;
}

/** A page of the log, once it holds so many deliveries. */
export async function logOf(tenant: Tenant, query: string, count: number): Promise<Answer> {
  return await eventually(
    () => tenant.get(`${DELIVERIES}?limit=200&${query}`),
    (answer) => expect(listAt(answer), answer.text).toHaveLength(count),
  );
}

export async function deliveryOf(tenant: Tenant, id: string): Promise<Answer> {
  return await tenant.get(`${DELIVERIES}/get?id=${id}`);
}

export function withoutQuery(url: string): string {
  return url.split('?')[0] ?? url;
}

/** The one record of a destination, or null while it has none. */
export async function recordOf(tenant: Tenant, url: string): Promise<JsonObject | null> {
  const list = await tenant.get(`${DESTINATIONS}?limit=200`);
  const found = listAt(list).find((item) => at({ body: { item } }, 'item.url') === url);
  return found !== undefined && isJsonObject(found) ? found : null;
}

/** The clock moves on for the Worker and its objects; `realTime` gives the true one back. */
export function passTime(ms: number): void {
  vi.setSystemTime(Date.now() + ms);
}

export function realTime(): void {
  vi.useRealTimers();
}

export async function auditOf(tenant: Tenant, action: string): Promise<readonly Json[]> {
  return listAt(await tenant.get(`/api/admin/audit?action=${action}&limit=200`));
}

/** How many rows of a table a tenant has in the read model. */
export async function countRows(tenant: Tenant, where: string): Promise<number> {
  const row = await env.DB.prepare(`SELECT count(*) AS n FROM ${where} AND tenant_id = ?`)
    .bind(tenant.id)
    .first<{ n: number }>();
  return row?.n ?? 0;
}
