/**
 * Words about an approval, the same in mails, in the chat and on the page behind a link. What a
 * tenant's data holds is shown as it is: characters that would hide or turn text around are written
 * out (https://www.unicode.org/reports/tr36/#Bidirectional_Text_Spoofing).
 */
import { describeAction } from '../actions/index.ts';
import type { Json } from '../contract/json.ts';
import type { ApprovalItem } from '../contract/runs.ts';
import type { NoticeKind } from './messages.ts';

/** Not the joiners (U+200C, U+200D): words of some languages and many emoji need them. */
const HIDDEN = /(?![\u200C\u200D])[\p{Cc}\p{Cf}\u2028\u2029]/gu;
const LINE_MAX = 200;

/** Text in which nothing is invisible; line feeds and tabs stay. */
export function visible(text: string): string {
  return text.replaceAll(HIDDEN, (char) =>
    char === '\n' || char === '\t'
      ? char
      : `\\u{${(char.codePointAt(0) ?? 0).toString(16).toUpperCase()}}`,
  );
}

/** The same on one line of at most 200 characters, for subjects and headings. */
export function oneLine(text: string): string {
  const line = visible(text.replaceAll(/\s+/g, ' ').trim());
  return line.length > LINE_MAX ? `${line.slice(0, LINE_MAX - 1)}…` : line;
}

/** What will be done, in plain words. */
export function whatOf({ action, input }: Pick<ApprovalItem, 'action' | 'input'>): string {
  return oneLine(describeAction(action, input));
}

const HEADLINES: Readonly<Record<NoticeKind, string>> = {
  requested: 'Approval needed',
  reminded: 'Still waiting for approval',
  escalated: 'Approval escalated to you',
  edited: 'Inputs changed, approval needed again',
  overridden: 'Approval overridden',
};

/** Of an attempt of which nobody knows whether it was carried out. */
const QUESTIONS: Readonly<Partial<Record<NoticeKind, string>>> = {
  requested: 'Did this happen?',
  reminded: 'Still not known: did this happen?',
  escalated: 'Escalated to you: did this happen?',
};

/** A mail's subject, and how a chat message begins. `whose`: in whose place its reader may decide. */
export function headline(kind: NoticeKind, item: ApprovalItem, whose?: string): string {
  const question = item.kind === 'resolve' ? QUESTIONS[kind] : undefined;
  const place = whose === undefined ? '' : `For ${oneLine(whose)}: `;
  return `${place}${question ?? `${HEADLINES[kind]}:`} ${whatOf(item)}`;
}

/** `2 of 3 approvals are there` */
export function countOf({ kind, required, decisions }: ApprovalItem): string {
  if (kind === 'resolve') return 'One person has to say what happened';
  const given = decisions.filter(({ decision }) => decision === 'approved').length;
  return `${given} of ${required} ${required === 1 ? 'approval is' : 'approvals are'} there`;
}

/** Why a human is asked at all. */
export function whyOf(item: ApprovalItem, overBudget: string | null): string {
  const { action, required, kind, error } = item;
  if (kind === 'resolve')
    return `${oneLine(error?.message ?? 'No answer came.')} Nobody knows whether it was carried out, so it is not tried again by itself: look there, and say what you found.`;
  const people = required === 1 ? 'one person' : `${required} different people`;
  const rule = `${action} needs the approval of ${people}; ${countOf(item)}.`;
  return overBudget === null ? rule : `${oneLine(overBudget)} Beyond it, ${rule}`;
}

/** An RFC 3339 time in UTC as people read it: `2026-01-31 12:00 UTC`. */
export function timeText(at: string): string {
  return `${at.slice(0, 16).replace('T', ' ')} UTC`;
}

/** A value as indented JSON, in full, with nothing invisible in it. */
export function jsonText(value: Json): string {
  return visible(JSON.stringify(value, null, 2));
}
