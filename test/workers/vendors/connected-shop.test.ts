/**
 * A tenant with a shop at Shopify: its orders are there. What we list of them is a copy that events
 * have told of, which no action reads or writes.
 */
import { afterEach, expect, test, vi } from 'vitest';
import type { JsonObject } from '../../../src/contract/json.ts';
import { ORDER_TEXT, REFUND_TEXT } from '../../fixtures/vendors/shopify.ts';
import { at, listAt, textAt } from '../support/answers.ts';
import { eventually, runWithStatus, send, type Tenant } from '../support/api.ts';
import { createWorkflow } from '../support/samples.ts';
import { openStandIn, SHOP, SHOP_SECRET, say, withShopify } from './support.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

const ORDER = '9007199254740993';

async function macOf(body: string): Promise<string> {
  const encode = (text: string) => new TextEncoder().encode(text);
  const algorithm = { name: 'HMAC', hash: 'SHA-256' };
  const usages = ['sign'];
  const key = await crypto.subtle.importKey('raw', encode(SHOP_SECRET), algorithm, false, usages);
  const mac = new Uint8Array(await crypto.subtle.sign('HMAC', key, encode(body)));
  return btoa(String.fromCharCode(...mac));
}

/** A webhook as the shop sends it; the runs that it starts. */
async function hook(tenant: Tenant, topic: string, raw: string, id: string = crypto.randomUUID()) {
  const answer = await send('POST', `/api/hooks/${tenant.id}/shopify`, {
    raw,
    headers: {
      'content-type': 'application/json',
      'x-shopify-topic': topic,
      'x-shopify-shop-domain': SHOP,
      'x-shopify-webhook-id': id,
      'x-shopify-hmac-sha256': await macOf(raw),
    },
  });
  expect(answer.status, answer.text).toBe(200);
  return answer;
}

async function listed(tenant: Tenant, wanted: JsonObject) {
  await eventually(
    () => tenant.get('/api/admin/orders'),
    (answer) => expect(listAt(answer)).toMatchObject([wanted]),
  );
}

const step = (id: string, action: string, input: JsonObject) => ({
  id,
  action,
  with: { orderId: '{{ event.data.order.id }}', ...input },
});

test('tags, refunds and cancellations go to the shop; the list follows what it tells', async () => {
  const vendor = await openStandIn('shop');
  await vendor.order({ do: 'take order', gid: `gid://shopify/Order/${ORDER}` });
  const { tenant, people } = await withShopify();
  await createWorkflow(tenant, {
    name: 'Undo',
    enabled: true,
    trigger: { event: 'order.created' },
    steps: [
      step('tag', 'tag.order', { tag: 'undone' }),
      step('refund', 'order.refund', { amount: { amount: 4_030, currency: 'USD' } }),
      step('cancel', 'order.cancel', {}),
    ],
  });
  const told = { id: ORDER, status: 'open', total: { amount: 7_500, currency: 'USD' } };
  const asCreated = { ...told, tags: ['first order', 'vip'], refunded: { amount: 0 } };
  const runId = textAt(await hook(tenant, 'orders/create', ORDER_TEXT), 'events.0.runs.0');
  for (const _ of ['refund', 'cancel']) {
    await runWithStatus(tenant, runId, 'pending_approval');
    await say({ tenant, people, runId }, 'approve', {});
  }
  await runWithStatus(tenant, runId, 'succeeded');
  expect(await vendor.tell()).toMatchObject({
    tags: ['undone'],
    refunds: ['40.3'],
    cancellations: 1,
  });
  await listed(tenant, asCreated);
  // The shop tells of the refund, as of one that was made by hand; twice, as it may.
  for (const _ of [1, 2]) await hook(tenant, 'refunds/create', REFUND_TEXT, 'refund-1');
  await listed(tenant, { ...told, refunded: { amount: 4_030, currency: 'USD' } });
  const events = await tenant.get('/api/admin/events?type=order.refunded');
  expect(listAt(events)).toHaveLength(1);
});

test('an order that only the list knows is not there for an action', async () => {
  await openStandIn('shop');
  const { tenant } = await withShopify();
  await createWorkflow(tenant, {
    name: 'Tag',
    enabled: true,
    trigger: { event: 'order.created' },
    steps: [step('tag', 'tag.order', { tag: 'vip' })],
  });
  const runId = textAt(await hook(tenant, 'orders/create', ORDER_TEXT), 'events.0.runs.0');
  const run = await runWithStatus(tenant, runId, 'failed');
  expect(at(run, 'run.error.code')).toBe('order_not_found');
  await listed(tenant, { id: ORDER, tags: ['first order', 'vip'] });
});

test('topics without a platform type are events of the tenant, and change no list', async () => {
  const { tenant } = await withShopify();
  await createWorkflow(tenant, {
    name: 'Tell of cancellations',
    enabled: true,
    trigger: { event: 'custom.shopify.order.cancelled', if: "event.data.reason == 'fraud'" },
    steps: [{ id: 'tell', action: 'notify.email', with: TELL }],
  });
  const body = ORDER_TEXT.replace(/\}$/, ', "cancel_reason": "fraud" }');
  const taken = await hook(tenant, 'orders/cancelled', body);
  await runWithStatus(tenant, textAt(taken, 'events.0.runs.0'), 'succeeded');
  expect(listAt(await tenant.get('/api/admin/orders'))).toEqual([]);
});

const TELL = {
  to: 'ann@example.com',
  subject: 'Order {{ event.data.order.name }} was cancelled',
  text: '{{ event.data.order.id }}',
};
