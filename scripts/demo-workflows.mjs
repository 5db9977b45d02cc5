/** The demo tenant's workflows, as POST /api/admin/workflows/create takes them. */

const TEAM = 'ops@example.com';

export const DEMO_WORKFLOWS = [
  {
    name: 'Large orders',
    description: 'Orders above 100.00 are tagged, and the team hears of them.',
    trigger: { event: 'order.created', if: 'event.data.order.total.amount > 10000' },
    steps: [
      {
        id: 'tag',
        action: 'tag.order',
        with: { orderId: '{{ event.data.order.id }}', tag: 'large-order' },
      },
      {
        id: 'tell',
        action: 'notify.email',
        with: {
          to: TEAM,
          subject: 'Large order {{ event.data.order.id }}',
          text: 'Order {{ event.data.order.id }} came in: {{ event.data.order.total.amount }} {{ event.data.order.total.currency }} (minor units).',
        },
      },
    ],
  },
  {
    name: 'Refunds over 500.00 wait for a human',
    description: 'Nothing is paid back before someone with the role approver has agreed.',
    trigger: { event: 'custom.refund.requested', if: 'event.data.amount.amount > 50000' },
    steps: [
      {
        id: 'refund',
        action: 'order.refund',
        with: {
          orderId: '{{ event.data.orderId }}',
          amount: '{{ event.data.amount }}',
          reason: '{{ has(event.data.reason) ? event.data.reason : "asked for" }}',
        },
      },
      {
        id: 'tell',
        action: 'notify.email',
        with: {
          to: TEAM,
          subject: 'Refunded: order {{ event.data.orderId }}',
          text: 'Refund {{ steps.refund.output.refundId }} of order {{ event.data.orderId }} is done.',
        },
      },
    ],
  },
  {
    name: 'Refunded orders',
    description: 'Whoever refunded it and wherever: the order is tagged.',
    trigger: { event: 'order.refunded' },
    steps: [
      {
        id: 'tag',
        action: 'tag.order',
        with: { orderId: '{{ event.data.order.id }}', tag: 'refunded' },
      },
    ],
  },
  {
    name: 'Kill switch',
    description: 'An incident asks to switch a feature off; a human has the last word.',
    trigger: { event: 'custom.incident.opened', if: 'event.data.severity == "critical"' },
    steps: [
      { id: 'off', action: 'flag.disable', with: { key: '{{ event.data.flag }}' } },
      {
        id: 'tell',
        action: 'notify.email',
        with: {
          to: TEAM,
          subject: 'Switched off: {{ event.data.flag }}',
          text: 'The flag {{ event.data.flag }} is off because of an incident.',
        },
      },
    ],
  },
];
