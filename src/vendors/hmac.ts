/**
 * HMAC-SHA256 (RFC 2104) checked in constant time by Web Crypto's `verify`, never by comparing
 * texts. https://w3c.github.io/webcrypto/#hmac
 */

/**
 * True when one of the signatures is the message's HMAC-SHA256 under the secret's UTF-8 bytes.
 * An empty secret verifies nothing: a connection without one must not let everyone in.
 */
export async function verifyHmac(
  secret: string,
  signatures: readonly Uint8Array[],
  message: Uint8Array,
): Promise<boolean> {
  if (secret === '' || signatures.length === 0) return false;
  const bytes = new TextEncoder().encode(secret);
  const algorithm = { name: 'HMAC', hash: 'SHA-256' };
  const key = await crypto.subtle.importKey('raw', bytes, algorithm, false, ['verify']);
  for (const signature of signatures)
    if (await crypto.subtle.verify('HMAC', key, signature, message)) return true;
  return false;
}
