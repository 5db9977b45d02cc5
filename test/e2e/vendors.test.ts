/**
 * Vendors' webhooks on the started server, signed as the vendors sign them: the bodies of our own
 * fixtures, and the sample bodies beside the project when they are there.
 */
import { createHmac, randomUUID } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import Stripe from 'stripe';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { connection } from '../../src/contract/connections.ts';
import { acceptedEvent } from '../../src/contract/events.ts';
import type { JsonObject } from '../../src/contract/json.ts';
import { SHOP_TOKEN } from '../fixtures/vendors/credentials.ts';
import { CUSTOMER_TEXT, ORDER_TEXT, REFUND_TEXT } from '../fixtures/vendors/shopify.ts';
import { openShop, paidOrder, type StandInShop } from '../fixtures/vendors/shopify-admin.ts';
import { CHARGE, CUSTOMER, SESSION, stripeEvent } from '../fixtures/vendors/stripe.ts';
import { send } from './support/client.ts';
import { newPlace, type Place, removePlace, type Server, startServer } from './support/server.ts';
import { openSink, type Sink } from './support/sink.ts';
import {
  approve,
  connect,
  createWorkflow,
  forwarding,
  listEvents,
  listRuns,
  newSigningSecret,
  openTenant,
  runIn,
  type Tenant,
} from './support/tenant.ts';
import { until } from './support/wait.ts';

const SAMPLES = new URL('../../../shared/samples/', import.meta.url);
const SHOP = 'lamps.myshopify.com';
const SHOPIFY_SECRET = 'shpss_e2e_0123456789abcdef';
const STRIPE_SECRET = 'whsec_e2e_0123456789abcdef';
const TYPES = ['order.created', 'order.refunded', 'customer.created'] as const;

const taken = z.object({ events: z.array(acceptedEvent), ignored: z.string().optional() });
const oracle = new Stripe('sk_test_unused').webhooks;

let place: Place;
let server: Server;
let sink: Sink;
let tenant: Tenant;
let other: Tenant;
let shop: StandInShop;

beforeAll(async () => {
  const secret = newSigningSecret();
  place = await newPlace();
  shop = await openShop();
  server = await startServer(place, ['--no-demo'], undefined, { SHOPIFY_ORIGIN: shop.origin });
  sink = await openSink(secret);
  tenant = await openTenant(server, secret);
  other = await openTenant(server, newSigningSecret());
  await connectVendors(tenant, '');
  await connectVendors(other, '_other');
  for (const type of TYPES) await createWorkflow(server, tenant, forwarding(type, sink.url));
});
afterAll(async () => {
  await server?.stop();
  await sink?.goDown();
  await shop?.close();
  removePlace(place);
});

async function connectVendors(to: Tenant, suffix: string): Promise<void> {
  const webhookSecret = SHOPIFY_SECRET + suffix;
  await connect(server, to, { kind: 'shopify', shopDomain: SHOP, webhookSecret });
  await connect(server, to, { kind: 'stripe', webhookSecret: STRIPE_SECRET + suffix });
}

interface Sending {
  readonly secret?: string;
  readonly id?: string;
  /** Seconds since 1970. */
  readonly timestamp?: number;
  readonly to?: Tenant;
}

function postShopify(topic: string, body: string, sending: Sending = {}) {
  const { secret = SHOPIFY_SECRET, id = randomUUID(), to = tenant } = sending;
  return send(`${server.origin}/api/hooks/${to.id}/shopify`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-shopify-topic': topic,
      'x-shopify-shop-domain': SHOP,
      'x-shopify-webhook-id': id,
      'x-shopify-hmac-sha256': createHmac('sha256', secret).update(body).digest('base64'),
    },
    body,
  });
}

function postStripe(payload: string, sending: Sending = {}) {
  const { secret = STRIPE_SECRET, timestamp = Math.floor(Date.now() / 1_000) } = sending;
  return send(`${server.origin}/api/hooks/${tenant.id}/stripe`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json; charset=utf-8',
      'stripe-signature': oracle.generateTestHeaderString({ payload, secret, timestamp }),
    },
    body: payload,
  });
}

