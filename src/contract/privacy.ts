/** Erasure of a person: whom, what was erased, what remains and why. docs/privacy.md */
import * as z from 'zod';
import { later } from './later.ts';

const text = () => z.string().trim().min(1);
const id = later(() => text().max(256));
const email = later(() =>
  z
    .email()
    .max(254)
    .transform((address) => address.toLowerCase()),
);

/** A customer as events name them. The name is only looked for when it is given, in two words or more. */
export const customerSubject = later(() =>
  z
    .strictObject({ id: id.optional(), email: email.optional(), name: text().max(200).optional() })
    .refine((customer) => customer.id !== undefined || customer.email !== undefined, {
      error: 'an id, an email or both',
    }),
);

export const erasureBody = later(() =>
  z
    .strictObject({
      memberId: text().max(100).optional().describe('A member who was removed'),
      customer: customerSubject.optional(),
      reason: text().max(2_000),
      cursor: text()
        .max(1_000)
        .optional()
        .describe('`nextCursor` of the answer before, with the same subject'),
    })
    .refine((body) => (body.memberId === undefined) !== (body.customer === undefined), {
      error: 'one of memberId and customer',
    })
    .meta({ id: 'Erasure' }),
);
export type ErasureBody = z.infer<typeof erasureBody>;

/** Whom an erasure is about. */
export type Subject =
  | { readonly kind: 'member'; readonly memberId: string }
  | {
      readonly kind: 'customer';
      readonly id: string | undefined;
      readonly email: string | undefined;
      readonly name: string | undefined;
    };

const count = later(() => z.int().min(0));
export const erasedCounts = later(() =>
  z
    .object({
      events: count,
      runs: count,
      auditParts: count.describe('Private parts of audit entries'),
      mails: count.describe('In the local mailbox'),
      deliveries: count.describe('Rows of the delivery log'),
      flags: count.describe('Whose key named the person'),
      flagChanges: count.describe('Of such flags, or made or commented on by the person'),
      orders: count,
      exports: count.describe('Files that held the person, or could not be read'),
      members: count,
    })
    .meta({ id: 'ErasedCounts' }),
);
export type ErasedCounts = z.infer<typeof erasedCounts>;

/** What an erasure leaves. */
export const REMAINING = {
  runs: 'They have not ended. Let them end or cancel them, then erase again.',
  identifiers:
    'Events, orders, request ids or keys that name the person themselves: they stay what they were.',
  members: 'They have that name or address. Remove them, and erase them as members.',
  workflows: 'Their definitions name the person, and no version of a workflow ever changes.',
  settings:
    'The approval policy, a connection or the name of an API key names the person. Change it.',
  deliveries: 'They are on their way out of the tenant. Erase again in a minute.',
  exports: 'Files that are being written may hold the person. Erase again when they are done.',
} as const;
export type RemainingKind = keyof typeof REMAINING;
const REMAINING_KINDS = [
  'runs',
  'identifiers',
  'members',
  'workflows',
  'settings',
  'deliveries',
  'exports',
] as const satisfies readonly RemainingKind[];

export const remains = later(() =>
  z
    .object({
      kind: z.enum(REMAINING_KINDS),
      count,
      ids: z.array(z.string()).max(20).describe('The first of them'),
      reason: z.string(),
    })
    .meta({ id: 'Remains' }),
);
export type Remains = z.infer<typeof remains>;

export const erasureAnswer = later(() =>
  z
    .object({
      subject: z.string().describe('The pseudonym by which the audit trail knows the person'),
      done: z.boolean().describe('Everything was looked through; else go on with `nextCursor`'),
      nextCursor: z.string().nullable(),
      erased: erasedCounts.describe('By this request'),
      remaining: z.array(remains).describe('Found by this request'),
      requestId: z.string(),
    })
    .meta({ id: 'ErasureAnswer' }),
);
