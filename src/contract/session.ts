/** Sign-in of a browser by API key: the key goes into a cookie that no script can read. docs/console.md */
import * as z from 'zod';
import { actor, utcTime } from './json.ts';
import { later } from './later.ts';
import { memberRole } from './members.ts';
import { tenant } from './tenants.ts';

export const sessionStart = later(() =>
  z.strictObject({ apiKey: z.string().trim().min(1).max(512) }).meta({ id: 'SessionStart' }),
);

export const session = later(() =>
  z
    .object({
      tenant: tenant.unwrap().pick({ id: true, name: true }),
      actor,
      role: memberRole,
      inPerson: z.boolean().describe('A member who may decide where a rule names them'),
      standsInFor: z
        .array(z.object({ id: z.string(), name: z.string() }))
        .describe('Members in whose place the caller may decide'),
      expiresAt: utcTime.nullable().describe('When the cookie ends; null without one'),
    })
    .meta({ id: 'Session' }),
);
export type Session = z.infer<typeof session>;
