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
/** Approvals that wait at the end of the day. */
const WAITING = 3;

export interface Shop {
  readonly tenant: Tenant;
  /** Ids for the pages of one thing. */
  readonly ids: {
    readonly workflow: string;
    readonly large: string;
    readonly run: string;
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

/** The refunds as they were first done. */
const BEFORE = { ...REFUND, steps: REFUND.steps.slice(0, 2) };

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

const OFF = {
  name: 'Kill switch',
  description: 'An incident asks to switch a feature off; two people have the last word.',
  trigger: { event: 'custom.incident.opened' },
  steps: [
    {
      id: 'off',
      action: 'flag.disable',
      with: { key: '{{ event.data.flag }}' },
      approval: { approvals: 2, expiresIn: '4h' },
    },
  ],
};

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
  const ann = { name: 'Ann Reyes', email: 'ann@example.com', role: 'approver' };
  await admin.post('/api/admin/members/create', ann, ANY);
  await createWorkflow(product, tenant, NEVER);
  await createWorkflow(product, tenant, OFF);
  const large = await createWorkflow(product, tenant, LARGE(hook));
  const { id, version } = await createWorkflow(product, tenant, BEFORE);
  await admin.post('/api/admin/workflows/update', { id, version, ...REFUND }, ANY);
  const [run, event] = await aDay(product, tenant);
  const list = z.object({ items: z.array(z.object({ id: z.string() })) });
  const deliveries = await admin.get('/api/admin/deliveries?limit=1', list);
  const { items } = await pendingApprovals(product, tenant, WAITING);
  const approval = items.find(({ summary }) => summary.includes('1004'))?.id ?? '';
  const delivery = deliveries.items[0]?.id ?? '';
  return { tenant, ids: { workflow: id, large: large.id, run, event, approval, delivery } };
}

/** Orders come in, refunds are asked for; one is approved, one denied, the others wait. */
async function aDay(product: Caller, tenant: Tenant): Promise<readonly [string, string]> {
  const orders = await postEvents(product, tenant, [
    order('1001', 25_000),
    order('1002', 4_000),
    order('1003', 61_000),
    order('1004', 18_500),
  ]);
  const asked = await postEvents(product, tenant, [
    refund('1001', 7_500, 'arrived broken'),
    refund('1003', 12_000, 'late'),
    refund('1003', 9_900, 'one of two missing'),
    refund('1004', 6_000, 'wrong size'),
    { type: 'custom.incident.opened', source: 'pager', data: { flag: 'instant-refunds' } },
  ]);
  await pendingApprovals(product, tenant, WAITING + 2);
  const [yes = '', no = ''] = asked.map(({ runs: [run] }) => run ?? '');
  const decide = (verb: string, runId: string, comment: string) =>
    product
      .as(tenant.keys.approver)
      .post(`/api/admin/workflow-runs/${verb}`, { runId, comment }, ANY);
  await decide('approve', yes, 'Seen the pictures');
  await decide('deny', no, 'It came on time');
  await runIn(product, tenant, orders[0]?.runs[0] ?? '', 'succeeded');
  await runIn(product, tenant, yes, 'waiting');
  return [yes, orders[0]?.id ?? ''];
}

const inbox = z.object({ items: z.array(z.object({ id: z.string(), summary: z.string() })) });

async function pendingApprovals(product: Caller, tenant: Tenant, count: number) {
  return await until(`${count} approvals`, async () => {
    const answer = await product
      .as(tenant.keys.approver)
      .get('/api/admin/approvals?mine=true', inbox);
    return answer.items.length === count && answer;
  });
}

function order(id: string, amount: number) {
  const data = { order: { id, name: `#${id}`, total: { amount, currency: USD } } };
  return { type: 'order.created', source: 'shop', subject: `order/${id}`, data };
}

function refund(orderId: string, amount: number, reason: string) {
  const data = { orderId, amount: { amount, currency: USD }, reason };
  return { type: 'custom.refund.requested', source: 'desk', subject: `order/${orderId}`, data };
}
