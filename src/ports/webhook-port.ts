/** The webhook port: JSON out, signed with the tenant's secrets; the key is the `webhook-id`. */
import type { Env } from '../env.ts';
import { openSecret, type SealedConnection } from './connections.ts';
import type { DestinationRules } from './destination.ts';
import { failed, succeeded, type WebhookPort } from './index.ts';
import { sendWebhook } from './webhook.ts';

type WebhookEnv = Pick<Env, 'ENVIRONMENT' | 'SEAL_KEY' | 'OWN_HOSTS'>;

/** Plain http and loopback are for development alone. */
export function destinationRules(env: Pick<Env, 'ENVIRONMENT' | 'OWN_HOSTS'>): DestinationRules {
  return {
    allowLoopbackHttp: env.ENVIRONMENT === 'development',
    ownHosts: env.OWN_HOSTS.split(',').flatMap((host) => (host.trim() === '' ? [] : [host.trim()])),
  };
}

export function signedWebhooks(
  env: WebhookEnv,
  tenantId: string,
  connection: SealedConnection | undefined,
): WebhookPort {
  return {
    async send({ idempotencyKey, timeoutMs, now }, { url, method, headers, body }) {
      const secrets = await signingSecrets(env, tenantId, connection, now);
      if (secrets.length === 0)
        return failed('no_signing_secret', 'The webhook connection has no secret that opens.');
      const result = await sendWebhook(
        {
          url,
          method,
          headers,
          body: JSON.stringify(body),
          id: idempotencyKey,
          secrets,
          timeoutMs,
          now,
        },
        { fetch, rules: destinationRules(env) },
      );
      const output = { status: result.status, body: result.body };
      if (result.ok) return succeeded(output);
      const { code, message, retryable, retryAfterMs } = result;
      return failed(code, message, { retryable, retryAfterMs, output });
    },
  };
}

/** The newest first; the one before it signs too until its overlap ends. */
async function signingSecrets(
  env: WebhookEnv,
  tenantId: string,
  connection: SealedConnection | undefined,
  now: number,
): Promise<string[]> {
  const current = await openSecret(env.SEAL_KEY, tenantId, connection, 'signingSecret');
  const until = connection?.settings.previousUntil;
  const previous =
    until !== undefined && Date.parse(until) > now
      ? await openSecret(env.SEAL_KEY, tenantId, connection, 'previousSigningSecret')
      : null;
  return [current, previous].flatMap((secret) => (secret === null ? [] : [secret]));
}
