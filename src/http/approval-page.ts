/**
 * The page behind an approval link: the whole request, and a form that decides it. Made for a phone,
 * a keyboard and a screen reader; it works without script because it has none. WCAG 2.2:
 * https://www.w3.org/TR/WCAG22/ (1.3.1 labels, 2.5.8 target size, 3.3.1 errors in words)
 */
import { isJsonObject, type Json, money } from '../contract/json.ts';
import type { ApprovalItem } from '../contract/runs.ts';
import { moneyText } from '../currency.ts';
import { type Html, type HtmlValue, html, verbatim } from '../html.ts';
import {
  countOf,
  jsonText,
  oneLine,
  timeText,
  visible,
  whatOf,
  whyOf,
} from '../objects/notice-words.ts';
import { APPROVAL_STYLE } from './approval-style.ts';
import { inertPolicy } from './inert-page.ts';

export interface ApprovalForm {
  /** What was typed before, to be mended rather than typed again. */
  readonly comment: string;
  readonly faults: Readonly<Partial<Record<'email' | 'comment', string>>>;
}

export interface ApprovalPageContent {
  readonly item: ApprovalItem;
  readonly tenantName: string;
  readonly holderName: string;
  /** In whose place the holder of the link may decide; null: by their own right. */
  readonly onBehalfOf: string | null;
  readonly overBudget: string | null;
  readonly edits: readonly Edit[];
  readonly notice: { readonly isWrong: boolean; readonly text: string } | null;
  /** Null when this person has nothing to decide here. */
  readonly form: ApprovalForm | null;
}

/** A change of the inputs, and one line for each place of it. */
export interface Edit {
  readonly by: string;
  readonly at: string;
  readonly comment: string | null;
  readonly changes: readonly string[];
}

type Decision = ApprovalItem['decisions'][number];

let policyOnce: string | undefined;

/** Made for the first page: it takes a hash of the style sheet. */
function policy(): string {
  policyOnce ??= inertPolicy(APPROVAL_STYLE, "'self'");
  return policyOnce;
}

/** The request with whatever has become of it. */
export function approvalPage(status: number, content: ApprovalPageContent): Response {
  const { item, notice, form } = content;
  const what = whatOf(item);
  const isWrong = notice?.isWrong === true;
  const main = html`<h1><bdi>${what}</bdi></h1>
<p class="state">${stateOf(item)}</p>
${notice === null ? null : noticeBlock(notice)}
<dl>${factsOf(content).map(([name, value]) => row(name, value))}</dl>
<h2>Inputs</h2>
${inputBlock(item.input)}
${listBlock('Changes of the inputs', content.edits.map(editLine))}
${listBlock('Decisions', item.decisions.map(decisionLine))}
${form === null ? null : formBlock(content, form)}
<h2>For the record</h2>
<dl>${recordOf(item).map(([name, value]) => row(name, value))}</dl>`;
  return pageResponse(status, `${isWrong ? 'Not done: ' : ''}${what}`, main);
}

/** A page that says one thing, and nothing about any request. */
export function messagePage(status: number, title: string, text: string): Response {
  return pageResponse(status, title, html`<h1>${title}</h1><p>${text}</p>`);
}

