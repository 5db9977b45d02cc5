/**
 * Whose page sent a request: for what a browser sends along by itself, its session with us or
 * one of Cloudflare Access, since any other site's page could send it too (CSRF). An API key needs none of this.
 * https://cheatsheetseries.owasp.org/cheatsheets/Cross-Site_Request_Forgery_Prevention_Cheat_Sheet.html
 */
import { type Refusal, refusal } from '../contract/problems.ts';
import type { Env } from '../env.ts';
import { isAllowedOrigin } from './cors.ts';

/** Our own page, a frontend of ALLOWED_ORIGINS, or no page at all: programs send none of the headers. */
export function isFromOurPages(
  request: Request,
  { PUBLIC_URL = '', ALLOWED_ORIGINS }: Pick<Env, 'PUBLIC_URL' | 'ALLOWED_ORIGINS'>,
): boolean {
  const origin = request.headers.get('origin');
  return isAllowedOrigin(origin, ALLOWED_ORIGINS) || isOwnPage(request, PUBLIC_URL);
}

export function otherSite(): Refusal {
  return refusal('forbidden', 'A page of another site sent this; ALLOWED_ORIGINS names ours.');
}

/**
 * A page that sends no referrer has the origin `null`
 * (https://fetch.spec.whatwg.org/#append-a-request-origin-header), which Sec-Fetch-Site still tells
 * apart.
 */
export function isOwnPage({ url, headers }: Request, publicUrl: string): boolean {
  const origin = headers.get('origin');
  const site = headers.get('sec-fetch-site');
  const own = [url, publicUrl].flatMap((text) => (URL.canParse(text) ? new URL(text).origin : []));
  const isOwnOrigin = origin === null || origin === 'null' || own.includes(origin);
  return isOwnOrigin && (site === null || site === 'same-origin' || site === 'none');
}
