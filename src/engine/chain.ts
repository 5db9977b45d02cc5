/**
 * The audit chain of a tenant (I5). An entry's hash is the SHA-256 of its canonical JSON (RFC 8785)
 * without `hash`; it holds the hash of the entry before it. The first entry holds a hash of the
 * tenant's id, so that one tenant's chain cannot be passed off as another's. docs/audit-format.md
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import type { AuditEntry } from '../contract/audit.ts';
import { canonicalJson, type Json } from '../contract/json.ts';

/** SHA-256 of a JSON value's canonical text, in hex. */
export function hashJson(value: Json): string {
  return bytesToHex(sha256(utf8ToBytes(canonicalJson(value))));
}

/** What the first entry of a tenant's chain has as `prevHash`. */
export function genesisHash(tenantId: string): string {
  return bytesToHex(sha256(utf8ToBytes(`signalbox-audit-v1:${tenantId}`)));
}

/** The entry with its hash: `prevHash` is the hash of entry `seq - 1`. */
export function link(entry: Omit<AuditEntry, 'hash'>): AuditEntry {
  return { ...entry, hash: hashJson(entry) };
}

export type ChainVerdict =
  | { ok: true; entries: number; head: string }
  | { ok: false; seq: number; reason: string };

/** Checks a whole chain, oldest entry first, and names the first entry that does not fit. */
export function verifyChain(tenantId: string, entries: Iterable<AuditEntry>): ChainVerdict {
  let head = genesisHash(tenantId);
  let seq = 0;
  for (const { hash, ...rest } of entries) {
    seq += 1;
    if (rest.seq !== seq) return { ok: false, seq, reason: `entry ${seq} is missing` };
    if (rest.prevHash !== head)
      return { ok: false, seq, reason: `entry ${seq} does not follow the entry before it` };
    if (hashJson(rest) !== hash)
      return { ok: false, seq, reason: `entry ${seq} was changed after it was written` };
    head = hash;
  }
  return { ok: true, entries: seq, head };
}
