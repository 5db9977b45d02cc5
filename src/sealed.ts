/**
 * Secrets at rest: AES-256-GCM under a key from the environment. What a secret belongs to is bound
 * in as additional data, so that a ciphertext copied to another tenant or field does not open.
 * Text form: `v1.<key id>.<nonce>.<ciphertext>`, base64url. One key seals; former ones still open, until
 * everything is sealed anew (objects/resealing.ts).
 */

/** Both are secrets of the environment. */
export interface SealKeys {
  readonly SEAL_KEY: string;
  /** Former keys, with commas or spaces between them. */
  readonly SEAL_KEYS_RETIRED?: string;
}

interface SealKey {
  /** A digest of the key: a sealed text tells by it which key it needs. */
  readonly id: string;
  readonly key: Awaited<ReturnType<typeof crypto.subtle.importKey>>;
}

const NONCE_BYTES = 12;
/** A shorter text is a mistake, and none at all would be a key that everybody knows. */
const KEY_LENGTH_MIN = 16;
/** An isolate sees the keys of one environment: more come in tests alone. */
const IMPORTED_MAX = 20;
const imported = new Map<string, SealKey>();

/** The id of the key that seals now. @throws Error when there is none */
export async function sealKeyId(keys: SealKeys): Promise<string> {
  return (await sealKey(keys)).id;
}

/** Ids of the keys that only open. */
export async function retiredKeyIds(keys: SealKeys): Promise<string[]> {
  const all = await Promise.all(secretsOf(keys).map(importKey));
  const used = await sealKeyId(keys);
  return all.flatMap(({ id }) => (id === used ? [] : [id]));
}

/** Which key a sealed text needs; null for what is no sealed text. */
export function keyIdOf(sealed: string): string | null {
  return /^v1\.([A-Za-z0-9_-]{8})\./.exec(sealed)?.[1] ?? null;
}

/** @param owner what the secret belongs to, such as `tenant|connection|field` */
export async function seal(keys: SealKeys, owner: string, text: string): Promise<string> {
  const { id, key } = await sealKey(keys);
  const iv = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
  const additionalData = new TextEncoder().encode(owner);
  const sealed = await crypto.subtle.encrypt(
    { name: 'AES-GCM', iv, additionalData },
    key,
    new TextEncoder().encode(text),
  );
  return `v1.${id}.${toBase64Url(iv)}.${toBase64Url(new Uint8Array(sealed))}`;
}

/** The text, or null when its key is not there, it was sealed for another owner, or was changed. */
export async function unseal(
  keys: SealKeys,
  owner: string,
  sealed: string,
): Promise<string | null> {
  const [version, id, iv, body, ...more] = sealed.split('.');
  if (version !== 'v1' || iv === undefined || body === undefined || more.length > 0) return null;
  const all = await Promise.all(secretsOf(keys).map(importKey));
  const key = all.find((one) => one.id === id)?.key;
  const [nonce, bytes] = [fromBase64Url(iv), fromBase64Url(body)];
  if (key === undefined || nonce === null || bytes === null) return null;
  try {
    const additionalData = new TextEncoder().encode(owner);
    const opened = await crypto.subtle.decrypt(
      { name: 'AES-GCM', iv: nonce, additionalData },
      key,
      bytes,
    );
    return new TextDecoder().decode(opened);
  } catch {
    return null;
  }
}

/** The same text under the key in use: itself when it is already, null when it does not open. */
export async function reseal(
  keys: SealKeys,
  owner: string,
  sealed: string,
): Promise<string | null> {
  if (keyIdOf(sealed) === (await sealKeyId(keys))) return sealed;
  const text = await unseal(keys, owner, sealed);
  return text === null ? null : await seal(keys, owner, text);
}

async function sealKey({ SEAL_KEY }: SealKeys): Promise<SealKey> {
  // A binding that was never set is not there at all, whatever its type says.
  if ((SEAL_KEY ?? '').length < KEY_LENGTH_MIN)
    throw new Error(`SEAL_KEY is not set, or is shorter than ${KEY_LENGTH_MIN} characters`);
  return await importKey(SEAL_KEY);
}

/** The key in use first. */
function secretsOf({ SEAL_KEY, SEAL_KEYS_RETIRED = '' }: SealKeys): string[] {
  const all = [SEAL_KEY ?? '', ...SEAL_KEYS_RETIRED.split(/[\s,]+/)];
  return all.filter((secret) => secret.length >= KEY_LENGTH_MIN);
}

/** Imported once in an isolate. The key itself is kept, never the promise of another request. */
async function importKey(secret: string): Promise<SealKey> {
  const known = imported.get(secret);
  if (known !== undefined) return known;
  const bytes = new TextEncoder().encode(secret);
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  const id = new Uint8Array(await crypto.subtle.digest('SHA-256', digest));
  const key = await crypto.subtle.importKey('raw', digest, 'AES-GCM', false, [
    'encrypt',
    'decrypt',
  ]);
  const made = { id: toBase64Url(id.subarray(0, 6)), key };
  if (imported.size >= IMPORTED_MAX) imported.clear();
  imported.set(secret, made);
  return made;
}

/** So many at once: every one becomes an argument of a call. */
const BYTES_AT_ONCE = 32_768;

/** RFC 4648 5, without padding. */
export function toBase64Url(bytes: Uint8Array): string {
  let binary = '';
  for (let at = 0; at < bytes.length; at += BYTES_AT_ONCE)
    binary += String.fromCharCode(...bytes.slice(at, at + BYTES_AT_ONCE));
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

/**
 * Null for text that is not base64url, also for one that only decodes to the same: the last letter may
 * have bits that count for nothing (RFC 4648 3.5), and one text must not pass for another.
 */
export function fromBase64Url(text: string): Uint8Array | null {
  try {
    const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
    const bytes = Uint8Array.from(binary, (char) => char.charCodeAt(0));
    return toBase64Url(bytes) === text ? bytes : null;
  } catch {
    return null;
  }
}
