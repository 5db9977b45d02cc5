/** Which adapter serves which port for this tenant, by its connections. Opens sealed credentials. */
import type { Env } from '../env.ts';
import { embeddedCommerce } from './commerce.ts';
import type { SealedConnection } from './connections.ts';
import { localMailbox, noEmail } from './email.ts';
import { embeddedExports } from './exports.ts';
import { embeddedFlags } from './flags.ts';
import type { Ports } from './index.ts';
import { signedWebhooks } from './webhook-port.ts';

/** The bindings that adapters use: never the whole environment. */
export type PortEnv = Pick<Env, 'DB' | 'EXPORTS' | 'ENVIRONMENT' | 'SEAL_KEY' | 'OWN_HOSTS'>;

export function openPorts(
  env: PortEnv,
  tenantId: string,
  connections: readonly SealedConnection[],
): Ports {
  return {
    commerce: embeddedCommerce(env.DB),
    flags: embeddedFlags(env.DB),
    email: env.ENVIRONMENT === 'development' ? localMailbox(env.DB) : noEmail,
    exports: embeddedExports(env.DB, env.EXPORTS),
    webhook: signedWebhooks(
      env,
      tenantId,
      connections.find(({ kind }) => kind === 'webhook'),
    ),
  };
}
