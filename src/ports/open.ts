/** Which adapter serves which port for this tenant, by its connections. Opens sealed credentials. */
import type { Env } from '../env.ts';
import { embeddedCommerce } from './commerce.ts';
import { chosenCommerce } from './commerce-choice.ts';
import type { SealedConnection } from './connections.ts';
import { type DestinationEnv, destinationRules } from './destination.ts';
import { chosenEmail, type EmailEnv } from './email-choice.ts';
import { embeddedExports } from './exports.ts';
import { chosenFlags, type FlagsEnv } from './flags-choice.ts';
import type { DestinationGate, Ports } from './index.ts';
import type { VendorEnv } from './vendor-accounts.ts';
import { signedWebhooks } from './webhook-port.ts';

/** The bindings that adapters use: never the whole environment. */
export type PortEnv = Pick<Env, 'EXPORTS'> & DestinationEnv & VendorEnv & EmailEnv & FlagsEnv;

export function openPorts(
  env: PortEnv,
  tenantId: string,
  connections: readonly SealedConnection[],
  gate: DestinationGate = async () => null,
): Ports {
  const rules = destinationRules(env, connections);
  return {
    commerce: chosenCommerce(env, tenantId, connections, {
      fetch,
      embedded: embeddedCommerce(env.DB),
    }),
    flags: chosenFlags(env, tenantId, connections, { fetch, rules }),
    email: chosenEmail(env, tenantId, connections, { fetch }),
    exports: embeddedExports(
      { db: env.DB, bucket: env.EXPORTS },
      connections.find(({ kind }) => kind === 'exports'),
    ),
    webhook: signedWebhooks(
      env,
      tenantId,
      connections.find(({ kind }) => kind === 'webhook'),
      { gate, rules },
    ),
  };
}
