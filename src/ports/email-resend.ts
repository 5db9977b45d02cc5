/**
 * Mail over Resend's HTTP API (https://resend.com/docs/api-reference/emails/send-email). It knows our
 * idempotency key for 24 hours, so an attempt whose answer was lost is simply made again.
 */
import * as z from 'zod';
import { later } from '../contract/later.ts';
import { domainOf, type Mailbox, mailboxText } from '../contract/mail.ts';
import type { Outcome } from '../engine/plan.ts';
import { headersOf, messageIdOf, recipientsOf } from './email-message.ts';
import { type Email, type EmailPort, failed, type PortCall, succeeded, unknown } from './index.ts';
import {
  busyOutcome,
  type Exchange,
  exchange,
  parsedJson,
  quoted,
  silenceOutcome,
  unreadableOutcome,
} from './vendor-http.ts';

export interface ResendAccount {
  readonly apiKey: string;
  readonly from: Mailbox;
  /** Where a reader says that they want no more: an https or mailto address. */
  readonly unsubscribe: string | undefined;
  readonly origin: string;
}

const VENDOR = 'Resend';
/** A quota of a day or a month is not worth asking for every minute. */
const QUOTA_RETRY_MS = 3_600_000;

const sent = later(() => z.object({ id: z.string().min(1).max(200) }));
const refused = later(() => z.object({ name: z.string(), message: z.string() }));

export function resendEmail(account: ResendAccount, deps: { fetch: typeof fetch }): EmailPort {
  return { honoursKey: true, send: (call, email) => send(account, deps, call, email) };
}

async function send(
  account: ResendAccount,
  deps: { fetch: typeof fetch },
  call: PortCall,
  email: Email,
): Promise<Outcome> {
  const recipients = recipientsOf(email);
  if (typeof recipients === 'string') return failed('invalid_email', recipients);
  const { apiKey, from, unsubscribe, origin } = account;
  const { to, subject, text, html } = email;
  const headers = {
    'content-type': 'application/json',
    authorization: `Bearer ${apiKey}`,
    'idempotency-key': call.idempotencyKey,
  };
  const body = JSON.stringify({
    from: mailboxText(from),
    to: recipients.map(mailboxText),
    subject,
    text,
    html,
    headers: {
      // RFC 5322 3.6.4: the same for each attempt.
      'Message-ID': `<${messageIdOf(call)}@${domainOf(from)}>`,
      ...headersOf(email, recipients, unsubscribe),
    },
  });
  const answer = await exchange(
    deps.fetch,
    `${origin}/emails`,
    { method: 'POST', headers, body },
    AbortSignal.timeout(call.timeoutMs),
  );
  return outcomeOf(answer, account, call, to);
}

function outcomeOf(
  answer: Exchange,
  { apiKey }: ResendAccount,
  { now }: PortCall,
  to: readonly string[],
): Outcome {
  if (!answer.answered) return silenceOutcome(VENDOR, answer.silence);
  const { status, headers, text } = answer;
  const json = parsedJson(text);
  const why = refused.safeParse(json).data;
  if (status === 429 && /_quota_/.test(why?.name ?? ''))
    return failed('quota_exceeded', `The quota of the ${VENDOR} account is used up.`, {
      retryable: true,
      retryAfterMs: QUOTA_RETRY_MS,
    });
  const busy = busyOutcome(VENDOR, status, headers.get('retry-after'), now);
  if (busy !== null) return busy;
  if (status < 200 || status >= 300) return refusedOutcome(status, why, apiKey);
  const parsed = sent.safeParse(json);
  return parsed.success
    ? succeeded({ messageId: parsed.data.id, to: [...to] })
    : unreadableOutcome(VENDOR);
}

/** https://resend.com/docs/api-reference/errors */
function refusedOutcome(
  status: number,
  why: z.infer<typeof refused> | undefined,
  apiKey: string,
): Outcome {
  if (why?.name === 'concurrent_idempotent_requests')
    return failed('vendor_busy', `${VENDOR} is still at work on this mail.`, { retryable: true });
  if (why?.name === 'invalid_idempotent_request')
    return unknown(`${VENDOR} has seen an earlier attempt at this mail, with other content.`);
  if (status === 401)
    return failed(
      'credential_refused',
      `${VENDOR} refused the API key: set the email connection with a valid one.`,
    );
  const said = why === undefined ? `it answered ${status}` : quoted(why.message, apiKey);
  // The key, or the domain of the sender, which is not verified with this account.
  if (status === 403) return failed('credential_refused', `${VENDOR} refused the sender: ${said}`);
  return failed('email_refused', `${VENDOR} did not take the mail: ${said}`);
}
