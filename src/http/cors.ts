/** CORS for frontends on other origins: those in ALLOWED_ORIGINS, compared whole, and no others. */

const PREFLIGHT = {
  'access-control-allow-methods': 'GET, POST',
  'access-control-allow-headers':
    'authorization, content-type, idempotency-key, if-none-match, x-request-id, x-tenant-id',
  'access-control-max-age': '600',
} as const;

/**
 * Headers to add to an answer; only `Vary` for an origin that is not allowed. An allowed one may send
 * a session along, and reads what it is answered.
 */
export function corsHeaders(request: Request, allowedOrigins: string): Record<string, string> {
  const vary = 'Origin';
  const origin = request.headers.get('origin');
  if (origin === null || !isAllowedOrigin(origin, allowedOrigins)) return { vary };
  return {
    vary,
    'access-control-allow-origin': origin,
    'access-control-allow-credentials': 'true',
    'access-control-expose-headers': 'x-request-id, retry-after, idempotency-replayed, etag',
  };
}

/** To the letter: a page without an origin of its own (`null`) is never one of ours. */
export function isAllowedOrigin(origin: string | null, allowedOrigins: string): boolean {
  const allowed = allowedOrigins.split(',').map((entry) => entry.trim());
  return origin !== null && origin !== 'null' && allowed.includes(origin);
}

/** The answer to a preflight; without an allowed origin the browser goes no further. */
export function preflight(cors: Readonly<Record<string, string>>): Response {
  const allowed = 'access-control-allow-origin' in cors;
  return new Response(null, { status: 204, headers: allowed ? PREFLIGHT : {} });
}
