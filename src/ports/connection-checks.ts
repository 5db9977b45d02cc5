/**
 * "Test this connection": what works, tried out harmlessly and told in words for an operator. A new
 * kind of connection gets its entry in CHECKS.
 */
import type { ConnectionCheck, ConnectionKind, ConnectionTest } from '../contract/connections.ts';
import { checkEmail, ownMailCheck } from './check-email.ts';
import { checkExports } from './check-exports.ts';
import { checkFlags } from './check-flags.ts';
import { checkShopify } from './check-shopify.ts';
import { checkStripe } from './check-stripe.ts';
import { checkWebhook } from './check-webhook.ts';
import { openSecret, type SealedConnection } from './connections.ts';
import type { DestinationRules } from './destination.ts';
import type { PortEnv } from './open.ts';
import { unopened } from './vendor-accounts.ts';
import type { Asking } from './vendor-http.ts';

type Check = (
  env: PortEnv,
  tenantId: string,
  connection: SealedConnection,
  asking: Asking,
  sending: { readonly url: string; readonly rules: DestinationRules },
) => Promise<ConnectionCheck[]>;

const CHECKS: Readonly<Record<ConnectionKind, Check>> = {
  destinations: async (_env, _tenantId, { settings }) => [
    { name: 'allow', ok: true, detail: `May be sent to: ${settings.allow ?? ''}.` },
  ],
  email: checkEmail,
  exports: async ({ EXPORTS }, tenantId) => await checkExports(EXPORTS, tenantId),
  flags: async (env, tenantId, connection, asking, { rules }) =>
    await checkFlags(env, tenantId, connection, asking, rules),
  shopify: checkShopify,
  stripe: checkStripe,
  webhook: checkWebhook,
};

/** For all requests of one test. */
const TIMEOUT_MS = 12_000;

/** @param deps `fetch` is the runtime's, or a test's; `rules` say where a test may ask or send */
export async function checkConnection(
  env: PortEnv,
  tenantId: string,
  { kind, url = '' }: ConnectionTest,
  connection: SealedConnection | null,
  deps: {
    readonly fetch: typeof fetch;
    readonly now: number;
    readonly rules: DestinationRules;
  },
): Promise<ConnectionCheck[]> {
  if (connection === null) return await withoutConnection(env, tenantId, kind);
  const { fetch, now, rules } = deps;
  const asking = { fetch, now, deadline: AbortSignal.timeout(TIMEOUT_MS) };
  return [
    await secretsCheck(env, tenantId, connection),
    ...(await CHECKS[kind](env, tenantId, connection, asking, { url, rules })),
  ];
}

/** Every secret of it, also those that no vendor can be asked about. */
async function secretsCheck(
  env: PortEnv,
  tenantId: string,
  connection: SealedConnection,
): Promise<ConnectionCheck> {
  const names = Object.keys(connection.secrets);
  const opened = await Promise.all(
    names.map((name) => openSecret(env, tenantId, connection, name)),
  );
  const shut = names.filter((_name, index) => opened[index] === null);
  const [first] = shut;
  const detail = names.length === 0 ? 'It needs none.' : `They open: ${names.join(', ')}.`;
  return {
    name: 'secrets',
    ok: first === undefined,
    detail: first === undefined ? detail : unopened(shut.join(', '), connection),
  };
}

const WITHOUT: Readonly<Record<ConnectionKind, string>> = {
  destinations: 'None is needed: every public host may be sent to, on port 443.',
  email: 'No mail service is connected.',
  exports: 'None is needed: files of exports are kept for 30 days.',
  flags: 'None is needed: the product keeps the flags itself.',
  shopify: 'No shop is connected.',
  stripe: 'No Stripe account is connected.',
  webhook:
    'No signing key is set, so no webhook can be sent: rotate the connection, which makes one.',
};

/** What serves in its place: in development what the product brings along, in production nothing. */
async function withoutConnection(
  env: PortEnv,
  tenantId: string,
  kind: ConnectionKind,
): Promise<ConnectionCheck[]> {
  const name = 'connection';
  const detail = WITHOUT[kind];
  if (kind === 'exports')
    return [{ name, ok: true, detail }, ...(await checkExports(env.EXPORTS, tenantId))];
  if (kind === 'flags' || kind === 'destinations') return [{ name, ok: true, detail }];
  const isServed = env.ENVIRONMENT === 'development' && kind !== 'webhook';
  const own = kind === 'email' && env.EMAIL_FROM ? [ownMailCheck(env)] : [];
  const more = isServed ? ' In development, and only there, an embedded one serves.' : '';
  return [{ name, ok: isServed, detail: `${detail}${more}` }, ...own];
}
