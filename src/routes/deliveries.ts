/** The delivery log of `notify.webhook`, and sending once more what was missed. */
import * as z from 'zod';
import {
  type Delivery,
  type DeliveryDetail,
  delivery,
  deliveryDetail,
  deliveryStatus,
  redeliverBody,
  redeliverSinceBody,
} from '../contract/deliveries.ts';
import { timestamp } from '../contract/json.ts';
import { later } from '../contract/later.ts';
import { refusal } from '../contract/problems.ts';
import {
  type DeliveryFilter,
  findDelivery,
  listDeliveries,
  missedMessages,
} from '../db/deliveries.ts';
import { findRun } from '../db/find-runs.ts';
import type { Env } from '../env.ts';
import { listAnswer, pageOf } from '../http/cursor.ts';
import { listOf, listQuery, type Route, tenantRoute } from '../http/route.ts';
import { bodyOf } from '../objects/delivery-facts.ts';
import { tenantObject } from '../objects/index.ts';
import { type SentMessage, sentMessage } from '../objects/sent-message.ts';
import { destinationOf } from '../ports/destination.ts';
import { USER_AGENT } from '../ports/webhook.ts';

/** So many messages are taken by one request; another one takes those that are left. */
const REDELIVERED_MAX = 5_000;

const queuedAnswer = later(() =>
  z.object({
    queued: z.int().describe('How many messages are sent once more'),
    more: z
      .boolean()
      .describe('There are more than one request takes: ask again when these are done'),
    requestId: z.string(),
  }),
);

export const deliveryRoutes: readonly Route[] = [
  tenantRoute({
    method: 'GET',
    path: '/api/admin/deliveries',
    tag: 'Deliveries',
    summary: 'The delivery log: every request that notify.webhook made, newest first',
    description:
      '`destination` is a URL; its query counts for nothing. `from` is included, `to` is not: times at which requests began.',
    role: 'viewer',
    query: later(() =>
      z.strictObject({
        ...listQuery(),
        destination: z.string().min(1).max(2_048).optional(),
        status: deliveryStatus.optional(),
        runId: z.string().min(1).max(100).optional(),
        from: timestamp.optional(),
        to: timestamp.optional(),
      }),
    ),
    answer: { status: 200, description: 'A page of deliveries', schema: listOf(delivery) },
    async handle({ env, tenantId }, { query: { limit, cursor, destination, runId, ...rest } }) {
      const page = pageOf('deliveries', { limit, cursor });
      if ('ok' in page) return page;
      const filter = {
        ...rest,
        destination: destination === undefined ? undefined : keyOf(destination),
        run: runId === undefined ? undefined : await deliveriesOfRun(env, tenantId, runId),
      };
      return {
        body: listAnswer('deliveries', await listDeliveries(env.DB, tenantId, filter, page)),
      };
    },
  }),
  tenantRoute({
    method: 'GET',
    path: '/api/admin/deliveries/get',
    tag: 'Deliveries',
    summary: 'One delivery, with what was sent and what was answered',
    role: 'viewer',
    query: later(() => z.strictObject({ id: z.string().min(1).max(100) })),
    answer: {
      status: 200,
      description: 'The delivery',
      schema: later(() => z.object({ delivery: deliveryDetail, requestId: z.string() })),
    },
    problems: [404],
    async handle({ env, tenantId }, { query: { id } }) {
      const found = await detailOf(env, tenantId, id);
      return found === null ? refusal('not_found', NONE) : { body: { delivery: found } };
    },
  }),
  tenantRoute({
    method: 'POST',
    path: '/api/admin/deliveries/redeliver',
    tag: 'Deliveries',
    summary: 'Send one message once more',
    description:
      'The same webhook-id and body, a new timestamp and signature; also when it was delivered, or its run has ended, which stays as it is. Follow it in the delivery log.',
    role: 'admin',
    body: redeliverBody,
    answer: { status: 202, description: 'It will be sent', schema: queuedAnswer },
    problems: [404, 409],
    async handle({ env, tenantId, by }, { body: { id } }) {
      const found = await findDelivery(env.DB, tenantId, id);
      if (found === null) return refusal('not_found', NONE);
      const { runId, stepId, destination } = found.item;
      if ((await sentMessage(env.DB, tenantId, runId, stepId)) === null)
        return refusal('not_found', 'What it sent is no longer kept.');
      const messages = [{ runId, stepId }];
      const tenant = tenantObject(env, tenantId);
      const sent = await tenant.redeliver(destination, messages, id, by);
      return sent.ok ? { status: 202, body: { queued: sent.queued, more: false } } : sent;
    },
  }),
  tenantRoute({
    method: 'POST',
    path: '/api/admin/deliveries/redeliver-since',
    tag: 'Deliveries',
    summary: 'Send once more what a destination has missed since a time',
    description:
      'Every message of which an attempt since then has failed, the oldest first, unless it was delivered in the meantime; at most 5,000. One that its run will try again may so come twice, under the same webhook-id.',
    role: 'admin',
    body: redeliverSinceBody,
    answer: { status: 202, description: 'They will be sent', schema: queuedAnswer },
    problems: [409],
    async handle({ env, tenantId, by }, { body: { destination: url, since } }) {
      const destination = keyOf(url);
      const most = REDELIVERED_MAX + 1;
      const missed = await missedMessages(env.DB, tenantId, destination, since, most);
      const messages = missed.slice(0, REDELIVERED_MAX);
      const more = missed.length > REDELIVERED_MAX;
      if (messages.length === 0) return { status: 202, body: { queued: 0, more } };
      const tenant = tenantObject(env, tenantId);
      const sent = await tenant.redeliver(destination, messages, null, by);
      return sent.ok ? { status: 202, body: { queued: sent.queued, more } } : sent;
    },
  }),
];

