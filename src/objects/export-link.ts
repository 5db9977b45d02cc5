/**
 * Download links: a token that says which export of which tenant, made by whom, until when. Whoever
 * holds one gets the file, so it lives for a short time, never longer than the file, and only as long
 * as whoever made it could download the file themselves.
 */
import * as z from 'zod';
import { type Actor, actor, tenantId } from '../contract/json.ts';
import { later } from '../contract/later.ts';
import { openToken, signToken } from '../signed-token.ts';

const PURPOSE = 'export-link';

const claims = later(() =>
  z.strictObject({
    v: z.literal(1),
    t: tenantId,
    x: z.string().min(1).max(100),
    l: z.string().min(1).max(100),
    m: actor.unwrap().pick({ type: true, id: true }),
    e: z.int(),
  }),
);

export interface ExportLink {
  readonly id: string;
  readonly tenantId: string;
  readonly exportId: string;
  readonly madeBy: Pick<Actor, 'type' | 'id'>;
  /** Milliseconds since 1970 */
  readonly expiresAt: number;
}

export type ReadExportLink =
  | { readonly ok: true; readonly link: ExportLink }
  | { readonly ok: false; readonly why: 'wrong' | 'expired' };

/** The link itself. `base` is an origin, with or without a slash at its end. */
export async function exportUrl(
  keySecret: string,
  base: string,
  { id, tenantId, exportId, madeBy, expiresAt }: ExportLink,
): Promise<string> {
  const said = { v: 1, t: tenantId, x: exportId, l: id, m: madeBy, e: expiresAt };
  const token = await signToken(keySecret, PURPOSE, said);
  return `${base.replace(/\/+$/, '')}/exports/${token}`;
}

/** What a token says, at a time; `wrong` when it was not made here. */
export async function readExportToken(
  keySecret: string,
  token: string,
  now: number,
): Promise<ReadExportLink> {
  const opened = await openToken(keySecret, PURPOSE, token);
  if (opened === null) return { ok: false, why: 'wrong' };
  const { t, x, l, m, e } = claims.parse(opened);
  if (e <= now) return { ok: false, why: 'expired' };
  return { ok: true, link: { id: l, tenantId: t, exportId: x, madeBy: m, expiresAt: e } };
}
