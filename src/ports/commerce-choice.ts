/**
 * Which commerce adapter an order belongs to, by the tenant's connections: Shopify with an
 * `adminToken`, Stripe with an `apiKey`, and in development the embedded shop for what neither does.
 * With both, the order id's shape decides: Stripe's own ids (`pi_`, `ch_`, `py_`, `cs_`) are Stripe's,
 * numbers and `gid://shopify/…` are Shopify's, and other ids are looked for in Stripe's metadata.
 */
import type { Outcome } from '../engine/plan.ts';
import { shopifyCommerce } from './commerce-shopify.ts';
import { stripeRefunds } from './commerce-stripe.ts';
import { openSecret, type SealedConnection } from './connections.ts';
import { type CommercePort, failed } from './index.ts';
import { SHOPIFY_API_VERSION } from './shopify-admin.ts';
import { orderGid } from './shopify-ids.ts';

/** The `…_ORIGIN`s: for tests, and in development alone. */
export interface CommerceEnv {
  readonly ENVIRONMENT: string;
  readonly SEAL_KEY: string;
  readonly SHOPIFY_ORIGIN?: string;
  readonly STRIPE_ORIGIN?: string;
}

/** The only hosts that an Admin token is sent to: no other setting of a tenant can name a host. */
const SHOP_DOMAIN = /^[a-z0-9][a-z0-9-]{0,100}\.myshopify\.com$/;

type Kind = 'shopify' | 'stripe';
/** An adapter may do a part of the port. */
type Adapter = Partial<CommercePort>;

/** @param deps `fetch` is the runtime's, or a test's; `embedded` serves in development alone */
export function chosenCommerce(
  env: CommerceEnv,
  tenantId: string,
  connections: readonly SealedConnection[],
  deps: { readonly fetch: typeof fetch; readonly embedded: CommercePort },
): CommercePort {
  const development = env.ENVIRONMENT === 'development';
  const connected = (kind: Kind, secret: string) =>
    connections.find((one) => one.kind === kind && one.secrets[secret] !== undefined);
  const shopify = connected('shopify', 'adminToken');
  const stripe = connected('stripe', 'apiKey');

  const opened = async (kind: Kind): Promise<Adapter | Outcome> => {
    const connection = kind === 'shopify' ? shopify : stripe;
    const field = kind === 'shopify' ? 'adminToken' : 'apiKey';
    const secret = await openSecret(env.SEAL_KEY, tenantId, connection, field);
    if (secret === null || connection === undefined)
      return notConfigured(`The ${field} of the ${kind} connection does not open: set it again.`);
    if (kind === 'stripe') {
      const origin = (development && env.STRIPE_ORIGIN) || 'https://api.stripe.com';
      return stripeRefunds({ apiKey: secret, origin }, deps);
    }
    const { shopDomain = '', apiVersion = SHOPIFY_API_VERSION } = connection.settings;
    if (!SHOP_DOMAIN.test(shopDomain))
      return notConfigured('The shopify connection has to name a *.myshopify.com domain.');
    const origin = (development && env.SHOPIFY_ORIGIN) || `https://${shopDomain}`;
    return shopifyCommerce({ origin, adminToken: secret, apiVersion }, deps);
  };

  /** The adapter's method, or the embedded shop's; an outcome where there is neither. */
  const method = async <Name extends keyof CommercePort>(
    name: Name,
    orderId: string,
  ): Promise<CommercePort[Name] | Outcome> => {
    const kind = kindOf(orderId, shopify !== undefined, stripe !== undefined);
    const adapter = kind === null ? {} : await opened(kind);
    if ('kind' in adapter) return adapter;
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
