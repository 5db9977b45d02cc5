/** Whether a Shopify connection works: one query, which reads the shop's name and the app's scopes. */
import * as z from 'zod';
import type { ConnectionCheck } from '../contract/connections.ts';
import { later } from '../contract/later.ts';
import type { Outcome } from '../engine/plan.ts';
import type { SealedConnection } from './connections.ts';
import { askShopify } from './shopify-admin.ts';
import { shopOf, type VendorEnv } from './vendor-accounts.ts';
import type { Asking } from './vendor-http.ts';

const READ_ACCESS = `query ConnectionTest {
  shop { name myshopifyDomain }
  currentAppInstallation { accessScopes { handle } }
}`;
const access = later(() =>
  z.object({
    shop: z.object({ name: z.string(), myshopifyDomain: z.string() }),
    currentAppInstallation: z.object({ accessScopes: z.array(z.object({ handle: z.string() })) }),
  }),
);

/** What the actions ask for. Orders of before the last 60 days take one more, which is optional. */
const NEEDED = ['read_orders', 'write_orders'];
const OLD_ORDERS = 'read_all_orders';

export async function checkShopify(
  env: VendorEnv,
  tenantId: string,
  connection: SealedConnection,
  asking: Asking,
): Promise<ConnectionCheck[]> {
  if (connection.secrets.adminToken === undefined)
    return [{ name: 'token', ok: true, detail: NO_TOKEN }];
  const shop = await shopOf(env, tenantId, connection);
  if (typeof shop === 'string') return [{ name: 'token', ok: false, detail: shop }];
  const answer = await askShopify(
    shop,
    { query: READ_ACCESS, variables: {}, data: access },
    asking,
  );
  if (!answer.ok) return failedChecks(answer.outcome);
  const { shop: found, currentAppInstallation } = answer.data;
  const { shopDomain = '' } = connection.settings;
  const isSame = found.myshopifyDomain.toLowerCase() === shopDomain;
  return [
    {
      name: 'shop',
      ok: isSame,
      detail: isSame
        ? `${found.name} (${found.myshopifyDomain}) answers.`
        : `The shop calls itself ${found.myshopifyDomain}, not ${shopDomain}: set that domain.`,
    },
    { name: 'token', ok: true, detail: 'The Admin token is valid.' },
    scopesCheck(currentAppInstallation.accessScopes.map(({ handle }) => handle)),
  ];
}

const NO_TOKEN =
  'No adminToken is set: webhooks are taken, but orders cannot be tagged, refunded or cancelled at Shopify.';

/** A token that was refused was refused by a shop that is there. */
function failedChecks(outcome: Outcome): ConnectionCheck[] {
  const { code, message } =
    outcome.kind === 'succeeded' ? { code: '', message: 'Shopify was not asked.' } : outcome.error;
  const refused = { name: 'token', ok: false, detail: message };
  return code === 'credential_refused'
    ? [{ name: 'shop', ok: true, detail: 'The shop answers.' }, refused]
    : [{ name: 'shop', ok: false, detail: message }];
}

function scopesCheck(granted: readonly string[]): ConnectionCheck {
  // A scope to write holds the one to read.
  const has = (scope: string) =>
    granted.includes(scope) || granted.includes(scope.replace(/^read_/, 'write_'));
  const missing = NEEDED.filter((scope) => !has(scope));
  const old = has(OLD_ORDERS)
    ? 'Orders of any age can be reached.'
    : `Without ${OLD_ORDERS}, orders that are older than 60 days cannot be reached.`;
  return {
    name: 'scopes',
    ok: missing.length === 0,
    detail:
      missing.length === 0
        ? `Granted: ${NEEDED.join(', ')}. ${old}`
        : `Not granted: ${missing.join(', ')}. Grant them to the app, and install it again.`,
  };
}
