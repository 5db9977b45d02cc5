/** Strong ETags and If-None-Match (RFC 9110 8.8.3, 13.1.2): what a client has already is not sent again. */
import { portableSha256 } from '../engine/sha256.ts';

/** 128 bits: enough that different texts never meet. */
const DIGITS = 32;

export function etagOf(text: string): string {
  return `"${portableSha256.ofText(text).slice(0, DIGITS)}"`;
}

/** The comparison is weak, as the RFC wants it: proxies turn `"x"` into `W/"x"` when they compress. */
export function hasAlready(request: Request, etag: string): boolean {
  const given = request.headers.get('if-none-match') ?? '';
  return (
    given.trim() === '*' || given.split(',').some((one) => one.trim().replace(/^W\//, '') === etag)
  );
}

/** JSON under its ETag: 304 without it for a client that has it. */
export function conditionalJson(
  request: Request,
  body: object,
  headers: Readonly<Record<string, string>> = {},
): Response {
  const text = JSON.stringify(body);
  const etag = etagOf(text);
  if (hasAlready(request, etag))
    return new Response(null, { status: 304, headers: { ...headers, etag } });
  const type = { 'content-type': 'application/json' };
  return new Response(text, { headers: { ...headers, ...type, etag } });
}
