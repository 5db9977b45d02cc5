/**
 * The page behind an approval link. GET and HEAD show and change nothing, however often a mail
 * scanner asks; the form's POST decides, as the member to whom the link was sent and with the role
 * that they have now. The run's object checks the policy as for any other vote.
 */
import type { Entry } from '../contract/entries.ts';
import { PROBLEMS, type Refusal, refusal } from '../contract/problems.ts';
import { envOf } from '../db/databases.ts';
import { findRun } from '../db/find-runs.ts';
import { checkVote, decisionOf, type Vote } from '../engine/approval.ts';
import type { ApprovalState } from '../engine/approval-state.ts';
import { type RunState, replay } from '../engine/state.ts';
import { type DecisionForm, FORM_TYPE, readDecisionForm, votedBy } from '../http/approval-form.ts';
import {
  type ApprovalForm,
  approvalPage,
  decidedText,
  type Edit,
  messagePage,
} from '../http/approval-page.ts';
import { type Answer, openRoute, type Route, type Served } from '../http/route.ts';
import { wrongCredential } from '../http/wrong-credentials.ts';
import { type ApprovalLink, readApprovalToken } from '../objects/approval-link.ts';
import type { LinkHolder } from '../objects/identity.ts';
import { runObject, tenantObject } from '../objects/index.ts';
import { oneLine, timeText } from '../objects/notice-words.ts';
import { approvalItemOf } from '../objects/plan.ts';
import { askRun } from './on-run.ts';

const TAG = 'Approval links';
const WRONG_EMAIL = 'This is not the address that the link was sent to.';
const CLOSED =
  'This link was tried with too many wrong addresses, so it decides nothing more. Decide where you use Signalbox.';
const NOT_OURS = refusal('not_found', 'This link is not one of ours. Was all of it copied?');
const REQUEST_STATUSES = [403, 404, 409, 410, 429, 503];

/** A link that holds, its holder, and the approval that it is for. */
interface Opened {
  readonly link: ApprovalLink;
  readonly holder: LinkHolder;
  readonly run: RunState;
  readonly entries: readonly Entry[];
  readonly approval: ApprovalState;
}

type Notice = { readonly isWrong: boolean; readonly text: string };

export const approvalLinkRoutes: readonly Route[] = [
  openRoute({
    method: 'GET',
    path: '/approvals/:token',
    tag: TAG,
    summary: 'The request behind a link from a mail, as a page; it changes nothing',
    description: 'For browsers. Without `Accept: text/html` a refusal is problem+json.',
    access: { tier: 'anyone' },
    answer: { status: 200, description: 'The page', contentType: 'text/html' },
    problems: REQUEST_STATUSES,
    async handle(served) {
      const opened = await openLink(served, false);
      return 'ok' in opened ? refusedPage(served, opened) : showRequest(opened);
    },
  }),
  openRoute({
    method: 'POST',
    path: '/approvals/:token',
    tag: TAG,
    summary: 'Decide by the page’s form, as the member whom the link was sent to',
    description:
      'Fields: `decision` (approved or denied; for an unknown outcome happened, retry or denied), `email` (that the link was sent to), `comment`. ' +
      'A second one shows the outcome that is recorded.',
    access: { tier: 'anyone' },
    rawBody: [FORM_TYPE],
    answer: { status: 200, description: 'The page with the outcome', contentType: 'text/html' },
    problems: [400, 413, 415, ...REQUEST_STATUSES],
    async handle(served) {
      const form = await readDecisionForm(served);
      if ('ok' in form) return refusedPage(served, form);
      const opened = await openLink(served, true);
      return 'ok' in opened ? refusedPage(served, opened) : await decide(served, opened, form.form);
    },
  }),
];

