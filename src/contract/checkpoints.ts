/**
 * Signed checkpoints of a tenant's audit chain, and what proves things about them: the Merkle tree
 * of RFC 6962 over the entries' hashes. Sizes count entries from the first. docs/audit-format.md
 */
import * as z from 'zod';
import { utcTime } from './json.ts';
import { later } from './later.ts';

const hash = later(() => z.string().describe('32 bytes in lower-case hex'));
const size = later(() => z.int().min(1).describe('How many entries, from the first'));

export const auditCheckpoint = later(() =>
  z
    .object({
      size,
      root: hash,
      at: utcTime.describe('When it was signed'),
      note: z.string().describe('The signed note (C2SP tlog-checkpoint), as it is to be kept'),
    })
    .meta({ id: 'AuditCheckpoint' }),
);
export type AuditCheckpoint = z.infer<typeof auditCheckpoint>;

export const inclusionProof = later(() =>
  z
    .object({
      seq: z.int().min(1),
      size,
      root: hash.describe(
        'Of the tree over the first `size` entries: compare it with a checkpoint',
      ),
      leafHash: hash.describe('SHA-256(0x00 || the hash of the entry)'),
      hashes: z.array(hash).describe('The hashes beside the way up, from the bottom'),
    })
    .meta({ id: 'AuditInclusion' }),
);
export type InclusionProof = z.infer<typeof inclusionProof>;

export const consistencyProof = later(() =>
  z
    .object({
      from: size,
      to: size,
      fromRoot: hash,
      toRoot: hash,
      hashes: z.array(hash).describe('RFC 6962, section 2.1.2; none when both are the same tree'),
    })
    .meta({ id: 'AuditConsistency' }),
);
export type ConsistencyProof = z.infer<typeof consistencyProof>;
