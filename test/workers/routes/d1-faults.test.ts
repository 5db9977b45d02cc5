/**
 * I7 over the API: with D1 failing in every way that it has, events are taken, runs run, people decide
 * and settings change; what is read from it is refused as something that passes; and it catches up.
 */
import { env } from 'cloudflare:workers';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { tenantObject } from '../../../src/objects/index.ts';
import { passTime } from '../objects/support/disturb.ts';
import { auditChain } from '../objects/support/history.ts';
import { fieldsOf, textAt } from '../support/answers.ts';
import { eventually, newTenant, runWithStatus, type Tenant } from '../support/api.ts';
import {
  D1_ERRORS,
  failing,
  failingSometimes,
  withD1,
  withoutAnswers,
} from '../support/d1-faults.ts';
import { openAddress, type RealAddress } from '../support/real-receiver.ts';
import { createWorkflow, customEvent } from '../support/samples.ts';

/** After an outage of any length: the longest pause between two tries to bring the log up to date. */
const CATCH_UP_MS = 30_000;
const STRAIGHT = 6;

afterEach(() => void vi.useRealTimers());

interface Shop {
  readonly tenant: Tenant;
  readonly address: RealAddress;
  readonly straight: string;
}

async function openShop(): Promise<Shop> {
  const [tenant, address] = [await newTenant(), await openAddress()];
  const step = { id: 'send', action: 'notify.webhook', with: { url: address.url } };
  const on = async (event: string, steps: object[]) =>
    await createWorkflow(
      tenant,
      JSON.parse(JSON.stringify({ ...{ name: event, trigger: { event } }, steps, enabled: true })),
    );
  const straight = await on('custom.straight', [step]);
  await on('custom.gated', [{ ...step, approval: { approvals: 1 } }]);
  await tenant.key('ingest');
  await tenant.key('approver');
  await tenant.key('viewer');
  return { tenant, address, straight };
}

/** Everything that must not need D1. @returns the runs, with the status in which each has to end */
async function liveThrough({ tenant, address, straight }: Shop): Promise<Map<string, string>> {
  const ends = new Map<string, string>();
  const start = async (type: string, end: string, id: string) => {
    const sent = await tenant.events(customEvent({ id }, { type, id }));
    expect(sent.status).toBe(202);
    const runId = textAt(sent, 'events.0.runs.0');
    ends.set(runId, end);
    return runId;
  };
  for (let n = 0; n < STRAIGHT; n += 1) await start('custom.straight', 'succeeded', `s-${n}`);
  const [wanted, unwanted] = [
    await start('custom.gated', 'succeeded', 'g-1'),
    await start('custom.gated', 'denied', 'g-2'),
  ];
  const decide = async (verb: string, runId: string, body = {}) => {
    const path = `/api/admin/workflow-runs/${verb}`;
    const answer = await tenant.post(path, { runId, ...body }, { role: 'approver' });
    expect(answer.status, answer.text).toBe(200);
  };
  await decide('approve', wanted);
  await decide('deny', unwanted, { comment: 'not now' });
  const disabled = await tenant.post('/api/admin/workflows/disable', { id: straight });
  expect(disabled.status).toBe(200);
  const again = await tenant.events(customEvent({}, { type: 'custom.straight', id: 's-0' }));
  expect(again.body).toMatchObject({ events: [{ duplicate: true, runs: [[...ends.keys()][0]] }] });
  await vi.waitFor(async () => expect(await address.taken()).toHaveLength(STRAIGHT + 1), 20_000);
  return ends;
}

/** The log has everything, once, and in order. */
async function expectCaughtUp({ tenant }: Shop, ends: Map<string, string>): Promise<void> {
  // What is under way may have failed already, and waits from then on.
  await tenantObject(env, tenant.id).poke();
  passTime(CATCH_UP_MS);
  await tenantObject(env, tenant.id).poke();
  for (const [runId, end] of ends) await runWithStatus(tenant, runId, end);
  const listed = await eventually(
    () => tenant.get('/api/admin/workflow-runs?limit=200'),
    (page) => expect(fieldsOf(page, 'id')).toHaveLength(ends.size),
  );
  expect(fieldsOf(listed, 'id').toSorted()).toEqual([...ends.keys()].toSorted());
  const events = await tenant.get('/api/admin/events?limit=200');
  expect(fieldsOf(events, 'eventId')).toHaveLength(ends.size);
  const actions = await vi.waitFor(async () => {
    const found = (await auditChain(tenant.id)).map(({ action }) => action);
    expect(found).toContain('workflow.disabled');
    return found;
  });
  expect(actions.slice(-5).toSorted()).toEqual([
    'approval.approved',
    'approval.denied',
    'approval.requested',
    'approval.requested',
    'workflow.disabled',
  ]);
}

describe('with D1 down', () => {
  test.each(D1_ERRORS)('by "%s"', async (message) => {
    const shop = await openShop();
    const ends = await withD1(failing(message), async () => {
      const ends = await liveThrough(shop);
      const refused = await shop.tenant.get('/api/admin/workflow-runs');
      expect(refused.status).toBe(503);
      expect(refused.body.code).toBe('unavailable');
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
      return ends;
    });
    await expectCaughtUp(shop, ends);
  });

  test('a fault of our own stays one: nobody is told to ask again', async () => {
    const { tenant } = await openShop();
    const answer = await withD1(failing('D1_ERROR: no such column: runs.x'), () =>
      tenant.get('/api/admin/workflow-runs'),
    );
    expect(answer.status).toBe(500);
  });
});

test.each([1, 2, 3, 4])(
  'with some calls failing, some of them after they were done: draw %i',
  async (seed) => {
    const shop = await openShop();
    let state = seed;
    const chance = () => {
      state = (state * 48_271) % 2_147_483_647;
      return state / 2_147_483_647;
    };
    for (let draw = 0; draw < 10; draw += 1) chance();
    const ends = await withD1(failingSometimes(chance), () => liveThrough(shop));
    await expectCaughtUp(shop, ends);
  },
);

test('with D1 that does not answer at all, nobody waits for it', async () => {
  const shop = await openShop();
  const ends = await withoutAnswers(() => liveThrough(shop));
  await expectCaughtUp(shop, ends);
});