/** Nobody learns more of a link that does not hold than that it does not. */
async function openLink(served: Served, toDecide: boolean): Promise<Opened | Refusal> {
  const { env, params } = served;
  const read = await readApprovalToken(env.KEY_SECRET, params.token ?? '', Date.now());
  if (!read.ok)
    return read.why === 'expired'
      ? refusal('link_expired', 'This link has expired. Nothing can be decided by it any more.')
      : await wrongCredential(served, NOT_OURS);
  const { link } = read;
  const holder = await tenantObject(env, link.tenantId).linkHolder(link, toDecide);
  if (holder === null) return refusal('forbidden', 'This link does not work any more.');
  const { DB } = await envOf(env, link.tenantId);
  const found = await findRun(DB, link.tenantId, link.runId);
  const run = replay(link.runId, found?.entries ?? []);
  return run === undefined ? notYet() : openedFrom(link, holder, run, found?.entries ?? []);
}

function openedFrom(
  link: ApprovalLink,
  holder: LinkHolder,
  run: RunState,
  entries: readonly Entry[],
): Opened | Refusal {
  const approval = run.approvals.find(({ id }) => id === link.approvalId);
  if (approval === undefined) return notYet();
  return approval.inputHash === link.inputHash
    ? { link, holder, run, entries, approval }
    : refusal(
        'approval_mismatch',
        'The inputs were changed after this link was sent. A newer mail has a link for them.',
      );
}

/** A mail may be faster than the read model. */
function notYet(): Refusal {
  return refusal('unavailable', 'The request cannot be shown right now. Try again in a moment.');
}

async function decide(served: Served, opened: Opened, form: DecisionForm | null): Promise<Answer> {
  if (form === null)
    return showForm(opened, 400, '', 'Nothing was decided: choose one of the buttons.');
  const { holder, link } = opened;
  const { decision: button, email, comment } = form;
  const voted = votedBy(button);
  if (holder.isClosed) return showRequest(opened);
  if (email !== holder.email) return await wrongAddress(served, opened, comment);
  if (button === 'denied' && comment === '') return reasonNeeded(opened);
  const vote = voteOf(opened, voted, comment === '' ? null : comment, served.requestId);
  const { tenantId, runId } = link;
  const env = await envOf(served.env, tenantId);
  const answer = await askRun(env, tenantId, runId, vote, () =>
    runObject(env, tenantId, runId).vote(vote, holder.lent),
  );
  const entries = answer.run?.timeline ?? [];
  const run = replay(runId, entries);
  const after = run === undefined ? notYet() : openedFrom(link, holder, run, entries);
  if ('ok' in after) return refusedPage(served, answer.ok ? after : answer);
  return answer.ok ? showRequest(after) : showRefused(after, voted.decision, answer);
}

async function wrongAddress(
  { env, requestId }: Served,
  opened: Opened,
  comment: string,
): Promise<Response> {
  const { link } = opened;
  await tenantObject(env, link.tenantId).noteWrongAddress(link, requestId);
  const faults = { email: WRONG_EMAIL };
  return showForm(opened, 403, comment, `Nothing was decided. ${WRONG_EMAIL}`, faults);
}

/** Refused, with the run as it is: a second click, a vote that came too late or may not be. */
function showRefused(opened: Opened, decision: Vote['decision'], refused: Refusal): Response {
  if (refused.code === 'validation_failed') return reasonNeeded(opened);
  const own = ownText(opened);
  if (own?.decision === decision)
    return show(opened, 200, { isWrong: false, text: `${own.text} This click added nothing.` });
  const [status, title] = PROBLEMS[refused.code];
  const text = own === null ? (refused.detail ?? title) : `${own.text} That stands.`;
  return show(opened, status, { isWrong: true, text: `Nothing was decided. ${text}` });
}

function reasonNeeded(opened: Opened): Response {
  const comment = 'Say why, for the record.';
  return showForm(opened, 400, '', 'Nothing was decided: a reason is needed.', { comment });
}