function pageResponse(status: number, title: string, main: Html): Response {
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex, nofollow">
<title>${title} · Signalbox</title>
<style>${verbatim(APPROVAL_STYLE)}</style>
</head>
<body><main>
<p class="brand"><span class="lamps" aria-hidden="true"><i></i><i></i><i></i></span>Signalbox approvals</p>
${main}
</main></body></html>`;
  return new Response(page.toString(), {
    status,
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': policy(),
      'x-robots-tag': 'noindex, nofollow',
    },
  });
}

function stateOf(item: ApprovalItem): string {
  if (item.status === 'pending' && item.kind === 'resolve')
    return `Did this happen? Nobody knows. Say what you found, until ${timeText(item.expiresAt)}.`;
  if (item.status === 'pending')
    return `Waits for approval until ${timeText(item.expiresAt)}. ${countOf(item)}.`;
  if (item.overridden) return 'Approved: an admin broke the glass.';
  const { status } = item;
  return status === 'cancelled'
    ? 'Cancelled: the run ended before this was decided.'
    : `${status.charAt(0).toUpperCase()}${status.slice(1)}.`;
}

function noticeBlock({ isWrong, text }: NonNullable<ApprovalPageContent['notice']>): Html {
  return isWrong
    ? html`<div class="notice wrong" role="alert"><p>${text}</p></div>`
    : html`<div class="notice" role="status"><p>${text}</p></div>`;
}

function factsOf(content: ApprovalPageContent): [string, HtmlValue][] {
  const { item, tenantName, overBudget, onBehalfOf } = content;
  const asked = timeText(item.requestedAt);
  const place: [string, HtmlValue][] =
    onBehalfOf === null
      ? []
      : [
          [
            'For',
            html`<bdi>${oneLine(onBehalfOf)}</bdi> <small>in whose place you may decide</small>`,
          ],
        ];
  return [
    ...place,
    ['Why', whyOf(item, overBudget)],
    ['Until', html`${timeText(item.expiresAt)} <small>Silence never approves.</small>`],
    ['Asked', html`${asked} <small>by the workflow, for the event ${item.eventType}</small>`],
    ['Workflow', html`<bdi>${visible(item.workflowName)}</bdi>, version ${item.workflowVersion}`],
    ['Tenant', html`<bdi>${visible(tenantName)}</bdi>`],
  ];
}

function recordOf({ action, runId, id, inputHash }: ApprovalItem): [string, HtmlValue][] {
  return [
    ['Action', html`<code>${action}</code>`],
    ['Run', html`<code>${runId}</code>`],
    ['Approval', html`<code>${id}</code>`],
    ['Input hash', html`<code>${inputHash}</code>`],
  ];
}

function row(name: string, value: HtmlValue): Html {
  return html`<div><dt>${name}</dt><dd>${value}</dd></div>
`;
}

/** Every field of the inputs, in full: what is approved is all of it. */
function inputBlock(input: Json): Html {
  if (!isJsonObject(input)) return html`<pre>${jsonText(input)}</pre>`;
  const rows = Object.entries(input).map(([name, value]) => row(visible(name), shown(value)));
  return rows.length === 0 ? html`<p>None.</p>` : html`<dl class="names">${rows}</dl>`;
}

function shown(value: Json): Html {
  const amount = money.safeParse(value);
  if (amount.success)
    return html`${moneyText(amount.data)} <small>${amount.data.amount} minor units</small>`;
  if (typeof value === 'string') return html`<pre><bdi>${visible(value)}</bdi></pre>`;
  return html`<pre>${jsonText(value)}</pre>`;
}

function listBlock(title: string, lines: readonly Html[]): Html | null {
  if (lines.length === 0) return null;
  return html`<h2>${title}</h2><ol>${lines.map((line) => html`<li>${line}</li>`)}</ol>`;
}

/** The sentence is ours and reads from the left; what people wrote in it, in its own direction. */
function decisionLine(made: Decision): Html {
  const { actor, onBehalfOf, at } = made;
  const whose = onBehalfOf === undefined ? null : html` for ${nameOf(onBehalfOf.name)}`;
  return html`${nameOf(actor.name)}${whose} ${decidedText(made)} at ${timeText(at)}${said(made)}`;
}

function editLine(edit: Edit): Html {
  const { by, at, changes } = edit;
  const lines = changes.map((change) => html`<pre><bdi>${visible(change)}</bdi></pre>`);
  return html`${nameOf(by)} at ${timeText(at)}${said(edit)}${lines}`;
}

function said({ comment }: { readonly comment: string | null }): Html | null {
  return comment === null ? null : html`: <bdi>${visible(comment)}</bdi>`;
}

function nameOf(name: string): Html {
  return html`<bdi>${oneLine(name)}</bdi>`;
}

/** After a name or `You`: what this person decided. */
export function decidedText(made: Decision, what = ''): string {
  if (made.resolution === 'happened') return 'said that it happened';
  if (made.resolution === 'retry') return 'had it tried again';
  return `${made.decision}${what}`;
}

/**
 * The first button of a form is what Enter presses: a disabled one, so that Enter in a field decides
 * nothing. https://html.spec.whatwg.org/multipage/form-control-infrastructure.html#implicit-submission
 */
function formBlock(content: ApprovalPageContent, form: ApprovalForm): Html {
  const { item, holderName, onBehalfOf } = content;
  const { comment, faults } = form;
  const isQuestion = item.kind === 'resolve';
  const when = item.reasonRequired ? 'needed' : `needed to ${isQuestion ? 'give up' : 'deny'}`;
  return html`<form method="post">
<h2>Your decision, ${nameOf(holderName)}${onBehalfOf === null ? null : html`, for ${nameOf(onBehalfOf)}`}</h2>
<button type="submit" disabled hidden></button>
<label for="email">Your email address <small>the one that this link was sent to</small></label>
<input id="email" name="email" type="email" autocomplete="email" required maxlength="254"${fieldState('email', faults.email)}>
${faultText('email', faults.email)}
<label for="comment">Reason <small>${when}</small></label>
<textarea id="comment" name="comment" rows="3" maxlength="2000"${requiredAttribute(item)}${fieldState('comment', faults.comment)}>
${comment}</textarea>
${faultText('comment', faults.comment)}
<div class="buttons">
${isQuestion ? RESOLVE_BUTTONS : GATE_BUTTONS}
</div>
<p class="state">This link is yours alone and decides once. Opening this page has changed nothing.</p>
</form>`;
}

const GATE_BUTTONS = html`<button type="submit" name="decision" value="approved">Approve</button>
<button type="submit" name="decision" value="denied" class="no">Deny</button>`;

const RESOLVE_BUTTONS = html`<button type="submit" name="decision" value="happened">It happened</button>
<button type="submit" name="decision" value="retry">It did not: try again</button>
<button type="submit" name="decision" value="denied" class="no">Give up</button>`;

function requiredAttribute({ reasonRequired }: ApprovalItem): Html | null {
  return reasonRequired ? html` required` : null;
}

function fieldState(name: string, fault: string | undefined): Html | null {
  return fault === undefined
    ? null
    : html` aria-invalid="true" aria-describedby="${name}-fault" autofocus`;
}

function faultText(name: string, fault: string | undefined): Html | null {
  return fault === undefined ? null : html`<p class="fault" id="${name}-fault">${fault}</p>`;
}
