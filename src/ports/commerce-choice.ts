/**
 * Which commerce adapter an order belongs to, by the tenant's connections: Shopify with an
 * `adminToken`, Stripe with an `apiKey`, and in development the embedded shop for what neither does.
 * With both, the order id's shape decides: Stripe's own ids (`pi_`, `ch_`, `py_`, `cs_`) are Stripe's,
 * numbers and `gid://shopify/…` are Shopify's, and other ids are looked for in Stripe's metadata.
 */
import type { Outcome } from '../engine/plan.ts';
import { shopifyCommerce } from './commerce-shopify.ts';
import { stripeRefunds } from './commerce-stripe.ts';
import type { SealedConnection } from './connections.ts';
import { type CommercePort, failed } from './index.ts';
import { orderGid } from './shopify-ids.ts';
import { shopOf, stripeAccountOf, type VendorEnv } from './vendor-accounts.ts';

type Kind = 'shopify' | 'stripe';
/** An adapter may do a part of the port. */
type Adapter = Partial<CommercePort>;

/** @param deps `fetch` is the runtime's, or a test's; `embedded` serves in development alone */
export function chosenCommerce(
  env: VendorEnv,
  tenantId: string,
  connections: readonly SealedConnection[],
  deps: { readonly fetch: typeof fetch; readonly embedded: CommercePort },
): CommercePort {
  const development = env.ENVIRONMENT === 'development';
  const connected = (kind: Kind, secret: string) =>
    connections.find((one) => one.kind === kind && one.secrets[secret] !== undefined);
  const shopify = connected('shopify', 'adminToken');
  const stripe = connected('stripe', 'apiKey');

  const opened = async (kind: Kind | null): Promise<Adapter | string> => {
    if (kind === 'shopify' && shopify !== undefined) {
      const shop = await shopOf(env, tenantId, shopify);
      return typeof shop === 'string' ? shop : shopifyCommerce(shop, deps);
    }
    if (kind === 'stripe' && stripe !== undefined) {
      const account = await stripeAccountOf(env, tenantId, stripe);
      return typeof account === 'string' ? account : stripeRefunds(account, deps);
    }
    return {};
  };

  /** The adapter's method, or the embedded shop's; an outcome where there is neither. */
  const method = async <Name extends keyof CommercePort>(
    name: Name,
    orderId: string,
  ): Promise<CommercePort[Name] | Outcome> => {
    const kind = kindOf(orderId, shopify !== undefined, stripe !== undefined);
    const adapter = await opened(kind);
    if (typeof adapter === 'string') return notConfigured(adapter);
    const found = adapter[name];
    if (found !== undefined) return found;
    if (development) return deps.embedded[name];
    return notConfigured(kind === 'stripe' ? STRIPE_REFUNDS_ALONE : NO_SHOP);
  };

  return {
    async tagOrder(call, orderId, tag) {
      const tagOrder = await method('tagOrder', orderId);
      return typeof tagOrder === 'function' ? await tagOrder(call, orderId, tag) : tagOrder;
    },
    async refundOrder(call, refund) {
      const refundOrder = await method('refundOrder', refund.orderId);
      return typeof refundOrder === 'function' ? await refundOrder(call, refund) : refundOrder;
    },
    async cancelOrder(call, orderId, reason) {
      const cancelOrder = await method('cancelOrder', orderId);
      return typeof cancelOrder === 'function'
        ? await cancelOrder(call, orderId, reason)
        : cancelOrder;
    },
  };
}

const NO_SHOP =
  'No shop is connected: set a shopify connection with an adminToken, or stripe with an apiKey.';
const STRIPE_REFUNDS_ALONE =
  'Stripe can refund, but neither tag nor cancel an order: connect Shopify for that.';

function notConfigured(message: string): Outcome {
  return failed('commerce_not_configured', message);
}

function kindOf(orderId: string, shopify: boolean, stripe: boolean): Kind | null {
  if (shopify && stripe) return orderGid(orderId) === null ? 'stripe' : 'shopify';
  if (shopify) return 'shopify';
  return stripe ? 'stripe' : null;
}
