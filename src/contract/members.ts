/** Members: the people of a tenant. Keys may belong to one; what they decide counts as that person's. */
import * as z from 'zod';
import { ROLES, timestamp, utcTime } from './json.ts';
import { later } from './later.ts';
import { parseMailbox } from './mail.ts';

/** `ingest` is for machines: no person has it. */
export const memberRole = later(() => z.enum(ROLES).exclude(['ingest']));

const email = later(() =>
  z
    .email()
    .refine((text) => parseMailbox(text)?.name === null, 'an address such as ada@example.com')
    .transform((text) => text.toLowerCase()),
);
const name = later(() => z.string().trim().min(1).max(120));
const memberId = later(() => z.string().min(1).max(100));

export const delegation = later(() =>
  z
    .object({
      to: z.string().describe('The member who may decide in this one’s place'),
      from: utcTime,
      until: utcTime,
    })
    .meta({ id: 'Delegation' }),
);
export type Delegation = z.infer<typeof delegation>;

export const member = later(() =>
  z
    .object({
      id: z.string(),
      name: z.string(),
      email: z.string(),
      role: memberRole,
      createdAt: utcTime,
      updatedAt: utcTime,
      removedAt: utcTime.nullable(),
      delegation: delegation.nullable().describe('In force or to come; null once it has ended'),
    })
    .meta({ id: 'Member' }),
);
export type Member = z.infer<typeof member>;

export const memberCreate = later(() =>
  z.strictObject({ name, email, role: memberRole }).meta({ id: 'MemberCreate' }),
);
export type MemberCreate = z.infer<typeof memberCreate>;

/** Only what is given changes. An email is who a person is: another email is another member. */
export const memberUpdate = later(() =>
  z
    .strictObject({
      id: memberId,
      name: name.optional(),
      role: memberRole.optional(),
    })
    .meta({ id: 'MemberUpdate' }),
);
export type MemberUpdate = z.infer<typeof memberUpdate>;

const whose = later(() =>
  memberId.optional().describe('Default: the caller; only an admin names somebody else'),
);

export const memberDelegate = later(() =>
  z
    .strictObject({
      to: memberId.describe('Another member, of any role'),
      from: timestamp.optional().describe('Default: now'),
      until: timestamp.describe('At most 92 days after it begins'),
      comment: z.string().trim().min(1).max(2_000).optional(),
      memberId: whose,
    })
    .meta({ id: 'MemberDelegate' }),
);
export type MemberDelegate = z.infer<typeof memberDelegate>;

export const memberUndelegate = later(() =>
  z.strictObject({ memberId: whose }).meta({ id: 'MemberUndelegate' }),
);
export type MemberUndelegate = z.infer<typeof memberUndelegate>;
