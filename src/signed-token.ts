/**
 * Tokens that say something and prove that we said it: base64url of JSON, a full stop, and the
 * HMAC-SHA-256 over the former under a key of its own for each purpose. They go into links, so
 * whoever holds one is believed: into no log, and not for long.
 */
import type { JsonObject } from './contract/json.ts';
import { hmacSha256, verifyHmacSha256 } from './hmac.ts';
import { fromBase64Url, toBase64Url } from './sealed.ts';

/** The second part has the 32 bytes of the signature. */
const TOKEN = /^([A-Za-z0-9_-]{1,1000})\.([A-Za-z0-9_-]{43})$/;

/** @param purpose keeps this key apart from the others that are made from the same secret */
export async function signToken(
  keySecret: string,
  purpose: string,
  claims: JsonObject,
): Promise<string> {
  const payload = toBase64Url(bytesOf(JSON.stringify(claims)));
  const mac = await hmacSha256(keyOf(keySecret, purpose), bytesOf(payload));
  return `${payload}.${toBase64Url(mac)}`;
}

/** What a token says; null for a text that is not exactly one that was made for this purpose. */
export async function openToken(
  keySecret: string,
  purpose: string,
  token: string,
): Promise<unknown> {
  const [, payload, signature] = TOKEN.exec(token) ?? [];
  if (payload === undefined || signature === undefined) return null;
  const [mac, said] = [fromBase64Url(signature), fromBase64Url(payload)];
  if (mac === null || said === null) return null;
  const isOurs = await verifyHmacSha256(keyOf(keySecret, purpose), [mac], bytesOf(payload));
  return isOurs ? JSON.parse(new TextDecoder().decode(said)) : null;
}

function keyOf(keySecret: string, purpose: string): Uint8Array {
  return bytesOf(`${purpose}:${keySecret}`);
}

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
