/**
 * Vendors' webhooks in. The path names the tenant whose secret must verify, over the raw bytes and
 * before anything is parsed; the body then becomes a platform event, taken like any other. Replays
 * are harmless: the vendor's own id is the event's identity.
 */
import * as z from 'zod';
import type { ConnectionKind } from '../contract/connections.ts';
import { acceptedEvent } from '../contract/events.ts';
import { type Json, tenantId as tenantIdSchema } from '../contract/json.ts';
import { later } from '../contract/later.ts';
import { type Refusal, refusal } from '../contract/problems.ts';
import { parseJson, readBytes } from '../http/body.ts';
import { type Answer, openRoute, type Route, type Served } from '../http/route.ts';
import { wrongCredential } from '../http/wrong-credentials.ts';
import { log } from '../log.ts';
import { call, tenantObject } from '../objects/index.ts';
import { openSecrets, type SealedConnection } from '../ports/connections.ts';
import { Recent } from '../recent.ts';
import { parseLossless } from '../vendors/lossless-json.ts';
import { translateShopify } from '../vendors/shopify.ts';
import { shopifyDelivery, verifyShopify } from '../vendors/shopify-delivery.ts';
import { isOfAnotherShop } from '../vendors/shopify-origin.ts';
import { translateStripe, verifyStripe } from '../vendors/stripe.ts';
import type { Translation } from '../vendors/translation.ts';

const taken = later(() =>
  z.object({
    requestId: z.string(),
    events: z.array(acceptedEvent),
    ignored: z
      .string()
      .optional()
      .describe('A topic that is not translated: counted, not an error'),
  }),
);

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
    async handle(served) {
      const answer = await serveHook(kind, served, receive);
      return 'code' in answer && answer.code === 'invalid_signature'
        ? await wrongCredential(served, answer)
        : answer;
    },
  });
}

async function serveHook(kind: Vendor, served: Served, receive: Receive): Promise<Answer> {
  const { env, requestId, request, params } = served;
  const tenantId = tenantIdSchema.safeParse(params.tenantId).data;
  if (tenantId === undefined) return unverified();
  const bytes = await readBytes(request);
  if ('ok' in bytes) return bytes;
  const received = await verified(kind, served, tenantId, receive, bytes);
  if ('ok' in received) return received;
  served.told.tenantId = tenantId;
  const { translation, sender } = received;
  if (translation.kind === 'invalid')
    return refusal('validation_failed', 'The body lacks what an event needs.', translation.faults);
  if (translation.kind === 'ignored') {
    await tenantObject(env, tenantId).countIgnored(kind, translation.topic);
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

/**
 * Anybody may name any tenant here, so nobody but its vendors should wake its object. Right after a
 * webhook that did not verify, the next one is held against the same connection first: one that would
 * not verify either is refused without asking. A secret that was changed within that moment is the only
 * thing that this is wrong about, and the vendor sends again.
 */
const refusedLately = new Recent<SealedConnection | null>({ max: 1_000, keptMs: 2_000 });

async function verified(
  kind: Vendor,
  served: Served,
  tenantId: string,
  receive: Receive,
  bytes: Uint8Array,
): ReturnType<Receive> {
  const hook = `${tenantId} ${kind}`;
  const now = Date.now();
  const verify = async (connection: SealedConnection | null) => {
    const secrets = await openSecrets(served.env, tenantId, connection, 'webhookSecret', now);
    return connection === null ? unverified() : await receive(served, connection, secrets, bytes);
  };
  const known = refusedLately.get(hook, now);
  if (known !== undefined) {
    const before = await verify(known);
    if (isUnverified(before)) return before;
  }
  const connection = await call(() => tenantObject(served.env, tenantId).sealedConnection(kind));
  const received = await verify(connection);
  if (isUnverified(received)) refusedLately.put(hook, connection, now);
  return received;
}

function isUnverified(received: Awaited<ReturnType<Receive>>): boolean {
  return 'ok' in received && received.code === 'invalid_signature';
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
