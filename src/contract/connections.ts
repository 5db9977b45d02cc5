/** Connections: with which credentials we take a vendor's webhooks and call others. */
import * as z from 'zod';
import { utcTime } from './json.ts';

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
