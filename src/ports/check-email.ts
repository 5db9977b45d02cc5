/** Whether mail would go out, without sending any: whose key it is, and whether the domain is good. */
import * as z from 'zod';
import type { ConnectionCheck } from '../contract/connections.ts';
import { later } from '../contract/later.ts';
import { domainOf, type Mailbox, parseMailbox } from '../contract/mail.ts';
import { openSecret, type SealedConnection } from './connections.ts';
import { type EmailEnv, resendOrigin } from './email-choice.ts';
import { domainFault } from './email-domains.ts';
import { unopened } from './vendor-accounts.ts';
import { type Asking, exchange, parsedJson, silenceOutcome } from './vendor-http.ts';

export async function checkEmail(
  env: EmailEnv,
  tenantId: string,
  connection: SealedConnection,
  asking: Asking,
): Promise<ConnectionCheck[]> {
  const from = parseMailbox(connection.settings.from ?? '');
  if (from === null)
    return [{ name: 'sender', ok: false, detail: 'The sender is no address: set it again.' }];
  const checks =
    connection.settings.service === 'cloudflare'
      ? cloudflareChecks(env, tenantId, from)
      : await resendChecks(env, tenantId, connection, from, asking);
  return [...checks, ownMailCheck(env)];
}

/** Of a tenant without a mail service of its own. */
export function ownMailCheck({ EMAIL, EMAIL_FROM = '' }: EmailEnv): ConnectionCheck {
  const name = 'approval mails';
  const detail = "They go by this tenant's mail service: the operator has set no EMAIL_FROM.";
  if (EMAIL_FROM.trim() === '') return { name, ok: true, detail };
  if (parseMailbox(EMAIL_FROM) === null || EMAIL === undefined)
    return {
      name,
      ok: false,
      detail: 'EMAIL_FROM is set, and cannot send: the operator has to look.',
    };
  return { name, ok: true, detail: `They come from the deployment's own address, ${EMAIL_FROM}.` };
}

function cloudflareChecks(env: EmailEnv, tenantId: string, from: Mailbox): ConnectionCheck[] {
  const fault = domainFault(env, tenantId, from);
  const hasBinding = env.EMAIL !== undefined;
  return [
    {
      name: 'binding',
      ok: hasBinding,
      detail: hasBinding
        ? "Cloudflare's email binding is there."
        : "This deployment has no email binding of Cloudflare's.",
    },
    {
      name: 'domain',
      ok: fault === null,
      detail:
        fault ??
        `This tenant may send from ${domainOf(from)}. Whether Cloudflare sends from there shows with the first mail.`,
    },
  ];
}

const domains = later(() =>
  z.object({ data: z.array(z.object({ name: z.string(), status: z.string() })) }),
);
const refused = later(() => z.object({ name: z.string(), message: z.string() }));

/** https://resend.com/docs/api-reference/domains/list-domains: a key that may only send cannot ask. */
async function resendChecks(
  env: EmailEnv,
  tenantId: string,
  connection: SealedConnection,
  from: Mailbox,
  { fetch, deadline }: Asking,
): Promise<ConnectionCheck[]> {
  const key = (ok: boolean, detail: string) => ({ name: 'key', ok, detail });
  const apiKey = await openSecret(env, tenantId, connection, 'apiKey');
  if (apiKey === null) return [key(false, unopened('apiKey', connection))];
  const headers = { authorization: `Bearer ${apiKey}` };
  const answer = await exchange(fetch, `${resendOrigin(env)}/domains`, { headers }, deadline);
  if (!answer.answered) {
    const silent = silenceOutcome('Resend', answer.silence);
    return [key(false, silent.kind === 'succeeded' ? '' : silent.error.message)];
  }
  const json = parsedJson(answer.text);
  const why = refused.safeParse(json).data;
  if (why?.name === 'restricted_api_key')
    return [
      key(true, 'The key is valid, and may send.'),
      { name: 'domain', ok: true, detail: UNSEEN },
    ];
  if ([400, 401, 403].includes(answer.status))
    return [key(false, 'Resend refused the API key: set the connection with a valid one.')];
  const listed = domains.safeParse(json).data;
  if (answer.status !== 200 || listed === undefined)
    return [key(false, `Resend answered ${answer.status}, which tells nothing. Try again later.`)];
  return [key(true, 'The key is valid.'), domainCheck(domainOf(from), listed.data)];
}

const UNSEEN =
  'It cannot be seen whether the domain is verified: the key may only send, as it should. The first mail shows it.';

function domainCheck(
  domain: string,
  known: readonly { readonly name: string; readonly status: string }[],
): ConnectionCheck {
  const found = known.find(({ name }) => name.toLowerCase() === domain);
  const name = 'domain';
  if (found === undefined)
    return { name, ok: false, detail: `${domain} is not a domain of this Resend account.` };
  const ok = found.status === 'verified';
  const status = found.status.slice(0, 40);
  return { name, ok, detail: `${domain} is ${ok ? '' : 'not verified: '}${status} at Resend.` };
}
