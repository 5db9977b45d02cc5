/**
 * The mail about an approval: subject, text and HTML with the same content, all of it escaped. It
 * holds the whole request, since a person should not have to open a link to know what it is about;
 * no picture and no tracking.
 */
import type { ApprovalItem } from '../contract/runs.ts';
import { type Html, html } from '../html.ts';
import type { Notice, NoticeKind, NoticeRecipient } from './messages.ts';
import { headline, jsonText, oneLine, timeText, visible, whatOf, whyOf } from './notice-words.ts';
import type { Letter } from './own-mail.ts';

/** Longer inputs are cut in the mail; the page and the run have all of them. */
const INPUT_LENGTH_MAX = 16_000;

/** @param url the recipient's own link; null when there is none: without PUBLIC_URL, after an override */
export function mailOf(
  notice: Notice,
  recipient: NoticeRecipient,
  url: string | null,
): Letter['mail'] {
  const { kind, item } = notice;
  const content = {
    greeting: `Hello ${oneLine(recipient.name)},`,
    lead: item.kind === 'resolve' ? QUESTION : LEADS[kind],
    what: whatOf(item),
    facts: [...placeOf(recipient), ...factsOf(notice)],
    input: inputText(item),
    close: closing(notice, url !== null),
    url,
  };
  const subject = headline(kind, item, recipient.onBehalfOf?.name);
  return { subject, text: textOf(content), html: htmlOf(content) };
}

interface Content {
  readonly greeting: string;
  readonly lead: string;
  readonly what: string;
  readonly facts: readonly (readonly [string, string])[];
  readonly input: string;
  readonly close: readonly string[];
  readonly url: string | null;
}

const LEADS: Readonly<Record<NoticeKind, string>> = {
  requested: 'this waits for your approval:',
  reminded: 'this is still waiting for your approval:',
  escalated: 'nobody decided in time, so this was escalated to you:',
  edited: 'the inputs were changed; votes and links from before no longer count:',
  overridden: 'an admin broke the glass and approved this alone:',
};

const QUESTION = 'nobody knows whether this was carried out, and you may find out and say so:';

/** First of all, for whoever stands in for somebody. */
function placeOf({ onBehalfOf }: NoticeRecipient): Content['facts'] {
  return onBehalfOf === undefined
    ? []
    : [['For', `${oneLine(onBehalfOf.name)}, in whose place you may decide`]];
}

function factsOf(notice: Notice): Content['facts'] {
  const { kind, item, tenant, by, overBudget } = notice;
  const isOpen = kind !== 'overridden';
  const told: [string, string][] =
    by === null
      ? []
      : [
          [isOpen ? 'Changed by' : 'Overridden by', oneLine(by.name)],
          ['Reason given', by.comment === null ? 'none' : visible(by.comment)],
        ];
  const until: [string, string][] = isOpen
    ? [
        ['Why', whyOf(item, overBudget)],
        ['Until', `${timeText(item.expiresAt)}; silence never approves`],
      ]
    : [['When', timeText(notice.at)]];
  return [
    ...told,
    ...until,
    ['Workflow', `${oneLine(item.workflowName)}, version ${item.workflowVersion}`],
    ['Event', item.eventType],
    ['Action', item.action],
    ['Tenant', `${oneLine(tenant.name)} (${tenant.id})`],
    ['Run', item.runId],
    ['Approval', item.id],
    ['Input hash', item.inputHash],
  ];
}

function inputText({ input }: ApprovalItem): string {
  const text = jsonText(input);
  return text.length <= INPUT_LENGTH_MAX
    ? text
    : `${text.slice(0, INPUT_LENGTH_MAX)}\n… cut here; the run has all of it.`;
}

function closing({ kind, item }: Notice, hasLink: boolean): string[] {
  if (kind === 'overridden')
    return ['Nothing waits for you. The override is in the audit log with its reason.'];
  if (!hasLink)
    return [
      'Decide where you use Signalbox, or with POST /api/admin/workflow-runs/approve or deny.',
    ];
  return [
    `The link is yours alone. It decides once, until ${timeText(item.expiresAt)}; opening it changes nothing.`,
    'Please do not forward this mail: the page asks for the address that it was sent to.',
  ];
}

function textOf({ greeting, lead, what, facts, input, close, url }: Content): string {
  const width = Math.max(...facts.map(([name]) => name.length)) + 2;
  const lines = facts.map(([name, value]) => {
    return `${name.padEnd(width)}${value.replaceAll('\n', `\n${' '.repeat(width)}`)}`;
  });
  const link = url === null ? [] : ['Look at it and decide:', url, ''];
  return [greeting, '', lead, '', what, '', ...lines, '', 'Inputs:', input, '', ...link, ...close]
    .join('\n')
    .concat('\n');
}

const TEXT = 'font:15px/1.5 sans-serif;max-width:40rem';
const MONO = 'font:13px/1.5 monospace;white-space:pre-wrap;overflow-wrap:anywhere';
const WRAP = 'white-space:pre-wrap;overflow-wrap:anywhere';
const BUTTON = 'display:inline-block;padding:10px 18px;border:2px solid #0b5f80;font-weight:bold';

function htmlOf({ greeting, lead, what, facts, input, close, url }: Content): string {
  const rows = facts.map(([name, value]) => factRow(name, value));
  const link =
    url === null ? null : html`<p><a style="${BUTTON}" href="${url}">Look at it and decide</a></p>`;
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width"><title>${what}</title></head>
<body style="${TEXT}">
<p>${greeting}</p>
<p>${lead}</p>
<h1 style="font-size:20px"><bdi>${what}</bdi></h1>
${link}
<table role="presentation" cellpadding="4">${rows}</table>
<h2 style="font-size:16px">Inputs</h2>
<pre style="${MONO}">${input}</pre>
${close.map((line) => html`<p>${line}</p>`)}
</body></html>
`.toString();
}

function factRow(name: string, value: string): Html {
  return html`<tr><th align="left" valign="top">${name}</th><td style="${WRAP}"><bdi>${value}</bdi></td></tr>
`;
}
