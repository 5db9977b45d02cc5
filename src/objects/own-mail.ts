/**
 * Our own mails on their way out, and what becomes of them. Nothing is lost while there is somebody to
 * mend it, and nothing is tried for ever: a mail whose account is not in order waits, one that was
 * refused for what it is goes into the log, and old news is dropped by whoever knows its age.
 */
import type { Outcome } from '../engine/plan.ts';
import { type LogLine, log } from '../log.ts';
import type { SealedConnection } from '../ports/connections.ts';
import type { Email, PortCall } from '../ports/index.ts';
import { openPorts, type PortEnv } from '../ports/open.ts';
import type { CheckpointMail } from './checkpoint-copies.ts';
import type { DestinationMail } from './destination-mail.ts';
import type { Notice, NoticeRecipient } from './messages.ts';

export type OwnMail =
  | { readonly kind: 'notice'; readonly notice: Notice }
  | { readonly kind: 'checkpoint'; readonly checkpoint: CheckpointMail }
  | { readonly kind: 'destination'; readonly destination: DestinationMail };

/** What remains of a mail to be sent. */
export interface Left {
  readonly mail: OwnMail;
  /** Not before so many milliseconds; null: as usual. */
  readonly afterMs: number | null;
  /** The account is not in order: no other mail would fare better now. */
  readonly blocked: boolean;
}

/** One mail to one person. */
export interface Letter {
  readonly to: NoticeRecipient;
  readonly mail: Omit<Email, 'to' | 'system'>;
  readonly idempotencyKey: string;
  /** What its log lines tell; `what` is for a mail that was not sent. */
  readonly about: LogLine & { readonly tenantId: string };
}

/** Null: there is nothing more to do. Else whom to write to again, and when. */
export type Fate = (Omit<Left, 'mail'> & { readonly to: NoticeRecipient }) | null;

const TIMEOUT_MS = 15_000;
/** Codes of mail that waits until somebody mends the account. */
const MENDABLE: ReadonlySet<string> = new Set(['email_not_configured', 'credential_refused']);
/**
 * Where nobody can say whether a mail came, it is sent again: one that comes twice is better than an
 * approval that nobody hears of. But not at once, and not for ever.
 */
const UNSURE_TRIES_MAX = 3;
const UNSURE_WAIT_MS = 5 * 60_000;

/** Never throws but for faults of the local mailbox. */
export async function sendLetter(
  env: PortEnv,
  { to, mail, idempotencyKey, about }: Letter,
  connections: readonly SealedConnection[],
): Promise<Fate> {
  const { tenantId, runId = idempotencyKey } = about;
  const call: PortCall = {
    tenantId,
    runId,
    idempotencyKey,
    timeoutMs: TIMEOUT_MS,
    now: Date.now(),
  };
  const { email } = openPorts(env, tenantId, connections);
  const outcome = await email.send(call, { ...mail, to: [to.email], system: true });
  if (outcome.kind === 'succeeded') return null;
  log({ ...about, code: outcome.error.code });
  return fateOf(outcome, to);
}

function fateOf(outcome: Exclude<Outcome, { kind: 'succeeded' }>, to: NoticeRecipient): Fate {
  if (outcome.kind === 'unknown') {
    const unsure = (to.unsure ?? 0) + 1;
    return unsure >= UNSURE_TRIES_MAX
      ? null
      : { to: { ...to, unsure }, afterMs: UNSURE_WAIT_MS, blocked: false };
  }
  const { error, retryable, retryAfterMs } = outcome;
  if (MENDABLE.has(error.code)) return { to, afterMs: null, blocked: true };
  return retryable ? { to, afterMs: retryAfterMs, blocked: false } : null;
}
