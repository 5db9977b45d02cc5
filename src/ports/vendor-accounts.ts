/** A tenant's accounts with vendors, ready to be asked: their credentials are open, their hosts fixed. */
import type { SealKeys } from '../sealed.ts';
import { openSecret, type SealedConnection } from './connections.ts';
import { checkDestination, type DestinationRules } from './destination.ts';
import type { UnleashPlace } from './flags-unleash.ts';
import { SHOPIFY_API_VERSION, type ShopifyShop } from './shopify-admin.ts';
import type { StripeAccount } from './stripe-api.ts';

/** The `…_ORIGIN`s: for tests, and in development alone. */
export interface VendorEnv extends SealKeys {
  readonly ENVIRONMENT: string;
  readonly SHOPIFY_ORIGIN?: string;
  readonly STRIPE_ORIGIN?: string;
}

/** The only hosts that an Admin token is sent to: no other setting of a tenant can name a host. */
const SHOP_DOMAIN = /^[a-z0-9][a-z0-9-]{0,100}\.myshopify\.com$/;

/** The shop, or a sentence about why there is none. */
export async function shopOf(
  env: VendorEnv,
  tenantId: string,
  connection: SealedConnection,
): Promise<ShopifyShop | string> {
  const adminToken = await openSecret(env, tenantId, connection, 'adminToken');
  if (adminToken === null) return unopened('adminToken', connection);
  const { shopDomain = '', apiVersion = SHOPIFY_API_VERSION } = connection.settings;
  if (!SHOP_DOMAIN.test(shopDomain))
    return 'The shopify connection has to name a *.myshopify.com domain.';
  const origin = (isDevelopment(env) && env.SHOPIFY_ORIGIN) || `https://${shopDomain}`;
  return { origin, adminToken, apiVersion };
}

/** The account, or a sentence about why there is none. */
export async function stripeAccountOf(
  env: VendorEnv,
  tenantId: string,
  connection: SealedConnection,
): Promise<StripeAccount | string> {
  const apiKey = await openSecret(env, tenantId, connection, 'apiKey');
  if (apiKey === null) return unopened('apiKey', connection);
  const origin = (isDevelopment(env) && env.STRIPE_ORIGIN) || 'https://api.stripe.com';
  return { apiKey, origin };
}

/** The place at Unleash, or a sentence about why there is none. */
export async function unleashOf(
  env: SealKeys,
  tenantId: string,
  connection: SealedConnection,
  rules: DestinationRules,
): Promise<UnleashPlace | string> {
  const { url = '', project = 'default', environment = '' } = connection.settings;
  const apiToken = await openSecret(env, tenantId, connection, 'apiToken');
  if (apiToken === null) return unopened('apiToken', connection);
  const allowed = checkDestination(url, rules);
  return allowed.ok
    ? { url: allowed.url.href, project, environment, apiToken }
    : `Unleash: ${allowed.reason}`;
}

/** A credential that is there and cannot be used. */
export function unopened(field: string, { kind }: Pick<SealedConnection, 'kind'>): string {
  return `The ${field} of the ${kind} connection does not open: set it again.`;
}

function isDevelopment({ ENVIRONMENT }: VendorEnv): boolean {
  return ENVIRONMENT === 'development';
}
