/** Whether webhooks go out: one signed message of type `ping`, under the guard that holds for all. */
import type { ConnectionCheck } from '../contract/connections.ts';
import type { SealKeys } from '../sealed.ts';
import type { SealedConnection } from './connections.ts';
import { checkDestination, type DestinationRules } from './destination.ts';
import type { Asking } from './vendor-http.ts';
import { sendWebhook } from './webhook.ts';
import { signingKeys } from './webhook-connection.ts';

const TIMEOUT_MS = 10_000;

export async function checkWebhook(
  env: SealKeys,
  tenantId: string,
  connection: SealedConnection,
  { fetch, now }: Asking,
  { url, rules }: { readonly url: string; readonly rules: DestinationRules },
): Promise<ConnectionCheck[]> {
  const secrets = await signingKeys(env, tenantId, connection, now);
  if (secrets.length === 0)
    return [{ name: 'keys', ok: false, detail: 'No signing key opens: rotate the connection.' }];
  const keys = {
    name: 'keys',
    ok: true,
    detail: `${secrets.length === 1 ? 'One key signs' : `${secrets.length} keys sign`} each message.`,
  };
  const timestamp = new Date(now).toISOString();
  const begun = Date.now();
  const result = await sendWebhook(
    {
      destination: checkDestination(url, rules),
      method: 'POST',
      headers: {},
      body: JSON.stringify({ type: 'ping', timestamp, data: { tenant: tenantId } }),
      id: `ping_${crypto.randomUUID()}`,
      secrets,
      timeoutMs: TIMEOUT_MS,
      now: begun,
    },
    { fetch },
  );
  const took = `after ${Date.now() - begun} ms`;
  const detail = result.ok ? `It took the ping: ${result.status} ${took}.` : result.message;
  return [keys, { name: 'destination', ok: result.ok, detail }];
}
