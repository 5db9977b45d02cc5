/**
 * The chain, checked in this browser by the engine's own code. Entries come newest first, a page at a
 * time: each page is a chain of its own, which has to begin where the page below it ends; the last one
 * begins at the tenant's genesis hash. So any length is checked in constant memory.
 */
import './no-eval.ts';
import type { AuditEntry } from '../../../../src/contract/audit.ts';
import type { AuditKey } from '../../../../src/contract/audit-keys.ts';
import { ChainVerifier } from '../../../../src/engine/chain.ts';
import { publishedKey, verifyCheckpoint } from '../../../../src/engine/checkpoint.ts';
import { leafHash } from '../../../../src/engine/merkle.ts';
import { verifyInclusion } from '../../../../src/engine/merkle-proof.ts';
import type { Checkpoint } from '../../api/routes.ts';

export interface Source {
  /** Entries before a cursor, the newest first. */
  page(cursor: string | null): Promise<{ items: AuditEntry[]; nextCursor: string | null }>;
}

export type Verdict =
  | {
      readonly ok: true;
      readonly entries: number;
      readonly head: string;
      readonly parts: { readonly whole: number; readonly erased: number };
      /** Hashes of the entries that checkpoints end with, by number. */
      readonly hashes: ReadonlyMap<number, string>;
    }
  | { readonly ok: false; readonly reason: string };

export async function verifyPages(
  tenantId: string,
  source: Source,
  wanted: ReadonlySet<number>,
  hear: (done: number, all: number) => boolean,
): Promise<Verdict | null> {
  const parts = { whole: 0, erased: 0 };
  const hashes = new Map<number, string>();
  let cursor: string | null = null;
  let last: { seq: number; hash: string } | null = null;
  /** What the page above says the entry below it has to be. */
  let next: { seq: number; prevHash: string } | null = null;
  do {
    const { items, nextCursor } = await source.page(cursor);
    const entries = items.toReversed();
    const [first] = entries;
    const [end] = items;
    if (first === undefined || end === undefined) break;
    last ??= { seq: end.seq, hash: end.hash };
    if (next !== null && (end.seq !== next.seq || end.hash !== next.prevHash))
      return { ok: false, reason: `entry ${next.seq + 1} does not follow the entry before it` };
    const chain = chainFrom(tenantId, first);
    for (const entry of entries) {
      const fault = chain.take(entry);
      if (fault !== null) return { ok: false, reason: fault.reason };
      if (wanted.has(entry.seq)) hashes.set(entry.seq, entry.hash);
    }
    parts.whole += chain.parts.whole;
    parts.erased += chain.parts.erased;
    next = { seq: first.seq - 1, prevHash: first.prevHash };
    cursor = nextCursor;
    if (!hear(last.seq - first.seq + 1, last.seq)) return null;
  } while (cursor !== null);
  if (next !== null && next.seq !== 0) return { ok: false, reason: `entry ${next.seq} is missing` };
  const genesis = new ChainVerifier(tenantId).head;
  return { ok: true, entries: last?.seq ?? 0, head: last?.hash ?? genesis, parts, hashes };
}

/** A verifier that goes on where a page begins; at the first entry, from the genesis hash. */
function chainFrom(tenantId: string, first: AuditEntry): ChainVerifier {
  const chain = new ChainVerifier(tenantId);
  if (first.seq > 1) {
    chain.entries = first.seq - 1;
    chain.head = first.prevHash;
  }
  return chain;
}

/** Whether one entry's hash is what its content gives. */
export function entryFits(tenantId: string, entry: AuditEntry): boolean {
  const whole = entry.seq === 1 ? new ChainVerifier(tenantId) : chainFrom(tenantId, entry);
  return whole.take(entry) === null;
}

export interface Proof {
  readonly hashes: readonly string[];
}

/** Null when a signed checkpoint holds exactly these entries; else what is wrong. */
export async function checkpointFault(
  tenantId: string,
  { note }: Checkpoint,
  keys: readonly AuditKey[],
  entryHash: string | undefined,
  proofFor: (size: number) => Promise<Proof>,
): Promise<string | null> {
  const verdict = await verifyCheckpoint(note, keys.map(publishedKey));
  if (!verdict.ok) return verdict.reason;
  const { size, root } = verdict.checkpoint;
  if (verdict.tenantId !== tenantId) return 'it is of another tenant';
  if (entryHash === undefined) return `it is signed over ${size} entries, and there are fewer`;
  const { hashes } = await proofFor(size);
  const claim = { index: size - 1, size, leaf: leafHash(entryHash), root };
  return verifyInclusion(claim, hashes) ? null : 'its root is not that of these entries';
}
