/**
 * Ids made from idempotency keys: whoever repeats a piece of work arrives at the same id, so the
 * primary key of a table is enough to tell a repeat.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';

/** 32 hex digits of the key's SHA-256: 128 bits, so different keys do not meet. */
export function derivedHex(key: string): string {
  return bytesToHex(sha256(utf8ToBytes(key))).slice(0, 32);
}
