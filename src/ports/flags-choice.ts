/**
 * Who keeps this tenant's flags: the service of its connection, else the product itself, in production
 * as well as in development.
 */
import type { Env } from '../env.ts';
import type { SealKeys } from '../sealed.ts';
import type { SealedConnection } from './connections.ts';
import type { DestinationRules } from './destination.ts';
import { flagLedger } from './flag-changes.ts';
import { embeddedFlags } from './flags.ts';
import { unleashFlags } from './flags-unleash.ts';
import { type FlagsPort, failed } from './index.ts';
import { unleashOf } from './vendor-accounts.ts';

export type FlagsEnv = Pick<Env, 'DB'> & SealKeys;

export function chosenFlags(
  env: FlagsEnv,
  tenantId: string,
  connections: readonly SealedConnection[],
  deps: { readonly fetch: typeof fetch; readonly rules: DestinationRules },
): FlagsPort {
  const connection = connections.find(({ kind }) => kind === 'flags');
  if (connection === undefined) return embeddedFlags(env.DB);
  const ledger = flagLedger(env.DB, 'unleash');
  return {
    async setFlag(call, change) {
      const place = await unleashOf(env, tenantId, connection, deps.rules);
      if (typeof place === 'string') return failed('flags_not_configured', place);
      return await unleashFlags(place, { fetch: deps.fetch, ledger }).setFlag(call, change);
    },
  };
}
