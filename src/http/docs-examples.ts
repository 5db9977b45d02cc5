/**
 * A body for each operation that takes one, for the page's examples. A test sends them through the
 * routes' own schemas, so that none of them can grow stale.
 */
import type { Json } from '../contract/json.ts';

const RUN = 'run_019a6b3c5d7e7f8091a2b3c4d5e6f708';
const WORKFLOW = 'wf_019a6b3c5d7e7f8091a2b3c4d5e6f708';
const MEMBER = 'mem_019a6b3c5d7e7f8091a2b3c4d5e6f708';
const EXPORT = 'exp_019a6b3c5d7e7f8091a2b3c4d5e6f708';

const definition = {
  name: 'Large refunds',
  trigger: { event: 'order.refunded', if: 'event.data.refund.amount.amount >= 50000' },
  steps: [
    {
      id: 'tag',
      action: 'tag.order',
      with: { orderId: '{{ event.data.order.id }}', tag: 'large-refund' },
    },
  ],
};

/** By path. Of operations without an entry the page shows no body. */
export const EXAMPLE_BODIES: Readonly<Record<string, Json>> = {
  '/api/session': { apiKey: 'sbx_north-store_…' },
  '/api/session/end': {},
  '/api/events': {
    id: 'refund-889',
    source: '/shop',
    type: 'order.refunded',
    data: {
      order: { id: '450789469' },
      refund: { id: '889', amount: { amount: 75000, currency: 'USD' } },
    },
  },
  '/api/admin/workflows/create': { ...definition, enabled: true },
  '/api/admin/workflows/check': definition,
  '/api/admin/workflows/update': { id: WORKFLOW, version: 1, ...definition },
  '/api/admin/workflows/enable': { id: WORKFLOW },
  '/api/admin/workflows/disable': { id: WORKFLOW },
  '/api/admin/workflow-runs/approve': { runId: RUN, comment: 'Checked with the customer' },
  '/api/admin/workflow-runs/deny': { runId: RUN, comment: 'Already refunded by hand' },
  '/api/admin/workflow-runs/edit': {
    runId: RUN,
    input: { orderId: '450789469', amount: { amount: 50000, currency: 'USD' } },
    comment: 'Half of it was delivered',
  },
  '/api/admin/workflow-runs/override': { runId: RUN, comment: 'The approvers are out of reach' },
  '/api/admin/workflow-runs/cancel': { runId: RUN },
  '/api/admin/workflow-runs/retry': { runId: RUN, comment: 'The shop is back' },
  '/api/admin/approvals/view': { runId: RUN },
  '/api/platform/tenants/create': { id: 'north-store', name: 'North Store' },
  '/api/platform/tenants/limits': { id: 'north-store', limits: { eventsPerSecond: 200 } },
  '/api/platform/keys/rotate': { limit: 100 },
  '/api/admin/api-keys/create': { name: 'Order feed', role: 'ingest' },
  '/api/admin/api-keys/revoke': { id: 'key_019a6b3c5d7e7f8091a2b3c4d5e6f708' },
  '/api/admin/members/create': { name: 'Ada Reyes', email: 'ada@example.com', role: 'approver' },
  '/api/admin/members/update': { id: MEMBER, role: 'admin' },
  '/api/admin/members/remove': { id: MEMBER },
  '/api/admin/members/delegate': {
    to: MEMBER,
    until: '2026-08-31T16:00:00Z',
    comment: 'On leave until September',
  },
  '/api/admin/members/undelegate': {},
  '/api/admin/approval-policy/update': {
    actions: { 'order.refund': { approvals: 2, expiresIn: '24h' }, 'flag.enable': null },
  },
  '/api/admin/connections/set': {
    kind: 'shopify',
    shopDomain: 'example.myshopify.com',
    webhookSecret: 'the-secret-of-the-app',
  },
  '/api/admin/connections/remove': { kind: 'stripe' },
  '/api/admin/connections/test': { kind: 'stripe' },
  '/api/admin/connections/rotate': { kind: 'webhook' },
  '/api/admin/audit/checkpoint': {},
  '/api/admin/flags/set': { key: 'instant-refunds', enabled: false, comment: 'Fraud wave' },
  '/ofrep/v1/evaluate/flags': { context: { targetingKey: 'visitor-7' } },
  '/ofrep/v1/evaluate/flags/{key}': { context: { targetingKey: 'visitor-7' } },
  '/api/admin/privacy/erase': {
    customer: { id: '6940095564', email: 'ada@example.com' },
    reason: 'Asked for by mail',
  },
  '/api/admin/retention/update': { runsDays: 90, eventsDays: 365 },
  '/api/admin/exports/link': { id: EXPORT, expiresIn: '24h' },
  '/api/admin/destinations/disable': { url: 'https://example.com/hook' },
  '/api/admin/destinations/enable': { url: 'https://example.com/hook' },
  '/api/admin/deliveries/redeliver': { id: 'dlv_019a6b3c5d7e7f8091a2b3c4d5e6f708' },
  '/api/admin/deliveries/redeliver-since': {
    destination: 'https://example.com/hook',
    since: '2026-01-31T12:00:00Z',
  },
};

/** What identifies one thing, in examples of operations that ask for it. */
export const EXAMPLE_IDS: Readonly<Record<string, string>> = {
  '/api/admin/events/get': 'evt_019a6b3c5d7e7f8091a2b3c4d5e6f708',
  '/api/admin/workflows/get': WORKFLOW,
  '/api/admin/workflow-runs/get': RUN,
  '/api/admin/orders/get': '450789469',
  '/api/admin/deliveries/get': 'dlv_019a6b3c5d7e7f8091a2b3c4d5e6f708',
  '/api/admin/exports/get': EXPORT,
};
