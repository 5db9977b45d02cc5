/**
 * The public keys that checkpoints of the audit chain are signed with, as served at
 * /.well-known/signalbox-audit-keys.json. Keys that are no longer used stay in the list, because the
 * checkpoints that they signed stay. docs/audit-format.md
 */
import * as z from 'zod';
import { timestamp } from './json.ts';
import { later } from './later.ts';

export const auditKey = later(() =>
  z
    .strictObject({
      name: z
        .string()
        .regex(/^[^\s+]{1,200}$/, 'a name without spaces and +')
        .describe('The key name of the signature lines, and the beginning of every origin'),
      id: z
        .string()
        .regex(/^[0-9a-f]{8}$/, '8 hex digits')
        .describe('SHA-256(name || 0x0A || 0x01 || public key), its first 4 bytes'),
      algorithm: z.literal('Ed25519'),
      publicKey: z.base64().describe('The 32 bytes of RFC 8032'),
      from: timestamp.describe('When it began to sign'),
      until: timestamp.optional().describe('When it stopped; left out while it signs'),
    })
    .meta({ id: 'AuditKey' }),
);
export type AuditKey = z.infer<typeof auditKey>;

export const auditKeys = later(() =>
  z.strictObject({ keys: z.array(auditKey).max(1_000) }).meta({ id: 'AuditKeys' }),
);
