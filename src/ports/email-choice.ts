/** Which mail service sends for this tenant: its own connection's, else what the deployment has. */
import type { Env } from '../env.ts';
import { openSecret, type SealedConnection } from './connections.ts';
import { localMailbox, noEmail } from './email.ts';
import { RESEND_API, resendEmail } from './email-resend.ts';
import { type EmailPort, failed } from './index.ts';

/** `RESEND_ORIGIN`: for tests, and in development alone. */
export type EmailEnv = Pick<
  Env,
  'DB' | 'ENVIRONMENT' | 'RESEND_ORIGIN' | 'SEAL_KEY' | 'SEAL_KEYS_RETIRED'
>;

/** In development what no service is connected for goes into the local mailbox. */
export function chosenEmail(
  env: EmailEnv,
  tenantId: string,
  connections: readonly SealedConnection[],
  deps: { fetch: typeof fetch },
): EmailPort {
  const connection = connections.find(({ kind }) => kind === 'email');
  const inDevelopment = env.ENVIRONMENT === 'development';
  if (connection === undefined) return inDevelopment ? localMailbox(env.DB) : noEmail;
  const { from = '', unsubscribe } = connection.settings;
  const origin = (inDevelopment ? env.RESEND_ORIGIN : undefined) ?? RESEND_API;
  return {
    async send(call, email) {
      const apiKey = await openSecret(env, tenantId, connection, 'apiKey');
      if (apiKey === null)
        return failed('email_not_configured', 'The API key of the email connection does not open.');
      return await resendEmail({ apiKey, from, unsubscribe, origin }, deps).send(call, email);
    },
  };
}
