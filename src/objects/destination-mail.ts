/** Mails that tell the admins of a destination that was disabled, or works again. One for each admin. */
import type { DestinationHealth, DisabledReason } from '../engine/destination-health.ts';
import { log } from '../log.ts';
import type { SealedConnection } from '../ports/connections.ts';
import type { PortEnv } from '../ports/open.ts';
import { destinationKey } from './destinations.ts';
import type { NoticeRecipient } from './messages.ts';
import { oneLine, timeText, visible } from './notice-words.ts';
import { type Left, type Letter, sendLetter } from './own-mail.ts';
import type { Stores } from './stores.ts';

export interface DestinationMail {
  readonly tenant: { readonly id: string; readonly name: string };
  readonly change: 'disabled' | 'enabled';
  /** RFC 3339 */
  readonly at: string;
  readonly health: DestinationHealth;
  readonly to: NoticeRecipient;
}

/** News that is older helps nobody, and must not be tried for ever. */
const KEPT_MS = 24 * 3_600_000;

/** Inside the transaction in which it changed. */
export function putDestinationMails(
  { mails, members, tenant }: Stores,
  change: DestinationMail['change'],
  health: DestinationHealth,
): void {
  const at = new Date().toISOString();
  const news = { tenant: { id: tenant.id, name: tenant.name }, change, at, health };
  for (const { id: memberId, name, email, role } of members.live())
    if (role === 'admin')
      mails.put({ kind: 'destination', destination: { ...news, to: { memberId, name, email } } });
}

/** @returns what remains to be sent, if anything */
export async function mailDestination(
  env: PortEnv,
  mail: DestinationMail,
  connections: readonly SealedConnection[],
): Promise<Left | null> {
  const { tenant, change, at, health, to } = mail;
  const tenantId = tenant.id;
  if (Date.now() - Date.parse(at) > KEPT_MS) {
    log({ what: 'destination_mail_dropped', tenantId });
    return null;
  }
  const key = `destination-${destinationKey(health.url)}`;
  const idempotencyKey = `${tenantId}_${key}_${change}_${Date.parse(at)}_${to.memberId}`;
  const about = { what: 'destination_mail_failed', tenantId };
  const letter = { to, mail: mailOf(mail), idempotencyKey, about };
  const fate = await sendLetter(env, letter, connections);
  return fate && { ...fate, mail: { kind: 'destination', destination: { ...mail, to: fate.to } } };
}

const WHY: Readonly<Record<DisabledReason, string>> = {
  failing: 'Every request to it has failed for five days.',
  gone: 'It answered 410 Gone, which asks for no more webhooks.',
  by_hand: 'An admin disabled it.',
};

function mailOf({ tenant, change, health, to }: DestinationMail): Letter['mail'] {
  const where = visible(health.url);
  const text = change === 'disabled' ? disabledText(health) : ENABLED_TEXT;
  return {
    subject: `Webhooks to ${oneLine(health.url)} are ${change === 'disabled' ? 'disabled' : 'enabled again'}`,
    text: `Hello ${oneLine(to.name)},

${oneLine(tenant.name)} (${tenant.id}) sends webhooks to

  ${where}

${text}
`,
  };
}

const ENABLED_TEXT = `This destination was disabled, and took a request again: webhooks are sent to it as before. What it missed is in the delivery log; POST /api/admin/deliveries/redeliver-since sends it.`;

function disabledText({
  failures,
  failingSince,
  lastCode,
  lastStatus,
  disabled,
}: DestinationHealth) {
  const since =
    failingSince === null ? '' : ` since ${timeText(new Date(failingSince).toISOString())}`;
  const last = lastStatus === null ? (lastCode ?? 'none') : `HTTP ${lastStatus}`;
  const probe =
    disabled?.nextProbeAt === null || disabled === null
      ? 'Nothing more is sent until an admin enables it'
      : 'Nothing more is sent but a request now and then, to see whether it is back; or until an admin enables it';
  return `This destination is now disabled. ${WHY[disabled?.reason ?? 'failing']} Failures${since}: ${failures}; the last answer: ${last}.

${probe} with POST /api/admin/destinations/enable. After that, POST /api/admin/deliveries/redeliver-since sends what it missed.`;
}
