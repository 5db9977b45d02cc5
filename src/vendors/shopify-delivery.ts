/**
 * A Shopify webhook as it is delivered: is it from the shop, and what its headers say. No I/O.
 * https://shopify.dev/docs/apps/build/webhooks/subscribe/https (headers and signature).
 * The signature covers the body alone, no header and no time: a replay is stopped by the webhook
 * id being the event's id, and the shop's domain is only true once the tenant's own secret fits.
 */
import { verifyHmacSha256 } from '../hmac.ts';

/** Base64 of 32 bytes in its one canonical form: the last letter has no stray bits. */
const SIGNATURE = /^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$/;

/**
 * Deliveries of the newer Events have the same headers without `X-`, and a payload of their own.
 * https://github.com/Shopify/shopify-app-js/blob/main/packages/apps/shopify-api/lib/types.ts
 */
const isEvents = (headers: Headers) => headers.has('shopify-hmac-sha256');
const prefixOf = (headers: Headers) => (isEvents(headers) ? 'shopify' : 'x-shopify');

/** True when X-Shopify-Hmac-Sha256 is the raw body's HMAC under the app's secret. */
export async function verifyShopify(
  rawBody: Uint8Array,
  headers: Headers,
  secret: string,
): Promise<boolean> {
  const text = headers.get(`${prefixOf(headers)}-hmac-sha256`) ?? '';
  if (!SIGNATURE.test(text)) return false;
  const signature = Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
  return verifyHmacSha256(new TextEncoder().encode(secret), [signature], rawBody);
}

export interface ShopifyDelivery {
  /** The dedupe identity, the same on every retry of a delivery. */
  readonly id: string | null;
  readonly topic: string | null;
  /** In lower case. */
  readonly shopDomain: string | null;
  /** RFC 3339, as sent. */
  readonly triggeredAt: string | null;
  readonly apiVersion: string | null;
}

/**
 * What the headers say of a delivery; null where one is missing or empty. The webhook id comes
 * before the event id, because one event id comes once for each subscription to its topic. Topics of
 * Events are told apart (`events/Product/update`): their bodies are not the resources that the topics
 * of webhooks have.
 */
export function shopifyDelivery(headers: Headers): ShopifyDelivery {
  const header = (name: string) => headers.get(`${prefixOf(headers)}-${name}`)?.trim() || null;
  const topic = header('topic');
  const eventsTopic = ['events', topic, header('action')].filter((part) => part !== null).join('/');
  return {
    id: header('webhook-id') ?? header('event-id'),
    topic: topic !== null && isEvents(headers) ? eventsTopic : topic,
    shopDomain: header('shop-domain')?.toLowerCase() ?? null,
    triggeredAt: header('triggered-at'),
    apiVersion: header('api-version'),
  };
}
