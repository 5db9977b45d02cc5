/** `notify.email`: sends one email to one or several addresses. */
import * as z from 'zod';
import { RECIPIENTS_MAX, SUBJECT_LENGTH_MAX } from '../ports/email.ts';
import { defineAction } from './define.ts';

/** RFC 5321 4.5.3.1: a path has at most 256 characters, two of them its angle brackets. */
const address = z.email().max(254);
/** So many are named before approvers are told how many more there are. */
const SHOWN_ADDRESSES = 3;
const body = z.string().min(1).max(200_000);

export const notifyEmail = defineAction({
  name: 'notify.email',
  summary: 'Send an email',
  risk: 'safe',
  input: z
    .strictObject({
      to: z.union([address, z.array(address).min(1).max(RECIPIENTS_MAX)]),
      subject: z
        .string()
        .min(1)
        .max(SUBJECT_LENGTH_MAX)
        .regex(/^[^\r\n]*$/, 'one line'),
      text: body.optional(),
      html: body.optional(),
    })
    .refine(({ text, html }) => text !== undefined || html !== undefined, {
      error: 'text, html or both',
    }),
  describe: ({ to, subject }) => {
    const addresses = typeof to === 'string' ? [to] : to;
    const shown = addresses.slice(0, SHOWN_ADDRESSES).join(', ');
    const more = addresses.length - SHOWN_ADDRESSES;
    return `Send the email “${subject}” to ${shown}${more > 0 ? ` and ${more} more` : ''}`;
  },
  run: ({ to, subject, text, html }, { ports, call }) =>
    ports.email.send(call, { to: typeof to === 'string' ? [to] : to, subject, text, html }),
});