/** What there is for this person to see now. */
function showRequest(opened: Opened): Response {
  const own = ownText(opened);
  if (own !== null) return show(opened, 200, { isWrong: false, text: own.text });
  if (opened.approval.status !== 'pending')
    return show(opened, 200, { isWrong: false, text: 'There is nothing left to decide here.' });
  if (opened.holder.isClosed) return show(opened, 403, { isWrong: true, text: CLOSED });
  const refused = checkVote(opened.approval, anyVote(opened));
  if (refused === null) return show(opened, 200, null, { comment: '', faults: {} });
  const [status] = PROBLEMS[refused.code];
  return show(opened, status, {
    isWrong: true,
    text: `You may not decide this. ${refused.detail}`,
  });
}

function showForm(
  opened: Opened,
  status: number,
  comment: string,
  text: string,
  faults: ApprovalForm['faults'] = {},
): Response {
  const mayDecide = checkVote(opened.approval, anyVote(opened)) === null;
  if (!mayDecide) return showRequest(opened);
  return show(opened, status, { isWrong: true, text }, { comment, faults });
}

function show(
  { link, run, entries, approval, holder }: Opened,
  status: number,
  notice: Notice | null,
  form: ApprovalForm | null = null,
): Response {
  const exceeded = entries.find(
    (entry) => entry.type === 'budget_exceeded' && entry.stepId === approval.stepId,
  );
  return approvalPage(status, {
    item: approvalItemOf(run, approval),
    tenantName: holder.tenantName,
    holderName: holder.actor.name,
    onBehalfOf:
      holder.standsInFor.find(({ actor }) => actor.id === link.onBehalfOf)?.actor.name ?? null,
    overBudget: exceeded?.type === 'budget_exceeded' ? exceeded.detail : null,
    edits: entries.flatMap((entry) =>
      entry.type === 'approval_edited' && entry.approvalId === approval.id ? editOf(entry) : [],
    ),
    notice,
    form,
  });
}

function editOf({
  actor,
  at,
  comment,
  changes,
}: Extract<Entry, { type: 'approval_edited' }>): Edit {
  const told = changes.map(
    ({ path, before, after }) => `${path}: ${JSON.stringify(before)} → ${JSON.stringify(after)}`,
  );
  return { by: actor.name, at, comment, changes: told };
}

/** What the holder has decided, or somebody in their place: there is nothing more for them to do. */
function ownText({
  approval,
  holder,
}: Opened): { decision: Vote['decision']; text: string } | null {
  const made = decisionOf(approval, holder.actor.id);
  if (made === undefined) return null;
  const { actor, onBehalfOf, at, decision } = made;
  const isOwn = actor.id === holder.actor.id;
  const whose = isOwn ? onBehalfOf?.name : 'you';
  const who = isOwn ? 'You' : oneLine(actor.name);
  const place = whose === undefined ? '' : ` for ${oneLine(whose)}`;
  const text = `${who} ${decidedText(made, ' this')}${place} at ${timeText(at)}. It is recorded.`;
  return { decision, text };
}

/** Refused only for what holds of this person and this approval, whichever way they decide. */
function anyVote(opened: Opened): Vote {
  return voteOf(opened, { decision: 'denied', resolution: undefined }, 'a reason', '');
}

function voteOf(
  { link, holder }: Opened,
  voted: Pick<Vote, 'decision' | 'resolution'>,
  comment: string | null,
  requestId: string,
): Vote {
  const { approvalId, inputHash, onBehalfOf } = link;
  const { actor, role, standsInFor } = holder;
  const person = { actor, role, standsInFor, onBehalfOf };
  return { ...voted, ...person, approvalId, inputHash, comment, requestId };
}

/** For a person a page, for a program problem+json; both with the status that the code has. */
function refusedPage({ request }: Served, refused: Refusal): Answer {
  if (!(request.headers.get('accept') ?? '').includes('text/html')) return refused;
  const [status, title] = PROBLEMS[refused.code];
  return messagePage(status, title, refused.detail ?? title);
}
