/**
 * Does a body say itself that it is of another shop? The signature covers no header, and all shops
 * that one app is installed on share its secret: a signed body of one of them verifies for each. Only
 * an order tells where it is from, by the address of its status page, which has the shop's number
 * and often its domain:
 * `https://example.myshopify.com/548380009/orders/b1946ac92492d2347c6235b4d2611184/authenticate?key=…`
 * https://shopify.dev/docs/api/admin-rest/latest/resources/order#resource-object
 */
import { isJsonObject, type Json } from '../contract/json.ts';

export interface KnownShop {
  /** `<name>.myshopify.com`, in lower case. */
  readonly shopDomain: string;
  /** The shop's number, where the connection names it. */
  readonly shopId?: string | undefined;
}

/** Refunds and customers name no shop at all, and orders may be on a domain that is not known here. */
export function isOfAnotherShop(body: Json, { shopDomain, shopId }: KnownShop): boolean {
  const url = statusPage(body);
  if (url === null) return false;
  const host = url.hostname.toLowerCase();
  if (host.endsWith('.myshopify.com') && host !== shopDomain) return true;
  const number = /^\/(\d{1,20})\/orders\//.exec(url.pathname)?.[1];
  return shopId !== undefined && number !== undefined && number !== shopId;
}

function statusPage(body: Json): URL | null {
  const text = isJsonObject(body) ? body.order_status_url : undefined;
  return typeof text === 'string' && URL.canParse(text) ? new URL(text) : null;
}
