/**
 * `notify.email`: sends one email to one or several addresses. The HTML's markup is the author's own;
 * what `{{ }}` puts into it is text and is escaped, so there is no way to put markup in by a value.
 */
import * as z from 'zod';
import { later } from '../contract/later.ts';
import {
  isHeaderText,
  MAILBOX_FORM,
  parseMailbox,
  RECIPIENTS_MAX,
  SUBJECT_LENGTH_MAX,
} from '../contract/mail.ts';
import { textFromHtml } from '../ports/text-from-html.ts';
import { defineAction } from './define.ts';

/** So many are named before approvers are told how many more there are. */
const SHOWN_ADDRESSES = 3;
const body = later(() => z.string().min(1).max(200_000));

const [SECOND_MS, MINUTE_MS, HOUR_MS] = [1_000, 60_000, 3_600_000];
/** An outage of hours is outwaited, in less than the 24 hours for which Resend knows our key. */
const SCHEDULE_MS = [
  ...[5 * SECOND_MS, 30 * SECOND_MS, 2 * MINUTE_MS, 10 * MINUTE_MS, 30 * MINUTE_MS],
  ...[HOUR_MS, 2 * HOUR_MS, 4 * HOUR_MS, 8 * HOUR_MS],
];

/** A fault has the place of its own address: one that a template makes is checked when it is made. */
const recipients = later(() =>
  z
    .union([z.string(), z.array(z.string()).min(1).max(RECIPIENTS_MAX)])
    .superRefine((to, context) => {
      for (const [index, address] of [to].flat().entries())
        if (parseMailbox(address) === null)
          context.addIssue({
            code: 'custom',
            path: typeof to === 'string' ? [] : [index],
            message: MAILBOX_FORM,
          });
    })
    .describe(
      `ada@example.com, Ada Reyes <ada@example.com>, or a list of up to ${RECIPIENTS_MAX}, who all see each other`,
    ),
);

export const notifyEmail = defineAction({
  name: 'notify.email',
  summary: 'Send an email',
  risk: 'safe',
  retry: { attempts: 10, delaysMs: SCHEDULE_MS },
  markup: ['html'],
  input: later(() =>
    z
      .strictObject({
        to: recipients,
        subject: z
          .string()
          .min(1)
          .max(SUBJECT_LENGTH_MAX)
          .refine(isHeaderText, 'one line, without control or invisible characters'),
        text: body.optional().describe('Plain text; left out: made from the HTML'),
        html: body
          .optional()
          .describe('Markup. What {{ }} puts into it is escaped: between tags, or in quotes'),
      })
      .refine(({ text, html }) => text !== undefined || html !== undefined, {
        error: 'text, html or both',
      }),
  ),
  describe: ({ to, subject }) => {
    const addresses = [to].flat();
    const shown = addresses.slice(0, SHOWN_ADDRESSES).join(', ');
    const more = addresses.length - SHOWN_ADDRESSES;
    return `Send the email “${subject}” to ${shown}${more > 0 ? ` and ${more} more` : ''}`;
  },
  isRepeatable: ({ email }) => email.honoursKey,
  run: ({ to, subject, text, html }, { ports, call }) =>
    ports.email.send(call, {
      to: [to].flat(),
      subject,
      text: text ?? (html === undefined ? undefined : textFromHtml(html)),
      html,
    }),
});