const fixture = (type: string, object: JsonObject, more?: JsonObject) =>
  JSON.stringify({ ...stripeEvent(type, object, more), id: `evt_${randomUUID()}` });

/** Vendor, its topic, the body, and the event it has to become. */
const DELIVERIES: readonly [string, string, () => string, (typeof TYPES)[number]][] = [
  ['shopify', 'orders/create', () => ORDER_TEXT, 'order.created'],
  ['shopify', 'refunds/create', () => REFUND_TEXT, 'order.refunded'],
  ['shopify', 'customers/create', () => CUSTOMER_TEXT, 'customer.created'],
  [
    'stripe',
    'checkout.session.completed',
    () => fixture('checkout.session.completed', SESSION),
    'order.created',
  ],
  ['stripe', 'charge.refunded', () => fixture('charge.refunded', CHARGE), 'order.refunded'],
  ['stripe', 'customer.created', () => fixture('customer.created', CUSTOMER), 'customer.created'],
];

async function expectDelivered(vendor: string, topic: string, body: string, type: string) {
  const answer = await (vendor === 'shopify' ? postShopify(topic, body) : postStripe(body));
  expect(answer.status, answer.text).toBe(200);
  const [event] = taken.parse(JSON.parse(answer.text)).events;
  expect(event).toMatchObject({ duplicate: false });
  expect(event?.runs).toHaveLength(1);
  const run = await runIn(server, tenant, event?.runs[0] ?? '', 'succeeded');
  expect(run.eventType).toBe(type);
  const sent = sink.received.filter((request) => request.body.includes(event?.eventId ?? '?'));
  expect(sent).toMatchObject([{ verified: true }]);
  return sent[0]?.body ?? '';
}

describe('a webhook that the vendor signed', () => {
  it.each(DELIVERIES)('of %s, %s, is an event, a run and a delivery', async (...delivery) => {
    const [vendor, topic, body, type] = delivery;
    await expectDelivered(vendor, topic, body(), type);
  });

  it.skipIf(!existsSync(SAMPLES)).each(DELIVERIES)(
    'of %s, %s, in a body of the samples beside the project, is one too',
    async (vendor, topic, _fixture, type) => {
      const file = new URL(`${vendor}/${topic.replace('/', '-')}.json`, SAMPLES);
      await expectDelivered(vendor, topic, readFileSync(file, 'utf8'), type);
    },
  );

  it('keeps every digit of an id that no double can hold', async () => {
    const body = await expectDelivered('shopify', 'orders/create', ORDER_TEXT, 'order.created');
    expect(body).toContain('"9007199254740993"');
  });

  it('and sent again is a duplicate and starts nothing', async () => {
    const id = randomUUID();
    const before = (await listRuns(server, tenant)).length;
    const first = taken.parse(
      JSON.parse((await postShopify('orders/create', ORDER_TEXT, { id })).text),
    );
    const again = await Promise.all(
      [1, 2, 3].map(() => postShopify('orders/create', ORDER_TEXT, { id })),
    );
    for (const { status, text } of again) {
      expect(status).toBe(200);
      expect(taken.parse(JSON.parse(text)).events).toEqual([
        { ...first.events[0], duplicate: true },
      ]);
    }
    await runIn(server, tenant, first.events[0]?.runs[0] ?? '', 'succeeded');
    expect(await listRuns(server, tenant)).toHaveLength(before + 1);
  });

  it('with a topic that is not translated is counted and is no error', async () => {
    for (const text of ['{"id":1}', '{"id":2}']) {
      const answer = await postShopify('themes/publish', text);
      expect(answer.status).toBe(200);
      expect(taken.parse(JSON.parse(answer.text))).toEqual({
        events: [],
        ignored: 'themes/publish',
      });
    }
    const list = z.object({ items: z.array(connection) });
    const { items } = await server.as(tenant.keys.admin).get('/api/admin/connections', list);
    expect(items.find(({ kind }) => kind === 'shopify')?.ignored).toMatchObject([
      { topic: 'themes/publish', count: 2 },
    ]);
    expect(JSON.stringify(items)).not.toContain(SHOPIFY_SECRET);
  });
});

