/**
 * Vendors' webhooks in. The path names the tenant whose secret must verify, over the raw bytes and
 * before anything is parsed; the body then becomes a platform event, taken like any other. Replays
 * are harmless: the vendor's own id is the event's identity.
 */
import * as z from 'zod';
import type { ConnectionKind } from '../contract/connections.ts';
import { acceptedEvent } from '../contract/events.ts';
import { type Json, tenantId as tenantIdSchema } from '../contract/json.ts';
import { type Refusal, refusal } from '../contract/problems.ts';
import { parseJson, readBytes } from '../http/body.ts';
import { type Answer, openRoute, type Route, type Served } from '../http/route.ts';
import { log } from '../log.ts';
import { call, tenantObject } from '../objects/index.ts';
import { openSecrets, type SealedConnection } from '../ports/connections.ts';
import { parseLossless } from '../vendors/lossless-json.ts';
import { translateShopify } from '../vendors/shopify.ts';
import { shopifyDelivery, verifyShopify } from '../vendors/shopify-delivery.ts';
import { isOfAnotherShop } from '../vendors/shopify-origin.ts';
import { translateStripe, verifyStripe } from '../vendors/stripe.ts';
import type { Translation } from '../vendors/translation.ts';

const taken = z.object({
  requestId: z.string(),
  events: z.array(acceptedEvent),
  ignored: z.string().optional().describe('A topic that is not translated: counted, not an error'),
});

/** Wrong secret, wrong tenant, no connection: one answer, which tells nothing about which. */
const unverified = () => refusal('invalid_signature', 'The signature does not verify.');

export const hookRoutes: readonly Route[] = [
  hookRoute('shopify', 'A Shopify webhook (X-Shopify-Hmac-Sha256)', receiveShopify),
  hookRoute('stripe', 'A Stripe webhook (Stripe-Signature, at most 5 minutes old)', receiveStripe),
];

type Vendor = Extract<ConnectionKind, 'shopify' | 'stripe'>;
type Receive = (
  served: Served,
  connection: SealedConnection,
  secrets: readonly string[],
  bytes: Uint8Array,
) => Promise<{ translation: Translation; sender: string } | Refusal>;

function hookRoute(kind: Vendor, summary: string, receive: Receive): Route {
  return openRoute({
    method: 'POST',
    path: `/api/hooks/:tenantId/${kind}`,
    tag: 'Vendor webhooks',
    summary,
    access: { tier: 'vendor' },
    rawBody: ['application/json'],
    answer: { status: 200, description: 'Taken, durably, or ignored', schema: taken },
    problems: [400, 401, 413, 422, 429],
    handle: async (served) => await serveHook(kind, served, receive),
  });
}

async function serveHook(kind: Vendor, served: Served, receive: Receive): Promise<Answer> {
  const { env, requestId, request, params } = served;
  const tenantId = tenantIdSchema.safeParse(params.tenantId).data;
  if (tenantId === undefined) return unverified();
  const bytes = await readBytes(request);
  if ('ok' in bytes) return bytes;
  const tenant = tenantObject(env, tenantId);
  const connection = await call(() => tenant.sealedConnection(kind));
  const name = 'webhookSecret';
  const secrets = await openSecrets(env, tenantId, connection, name, Date.now());
  if (connection === null) return unverified();
  const received = await receive(served, connection, secrets, bytes);
  if ('ok' in received) return received;
  served.told.tenantId = tenantId;
  const { translation, sender } = received;
  if (translation.kind === 'invalid')
    return refusal('validation_failed', 'The body lacks what an event needs.', translation.faults);
  if (translation.kind === 'ignored') {
    await tenant.countIgnored(kind, translation.topic);
    log({
      what: 'vendor_topic_ignored',
      requestId,
      tenantId,
      code: translation.topic.slice(0, 80),
    });
    return { body: { events: [], ignored: translation.topic } };
  }
  const actor = { type: 'vendor', id: kind, name: sender } as const;
  const taken = await call(
    async () =>
      await tenantObject(env, tenantId).takeEvents([translation.event], { actor, requestId }),
  );
  return taken.ok ? { body: { events: taken.events } } : taken;
}

/** During a rotation either secret signs; without any, nothing verifies. */
async function anyVerifies(
  secrets: readonly string[],
  verify: (secret: string) => Promise<boolean>,
): Promise<boolean> {
  for (const secret of secrets) if (await verify(secret)) return true;
  return false;
}

/**
 * The MAC covers neither headers nor time: the shop must be the connection's, by the header and by
 * the body where it tells; the id dedupes.
 */
async function receiveShopify(
  { request }: Served,
  connection: SealedConnection,
  secrets: readonly string[],
  bytes: Uint8Array,
): ReturnType<Receive> {
  const verifies = (secret: string) => verifyShopify(bytes, request.headers, secret);
  if (!(await anyVerifies(secrets, verifies))) return unverified();
  const { id, topic, shopDomain, triggeredAt, apiVersion } = shopifyDelivery(request.headers);
  if (shopDomain?.toLowerCase() !== connection.settings.shopDomain) return unverified();
  if (id === null || topic === null || shopDomain === null)
    return refusal('validation_failed', 'X-Shopify-Topic and X-Shopify-Webhook-Id are needed.');
  const parsed = parseBody(bytes);
  if (!parsed.ok) return parsed;
  const { shopId } = connection.settings;
  if (isOfAnotherShop(parsed.value, { shopDomain, shopId })) return unverified();
  const meta = { shopDomain, id, triggeredAt, apiVersion };
  return { translation: translateShopify(topic, parsed.value, meta), sender: shopDomain };
}

async function receiveStripe(
  { request }: Served,
  _connection: SealedConnection,
  secrets: readonly string[],
  bytes: Uint8Array,
): ReturnType<Receive> {
  const verifies = (secret: string) => verifyStripe(bytes, request.headers, secret, Date.now());
  if (!(await anyVerifies(secrets, verifies))) return unverified();
  const parsed = parseBody(bytes);
  return parsed.ok ? { translation: translateStripe(parsed.value), sender: 'Stripe' } : parsed;
}

function parseBody(bytes: Uint8Array): { ok: true; value: Json } | Refusal {
  return parseJson(bytes, parseLossless);
}
