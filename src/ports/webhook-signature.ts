/**
 * The signature that lets a receiver know a webhook is ours: Standard Webhooks 1.0.0, over
 * `id.timestamp.body`. Scheme `v1` is HMAC-SHA256 under a shared secret, `v1a` is Ed25519, which
 * receivers verify without any secret.
 * https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
import { toBase64 } from '../engine/signed-note.ts';
import { hmacSha256 } from '../hmac.ts';
import { Recent } from '../recent.ts';
import { isPrivateKey, openSigningKey, secretBytes } from './webhook-keys.ts';

/** Printable ASCII without the full stop: the stop is the separator of what gets signed. */
const SIGNABLE_ID = /^[!-\-/-~]{1,256}$/;
const MALFORMED = 'a signing secret is malformed';

const utf8 = new TextEncoder();

/**
 * The value of the `webhook-signature` header: one `v1,<base64>` or `v1a,<base64>` for each key, in
 * their order, separated by spaces. During a rotation the new and the old key both sign.
 * @param keys `whsec_…` (HMAC-SHA256) or `whsk_…` (Ed25519)
 * @param timestampSeconds whole seconds since the epoch, the same as in `webhook-timestamp`
 * @throws TypeError when there is no key, a key is malformed, or the id or time cannot be signed
 *   unambiguously; the message never holds a secret
 */
export async function signWebhook(
  keys: readonly string[],
  id: string,
  timestampSeconds: number,
  body: string,
): Promise<string> {
  if (keys.length === 0) throw new TypeError('a webhook needs at least one signing secret');
  if (!SIGNABLE_ID.test(id)) throw new TypeError('a webhook id is printable ASCII without "."');
  if (!Number.isSafeInteger(timestampSeconds) || timestampSeconds < 0)
    throw new TypeError('a webhook timestamp is whole seconds since the epoch');
  const content = utf8.encode(`${id}.${timestampSeconds}.${body}`);
  const signatures = await Promise.all(
    keys.map(async (key) => await (await signerOf(key))(content)),
  );
  return signatures.join(' ');
}

type Signer = (content: Uint8Array) => Promise<string>;

/** A key signs many times, and reading it costs as much as signing does. */
const signers = new Recent<Signer>({ max: 1_000, keptMs: 3_600_000 });

async function signerOf(key: string): Promise<Signer> {
  const now = Date.now();
  const known = signers.get(key, now);
  if (known !== undefined) return known;
  const signer = isPrivateKey(key) ? await ed25519Signer(key) : hmacSigner(key);
  signers.put(key, signer, now);
  return signer;
}

function hmacSigner(secret: string): Signer {
  const key = secretBytes(secret);
  if (key === null) throw new TypeError(MALFORMED);
  return async (content) => `v1,${toBase64(await hmacSha256(key, content))}`;
}

async function ed25519Signer(key: string): Promise<Signer> {
  const opened = await openSigningKey(key);
  if (opened === null) throw new TypeError(MALFORMED);
  return async (content) => {
    const signature = await crypto.subtle.sign('Ed25519', opened.privateKey, content);
    return `v1a,${toBase64(new Uint8Array(signature))}`;
  };
}