describe('an order id that no double can hold', () => {
  const ID = '9007199254740993';
  const gid = (id: string) => `gid://shopify/Order/${id}`;
  const step = (id: string, action: string, more: object = {}) => ({
    id,
    action,
    with: { orderId: '{{ event.data.order.id }}', ...more },
  });

  it('comes in by a webhook and out at the Admin API, digit for digit', async () => {
    const connected = await openTenant(server, newSigningSecret());
    const shopify = { kind: 'shopify', shopDomain: SHOP, webhookSecret: SHOPIFY_SECRET };
    await connect(server, connected, { ...shopify, adminToken: SHOP_TOKEN });
    // The neighbours are where a rounded id would lead.
    for (const id of ['9007199254740992', ID, '9007199254740994'])
      shop.orders.set(gid(id), paidOrder('75.00', 'USD'));
    await createWorkflow(server, connected, {
      name: 'Undo',
      trigger: { event: 'order.created', if: `event.data.order.id == '${ID}'` },
      steps: [
        step('tag', 'tag.order', { tag: 'undone {{ event.data.order.id }}' }),
        step('refund', 'order.refund', { amount: '{{ event.data.order.total }}' }),
        step('cancel', 'order.cancel'),
      ],
    });
    const answer = await postShopify('orders/create', ORDER_TEXT, { to: connected });
    const runId = taken.parse(JSON.parse(answer.text)).events[0]?.runs[0] ?? '';
    for (const waits of ['refund', 'cancel']) {
      const run = await runIn(server, connected, runId, 'pending_approval');
      expect(run.steps.find(({ id }) => id === waits)?.input).toMatchObject({ orderId: ID });
      await approve(server, connected.keys.approver, { runId });
    }
    const { steps } = await runIn(server, connected, runId, 'succeeded');
    expect(steps.map(({ output }) => output)).toMatchObject([
      { orderId: ID, tags: [`undone ${ID}`] },
      { orderId: ID, refundId: '9007199254741003', amount: { amount: 7_500, currency: 'USD' } },
      { orderId: ID, status: 'cancelled' },
    ]);
    expect(shop.orders.get(gid(ID))).toMatchObject({
      tags: [`undone ${ID}`],
      refunds: [{ amount: '75' }],
      cancellations: 1,
    });
    for (const neighbour of ['9007199254740992', '9007199254740994'])
      expect(shop.orders.get(gid(neighbour))).toEqual(paidOrder('75.00', 'USD'));
  });
});

describe('a webhook that does not verify', () => {
  const event = () => fixture('customer.created', CUSTOMER);
  const stale = () => Math.floor(Date.now() / 1_000) - 301;

  it.each([
    ['of Shopify with a wrong secret', () => postShopify('a/b', '{}', { secret: 'wrong' })],
    [
      "of Shopify with the other tenant's secret",
      () => postShopify('orders/create', ORDER_TEXT, { secret: `${SHOPIFY_SECRET}_other` }),
    ],
    ['of Stripe with a wrong secret', () => postStripe(event(), { secret: 'whsec_wrong' })],
    [
      "of Stripe with the other tenant's secret",
      () => postStripe(event(), { secret: `${STRIPE_SECRET}_other` }),
    ],
    ['of Stripe that is too old', () => postStripe(event(), { timestamp: stale() })],
  ])('%s is refused with 401', async (_name, post) => {
    const answer = await post();
    expect(answer.status).toBe(401);
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
    expect(JSON.parse(answer.text)).toMatchObject({ code: 'invalid_signature' });
  });

  it('leaves no event behind, neither here nor at the other tenant', async () => {
    const refused = event();
    const answer = await postStripe(refused, { secret: `${STRIPE_SECRET}_other` });
    expect(answer.status).toBe(401);
    const body = fixture('customer.created', CUSTOMER);
    const id = z.object({ id: z.string() }).parse(JSON.parse(body)).id;
    await postStripe(body);
    const listed = await until('the event that did verify to be listed', async () => {
      const events = await listEvents(server, tenant);
      return events.some(({ eventId }) => eventId === id) ? events : undefined;
    });
    const forged = z.object({ id: z.string() }).parse(JSON.parse(refused)).id;
    expect(listed.map(({ eventId }) => eventId)).not.toContain(forged);
    expect(await listEvents(server, other)).toEqual([]);
  });
});
