/** Tenants, API keys and connections: who may call, and with which credentials we call others. */
import * as z from 'zod';
import { role, tenantId, utcTime } from './json.ts';

export const tenant = z
  .object({ id: tenantId, name: z.string(), createdAt: utcTime })
  .meta({ id: 'Tenant' });
export type Tenant = z.infer<typeof tenant>;

export const tenantCreate = z
  .strictObject({ id: tenantId, name: z.string().trim().min(1).max(120) })
  .meta({ id: 'TenantCreate' });

export const apiKey = z
  .object({
    id: z.string(),
    name: z.string(),
    role,
    memberId: z.string().nullable().describe('Whose key it is: that person decides by it'),
    prefix: z.string().describe('The beginning of the secret, to tell keys apart'),
    createdAt: utcTime,
    lastUsedAt: utcTime.nullable().describe('To the hour'),
    revokedAt: utcTime.nullable(),
  })
  .meta({ id: 'ApiKey' });
export type ApiKey = z.infer<typeof apiKey>;

/** Answered once, when the key is made. */
export const newApiKey = z
  .object({ id: z.string(), name: z.string(), role, secret: z.string() })
  .meta({ id: 'NewApiKey' });

export const apiKeyCreate = z
  .strictObject({
    name: z.string().trim().min(1).max(120),
    role,
    memberId: z
      .string()
      .min(1)
      .max(100)
      .optional()
      .describe('Two keys of one member are one person'),
  })
  .meta({ id: 'ApiKeyCreate' });

const secretText = z.string().min(8).max(512).regex(/^\S+$/, 'no spaces');

export const CONNECTION_KINDS = ['shopify', 'stripe', 'webhook'] as const;
export const connectionKind = z.enum(CONNECTION_KINDS).meta({ id: 'ConnectionKind' });
export type ConnectionKind = z.infer<typeof connectionKind>;

export const connectionSet = z
  .discriminatedUnion('kind', [
    z.strictObject({
      kind: z.literal('shopify'),
      shopDomain: z
        .string()
        .toLowerCase()
        .regex(/^[a-z0-9][a-z0-9.-]{1,252}$/, 'a host name, such as example.myshopify.com'),
      webhookSecret: secretText,
      adminToken: secretText.optional(),
    }),
    z.strictObject({
      kind: z.literal('stripe'),
      webhookSecret: secretText,
      apiKey: secretText.optional(),
    }),
    z.strictObject({
      kind: z.literal('webhook'),
      signingSecret: z
        .string()
        .regex(/^whsec_[A-Za-z0-9+/]{32,88}={0,2}$/, 'whsec_ and the base64 of 24 to 64 bytes'),
    }),
  ])
  .meta({ id: 'ConnectionSet' });
export type ConnectionSecrets = z.infer<typeof connectionSet>;

/** What is shown of a connection: never a secret, only which of them are set. */
export const connection = z
  .object({
    kind: connectionKind,
    settings: z.record(z.string(), z.string()),
    secrets: z.array(z.string()).describe('Names of the secrets that are set'),
    updatedAt: utcTime,
    ignored: z
      .array(z.object({ topic: z.string(), count: z.int(), lastAt: utcTime }))
      .optional()
      .describe('Topics that the vendor sent and that are not translated'),
  })
  .meta({ id: 'Connection' });
export type Connection = z.infer<typeof connection>;
