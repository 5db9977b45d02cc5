/**
 * Mail by Cloudflare's email binding. It knows no idempotency key: where nobody can say whether a mail
 * was taken, the outcome is unknown, and a person is asked. `Message-ID` is the platform's own, so the
 * idempotency key's hash stands in a header beside it.
 * https://developers.cloudflare.com/email-service/api/send-emails/workers-api/
 */
import type { Mailbox } from '../contract/mail.ts';
import type { Outcome } from '../engine/plan.ts';
import { within } from '../within.ts';
import { headersOf, messageIdOf, recipientsOf } from './email-message.ts';
import { type Email, type EmailPort, failed, type PortCall, succeeded, unknown } from './index.ts';
import { quoted } from './vendor-http.ts';

type Party = string | { name: string; email: string };

/** What is used of the binding's type, `SendEmail`. */
export interface EmailBinding {
  send(mail: {
    from: Party;
    to: Party[];
    subject: string;
    text?: string;
    html?: string;
    headers: Record<string, string>;
  }): Promise<{ messageId: string }>;
}

export interface CloudflareSender {
  readonly binding: EmailBinding;
  readonly from: Mailbox;
  /** Where a reader says that they want no more: an https or mailto address. */
  readonly unsubscribe: string | undefined;
}

const VENDOR = "Cloudflare's email service";
/** The day's quota is not worth asking for every minute. */
const QUOTA_RETRY_MS = 3_600_000;

export function cloudflareEmail(sender: CloudflareSender): EmailPort {
  return { honoursKey: false, send: (call, email) => send(sender, call, email) };
}

async function send(
  { binding, from, unsubscribe }: CloudflareSender,
  call: PortCall,
  email: Email,
): Promise<Outcome> {
  const recipients = recipientsOf(email);
  if (typeof recipients === 'string') return failed('invalid_email', recipients);
  if (call.lost === true) return unknown(`${VENDOR} may have taken an earlier attempt.`);
  const { to, subject, text, html } = email;
  const message = {
    from: partyOf(from),
    to: recipients.map(partyOf),
    subject,
    ...(text === undefined ? {} : { text }),
    ...(html === undefined ? {} : { html }),
    headers: {
      'X-Signalbox-Message-Id': messageIdOf(call),
      ...headersOf(email, recipients, unsubscribe),
    },
  };
  try {
    const taken = await within(call.timeoutMs, binding.send(message));
    return taken === null
      ? unknown(`${VENDOR} did not answer in time.`)
      : succeeded({ messageId: taken.messageId, to: [...to] });
  } catch (error) {
    return outcomeOf(error, recipients.length);
  }
}

function partyOf({ name, address }: Mailbox): Party {
  return name === null ? address : { name, email: address };
}

/** Under these codes nothing was sent, and another attempt would not be either. */
const REFUSALS = new Set([
  ...['E_VALIDATION_ERROR', 'E_FIELD_MISSING', 'E_TOO_MANY_RECIPIENTS', 'E_CONTENT_TOO_LARGE'],
  ...['E_RECIPIENT_NOT_ALLOWED', 'E_RECIPIENT_SUPPRESSED', 'E_DELIVERY_FAILED'],
  ...['E_HEADER_NOT_ALLOWED', 'E_HEADER_USE_API_FIELD', 'E_HEADER_VALUE_INVALID'],
  ...['E_HEADER_VALUE_TOO_LONG', 'E_HEADER_NAME_INVALID', 'E_HEADERS_TOO_LARGE'],
  'E_HEADERS_TOO_MANY',
]);

/** Under any other code nobody knows, nor when one of several recipients could not be reached. */
function outcomeOf(error: unknown, recipients: number): Outcome {
  const code = codeOf(error);
  if (code === 'E_SENDER_NOT_VERIFIED' || code === 'E_SENDER_DOMAIN_NOT_AVAILABLE')
    return failed(
      'credential_refused',
      `${VENDOR} does not send from this domain (${code}): it has to be onboarded there.`,
    );
  if (code === 'E_RATE_LIMIT_EXCEEDED')
    return failed('rate_limited', `${VENDOR} asks for fewer mails; it is asked again.`, {
      retryable: true,
    });
  if (code === 'E_DAILY_LIMIT_EXCEEDED')
    return failed('quota_exceeded', `The day's quota of ${VENDOR} is used up.`, {
      retryable: true,
      retryAfterMs: QUOTA_RETRY_MS,
    });
  const isPartial = code === 'E_DELIVERY_FAILED' && recipients > 1;
  if (code === null || !REFUSALS.has(code) || isPartial)
    return unknown(`${VENDOR} failed (${code ?? 'without a code'}) and did not say more.`);
  const said = error instanceof Error ? quoted(error.message) : '';
  return failed('email_refused', `${VENDOR} did not take the mail (${code}): ${said}`);
}

function codeOf(error: unknown): string | null {
  const code = error instanceof Error && 'code' in error ? error.code : null;
  return typeof code === 'string' && /^[A-Z_]{1,60}$/.test(code) ? code : null;
}
