/**
 * The key that signs checkpoints, and the keys that once did. Ed25519 (RFC 8032) by Web Crypto; its
 * seed is the SHA-256 of the secret AUDIT_KEY, so that any long random text makes a key.
 */
import { hexToBytes } from '@noble/hashes/utils.js';
import * as z from 'zod';
import { type AuditKey, auditKey } from '../contract/audit-keys.ts';
import { ed25519Key } from '../ed25519.ts';
import { publishedKey } from '../engine/checkpoint.ts';
import { portableSha256 } from '../engine/sha256.ts';
import { type NoteSigner, noteKeyId, toBase64 } from '../engine/signed-note.ts';
import type { Env } from '../env.ts';

type KeyEnv = Pick<Env, 'AUDIT_KEY' | 'AUDIT_KEYS_RETIRED'>;

/** The key's name, and the beginning of every origin. It stays when the key is replaced. */
const KEY_NAME = 'signalbox';
/** No checkpoint is older: since then the first key has signed. */
const FIRST_KEY_FROM = '2026-01-01T00:00:00.000Z';

/** What signs now; null when the operator has set no key. */
export async function auditSigner({ AUDIT_KEY = '' }: KeyEnv): Promise<NoteSigner | null> {
  if (AUDIT_KEY === '') return null;
  const seed = portableSha256.ofText(`signalbox-audit-key:${AUDIT_KEY}`);
  const { publicKey, privateKey } = await ed25519Key(hexToBytes(seed));
  return { name: KEY_NAME, publicKey, privateKey };
}

/**
 * Every key that ever signed, the one in use first. A key in use is never listed as retired. Throws
 * when AUDIT_KEYS_RETIRED is not a list of keys whose ids are right.
 */
export async function auditKeyList(env: KeyEnv): Promise<AuditKey[]> {
  const retired = retiredKeys(env);
  const signer = await auditSigner(env);
  if (signer === null) return retired;
  const id = noteKeyId(signer);
  const others = retired.filter((key) => key.id !== id);
  const from = others.flatMap(({ until }) => until ?? []).toSorted();
  const current: AuditKey = {
    name: signer.name,
    id,
    algorithm: 'Ed25519',
    publicKey: toBase64(signer.publicKey),
    from: from.at(-1) ?? FIRST_KEY_FROM,
  };
  return [current, ...others];
}

function retiredKeys({ AUDIT_KEYS_RETIRED = '' }: KeyEnv): AuditKey[] {
  if (AUDIT_KEYS_RETIRED === '') return [];
  const keys = z.array(auditKey.unwrap().required()).parse(JSON.parse(AUDIT_KEYS_RETIRED));
  for (const key of keys) publishedKey(key);
  return keys;
}
