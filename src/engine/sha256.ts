/**
 * SHA-256 (FIPS 180-4) in lower-case hex, as everything of the audit chain is written. `#sha256` of
 * package.json is the Workers runtime's there, and elsewhere one in JavaScript; neither waits. The offline
 * verifier hands in its platform's, which is ten times as fast as the latter.
 */
import { bytesToHex, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { sha256 } from '#sha256';

export interface Sha256 {
  /** Of a text's UTF-8 bytes. */
  ofText(text: string): string;
  /** Of the bytes that the hex text stands for. */
  ofHex(hex: string): string;
  ofBytes(bytes: Uint8Array): string;
}

export const portableSha256: Sha256 = {
  ofText: (text) => bytesToHex(sha256(utf8ToBytes(text))),
  ofHex: (hex) => bytesToHex(sha256(hexToBytes(hex))),
  ofBytes: (bytes) => bytesToHex(sha256(bytes)),
};

const HASH = /^[0-9a-f]{64}$/;

/** Whether a text is a hash as we write it: 32 bytes in lower-case hex. */
export function isHash(text: string): boolean {
  return HASH.test(text);
}
