/** The offline verifier over logs in memory. */
import { expect } from 'vitest';
import { chunksOf } from '../../../scripts/verify-audit/lines.ts';
import {
  type Checked,
  checkedHere,
  type Fault,
  type Summary,
  verifyLog,
} from '../../../scripts/verify-audit/log.ts';
import { nodeSha256 } from '../../../scripts/verify-audit/node-sha256.ts';
import type { TrustedCheckpoint } from '../../../scripts/verify-audit/watch.ts';
import type { AuditEntry } from '../../../src/contract/audit.ts';
import { checkpointOf } from './audit-log.ts';

export function ndjson(entries: readonly AuditEntry[]): string {
  return entries.map((entry) => `${JSON.stringify(entry)}\n`).join('');
}

/** The bytes as they may come from a file or a pipe. */
export async function* streamOf(bytes: Uint8Array, size = 1 << 16): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** The verdict, which has to be the same for lines read quickly and for each by its value. */
export async function check(
  log: Uint8Array | string | readonly AuditEntry[],
  checkpoints: readonly TrustedCheckpoint[] = [],
  tenantId: string | null = 'acme',
  chunkSize?: number,
): Promise<Fault | Summary> {
  const bytes = Buffer.from(
    typeof log === 'string' || log instanceof Uint8Array ? log : ndjson(log),
  );
  const chunks = () => chunksOf(streamOf(bytes, chunkSize));
  const quick = checkedHere(chunks(), checkpoints.length > 0, nodeSha256);
  const verdict = await verifyLog(quick, tenantId, checkpoints, nodeSha256);
  const slowly = await verifyLog(byValue(chunks()), tenantId, checkpoints);
  expect(verdict).toEqual(slowly);
  return verdict;
}

async function* byValue(chunks: AsyncIterable<Buffer>): AsyncGenerator<Checked> {
  for await (const bytes of chunks) yield { bytes, segment: null };
}

/** A checkpoint as if its signature had been verified. */
export function trusted(log: readonly AuditEntry[], size = log.length): TrustedCheckpoint {
  return { label: `checkpoint ${size}`, checkpoint: checkpointOf(log, size), until: null };
}
