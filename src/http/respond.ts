/** Answers on the wire: JSON, problem+json (RFC 9457), and the headers that every answer carries. */
import { PROBLEMS, type Refusal } from '../contract/problems.ts';
import type { Answer } from './route.ts';

const SECURITY_HEADERS = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'strict-transport-security': 'max-age=31536000; includeSubDomains',
} as const;

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

/** The same answer with the common headers; what a handler has set itself stays. */
export function finish(
  response: Response,
  requestId: string,
  cors: Headers,
  headOnly: boolean,
): Response {
  const headers = new Headers(response.headers);
  for (const [name, value] of Object.entries(SECURITY_HEADERS))
    if (!headers.has(name)) headers.set(name, value);
  // `Vary` joins what the handler's own says.
  for (const [name, value] of cors) headers.append(name, value);
  headers.set('x-request-id', requestId);
  return new Response(headOnly ? null : response.body, { status: response.status, headers });
}
