/** Tenants with vendors that listen beside the tests: what the Worker asks of one is real HTTP. */

import { runDurableObjectAlarm } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { expect, inject, vi } from 'vitest';
import type { Json, JsonObject } from '../../../src/contract/json.ts';
import { runObject } from '../../../src/objects/index.ts';
import { SHOP_TOKEN, STRIPE_KEY } from '../../fixtures/vendors/credentials.ts';
import type { VendorOrder, VendorTale } from '../../fixtures/vendors/vendor-orders.ts';
import { addPerson, readRun, type Waiting } from '../notices/support.ts';
import { type Answer, at, textAt } from '../support/answers.ts';
import { eventually, newTenant, runWithStatus, send } from '../support/api.ts';
import { createWorkflow, startRun } from '../support/samples.ts';

export const HOUR_MS = 3_600_000;
export const SHOP = 'lamps.myshopify.com';
export const SHOP_SECRET = 'shpss_beside_0123456789';

const VENDORS: ReadonlyMap<string, 'stripe' | 'shop'> = new Map([
  ['https://api.stripe.com', 'stripe'],
  [`https://${SHOP}`, 'shop'],
]);

export interface StandIn {
  order(order: VendorOrder): Promise<VendorTale>;
  tell(): Promise<VendorTale>;
}

/** A vendor of its own for a test, in place of the true one. `vi.restoreAllMocks` gives that back. */
export async function openStandIn(kind: 'stripe' | 'shop'): Promise<StandIn> {
  const trueFetch = globalThis.fetch;
  const ask = async (path: string, order: VendorOrder): Promise<VendorTale> => {
    const init = { method: 'POST', body: JSON.stringify(order) };
    return await (await trueFetch(`${inject('vendors')}/${path}`, init)).json();
  };
  const { number, origin } = await ask('', { do: `open ${kind}` });
  vi.spyOn(globalThis, 'fetch').mockImplementation(async (input, init) => {
    const url = new URL(String(input));
    const own = VENDORS.get(url.origin) === kind;
    return await trueFetch(own ? `${origin}${url.pathname}${url.search}` : input, init);
  });
  const order = (given: VendorOrder) => ask(String(number), given);
  return { order, tell: () => order({ do: 'tell' }) };
}

/** A tenant with Ann, who approves, and a connection. */
async function connected(connection: JsonObject): Promise<Omit<Waiting, 'runId'>> {
  const tenant = await newTenant();
  const people = { ann: await addPerson(tenant, 'ann', 'approver') };
  expect((await tenant.post('/api/admin/connections/set', connection)).status).toBe(200);
  return { tenant, people };
}

export const withStripe = () =>
  connected({ kind: 'stripe', webhookSecret: 'whsec_12345678', apiKey: STRIPE_KEY });
export const withShopify = () =>
  connected({
    kind: 'shopify',
    shopDomain: SHOP,
    webhookSecret: SHOP_SECRET,
    adminToken: SHOP_TOKEN,
  });

/** A workflow of one step, begun by an order; what waits for approval has Ann's. */
export async function begin(
  { tenant, people }: Omit<Waiting, 'runId'>,
  action: string,
  input: JsonObject,
  more: JsonObject = {},
): Promise<Waiting> {
  await createWorkflow(tenant, {
    name: `Do ${action}`,
    enabled: true,
    trigger: { event: 'order.created' },
    steps: [{ id: 'do', action, with: input, ...more }],
  });
  const runId = await startRun(tenant);
  if (action !== 'tag.order') {
    await runWithStatus(tenant, runId, 'pending_approval');
    await say({ tenant, people, runId }, 'approve', {});
  }
  return { tenant, people, runId };
}

/** What Ann says of the run. */
export async function say(
  { people, runId }: Waiting,
  path: 'approve' | 'deny',
  body: JsonObject,
): Promise<Answer> {
  const token = people.ann?.key ?? '';
  return await send('POST', `/api/admin/workflow-runs/${path}`, {
    token,
    body: { runId, ...body },
  });
}

/** The run once its step has had so many attempts and none is under way. */
export async function afterAttempts({ tenant, runId }: Waiting, count: number): Promise<Answer> {
  return await eventually(
    () => readRun(tenant, runId),
    (run) => {
      expect(at(run, 'run.steps.0.attempts')).toBe(count);
      expect(at(run, 'run.status')).not.toBe('running');
    },
  );
}

/** The clock goes on to the run's next attempt, which is made. */
export async function nextAttempt(where: Waiting): Promise<Answer> {
  const run = await readRun(where.tenant, where.runId);
  const attempts = numberAt(run, 'run.steps.0.attempts');
  vi.setSystemTime(Date.parse(textAt(run, 'run.steps.0.nextAttemptAt')) + 1);
  const object = runObject(env, where.tenant.id, where.runId);
  if (!(await runDurableObjectAlarm(object))) throw new Error('no alarm was set');
  return await afterAttempts(where, attempts + 1);
}

export function numberAt(answer: Answer, path: string): number {
  const found: Json | undefined = at(answer, path);
  if (typeof found !== 'number') throw new TypeError(`${path} is no number`);
  return found;
}
