/**
 * Approval links: a token that says which approval of which run, for which member, of which inputs,
 * until when, and perhaps in whose place. It is signed with HMAC-SHA-256 (RFC 2104) under a key of its own, so the Worker alone
 * can tell that it is ours. It only says who holds the link: the member must still be one, and the
 * policy decides. Inputs that were edited have another hash, which leaves older links behind.
 */
import * as z from 'zod';
import { tenantId } from '../contract/json.ts';
import { later } from '../contract/later.ts';
import { openToken, signToken } from '../signed-token.ts';

const PURPOSE = 'approval-link';

const claims = later(() =>
  z.strictObject({
    v: z.literal(1),
    t: tenantId,
    r: z.string().min(1).max(100),
    a: z.string().min(1).max(100),
    m: z.string().min(1).max(100),
    h: z.string().regex(/^[0-9a-f]{64}$/),
    e: z.int(),
    o: z.string().min(1).max(100).optional(),
  }),
);

export interface ApprovalLink {
  readonly tenantId: string;
  readonly runId: string;
  readonly approvalId: string;
  readonly memberId: string;
  readonly inputHash: string;
  /** RFC 3339 UTC */
  readonly expiresAt: string;
  /** The member in whose place it decides; not there: by its holder's own right. */
  readonly onBehalfOf?: string;
}

export type ReadLink = { ok: true; link: ApprovalLink } | { ok: false; why: 'wrong' | 'expired' };

/** The token of a link: it goes to that member and nowhere else, and into no log. */
export async function makeApprovalToken(keySecret: string, link: ApprovalLink): Promise<string> {
  const { tenantId: t, runId: r, approvalId: a, memberId: m, inputHash: h, expiresAt } = link;
  const own = { v: 1, t, r, a, m, h, e: Date.parse(expiresAt) };
  const { onBehalfOf: o } = link;
  return await signToken(keySecret, PURPOSE, o === undefined ? own : { ...own, o });
}

/** What a token says, at a time (milliseconds since 1970); `wrong` when it was not made here. */
export async function readApprovalToken(
  keySecret: string,
  token: string,
  now: number,
): Promise<ReadLink> {
  const opened = await openToken(keySecret, PURPOSE, token);
  if (opened === null) return { ok: false, why: 'wrong' };
  const { t, r, a, m, h, e, o } = claims.parse(opened);
  if (e <= now) return { ok: false, why: 'expired' };
  const expiresAt = new Date(e).toISOString();
  const own = { tenantId: t, runId: r, approvalId: a, memberId: m, inputHash: h, expiresAt };
  return { ok: true, link: o === undefined ? own : { ...own, onBehalfOf: o } };
}

/** The page behind a token. `publicUrl` is an origin, with or without a slash at its end. */
export function approvalUrl(publicUrl: string, token: string): string {
  return `${publicUrl.replace(/\/+$/, '')}/approvals/${token}`;
}
