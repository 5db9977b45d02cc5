/**
 * Approval links: a token that says which approval of which run, for which member, of which inputs,
 * until when. It is signed with HMAC-SHA-256 (RFC 2104) under a key of its own, so the Worker alone
 * can tell that it is ours. It only says who holds the link: the member must still be one, and the
 * policy decides. Inputs that were edited have another hash, which leaves older links behind.
 */
import * as z from 'zod';
import { tenantId } from '../contract/json.ts';
import { fromBase64Url, toBase64Url } from '../sealed.ts';

const claims = z.strictObject({
  v: z.literal(1),
  t: tenantId,
  r: z.string().min(1).max(100),
  a: z.string().min(1).max(100),
  m: z.string().min(1).max(100),
  h: z.string().regex(/^[0-9a-f]{64}$/),
  e: z.int(),
});

export interface ApprovalLink {
  readonly tenantId: string;
  readonly runId: string;
  readonly approvalId: string;
  readonly memberId: string;
  readonly inputHash: string;
  /** RFC 3339 UTC */
  readonly expiresAt: string;
}

export type ReadLink = { ok: true; link: ApprovalLink } | { ok: false; why: 'wrong' | 'expired' };

/** Base64url in two parts; the second has the 32 bytes of the signature. */
const TOKEN = /^([A-Za-z0-9_-]{1,1000})\.([A-Za-z0-9_-]{43})$/;

/** The token of a link: it goes to that member and nowhere else, and into no log. */
export async function makeApprovalToken(keySecret: string, link: ApprovalLink): Promise<string> {
  const { tenantId: t, runId: r, approvalId: a, memberId: m, inputHash: h, expiresAt } = link;
  const said = JSON.stringify({ v: 1, t, r, a, m, h, e: Date.parse(expiresAt) });
  const payload = toBase64Url(new TextEncoder().encode(said));
  const mac = await crypto.subtle.sign('HMAC', await linkKey(keySecret), bytesOf(payload));
  return `${payload}.${toBase64Url(new Uint8Array(mac))}`;
}

/**
 * What a token says, at a time (milliseconds since 1970). Compares in constant time; a text that is
 * not exactly one that was made here is `wrong`.
 */
export async function readApprovalToken(
  keySecret: string,
  token: string,
  now: number,
): Promise<ReadLink> {
  const [, payload, signature] = TOKEN.exec(token) ?? [];
  if (payload === undefined || signature === undefined) return { ok: false, why: 'wrong' };
  const mac = fromBase64Url(signature);
  const isOurs =
    toBase64Url(mac) === signature &&
    (await crypto.subtle.verify('HMAC', await linkKey(keySecret), mac, bytesOf(payload)));
  if (!isOurs) return { ok: false, why: 'wrong' };
  const said = claims.parse(JSON.parse(new TextDecoder().decode(fromBase64Url(payload))));
  if (said.e <= now) return { ok: false, why: 'expired' };
  const { t, r, a, m, h, e } = said;
  const expiresAt = new Date(e).toISOString();
  const link = { tenantId: t, runId: r, approvalId: a, memberId: m, inputHash: h, expiresAt };
  return { ok: true, link };
}

/** The page behind a token. `publicUrl` is an origin, with or without a slash at its end. */
export function approvalUrl(publicUrl: string, token: string): string {
  return `${publicUrl.replace(/\/+$/, '')}/approvals/${token}`;
}

/** The context keeps this key apart from the others that are made from the same secret. */
async function linkKey(keySecret: string) {
  const secret = bytesOf(`approval-link:${keySecret}`);
  const algorithm = { name: 'HMAC', hash: 'SHA-256' };
  return await crypto.subtle.importKey('raw', secret, algorithm, false, ['sign', 'verify']);
}

function bytesOf(text: string) {
  return new TextEncoder().encode(text);
}
