/** Members: the people of a tenant. Keys may belong to one; what they decide counts as that person's. */
import * as z from 'zod';
import { role, utcTime } from './json.ts';
import { parseMailbox } from './mail.ts';

/** `ingest` is for machines: no person has it. */
export const memberRole = role.exclude(['ingest']);

const email = z
  .email()
  .refine((text) => parseMailbox(text)?.name === null, 'an address such as ada@example.com')
  .transform((text) => text.toLowerCase());
const name = z.string().trim().min(1).max(120);

export const member = z
  .object({
    id: z.string(),
    name: z.string(),
    email: z.string(),
    role: memberRole,
    createdAt: utcTime,
    updatedAt: utcTime,
    removedAt: utcTime.nullable(),
  })
  .meta({ id: 'Member' });
export type Member = z.infer<typeof member>;

export const memberCreate = z
  .strictObject({ name, email, role: memberRole })
  .meta({ id: 'MemberCreate' });
export type MemberCreate = z.infer<typeof memberCreate>;

/** Only what is given changes. An email is who a person is: another email is another member. */
export const memberUpdate = z
  .strictObject({
    id: z.string().min(1).max(100),
    name: name.optional(),
    role: memberRole.optional(),
  })
  .meta({ id: 'MemberUpdate' });
export type MemberUpdate = z.infer<typeof memberUpdate>;
