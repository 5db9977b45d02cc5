/**
 * What every mail has to be, whichever service sends it, and the headers that are ours. Checked here,
 * right before sending: what templates and people put into it is known only now.
 */
import {
  isHeaderText,
  type Mailbox,
  parseMailbox,
  RECIPIENTS_MAX,
  SUBJECT_LENGTH_MAX,
} from '../contract/mail.ts';
import { derivedHex } from './derived-id.ts';
import type { Email, PortCall } from './index.ts';

/** Its addresses taken apart, or a sentence about what is wrong with it. */
export function recipientsOf({ to, subject, text, html }: Email): Mailbox[] | string {
  const recipients = to.flatMap((written) => parseMailbox(written) ?? []);
  if (to.length === 0 || to.length > RECIPIENTS_MAX)
    return `An email goes to 1 to ${RECIPIENTS_MAX} addresses.`;
  if (recipients.length < to.length)
    return 'An address is not one: ada@example.com, or Ada Reyes <ada@example.com>.';
  if (!isHeaderText(subject))
    return 'The subject has a line break, another control or an invisible character in it.';
  if (subject.length > SUBJECT_LENGTH_MAX)
    return `The subject is longer than ${SUBJECT_LENGTH_MAX} characters.`;
  return text === undefined && html === undefined
    ? 'The email has neither text nor HTML.'
    : recipients;
}

/** The same for each attempt, and of nothing else: 128 bits of the idempotency key's hash. */
export function messageIdOf({ idempotencyKey }: Pick<PortCall, 'idempotencyKey'>): string {
  return derivedHex(idempotencyKey);
}

/**
 * Of our own mails: that no person wrote them (RFC 3834 5), so that nobody's absence note answers. Of
 * what workflows send: the way out (RFC 2369 3.2), by one click where it is https (RFC 8058 3.1).
 * Approvals have no way out: whoever may decide has to hear of it.
 * @param unsubscribe an address in which `{email}` stands for the recipient's
 */
export function headersOf(
  { system }: Email,
  recipients: readonly Mailbox[],
  unsubscribe: string | undefined,
): Record<string, string> {
  if (system === true) return { 'Auto-Submitted': 'auto-generated' };
  const wayOut = unsubscribe === undefined ? null : filledIn(unsubscribe, recipients);
  if (wayOut === null) return {};
  const byClick = wayOut.startsWith('https://');
  return {
    'List-Unsubscribe': `<${wayOut}>`,
    ...(byClick ? { 'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click' } : {}),
  };
}

/** Null where it has to name one recipient and there are several: it would take out another one. */
function filledIn(unsubscribe: string, [only, ...more]: readonly Mailbox[]): string | null {
  if (!unsubscribe.includes('{email}')) return unsubscribe;
  if (only === undefined || more.length > 0) return null;
  return unsubscribe.replaceAll('{email}', () => encodeURIComponent(only.address));
}
