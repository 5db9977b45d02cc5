/**
 * Which mail service sends for this tenant. What workflows send goes by the tenant's own connection,
 * or from the deployment's address where the operator lets the tenant use its domain.
 *
 * Our own mails go from the deployment's address first: their links decide, so they should not lie in
 * a mail account that one of the tenant's admins can read; and a key that the tenant has let expire
 * must not silence its approvals. Only where the operator has set no address they go by the tenant's.
 */
import { type Mailbox, parseMailbox } from '../contract/mail.ts';
import type { SealKeys } from '../sealed.ts';
import { openSecret, type SealedConnection } from './connections.ts';
import { localMailbox } from './email.ts';
import { cloudflareEmail, type EmailBinding } from './email-cloudflare.ts';
import { type DomainsEnv, domainFault } from './email-domains.ts';
import { resendEmail } from './email-resend.ts';
import { type EmailPort, failed } from './index.ts';
import { unopened } from './vendor-accounts.ts';

/** `RESEND_ORIGIN`: for tests, and in development alone. */
export interface EmailEnv extends SealKeys, DomainsEnv {
  readonly DB: D1Database;
  readonly RESEND_ORIGIN?: string;
  readonly EMAIL?: EmailBinding;
  readonly EMAIL_FROM?: string;
}

interface Deps {
  readonly fetch: typeof fetch;
}

/** In development what no service is connected for goes into the local mailbox. */
export function chosenEmail(
  env: EmailEnv,
  tenantId: string,
  connections: readonly SealedConnection[],
  deps: Deps,
): EmailPort {
  const connection = connections.find(({ kind }) => kind === 'email');
  const own = connection === undefined ? null : connected(env, tenantId, connection, deps);
  const deployments = deploymentEmail(env);
  const sender = deployments?.from ?? null;
  const mayShare = sender !== null && domainFault(env, tenantId, sender) === null;
  const nobody =
    env.ENVIRONMENT === 'development' ? localMailbox(env.DB) : notConfigured(NO_SERVICE);
  const forWorkflows = own ?? (mayShare ? deployments?.port : null) ?? nobody;
  const forUs = deployments?.port ?? own ?? nobody;
  return {
    honoursKey: forWorkflows.honoursKey,
    send: (call, email) => (email.system === true ? forUs : forWorkflows).send(call, email),
  };
}

/** The tenant's own service. */
function connected(
  env: EmailEnv,
  tenantId: string,
  connection: SealedConnection,
  deps: Deps,
): EmailPort {
  const { service, unsubscribe } = connection.settings;
  const from = parseMailbox(connection.settings.from ?? '');
  if (from === null) return notConfigured('The sender of the email connection is no address.');
  if (service === 'cloudflare') {
    const binding = env.EMAIL;
    if (binding === undefined) return notConfigured(NO_BINDING);
    const fault = domainFault(env, tenantId, from);
    return fault === null ? cloudflareEmail({ binding, from, unsubscribe }) : notConfigured(fault);
  }
  return {
    honoursKey: true,
    async send(call, email) {
      const apiKey = await openSecret(env, tenantId, connection, 'apiKey');
      if (apiKey === null) return failed(NOT_CONFIGURED, unopened('apiKey', connection));
      const account = { apiKey, from, unsubscribe, origin: resendOrigin(env) };
      return await resendEmail(account, deps).send(call, email);
    },
  };
}

export function resendOrigin(env: Pick<EmailEnv, 'ENVIRONMENT' | 'RESEND_ORIGIN'>): string {
  return (env.ENVIRONMENT === 'development' && env.RESEND_ORIGIN) || 'https://api.resend.com';
}

/** The operator's sender; null when none is set. One that cannot send is an error, not passed over. */
function deploymentEmail({ EMAIL, EMAIL_FROM = '' }: EmailEnv): {
  readonly from: Mailbox | null;
  readonly port: EmailPort;
} | null {
  if (EMAIL_FROM.trim() === '') return null;
  const from = parseMailbox(EMAIL_FROM);
  if (from === null) return { from, port: notConfigured('EMAIL_FROM is no address.') };
  if (EMAIL === undefined) return { from, port: notConfigured(NO_BINDING) };
  return { from, port: cloudflareEmail({ binding: EMAIL, from, unsubscribe: undefined }) };
}

const NOT_CONFIGURED = 'email_not_configured';
const NO_BINDING = 'This deployment has no email binding of Cloudflare.';
const NO_SERVICE = 'No mail service is connected: set an email connection.';

/** Said plainly, instead of mail that nobody gets. */
function notConfigured(message: string): EmailPort {
  return { honoursKey: true, send: async () => failed(NOT_CONFIGURED, message) };
}
