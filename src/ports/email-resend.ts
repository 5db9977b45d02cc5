/**
 * Mail over Resend's HTTP API (https://resend.com/docs/api-reference/emails/send-email). It knows our
 * idempotency key for 24 hours, so an attempt whose answer was lost is simply made again.
 */
import * as z from 'zod';
import type { Outcome } from '../engine/plan.ts';
import { derivedHex } from './derived-id.ts';
import { emailFault } from './email.ts';
import { type Email, type EmailPort, failed, type PortCall, succeeded } from './index.ts';
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
  /** `orders@example.com` or `Orders <orders@example.com>` */
  readonly from: string;
  /** Where a reader says that they want no more: an https or mailto address. */
  readonly unsubscribe: string | undefined;
  readonly origin: string;
}

export const RESEND_API = 'https://api.resend.com';
const VENDOR = 'Resend';

const sent = z.object({ id: z.string().min(1).max(200) });
const refused = z.object({ name: z.string(), message: z.string() });

export function resendEmail(account: ResendAccount, deps: { fetch: typeof fetch }): EmailPort {
  return { send: (call, email) => send(account, deps, call, email) };
}

async function send(
  account: ResendAccount,
  deps: { fetch: typeof fetch },
  call: PortCall,
  email: Email,
): Promise<Outcome> {
  const fault = emailFault(email);
  if (fault !== null) return failed('invalid_email', fault);
  const { apiKey, from, origin } = account;
  const { to, subject, text, html } = email;
  const headers = {
    'content-type': 'application/json',
    authorization: `Bearer ${apiKey}`,
    'idempotency-key': call.idempotencyKey,
  };
  const body = JSON.stringify({
    from,
    to,
    subject,
    text,
    html,
    headers: ownHeaders(account, call),
  });
  const answer = await exchange(
    deps.fetch,
    `${origin}/emails`,
    { method: 'POST', headers, body },
    AbortSignal.timeout(call.timeoutMs),
  );
  return outcomeOf(answer, account, call, to);
}

/** RFC 5322 3.6.4: the same Message-ID for each attempt. RFC 2369 3.2 for the way out. */
function ownHeaders({ from, unsubscribe }: ResendAccount, { idempotencyKey }: PortCall) {
  const domain = /@([^@>\s]+)>?$/.exec(from)?.[1] ?? 'localhost';
  return {
    'Message-ID': `<${derivedHex(idempotencyKey)}@${domain}>`,
    ...(unsubscribe === undefined ? {} : { 'List-Unsubscribe': `<${unsubscribe}>` }),
  };
}

function outcomeOf(
  answer: Exchange,
  { apiKey }: ResendAccount,
  { now }: PortCall,
  to: readonly string[],
): Outcome {
  if (!answer.answered) return silenceOutcome(VENDOR, answer.silence);
  const { status, headers, text } = answer;
  const busy = busyOutcome(VENDOR, status, headers.get('retry-after'), now);
  if (busy !== null) return busy;
  const json = parsedJson(text);
  if (status >= 200 && status < 300) {
    const parsed = sent.safeParse(json);
    return parsed.success
      ? succeeded({ messageId: parsed.data.id, to: [...to] })
      : unreadableOutcome(VENDOR);
  }
  const why = refused.safeParse(json).data;
  if (status === 401 || status === 403)
    return failed('email_refused', `${VENDOR} refused the API key or the sender's domain.`);
  if (why?.name === 'concurrent_idempotent_requests')
    return failed('vendor_busy', `${VENDOR} is still at work on this mail.`, { retryable: true });
  const said = why === undefined ? `it answered ${status}` : quoted(why.message, apiKey);
  return failed('email_refused', `${VENDOR} did not take the mail: ${said}`);
}
