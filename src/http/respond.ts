/** Answers on the wire: JSON, problem+json (RFC 9457), and the headers that every answer carries. */
import { PROBLEMS, type Refusal } from '../contract/problems.ts';
import type { Answer } from './route.ts';

/**
 * For every answer, whatever it is: docs/security.md says against what. Those of ours that are pages
 * have a policy of their own; the one here leaves nothing to a page that somebody makes of an answer.
 * `cross-origin-resource-policy` does not concern a frontend that asks by CORS.
 */
const SECURITY_HEADERS = {
  'cache-control': 'no-store',
  'content-security-policy':
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
} as const;

/** A year (RFC 6797). Not in development, where the host is this machine's own name. */
const TRANSPORT_SECURITY = 'max-age=31536000; includeSubDomains';

/** A handler's answer as a Response. A list and a refusal carry the request's id in their body too. */
export function toResponse(answer: Answer, requestId: string): Response {
  if (answer instanceof Response) return answer;
  if ('ok' in answer) return problemResponse(answer, requestId);
  const { status = 200, body } = answer;
  return jsonResponse(status, { ...body, requestId });
}

/** Fields beside a refusal's own (such as `run`) become extension members of the problem. */
export function problemResponse(refused: Refusal, requestId: string): Response {
  const { ok: _ok, code, detail, errors = [], retryAfterMs = 1_000, ...extensions } = refused;
  const [status, title] = PROBLEMS[code];
  const type = `urn:signalbox:problem:${code}`;
  const body = { type, title, status, detail: detail ?? title, code, requestId, errors };
  const headers = {
    'content-type': 'application/problem+json',
    ...(status === 401 ? { 'www-authenticate': 'Bearer' } : {}),
    ...(status === 426 ? { connection: 'Upgrade', upgrade: 'websocket' } : {}),
    ...(status === 429 || status === 503
      ? { 'retry-after': String(Math.ceil(retryAfterMs / 1_000)) }
      : {}),
  };
  return new Response(JSON.stringify({ ...body, ...extensions }), { status, headers });
}

function jsonResponse(status: number, body: object): Response {
  return new Response(JSON.stringify(body), {
    status,
    headers: { 'content-type': 'application/json' },
  });
}

export interface Finishing {
  readonly requestId: string;
  readonly cors: Headers;
  readonly headOnly: boolean;
  readonly environment: string;
}

/** The answer, which is ours, with the common headers; what a handler has set itself stays. */
export function finish(
  response: Response,
  { requestId, cors, headOnly, environment }: Finishing,
): Response {
  const { headers, status } = response;
  for (const [name, value] of Object.entries(SECURITY_HEADERS))
    if (!headers.has(name)) headers.set(name, value);
  if (environment !== 'development') headers.set('strict-transport-security', TRANSPORT_SECURITY);
  // `Vary` joins what the handler's own says.
  for (const [name, value] of cors) headers.append(name, value);
  headers.set('x-request-id', requestId);
  return headOnly ? new Response(null, { status, headers }) : response;
}
