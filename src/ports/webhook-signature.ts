/**
 * The signature that lets a receiver know a webhook is ours: Standard Webhooks 1.0.0, scheme `v1`.
 * HMAC-SHA256 over `id.timestamp.body`; the key is the base64 after `whsec_`, 24 to 64 bytes of it.
 * https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */

const PREFIX = 'whsec_';
const KEY_BYTES_MIN = 24;
const KEY_BYTES_MAX = 64;
const NEW_KEY_BYTES = 32;

/** Printable ASCII without the full stop: the stop is the separator of what gets signed. */
const SIGNABLE_ID = /^[!-\-/-~]{1,256}$/;

const utf8 = new TextEncoder();

/**
 * The value of the `webhook-signature` header: one `v1,<base64>` for each secret, in their order,
 * separated by spaces. During a rotation the new and the old secret both sign.
 * @param timestampSeconds whole seconds since the epoch, the same as in `webhook-timestamp`
 * @throws TypeError when there is no secret, a secret is malformed, or the id or time cannot be
 *   signed unambiguously; the message never holds a secret
 */
export async function signWebhook(
  secrets: readonly string[],
  id: string,
  timestampSeconds: number,
  body: string,
): Promise<string> {
  if (secrets.length === 0) throw new TypeError('a webhook needs at least one signing secret');
  if (!SIGNABLE_ID.test(id)) throw new TypeError('a webhook id is printable ASCII without "."');
  if (!Number.isSafeInteger(timestampSeconds) || timestampSeconds < 0)
    throw new TypeError('a webhook timestamp is whole seconds since the epoch');
  const content = utf8.encode(`${id}.${timestampSeconds}.${body}`);
  const signatures = await Promise.all(secrets.map((secret) => signOnce(secret, content)));
  return signatures.join(' ');
}

async function signOnce(secret: string, content: Uint8Array): Promise<string> {
  const key = signingKey(secret);
  if (key === null) throw new TypeError('a signing secret is malformed');
  return `v1,${toBase64(await hmacSha256(key, content))}`;
}

/** True for `whsec_` and the canonical base64 (with padding) of 24 to 64 bytes. */
export function isSigningSecret(text: string): boolean {
  return signingKey(text) !== null;
}

/** A new signing secret: `whsec_` and 32 random bytes in base64. */
export function newSigningSecret(): string {
  return PREFIX + toBase64(crypto.getRandomValues(new Uint8Array(NEW_KEY_BYTES)));
}

/**
 * HMAC-SHA256 (RFC 2104, FIPS 198-1).
 * @param key one byte or more
 * @returns 32 bytes
 */
export async function hmacSha256(key: Uint8Array, bytes: Uint8Array): Promise<Uint8Array> {
  const algorithm = { name: 'HMAC', hash: 'SHA-256' };
  const hmacKey = await crypto.subtle.importKey('raw', key, algorithm, false, ['sign']);
  return new Uint8Array(await crypto.subtle.sign('HMAC', hmacKey, bytes));
}

function signingKey(secret: string): Uint8Array | null {
  if (!secret.startsWith(PREFIX)) return null;
  const key = fromBase64(secret.slice(PREFIX.length));
  if (key === null) return null;
  return key.length >= KEY_BYTES_MIN && key.length <= KEY_BYTES_MAX ? key : null;
}

function toBase64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}

/** Canonical base64 alone: atob also takes spaces and lost padding, which stricter receivers refuse. */
function fromBase64(text: string): Uint8Array | null {
  try {
    const binary = atob(text);
    return btoa(binary) === text ? Uint8Array.from(binary, (char) => char.charCodeAt(0)) : null;
  } catch {
    return null;
  }
}
