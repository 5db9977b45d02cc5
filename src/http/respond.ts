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

/** An answer of ours, written out. */
interface Written {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

/** A handler's answer as a Response. A list and a refusal carry the request's id in their body too. */
export function toResponse(answer: Answer, requestId: string): Response {
  if (answer instanceof Response) return answer;
  const { text, status, headers } = written(answer, requestId);
  return new Response(text, { status, headers });
}

function written(answer: Exclude<Answer, Response>, requestId: string): Written {
  if ('ok' in answer) return problem(answer, requestId);
  const { status = 200, body } = answer;
  const text = JSON.stringify({ ...body, requestId });
  return { status, headers: { 'content-type': 'application/json' }, text };
}

/** Fields beside a refusal's own (such as `run`) become extension members of the problem. */
function problem(refused: Refusal, requestId: string): Written {
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
  return { status, headers, text: JSON.stringify({ ...body, ...extensions }) };
}

export interface Finishing {
  readonly requestId: string;
  readonly cors: Readonly<Record<string, string>>;
  readonly headOnly: boolean;
  readonly environment: string;
}

/** The answer with the common headers; what a handler has set itself stays. */
export function finish(
  answer: Answer,
  { requestId, cors, headOnly, environment }: Finishing,
): Response {
  const common = {
    ...SECURITY_HEADERS,
    ...(environment === 'development' ? {} : { 'strict-transport-security': TRANSPORT_SECURITY }),
    ...cors,
    'x-request-id': requestId,
  };
  if (!(answer instanceof Response)) {
    // In one go: with headers that are set afterwards an answer costs half as much again.
    const { text, status, headers } = written(answer, requestId);
    return new Response(headOnly ? null : text, { status, headers: { ...common, ...headers } });
  }
  const { headers, status } = answer;
  for (const [name, value] of Object.entries(common)) {
    // `Vary` joins what the handler's own says.
    if (name === 'vary') headers.append(name, value);
    else if (!headers.has(name)) headers.set(name, value);
  }
  return headOnly ? new Response(null, { status, headers }) : answer;
}
