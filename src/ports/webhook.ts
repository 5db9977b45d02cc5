/**
 * Sends one webhook, once, and says what became of it; when to try again is the caller's affair.
 * Standard Webhooks 1.0.0: only 2xx is success, redirects are failures and never followed, 410 means
 * stop, Retry-After is honoured. Every failure but 410 is worth another attempt, other 4xx included,
 * as with Svix: a receiver that is misconfigured today is often mended before the schedule ends.
 * https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
import type { DestinationCheck } from './destination.ts';
import { retryAfterMs } from './retry-after.ts';
import { signWebhook } from './webhook-signature.ts';

export interface WebhookRequest {
  /** Where it goes, if it may go there. */
  readonly destination: DestinationCheck;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Sent as it stands, in UTF-8. With GET nothing is sent, and the signature is over nothing. */
  readonly body: string;
  /** `webhook-id`: the same for every attempt, so that the receiver can drop repetitions. */
  readonly id: string;
  /** Signing secrets, the newest first. */
  readonly secrets: readonly string[];
  /** For the whole exchange, in milliseconds; above WEBHOOK_TIMEOUT_MAX_MS that holds instead. */
  readonly timeoutMs: number;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

export type WebhookFailureCode =
  | 'destination_refused'
  | 'method_refused'
  | 'headers_refused'
  | 'timeout'
  | 'connection_failed'
  | 'redirect_refused'
  | 'endpoint_gone'
  | 'endpoint_failed';

export interface WebhookFailure {
  ok: false;
  code: WebhookFailureCode;
  /** Whether a request left at all. */
  sent: boolean;
  /** A sentence for the tenant; holds no text of the answer and nothing of the URL. */
  message: string;
  retryable: boolean;
  /** The receiver's own wish, in milliseconds from now, at most a day. */
  retryAfterMs: number | null;
  status: number | null;
  headers: AnswerHeaders;
  body: string;
}

/** Headers that explain an answer; no other is kept. The receiver's text: untrusted. */
export type AnswerHeaders = Readonly<Record<string, string>>;

/** `body` is what came of the answer, its first 4 KiB at most. It is the receiver's text: untrusted. */
export type WebhookResult =
  | { ok: true; status: number; headers: AnswerHeaders; body: string }
  | WebhookFailure;

export interface WebhookDeps {
  readonly fetch: typeof fetch;
}

export const WEBHOOK_METHODS = ['POST', 'PUT', 'PATCH', 'DELETE', 'GET'] as const;
/** Standard Webhooks asks for 15 to 30 seconds; nothing may hold an object longer. */
export const WEBHOOK_TIMEOUT_MAX_MS = 30_000;

const READ_BYTES_MAX = 65_536;
const KEPT_BYTES = 4_096;
export const USER_AGENT = 'Signalbox/1 (+webhooks)';

/**
 * One attempt. Network faults and refusals come back as values.
 * @throws TypeError when the id or a secret cannot sign, which is a fault of ours and not the tenant's
 */
export async function sendWebhook(
  request: WebhookRequest,
  { fetch }: WebhookDeps,
): Promise<WebhookResult> {
  const { destination } = request;
  if (!destination.ok) return refused('destination_refused', destination.reason);
  const method = WEBHOOK_METHODS.find((known) => known === request.method.toUpperCase());
  if (method === undefined)
    return refused('method_refused', `The method has to be one of ${WEBHOOK_METHODS.join(', ')}.`);
  const faults = headerFaults(request.headers);
  if (faults.length > 0) return refused('headers_refused', faults.join(' '));

  const body = method === 'GET' ? '' : request.body;
  const headers = await headersOf(request, body);
  const timeoutMs = Math.min(Math.max(request.timeoutMs, 1), WEBHOOK_TIMEOUT_MAX_MS);
  const deadline = AbortSignal.timeout(timeoutMs);
  try {
    const response = await fetch(destination.url.href, {
      method,
      headers,
      redirect: 'manual',
      signal: deadline,
      ...(method === 'GET' ? {} : { body }),
    });
    return classify(response, await readStart(response), request.now);
  } catch {
    return unanswered(deadline.aborted, timeoutMs);
  }
}

async function headersOf(request: WebhookRequest, body: string): Promise<Headers> {
  const seconds = Math.floor(request.now / 1_000);
  const headers = new Headers(request.headers);
  if (!headers.has('content-type')) headers.set('content-type', 'application/json');
  headers.set('user-agent', USER_AGENT);
  headers.set('webhook-id', request.id);
  headers.set('webhook-timestamp', String(seconds));
  headers.set('webhook-signature', await signWebhook(request.secrets, request.id, seconds, body));
  return headers;
}

