/** What actions have made, as the embedded adapters keep it: orders, mail. */
import * as z from 'zod';
import { money, timestamp, utcTime } from '../contract/json.ts';
import { later } from '../contract/later.ts';
import { refusal } from '../contract/problems.ts';
import { listAnswer, pageOf } from '../http/cursor.ts';
import { listOf, listQuery, type Route, tenantRoute } from '../http/route.ts';
import { listMailbox } from '../ports/email.ts';
import { getOrder, listOrders } from '../ports/orders.ts';

const order = later(() =>
  z
    .object({
      id: z.string(),
      name: z.string().nullable(),
      status: z.enum(['open', 'cancelled']),
      total: money.nullable(),
      refunded: money.nullable(),
      customer: z.object({
        id: z.string().nullable(),
        email: z.string().nullable(),
        name: z.string().nullable(),
      }),
      tags: z.array(z.string()),
      createdAt: utcTime,
      updatedAt: utcTime,
    })
    .meta({ id: 'Order' }),
);

const mail = later(() =>
  z
    .object({
      id: z.string(),
      to: z.array(z.string()),
      subject: z.string(),
      text: z.string().nullable(),
      html: z.string().nullable(),
      at: utcTime,
    })
    .meta({ id: 'Mail' }),
);

const idQuery = later(() => z.strictObject({ id: z.string().min(1).max(256) }));

export const outputRoutes: readonly Route[] = [
  tenantRoute({
    method: 'GET',
    path: '/api/admin/orders',
    tag: 'Outputs',
    summary: 'Orders as events have told of them, newest first',
    description:
      "The embedded shop's own orders. Of a connected shop a copy: what its webhooks told. Tags and cancellations that are made there do not show here, refunds do once the shop tells of them, and no action reads or changes the copy.",
    role: 'viewer',
    query: later(() =>
      z.strictObject({ ...listQuery(), from: timestamp.optional(), to: timestamp.optional() }),
    ),
    answer: { status: 200, description: 'A page of orders', schema: listOf(order) },
    async handle({ env, tenantId }, { query: { limit, cursor, ...filter } }) {
      const page = pageOf('orders', { limit, cursor });
      if ('ok' in page) return page;
      return { body: listAnswer('orders', await listOrders(env.DB, tenantId, page, filter)) };
    },
  }),
  tenantRoute({
    method: 'GET',
    path: '/api/admin/orders/get',
    tag: 'Outputs',
    summary: 'One order as events have told of it',
    role: 'viewer',
    query: idQuery,
    answer: {
      status: 200,
      description: 'The order',
      schema: later(() => z.object({ order, requestId: z.string() })),
    },
    problems: [404],
    async handle({ env, tenantId }, { query: { id } }) {
      const found = await getOrder(env.DB, tenantId, id);
      return found === null
        ? refusal('not_found', 'There is no such order.')
        : { body: { order: found } };
    },
  }),
  tenantRoute({
    method: 'GET',
    path: '/api/admin/mailbox',
    tag: 'Outputs',
    summary: 'Mail that was sent, in development only; approval mails hold links that decide',
    role: 'admin',
    query: later(() => z.strictObject(listQuery())),
    answer: { status: 200, description: 'A page of mail', schema: listOf(mail) },
    problems: [404],
    async handle({ env, tenantId }, { query }) {
      if (env.ENVIRONMENT !== 'development')
        return refusal('not_found', 'The mailbox is there in development only.');
      const page = pageOf('mailbox', query);
      if ('ok' in page) return page;
      return { body: listAnswer('mailbox', await listMailbox(env.DB, tenantId, page)) };
    },
  }),
];
