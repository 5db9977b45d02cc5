/**
 * Sends notices, by the ports that actions use. The idempotency keys are made from the entry that is
 * told of, so that a message that is tried again reaches nobody twice. Approval links are made here,
 * one for each recipient, and exist in their mail alone.
 */
import type { Outcome } from '../engine/plan.ts';
import type { Env } from '../env.ts';
import { log, logError } from '../log.ts';
import type { SealedConnection } from '../ports/connections.ts';
import type { PortCall } from '../ports/index.ts';
import { openPorts, type PortEnv } from '../ports/open.ts';
import { approvalUrl, makeApprovalToken } from './approval-link.ts';
import type { Notice, NoticeRecipient } from './messages.ts';
import { mailOf } from './notice-mail.ts';
import { countOf, headline, oneLine, timeText } from './notice-words.ts';

type NoticeEnv = PortEnv & Pick<Env, 'KEY_SECRET' | 'PUBLIC_URL'>;

const TIMEOUT_MS = 15_000;
/** News that is older helps nobody, and must not be tried for ever. */
const KEPT_MS = 24 * 3_600_000;
/** One invocation has six connections. */
const CONCURRENCY = 6;

/** Mails every recipient; throws when some of the mails have to be tried again. */
export async function mailNotice(env: NoticeEnv, notice: Notice): Promise<void> {
  if (isStale(notice)) return;
  const waiting = [...notice.recipients];
  let missed = 0;
  const work = async (): Promise<void> => {
    for (let one = waiting.shift(); one !== undefined; one = waiting.shift())
      if (!(await mailOne(env, notice, one))) missed += 1;
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, work));
  if (missed > 0) throw new Error(`${missed} of ${notice.recipients.length} mails were not sent`);
}

/** Posts to the tenant's chat, signed like every webhook; throws when it has to be tried again. */
export async function postNotice(
  env: NoticeEnv,
  notice: Notice,
  url: string,
  connections: readonly SealedConnection[],
): Promise<void> {
  if (isStale(notice)) return;
  const { webhook } = openPorts(env, notice.tenant.id, connections);
  const call = callOf(notice, 'chat');
  const body = {
    type: `approval.${notice.kind}`,
    timestamp: notice.at,
    tenant: { ...notice.tenant },
    approval: { ...notice.item },
    text: chatText(notice),
  };
  const outcome = await webhook.send(call, { url, method: 'POST', headers: {}, body });
  if (!isDone(outcome, notice)) throw new Error('the chat did not take it');
}

/** Whether the mail is gone, or lost for good: then another attempt would mend nothing. */
async function mailOne(env: NoticeEnv, notice: Notice, to: NoticeRecipient): Promise<boolean> {
  const { id: tenantId } = notice.tenant;
  try {
    const { email } = openPorts(env, tenantId, []);
    const mail = mailOf(notice, to, await linkFor(env, notice, to));
    return isDone(await email.send(callOf(notice, to.memberId), mail), notice);
  } catch (error) {
    const { requestId, item } = notice;
    logError({ what: 'notice_failed', tenantId, requestId, runId: item.runId }, error);
    return false;
  }
}

async function linkFor(
  { KEY_SECRET, PUBLIC_URL = '' }: NoticeEnv,
  { kind, tenant, item }: Notice,
  { memberId }: NoticeRecipient,
): Promise<string | null> {
  if (PUBLIC_URL === '' || kind === 'overridden') return null;
  const { runId, id: approvalId, inputHash, expiresAt } = item;
  const link = { tenantId: tenant.id, runId, approvalId, memberId, inputHash, expiresAt };
  return approvalUrl(PUBLIC_URL, await makeApprovalToken(KEY_SECRET, link));
}

function callOf({ kind, seq, tenant, item }: Notice, whom: string): PortCall {
  return {
    tenantId: tenant.id,
    runId: item.runId,
    idempotencyKey: `${item.id}_${kind}_${seq}_${whom}`,
    timeoutMs: TIMEOUT_MS,
    now: Date.now(),
  };
}

function isDone(outcome: Outcome, { tenant, requestId, item }: Notice): boolean {
  if (outcome.kind === 'succeeded') return true;
  const { code } = outcome.error;
  log({ what: 'notice_failed', tenantId: tenant.id, requestId, runId: item.runId, code });
  // Where nobody can say, a second mail is better than none.
  return outcome.kind === 'failed' && !outcome.retryable;
}

function isStale({ at, tenant, requestId, item }: Notice): boolean {
  if (Date.now() - Date.parse(at) <= KEPT_MS) return false;
  log({ what: 'notice_dropped', tenantId: tenant.id, requestId, runId: item.runId });
  return true;
}

/** Plain words without a link: whoever reads a channel is not the person that a link is for. */
function chatText(notice: Notice): string {
  const { kind, item, by } = notice;
  const who = by === null ? '' : ` By ${oneLine(by.name)}: ${oneLine(by.comment ?? 'no reason')}.`;
  const until =
    kind === 'overridden' ? '' : ` ${countOf(item)}, until ${timeText(item.expiresAt)}.`;
  const where = `Workflow “${oneLine(item.workflowName)}”, version ${item.workflowVersion}, run ${item.runId}.`;
  const text = `${headline(kind, item)}.${who}${until} ${where}`;
  return text.replaceAll('<', '‹').replaceAll('>', '›');
}
