/** Ed25519 keys (RFC 8032) from their seeds, by Web Crypto. */
import { fromBase64Url } from './sealed.ts';

const ALGORITHM = 'Ed25519';
/** RFC 8410: a PKCS #8 PrivateKeyInfo of Ed25519, up to its 32 bytes of seed. */
const PKCS8_HEAD = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];

export const SEED_BYTES = 32;

export interface Ed25519Key {
  /** It may sign. */
  readonly privateKey: Awaited<ReturnType<typeof crypto.subtle.importKey>>;
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
}

/** @param seed SEED_BYTES long */
export async function ed25519Key(seed: Uint8Array): Promise<Ed25519Key> {
  const pkcs8 = Uint8Array.from([...PKCS8_HEAD, ...seed]);
  const privateKey = await crypto.subtle.importKey('pkcs8', pkcs8, ALGORITHM, true, ['sign']);
  const exported = await crypto.subtle.exportKey('jwk', privateKey);
  const publicKey = 'x' in exported ? fromBase64Url(exported.x ?? '') : null;
  if (publicKey === null) throw new Error('Ed25519 has a public key');
  return { privateKey, publicKey };
}
