/**
 * Ids made from idempotency keys: whoever repeats a piece of work arrives at the same id, so the
 * primary key of a table is enough to tell a repeat.
 */

import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import { v5 } from 'uuid';
import { sha256 } from '#sha256';

/** Ours alone: names of no other system meet with it. Never to be changed: keys depend on it. */
const NAMESPACE = '3c1d3f0e-6f0b-5e0a-9d55-0a1f5cf2a1b7';

/** 32 hex digits of the key's SHA-256: 128 bits, so different keys do not meet. */
export function derivedHex(key: string): string {
  return bytesToHex(sha256(utf8ToBytes(key))).slice(0, 32);
}

/** The UUIDv5 (RFC 9562) of the key, for vendors that ask for a UUID. */
export function derivedUuid(key: string): string {
  return v5(key, NAMESPACE);
}