/** Ours to set, the connection's own (RFC 9110 7.6.1), or a claim about who is asking. */
const FORBIDDEN_NAME =
  /^(host|cookie|content-length|transfer-encoding|connection|keep-alive|te|trailer|upgrade|expect|forwarded|x-real-ip|(cf|webhook|proxy|x-forwarded)-.*)$/i;
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** ASCII alone: runtimes disagree on how to send the rest of Latin-1. */
const FIELD_VALUE = /^[\t -~]*$/;

/**
 * What is wrong with a tenant's own headers, a sentence for each; empty when nothing is.
 * A `user-agent` is no fault, but ours is sent in its place.
 */
export function headerFaults(headers: Readonly<Record<string, string>>): string[] {
  return Object.entries(headers).flatMap(([name, value]) => {
    const shown = JSON.stringify(name.slice(0, 64));
    if (!TOKEN.test(name)) return [`${shown} is not a header name.`];
    if (FORBIDDEN_NAME.test(name)) return [`The header ${shown} may not be set.`];
    if (!FIELD_VALUE.test(value))
      return [
        `The value of header ${shown} has a line break or another character beyond ASCII text.`,
      ];
    return [];
  });
}

/**
 * The first bytes of an answer as text, then the rest is cancelled. A body that breaks off, or that the
 * signal of its request ends at the deadline, is cut there: by then the status has said what the receiver
 * made of the webhook.
 */
async function readStart(response: Response): Promise<string> {
  if (response.body === null) return '';
  const length = lengthOf(response);
  const reader = response.body.getReader();
  const end = Math.min(length, READ_BYTES_MAX);
  const kept = new Uint8Array(Math.min(end, KEPT_BYTES));
  let seen = 0;
  try {
    while (seen < end) {
      const { done, value } = await reader.read();
      if (done) break;
      const chunk: Uint8Array = value;
      if (seen < kept.length) kept.set(chunk.subarray(0, kept.length - seen), seen);
      seen += chunk.byteLength;
    }
  } catch {
    // Broken off or past the deadline; what came before still counts.
  }
  // To cancel costs as much as to read, and where nothing is left there is nothing to cancel.
  if (seen < length) void reader.cancel().catch(() => undefined);
  // As a stream, so that a character cut in half at the end is left out rather than garbled.
  return new TextDecoder().decode(kept.subarray(0, seen), { stream: true });
}

/** How long the body is, when that was said of the bytes that are read; else it ends where it ends. */
function lengthOf({ headers }: Response): number {
  const length = headers.get('content-length');
  const isPlain = length !== null && !headers.has('content-encoding');
  return isPlain && /^\d+$/.test(length) ? Number(length) : Number.POSITIVE_INFINITY;
}

function classify(response: Response, body: string, now: number): WebhookResult {
  const { status } = response;
  const headers = telling(response.headers);
  if (status >= 200 && status < 300) return { ok: true, status, headers, body };
  const gone = status === 410;
  return {
    ok: false,
    sent: true,
    ...explain(status),
    retryable: !gone,
    retryAfterMs: gone ? null : retryAfterMs(response.headers.get('retry-after'), now),
    status,
    headers,
    body,
  };
}

const TELLING = ['content-type', 'date', 'location', 'retry-after', 'server', 'x-request-id'];
const HEADER_LENGTH_MAX = 256;

function telling(headers: Headers): AnswerHeaders {
  return Object.fromEntries(
    TELLING.flatMap((name) => {
      const value = headers.get(name);
      return value === null ? [] : [[name, value.slice(0, HEADER_LENGTH_MAX)]];
    }),
  );
}

function explain(status: number): Pick<WebhookFailure, 'code' | 'message'> {
  if (status === 410)
    return { code: 'endpoint_gone', message: 'The endpoint answered 410: it wants no more.' };
  if (status >= 300 && status < 400)
    return {
      code: 'redirect_refused',
      message: `The endpoint answered ${status}, and redirects are not followed; use its final URL.`,
    };
  return { code: 'endpoint_failed', message: `The endpoint answered ${status}.` };
}

function refused(code: WebhookFailureCode, message: string): WebhookFailure {
  return {
    ok: false,
    sent: false,
    code,
    message,
    retryable: false,
    retryAfterMs: null,
    ...NO_ANSWER,
  };
}

const NO_ANSWER = { status: null, headers: {}, body: '' } as const;

/** The runtime's own error names hosts and addresses, so none of it is passed on. */
function unanswered(timedOut: boolean, timeoutMs: number): WebhookFailure {
  const what = timedOut
    ? { code: 'timeout' as const, message: `The endpoint did not answer within ${timeoutMs} ms.` }
    : { code: 'connection_failed' as const, message: 'The endpoint could not be reached.' };
  return { ok: false, sent: true, ...what, retryable: true, retryAfterMs: null, ...NO_ANSWER };
}
