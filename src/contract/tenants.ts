/** Tenants and their API keys: who may call. */
import * as z from 'zod';
import { keyRole, tenantId, utcTime } from './json.ts';
import { later } from './later.ts';

export const tenant = later(() =>
  z.object({ id: tenantId, name: z.string(), createdAt: utcTime }).meta({ id: 'Tenant' }),
);
export type Tenant = z.infer<typeof tenant>;

export const tenantCreate = later(() =>
  z
    .strictObject({ id: tenantId, name: z.string().trim().min(1).max(120) })
    .meta({ id: 'TenantCreate' }),
);

export const apiKey = later(() =>
  z
    .object({
      id: z.string(),
      name: z.string(),
      role: keyRole,
      memberId: z.string().nullable().describe('Whose key it is: that person decides by it'),
      prefix: z.string().describe('The beginning of the secret, to tell keys apart'),
      createdAt: utcTime,
      lastUsedAt: utcTime.nullable().describe('To the hour; not kept of a frontend key'),
      revokedAt: utcTime.nullable(),
    })
    .meta({ id: 'ApiKey' }),
);
export type ApiKey = z.infer<typeof apiKey>;

/** Answered once, when the key is made. */
export const newApiKey = later(() =>
  z
    .object({ id: z.string(), name: z.string(), role: keyRole, secret: z.string() })
    .meta({ id: 'NewApiKey' }),
);

export const apiKeyCreate = later(() =>
  z
    .strictObject({
      name: z.string().trim().min(1).max(120),
      role: keyRole.describe('`frontend` reads flags alone, and may be seen by anyone'),
      memberId: z
        .string()
        .min(1)
        .max(100)
        .optional()
        .describe('Two keys of one member are one person'),
    })
    .refine(({ role, memberId }) => role !== 'frontend' || memberId === undefined, {
      path: ['memberId'],
      error: 'a frontend key is nobody’s',
    })
    .meta({ id: 'ApiKeyCreate' }),
);
