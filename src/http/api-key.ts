/**
 * API keys: `sbx_<tenantId>_<secret>`, and `sbf_…` for frontends. The secret is 160 random bits and a
 * check over them and the tenant, an HMAC under the Worker's own secret: a made-up key, or one for a
 * tenant that does not exist, is refused here, without waking an object. The check of a frontend key
 * is another one, so none passes for a secret key. Only the SHA-256 of a key is ever stored; with that
 * much randomness a slow hash adds nothing.
 */
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import type { KeyRole } from '../contract/json.ts';
import { hmacSha256 } from '../hmac.ts';
import { newId } from '../ids.ts';
import type { MintedKey } from '../objects/keys.ts';
import { Recent } from '../recent.ts';

const RANDOM_BYTES = 20;
const CHECK_BYTES = 12;
const KEY = /^(sbx|sbf)_([a-z0-9-]{2,40})_([0-9a-f]{40})([0-9a-f]{24})$/;

/** `sbf`: whoever has the page has the key. */
type Prefix = 'sbx' | 'sbf';
const PURPOSES: Readonly<Record<Prefix, string>> = { sbx: 'api-key', sbf: 'frontend-key' };

/** A new key: what is stored of it, and its text, which is shown once. */
export async function mintKey(
  keySecret: string,
  tenantId: string,
  { name, role, memberId = null }: { name: string; role: KeyRole; memberId?: string | null },
): Promise<{ key: MintedKey; secret: string }> {
  const random = bytesToHex(crypto.getRandomValues(new Uint8Array(RANDOM_BYTES)));
  const kind = role === 'frontend' ? 'sbf' : 'sbx';
  const check = bytesToHex(await checkOf(keySecret, kind, tenantId, random));
  const secret = `${kind}_${tenantId}_${random}${check}`;
  const prefix = secret.slice(0, `${kind}_${tenantId}_`.length + 6);
  const digest = await digestOf(secret);
  return { key: { id: newId('key'), name, role, memberId, prefix, digest }, secret };
}

/** A key that we have made. Whether it is live is not known yet. */
export interface RecognisedKey {
  readonly tenantId: string;
  readonly digest: string;
  readonly isFrontend: boolean;
}

/** A sender's key comes with every request, and to check it takes longer than to read what came with it. */
const recognised = new Recent<RecognisedKey>({ max: 10_000, keptMs: 60_000 });

/** The tenant and digest of a key that this Worker has made; null for any other text. */
export async function recogniseKey(keySecret: string, text: string): Promise<RecognisedKey | null> {
  const now = Date.now();
  const known = recognised.get(text, now);
  if (known !== undefined) return known;
  const key = await checkedKey(keySecret, text);
  if (key !== null) recognised.put(text, key, now);
  return key;
}

async function checkedKey(keySecret: string, text: string): Promise<RecognisedKey | null> {
  const [, kind, tenantId, random, check] = KEY.exec(text) ?? [];
  if (tenantId === undefined || random === undefined || check === undefined) return null;
  const prefix = kind === 'sbf' ? 'sbf' : 'sbx';
  const expected = await checkOf(keySecret, prefix, tenantId, random);
  if (!crypto.subtle.timingSafeEqual(expected, hexToBytes(check))) return null;
  return { tenantId, digest: await digestOf(text), isFrontend: prefix === 'sbf' };
}

/** Whether two secrets are equal, in a time that tells nothing of either. */
export async function equalSecrets(one: string, other: string): Promise<boolean> {
  const [a, b] = await Promise.all([sha256(one), sha256(other)]);
  return crypto.subtle.timingSafeEqual(a, b);
}

async function checkOf(
  keySecret: string,
  prefix: Prefix,
  tenantId: string,
  random: string,
): Promise<Uint8Array> {
  const bytes = (text: string) => new TextEncoder().encode(text);
  const key = bytes(`${PURPOSES[prefix]}:${keySecret}`);
  const mac = await hmacSha256(key, bytes(`${tenantId}:${random}`));
  return mac.slice(0, CHECK_BYTES);
}

async function digestOf(text: string): Promise<string> {
  return bytesToHex(new Uint8Array(await sha256(text)));
}

async function sha256(text: string): Promise<ArrayBuffer> {
  return await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
}