const NONE = 'There is no such delivery.';

function keyOf(url: string): string {
  return destinationOf(url) ?? url;
}

/** A run's deliveries by its entries; a run that does not exist has none. */
async function deliveriesOfRun(
  env: Env,
  tenantId: string,
  id: string,
): Promise<NonNullable<DeliveryFilter['run']>> {
  const entries = (await findRun(env.DB, tenantId, id))?.entries ?? [];
  const deliveryIds = entries.flatMap((entry) =>
    'delivery' in entry && entry.delivery !== undefined ? [entry.delivery.id] : [],
  );
  return { id, deliveryIds };
}

async function detailOf(env: Env, tenantId: string, id: string): Promise<DeliveryDetail | null> {
  const found = await findDelivery(env.DB, tenantId, id);
  if (found === null) return null;
  const { runId, stepId } = found.item;
  const sent = await sentMessage(env.DB, tenantId, runId, stepId);
  const request = sent === null ? null : requestOf(sent, found.item.startedAt);
  const response = found.response ?? (await responseOf(env, tenantId, found.item));
  return { ...found.item, request, response };
}

function requestOf(
  { webhook, webhookId }: SentMessage,
  startedAt: string,
): DeliveryDetail['request'] {
  const { url, method, body } = webhook;
  const seconds = Math.floor(Date.parse(startedAt) / 1_000);
  const own = Object.entries(webhook.headers).map(([name, value]) => [name.toLowerCase(), value]);
  return {
    method,
    url,
    headers: {
      'content-type': 'application/json',
      ...Object.fromEntries(own),
      'user-agent': USER_AGENT,
      'webhook-id': webhookId,
      'webhook-timestamp': String(seconds),
    },
    body: JSON.stringify(body),
  };
}

/** An attempt of a run stands in its entry. */
async function responseOf(
  env: Env,
  tenantId: string,
  { id, runId }: Delivery,
): Promise<DeliveryDetail['response']> {
  const entries = (await findRun(env.DB, tenantId, runId))?.entries ?? [];
  for (const entry of entries) {
    if (entry.type !== 'attempt_succeeded' && entry.type !== 'attempt_failed') continue;
    if (entry.delivery?.id !== id || entry.delivery.responseStatus === null) continue;
    const { responseStatus: status, responseHeaders: headers } = entry.delivery;
    return { status, headers, body: bodyOf(entry.output) };
  }
  return null;
}
