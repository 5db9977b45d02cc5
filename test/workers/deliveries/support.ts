/** A tenant that sends webhooks to receivers on this machine, and its delivery log. */
import { env } from 'cloudflare:workers';
import { expect, vi } from 'vitest';
import * as z from 'zod';
import {
  type Delivery,
  type DeliveryDetail,
  type Destination,
  delivery,
  deliveryDetail,
  destination,
} from '../../../src/contract/deliveries.ts';
import type { Entry } from '../../../src/contract/entries.ts';
import type { Json, JsonObject } from '../../../src/contract/json.ts';
import { findRun } from '../../../src/db/find-runs.ts';
import { runObject, tenantObject } from '../../../src/objects/index.ts';
import { newSigningSecret } from '../../../src/ports/webhook-keys.ts';
import type { Taken } from '../../fixtures/receiver/script.ts';
import { at, listAt, textAt } from '../support/answers.ts';
import { eventually, newTenant, runWithStatus, type Tenant } from '../support/api.ts';
import type { RealAddress } from '../support/real-receiver.ts';
import { createWorkflow } from '../support/samples.ts';

export const DELIVERIES = '/api/admin/deliveries';
export const DESTINATIONS = '/api/admin/destinations';
export const HOUR_MS = 3_600_000;
const PATIENCE = { timeout: 30_000, interval: 25 };
/** No second attempt. */
export const ONCE = { retry: { attempts: 1 } };
/** A second attempt, soon. */
export const TWICE = { retry: { attempts: 2, delay: '1s' } };

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
  more: JsonObject = {},
): Promise<string> {
  return textAt(await tenant.events({ type: 'custom.thing', data, ...more }), 'events.0.runs.0');
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

/** What has happened to a run so far, as the read model has it. */
export async function historyOf(tenant: Tenant, runId: string): Promise<readonly Entry[]> {
  return (await findRun(env.DB, tenant.id, runId))?.entries ?? [];
}

/** When a run that waits tries again. */
export async function nextAttemptOf(tenant: Tenant, runId: string): Promise<string> {
  // The log shows what has happened a moment later, until when it shows the attempt before.
  await tenantObject(env, tenant.id).deliverRun(runId);
  return textAt(await runWithStatus(tenant, runId, 'waiting'), 'run.steps.0.nextAttemptAt');
}

/** The clock moves on until a run that waits tries again, and it does. */
export async function passToNextAttempt(tenant: Tenant, runId: string): Promise<void> {
  const due = Date.parse(await nextAttemptOf(tenant, runId));
  vi.setSystemTime(Math.max(due, Date.now()));
  await runObject(env, tenant.id, runId).poke();
}

/** The newest rows of the log, once there are so many. */
export async function logOf(tenant: Tenant, query: string, count: number): Promise<Delivery[]> {
  const log = await eventually(
    () => tenant.get(`${DELIVERIES}?limit=200&${query}`),
    (answer) => expect(listAt(answer), answer.text).toHaveLength(count),
  );
  return z.array(delivery).parse(listAt(log));
}

export async function detailOf(tenant: Tenant, id: string): Promise<DeliveryDetail> {
  const { body } = await tenant.get(`${DELIVERIES}/get?id=${id}`);
  return deliveryDetail.parse(at({ body }, 'delivery'));
}

/** The one record of a destination, or null while it has none. */
export async function recordOf(tenant: Tenant, url: string): Promise<Destination | null> {
  const list = await tenant.get(`${DESTINATIONS}?limit=200`);
  return (
    z
      .array(destination)
      .parse(listAt(list))
      .find((item) => item.url === url) ?? null
  );
}

/** Waits until the record is as wanted. */
export async function recordWith(
  tenant: Tenant,
  url: string,
  wanted: Partial<Destination> | null,
): Promise<Destination | null> {
  return await vi.waitFor(async () => {
    const record = await recordOf(tenant, url);
    if (wanted === null) expect(record).toBeNull();
    else expect(record).toMatchObject(wanted);
    return record;
  }, PATIENCE);
}

/** The messages that an address has taken, repeats left out, once there are so many. */
export async function messagesAt(address: RealAddress, count: number): Promise<readonly Taken[]> {
  return await vi.waitFor(async () => {
    const byId = new Map((await address.taken()).map((one) => [one.headers['webhook-id'], one]));
    expect(byId.size).toBe(count);
    return [...byId.values()];
  }, PATIENCE);
}

/** The clock moves on for the Worker and its objects, and stands; `realTime` gives the true one back. */
export function passTime(ms: number): void {
  vi.setSystemTime(Date.now() + ms);
}

export function realTime(): void {
  vi.useRealTimers();
}

export async function auditOf(tenant: Tenant, action: string): Promise<readonly Json[]> {
  return listAt(await tenant.get(`/api/admin/audit?action=${action}&limit=200`));
}
