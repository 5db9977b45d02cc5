/** Privacy: erasing a person who asks for it, while the audit chain goes on verifying. */
import { type ErasureBody, erasureAnswer, erasureBody, type Subject } from '../contract/privacy.ts';
import { type Refusal, refusal } from '../contract/problems.ts';
import { encodeCursor, pageOf } from '../http/cursor.ts';
import { type Route, tenantRoute } from '../http/route.ts';
import { erasePerson, type From, WRONG_CURSOR } from '../objects/erase-person.ts';
import { PHASES, type Place } from '../objects/erasure.ts';

const CURSORS = 'privacy';

export const privacyRoutes: readonly Route[] = [
  tenantRoute({
    method: 'POST',
    path: '/api/admin/privacy/erase',
    tag: 'Privacy',
    summary: 'Erase a customer, or a member who was removed',
    description:
      'Looks through so much at a time: while `nextCursor` is not null, ask again with it as `cursor`. Saying it twice is fine. What remains is named with the reason.',
    role: 'admin',
    body: erasureBody,
    answer: {
      status: 200,
      description: 'What was erased, and what remains',
      schema: erasureAnswer,
    },
    problems: [404, 409, 503],
    async handle({ env, tenantId, by }, { body }) {
      const subject = subjectOf(body);
      const from = placeOf(body.cursor);
      if (subject === null || (from !== null && 'ok' in from))
        return from !== null && 'ok' in from ? from : refusal('validation_failed');
      const { reason } = body;
      const outcome = await erasePerson(env, tenantId, { subject, reason, from }, by);
      if (!outcome.ok) return outcome;
      const { next, erased, remaining } = outcome;
      const nextCursor = next && encodeCursor(CURSORS, textOf(outcome.subject, next));
      return {
        body: { subject: outcome.subject, done: next === null, nextCursor, erased, remaining },
      };
    },
  }),
];

/** Null for a body that the schema does not let through. */
function subjectOf({ memberId, customer }: ErasureBody): Subject | null {
  if (memberId !== undefined) return { kind: 'member', memberId };
  if (customer === undefined) return null;
  const { id, email, name } = customer;
  return { kind: 'customer', id, email, name };
}

function textOf(subject: string, { phase, after }: Place): string {
  return `${subject} ${phase} ${encodeURI(after)}`;
}

function placeOf(cursor: string | undefined): From | null | Refusal {
  if (cursor === undefined) return null;
  const page = pageOf(CURSORS, { limit: 1, cursor });
  if ('ok' in page) return page;
  const [subject = '', name, after = ''] = (page.after ?? '').split(' ');
  const phase = PHASES.find((one) => one === name);
  return phase === undefined
    ? refusal('invalid_cursor', WRONG_CURSOR)
    : { subject, place: { phase, after: decodeURI(after) } };
}
