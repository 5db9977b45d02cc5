/** HMAC-SHA-256 (RFC 2104) by Web Crypto, whose `verify` compares in constant time. */

const ALGORITHM = { name: 'HMAC', hash: 'SHA-256' } as const;
/** A key signs many times, and importing it costs as much as signing does. */
const IMPORTED_MAX = 1_000;
const imported = new Map<string, Awaited<ReturnType<typeof crypto.subtle.importKey>>>();

/**
 * 32 bytes.
 * @param key one byte or more
 */
export async function hmacSha256(key: Uint8Array, message: Uint8Array): Promise<Uint8Array> {
  const imported = await importKey(key);
  return new Uint8Array(await crypto.subtle.sign('HMAC', imported, message));
}

/**
 * Whether one of the signatures is the message's under the key. An empty key verifies nothing: a
 * secret that is missing must not let everyone in.
 */
export async function verifyHmacSha256(
  key: Uint8Array,
  signatures: readonly Uint8Array[],
  message: Uint8Array,
): Promise<boolean> {
  if (key.byteLength === 0 || signatures.length === 0) return false;
  const imported = await importKey(key);
  for (const signature of signatures)
    if (await crypto.subtle.verify('HMAC', imported, signature, message)) return true;
  return false;
}

async function importKey(key: Uint8Array) {
  const name = String.fromCharCode(...key);
  const known = imported.get(name);
  if (known !== undefined) return known;
  const made = await crypto.subtle.importKey('raw', key, ALGORITHM, false, ['sign', 'verify']);
  if (imported.size >= IMPORTED_MAX) imported.clear();
  imported.set(name, made);
  return made;
}
