/**
 * Secrets at rest: AES-256-GCM under a key from the environment. What a secret belongs to is bound
 * in as additional data, so that a ciphertext copied to another tenant or field does not open.
 * Text form: `v1.<key id>.<nonce>.<ciphertext>`, base64url.
 */

const NONCE_BYTES = 12;

/** The key in use: its id is a digest of it, so a sealed text tells which key it needs. */
async function sealKey(secret: string) {
  const bytes = new TextEncoder().encode(secret);
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  const id = await crypto.subtle.digest('SHA-256', digest);
  const key = await crypto.subtle.importKey('raw', digest, 'AES-GCM', false, [
    'encrypt',
    'decrypt',
  ]);
  return { id: toBase64Url(new Uint8Array(id).subarray(0, 6)), key };
}

/** @param owner what the secret belongs to, such as `tenant|connection|field` */
export async function seal(secret: string, owner: string, text: string): Promise<string> {
  const { id, key } = await sealKey(secret);
  const iv = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
  const additionalData = new TextEncoder().encode(owner);
  const sealed = await crypto.subtle.encrypt(
    { name: 'AES-GCM', iv, additionalData },
    key,
    new TextEncoder().encode(text),
  );
  return `v1.${id}.${toBase64Url(iv)}.${toBase64Url(new Uint8Array(sealed))}`;
}

/** The text, or null when it was sealed under another key, for another owner, or was changed. */
export async function unseal(
  secret: string,
  owner: string,
  sealed: string,
): Promise<string | null> {
  const [version, id, iv, body] = sealed.split('.');
  const current = await sealKey(secret);
  if (version !== 'v1' || id !== current.id || iv === undefined || body === undefined) return null;
  try {
    const additionalData = new TextEncoder().encode(owner);
    const opened = await crypto.subtle.decrypt(
      { name: 'AES-GCM', iv: fromBase64Url(iv), additionalData },
      current.key,
      fromBase64Url(body),
    );
    return new TextDecoder().decode(opened);
  } catch {
    return null;
  }
}

/** RFC 4648 5, without padding. */
export function toBase64Url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes.slice()))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
}

/** Throws on text that is not base64url. */
export function fromBase64Url(text: string): Uint8Array {
  return Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (char) =>
    char.charCodeAt(0),
  );
}
