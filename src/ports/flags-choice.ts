/**
 * Who keeps this tenant's flags: the service of its connection, else the product itself, in production
 * as well as in development.
 */
import type { Env } from '../env.ts';
import type { SealKeys } from '../sealed.ts';
import { openSecret, type SealedConnection } from './connections.ts';
import { checkDestination } from './destination.ts';
import { flagLedger } from './flag-changes.ts';
import { embeddedFlags } from './flags.ts';
import { type UnleashPlace, unleashFlags } from './flags-unleash.ts';
import { type FlagsPort, failed } from './index.ts';
import { unopened } from './vendor-accounts.ts';
import { destinationRules } from './webhook-port.ts';

export type FlagsEnv = Pick<Env, 'DB' | 'ENVIRONMENT' | 'OWN_HOSTS'> & SealKeys;

export function chosenFlags(
  env: FlagsEnv,
  tenantId: string,
  connections: readonly SealedConnection[],
  deps: { readonly fetch: typeof fetch },
): FlagsPort {
  const connection = connections.find(({ kind }) => kind === 'flags');
  if (connection === undefined) return embeddedFlags(env.DB);
  const ledger = flagLedger(env.DB, 'unleash');
  return {
    async setFlag(call, change) {
      const place = await unleashPlaceOf(env, tenantId, connection);
      if (typeof place === 'string') return failed('flags_not_configured', place);
      return await unleashFlags(place, { ...deps, ledger }).setFlag(call, change);
    },
  };
}

/** Where the connection's Unleash is, or why it cannot be asked. */
export async function unleashPlaceOf(
  env: Omit<FlagsEnv, 'DB'>,
  tenantId: string,
  connection: SealedConnection,
): Promise<UnleashPlace | string> {
  const { url = '', project = 'default', environment = '' } = connection.settings;
  const apiToken = await openSecret(env, tenantId, connection, 'apiToken');
  if (apiToken === null) return unopened('apiToken', connection);
  const allowed = checkDestination(url, destinationRules(env));
  return allowed.ok
    ? { url: allowed.url.href, project, environment, apiToken }
    : `Unleash: ${allowed.reason}`;
}
