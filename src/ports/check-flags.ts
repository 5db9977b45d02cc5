/**
 * Whether a flags connection works: a feature is asked for that is not there. Unleash looks at the token
 * first, so its "no such feature" says that the token may read. Nothing is made or switched.
 */
import type { ConnectionCheck } from '../contract/connections.ts';
import type { SealKeys } from '../sealed.ts';
import type { SealedConnection } from './connections.ts';
import type { DestinationRules } from './destination.ts';
import { askUnleash } from './flags-unleash.ts';
import { unleashOf } from './vendor-accounts.ts';
import type { Asking } from './vendor-http.ts';

const NO_FEATURE = 'signalbox-connection-test';

export async function checkFlags(
  env: SealKeys,
  tenantId: string,
  connection: SealedConnection,
  asking: Asking,
  rules: DestinationRules,
): Promise<ConnectionCheck[]> {
  const name = 'token';
  const place = await unleashOf(env, tenantId, connection, rules);
  if (typeof place === 'string') return [{ name, ok: false, detail: place }];
  const { project, environment } = place;
  const asked = await askUnleash(place, NO_FEATURE, '', asking);
  const failure = asked.ok || asked.outcome.kind === 'succeeded' ? null : asked.outcome.error;
  if (failure !== null && failure.code !== 'flag_not_found')
    return [{ name, ok: false, detail: failure.message }];
  const detail = `Unleash takes the token. Whether it may switch features of ${project} in ${environment} shows when one is switched.`;
  return [{ name, ok: true, detail }];
}
