/** A shop in the middle of its day, for whoever looks at every page: one of each thing that a page shows. */
import * as z from 'zod';
import type { Caller } from '../../e2e/support/server.ts';
import {
  createWorkflow,
  newSigningSecret,
  openTenant,
  postEvents,
  runIn,
  type Tenant,
} from '../../e2e/support/tenant.ts';
import { until } from '../../e2e/support/wait.ts';

const USD = 'USD';
const ANY = z.unknown();

export interface Shop {
  readonly tenant: Tenant;
  /** Ids for the pages of one thing. */
  readonly ids: {
    readonly workflow: string;
    readonly run: string;
    readonly waiting: string;
    readonly event: string;
    readonly approval: string;
    readonly delivery: string;
  };
}

const REFUND = {
  name: 'Refunds over 50.00 wait for a person',
  description: 'Paid back, then the customer and the books hear of it.',
  trigger: { event: 'custom.refund.requested', if: 'event.data.amount.amount > 5000' },
  steps: [
    {
      id: 'refund',
      action: 'order.refund',
      with: { orderId: '{{ event.data.orderId }}', amount: '{{ event.data.amount }}' },
    },
    {
      id: 'mail',
      action: 'notify.email',
      needs: ['refund'],
      with: { to: 'ops@example.com', subject: 'Refunded', text: 'Order {{ event.data.orderId }}' },
    },
    {
      id: 'note',
      action: 'tag.order',
      needs: ['refund'],
      with: { orderId: '{{ event.data.orderId }}', tag: 'refunded' },
    },
    { id: 'settle', wait: '1h', needs: ['mail', 'note'] },
  ],
};

const LARGE = (hook: string) => ({
  name: 'Large orders',
  description: 'Tagged, and the warehouse hears of them.',
  trigger: { event: 'order.created', if: 'event.data.order.total.amount > 10000' },
  steps: [
    {
      id: 'tag',
      action: 'tag.order',
      with: { orderId: '{{ event.data.order.id }}', tag: 'large-order' },
    },
    { id: 'tell', action: 'notify.webhook', with: { url: hook }, retry: { attempts: 3 } },
  ],
});

const NEVER = {
  name: 'Orders from a reseller',
  trigger: { event: 'order.created', if: 'event.data.order.tags.exists(tag, tag == "reseller")' },
  steps: [
    { id: 'tag', action: 'tag.order', with: { orderId: '{{ event.data.order.id }}', tag: 'b2b' } },
  ],
};

/** @param hook where webhooks go */
export async function openShop(product: Caller, hook: string): Promise<Shop> {
  const tenant = await openTenant(product, newSigningSecret());
  const admin = product.as(tenant.keys.admin);
  await createWorkflow(product, tenant, NEVER);
  const large = await createWorkflow(product, tenant, LARGE(hook));
  await createWorkflow(product, tenant, REFUND);
  await admin.post(
    '/api/admin/members/create',
    { name: 'Ann Reyes', email: 'ann@example.com', role: 'approver' },
    ANY,
  );
  const orders = await postEvents(product, tenant, [
    order('1001', 25_000),
    order('1002', 4_000),
    order('1003', 61_000),
    order('1004', 18_500),
  ]);
  const refunds = await postEvents(product, tenant, [
    refund('1001', 7_500, 'arrived broken'),
    refund('1003', 12_000, 'late'),
    refund('1004', 6_000, 'wrong size'),
  ]);
  const [first, second, third] = refunds.map(({ runs: [run] }) => run ?? '');
  const [event] = orders;
  const approvals = await pendingApprovals(product, tenant, refunds.length);
  const decided = approvals.find(({ runId }) => runId === first);
  const denied = approvals.find(({ runId }) => runId === second);
  const approver = product.as(tenant.keys.approver);
  const claim = { runId: decided?.runId ?? '', comment: 'Seen the pictures' };
  await approver.post('/api/admin/workflow-runs/approve', claim, ANY);
  const no = { runId: denied?.runId ?? '', comment: 'It came on time' };
  await approver.post('/api/admin/workflow-runs/deny', no, ANY);
  await runIn(product, tenant, orders[0]?.runs[0] ?? '', 'succeeded');
  await runIn(product, tenant, first ?? '', 'waiting');
  const list = z.object({ items: z.array(z.object({ id: z.string() })) });
  const deliveries = await admin.get('/api/admin/deliveries?limit=1', list);
  return {
    tenant,
    ids: {
      workflow: large.id,
      run: first ?? '',
      waiting: third ?? '',
      event: event?.id ?? '',
      approval: approvals.find(({ runId }) => runId === third)?.id ?? '',
      delivery: deliveries.items[0]?.id ?? '',
    },
  };
}

const inbox = z.object({ items: z.array(z.object({ id: z.string(), runId: z.string() })) });

async function pendingApprovals(product: Caller, tenant: Tenant, count: number) {
  const { items } = await until(`${count} approvals`, async () => {
    const answer = await product
      .as(tenant.keys.approver)
      .get('/api/admin/approvals?mine=true', inbox);
    return answer.items.length === count && answer;
  });
  return items;
}

function order(id: string, amount: number) {
  const data = { order: { id, name: `#${id}`, total: { amount, currency: USD } } };
  return { type: 'order.created', source: 'shop', subject: `order/${id}`, data };
}

function refund(orderId: string, amount: number, reason: string) {
  const data = { orderId, amount: { amount, currency: USD }, reason };
  return { type: 'custom.refund.requested', source: 'desk', subject: `order/${orderId}`, data };
}
