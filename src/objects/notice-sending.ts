/**
 * Sends notices, by the ports that actions use. The idempotency keys are made from the entry that is
 * told of, so that a message that is tried again reaches nobody twice. Approval links are made here,
 * one for each recipient, and exist in their mail alone.
 */
import type { Env } from '../env.ts';
import { inLanes, LANES_OUT } from '../in-lanes.ts';
import { log, logError } from '../log.ts';
import type { SealedConnection } from '../ports/connections.ts';
import { openPorts, type PortEnv } from '../ports/open.ts';
import { approvalUrl, makeApprovalToken } from './approval-link.ts';
import type { Notice, NoticeRecipient } from './messages.ts';
import { mailOf } from './notice-mail.ts';
import { countOf, headline, oneLine, timeText } from './notice-words.ts';
import { type Fate, type Left, sendLetter } from './own-mail.ts';

type NoticeEnv = PortEnv & Pick<Env, 'KEY_SECRET' | 'PUBLIC_URL'>;

const TIMEOUT_MS = 15_000;
/** News that is older helps nobody, and must not be tried for ever. */
const KEPT_MS = 24 * 3_600_000;

/** Mails every recipient. @returns the notice for those who have to be written to again, if any */
export async function mailNotice(
  env: NoticeEnv,
  notice: Notice,
  connections: readonly SealedConnection[],
): Promise<Left | null> {
  if (isStale(notice)) return null;
  const missed: NonNullable<Fate>[] = [];
  await inLanes([...notice.recipients], LANES_OUT, async (recipient) => {
    const fate = await mailOne(env, notice, recipient, connections);
    if (fate !== null) missed.push(fate);
  });
  if (missed.length === 0) return null;
  return {
    mail: { kind: 'notice', notice: { ...notice, recipients: missed.map(({ to }) => to) } },
    afterMs: Math.max(...missed.map(({ afterMs }) => afterMs ?? 0)),
    blocked: missed.some(({ blocked }) => blocked),
  };
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
  const call = {
    tenantId: notice.tenant.id,
    runId: notice.item.runId,
    idempotencyKey: keyOf(notice, 'chat'),
    timeoutMs: TIMEOUT_MS,
    now: Date.now(),
  };
  const body = {
    type: `approval.${notice.kind}`,
    timestamp: notice.at,
    tenant: { ...notice.tenant },
    approval: { ...notice.item },
    text: chatText(notice),
  };
  const outcome = await webhook.send(call, { url, method: 'POST', headers: {}, body });
  if (outcome.kind === 'succeeded') return;
  log({ ...aboutOf(notice, 'notice_failed'), code: outcome.error.code });
  if (outcome.kind === 'unknown' || outcome.retryable) throw new Error('the chat did not take it');
}

async function mailOne(
  env: NoticeEnv,
  notice: Notice,
  to: NoticeRecipient,
  connections: readonly SealedConnection[],
): Promise<Fate> {
  const about = aboutOf(notice, 'notice_failed');
  try {
    const mail = mailOf(notice, to, await linkFor(env, notice, to));
    const whom = to.onBehalfOf === undefined ? to.memberId : `${to.memberId}_${to.onBehalfOf.id}`;
    const letter = { to, mail, idempotencyKey: keyOf(notice, whom), about };
    return await sendLetter(env, letter, connections);
  } catch (error) {
    logError(about, error);
    return { to, afterMs: null, blocked: false };
  }
}

function keyOf({ kind, seq, item }: Notice, whom: string): string {
  return `${item.id}_${kind}_${seq}_${whom}`;
}

function aboutOf({ tenant, requestId, item }: Notice, what: string) {
  return { what, tenantId: tenant.id, requestId, runId: item.runId };
}

async function linkFor(
  { KEY_SECRET, PUBLIC_URL = '' }: NoticeEnv,
  { kind, tenant, item }: Notice,
  { memberId, onBehalfOf }: NoticeRecipient,
): Promise<string | null> {
  if (PUBLIC_URL === '' || kind === 'overridden') return null;
  const { runId, id: approvalId, inputHash, expiresAt } = item;
  const own = { tenantId: tenant.id, runId, approvalId, memberId, inputHash, expiresAt };
  const link = onBehalfOf === undefined ? own : { ...own, onBehalfOf: onBehalfOf.id };
  return approvalUrl(PUBLIC_URL, await makeApprovalToken(KEY_SECRET, link));
}

function isStale(notice: Notice): boolean {
  if (Date.now() - Date.parse(notice.at) <= KEPT_MS) return false;
  log(aboutOf(notice, 'notice_dropped'));
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
