/**
 * Keys that webhooks are signed with (Standard Webhooks 1.0.0, "Signature scheme"). A shared secret is
 * `whsec_` and the base64 of 24 to 64 random bytes. An Ed25519 key (RFC 8032) is `whsk_` and the
 * base64 of its 32 bytes of seed, with the public key behind them or without, as libraries differ;
 * its public key is `whpk_` and the base64 of 32 bytes. Receivers need the public one alone.
 * https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
import { type Ed25519Key, ed25519Key, SEED_BYTES } from '../ed25519.ts';
import { fromBase64, toBase64 } from '../engine/signed-note.ts';

const SECRET_PREFIX = 'whsec_';
const PRIVATE_PREFIX = 'whsk_';
const PUBLIC_PREFIX = 'whpk_';
const SECRET_BYTES_MIN = 24;
const SECRET_BYTES_MAX = 64;
const NEW_SECRET_BYTES = 32;

/** True for `whsec_` and the canonical base64 (with padding) of 24 to 64 bytes. */
export function isSigningSecret(text: string): boolean {
  return secretBytes(text) !== null;
}

/** The bytes of a `whsec_` secret; null when it is malformed. */
export function secretBytes(text: string): Uint8Array | null {
  const bytes = bytesAfter(SECRET_PREFIX, text);
  if (bytes === null) return null;
  return bytes.length >= SECRET_BYTES_MIN && bytes.length <= SECRET_BYTES_MAX ? bytes : null;
}

/** A new signing secret: `whsec_` and 32 random bytes in base64. */
export function newSigningSecret(): string {
  return SECRET_PREFIX + toBase64(crypto.getRandomValues(new Uint8Array(NEW_SECRET_BYTES)));
}

/** An Ed25519 key, ready to sign, and its public key as receivers get it (`whpk_…`). */
export interface SigningKey {
  readonly privateKey: Ed25519Key['privateKey'];
  readonly publicKey: string;
}

export function isPrivateKey(text: string): boolean {
  return text.startsWith(PRIVATE_PREFIX);
}

/** Null when the text is malformed, or holds a public key that is not the seed's. */
export async function openSigningKey(text: string): Promise<SigningKey | null> {
  const bytes = bytesAfter(PRIVATE_PREFIX, text);
  if (bytes === null || (bytes.length !== SEED_BYTES && bytes.length !== 2 * SEED_BYTES))
    return null;
  const { privateKey, publicKey } = await ed25519Key(bytes.subarray(0, SEED_BYTES));
  const own = toBase64(publicKey);
  const told = bytes.subarray(SEED_BYTES);
  return told.length > 0 && toBase64(told) !== own
    ? null
    : { privateKey, publicKey: PUBLIC_PREFIX + own };
}

/** A new Ed25519 key: `whsk_` and its 32 bytes of seed in base64. */
export function newPrivateKey(): string {
  return PRIVATE_PREFIX + toBase64(crypto.getRandomValues(new Uint8Array(SEED_BYTES)));
}

/** Canonical base64 alone: atob also takes spaces and lost padding, which stricter receivers refuse. */
function bytesAfter(prefix: string, text: string): Uint8Array | null {
  return text.startsWith(prefix) ? fromBase64(text.slice(prefix.length)) : null;
}
