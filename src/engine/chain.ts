/**
 * The audit chain of a tenant (I5). An entry's hash is the SHA-256 of the canonical JSON (RFC 8785) of
 * its hashed form: without `hash`, and with a salted digest for each private part. It holds the hash
 * of the entry before it; the first entry holds a hash of the tenant's id, so that one tenant's chain
 * cannot be passed off as another's. docs/audit-format.md
 */
import type { AuditEntry } from '../contract/audit.ts';
import type { Json, JsonObject } from '../contract/json.ts';
import { checkParts, formOf, hashedForm, partsToldErased } from './audit-parts.ts';
import { canonicalText } from './canonical.ts';
import { portableSha256, type Sha256 } from './sha256.ts';

/** SHA-256 of a JSON value's canonical text, in hex. Throws when it has none (RFC 8785, 3.1). */
export function hashJson(value: Json, sha256: Sha256 = portableSha256): string {
  return sha256.ofText(canonicalText(value));
}

/** What the first entry of a tenant's chain has as `prevHash`. */
export function genesisHash(tenantId: string): string {
  return portableSha256.ofText(`signalbox-audit-v2:${tenantId}`);
}

/** The entry with its hash: `prevHash` is the hash of entry `seq - 1`. */
export function link(entry: Omit<AuditEntry, 'hash'>): AuditEntry {
  const { private: parts, ...rest } = entry;
  const hash = hashJson(formOf(entry));
  return parts === undefined ? { ...rest, hash } : { ...rest, hash, private: parts };
}

/** The first entry that does not fit, and why. */
export type ChainFault = { seq: number; reason: string };

/** How many private parts there are in clear, how many were erased, and of how many erasures tell. */
export interface PartCounts {
  readonly whole: number;
  readonly erased: number;
  readonly told: number;
}

/** Entries in a row that fit, and each of them the one before it. */
export interface CheckedEntries {
  /** The first one's number, and what it has as `prevHash`. */
  readonly seq: number;
  readonly prevHash: string;
  readonly entries: number;
  /** The hash of the last one. */
  readonly head: string;
  readonly parts: PartCounts;
}

/** Checks a chain entry by entry, oldest first, in constant memory. */
export class ChainVerifier {
  /** How many entries fitted. */
  entries = 0;
  /** The hash of the last entry that fitted; the genesis hash before the first. */
  head: string;
  parts: PartCounts = { whole: 0, erased: 0, told: 0 };
  readonly #sha256: Sha256;

  constructor(tenantId: string, sha256: Sha256 = portableSha256) {
    this.head = genesisHash(tenantId);
    this.#sha256 = sha256;
  }

  /** Takes the next entry, as JSON.parse gave it; null when it fits. */
  take({ hash, ...rest }: JsonObject): ChainFault | null {
    const seq = this.entries + 1;
    if (rest.seq !== seq) return { seq, reason: `entry ${seq} is missing` };
    if (rest.prevHash !== this.head)
      return { seq, reason: `entry ${seq} does not follow the entry before it` };
    const computed = this.#hash(rest);
    if (computed === null || computed !== hash)
      return { seq, reason: `entry ${seq} was changed after it was written` };
    const { whole, erased, fault } = checkParts(rest, this.#sha256);
    if (fault !== null) return { seq, reason: `${fault} in entry ${seq}` };
    this.#count({ whole, erased, told: partsToldErased(rest) });
    this.entries = seq;
    this.head = computed;
    return null;
  }

  /** Takes the next entries, which were checked by themselves; false when they do not follow. */
  follow({ seq, prevHash, entries, head, parts }: CheckedEntries): boolean {
    if (seq !== this.entries + 1 || prevHash !== this.head) return false;
    this.#count(parts);
    this.entries += entries;
    this.head = head;
    return true;
  }

  #count({ whole, erased, told }: PartCounts): void {
    const before = this.parts;
    this.parts = {
      whole: before.whole + whole,
      erased: before.erased + erased,
      told: before.told + told,
    };
  }

  /** Null for what no entry can hold: text without UTF-8, a number beyond a double. */
  #hash(entry: JsonObject): string | null {
    try {
      const form = hashedForm(entry);
      return form === undefined ? null : hashJson(form, this.#sha256);
    } catch {
      return null;
    }
  }
}

export type ChainVerdict =
  | { ok: true; entries: number; head: string }
  | ({ ok: false } & ChainFault);

/** Checks a whole chain, oldest entry first, and names the first entry that does not fit. */
export function verifyChain(tenantId: string, entries: Iterable<AuditEntry>): ChainVerdict {
  const verifier = new ChainVerifier(tenantId);
  for (const entry of entries) {
    const fault = verifier.take(entry);
    if (fault !== null) return { ok: false, ...fault };
  }
  return { ok: true, entries: verifier.entries, head: verifier.head };
}
