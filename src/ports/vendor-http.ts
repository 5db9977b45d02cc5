/**
 * One exchange with a vendor's API, whatever its protocol: never redirected, never longer than the
 * attempt has, never more than a bounded answer. What the runtime says of a broken connection names
 * hosts and addresses, so only the kind of silence is passed on.
 */
import type { Outcome } from '../engine/plan.ts';
import { failed } from './index.ts';
import { retryAfterMs } from './retry-after.ts';

/** Why there is no answer: all but `redirected` may come after the request had its effect. */
export type Silence = 'timeout' | 'unreachable' | 'broken_off' | 'redirected' | 'too_large';

export type Exchange =
  | { answered: true; status: number; headers: Headers; text: string }
  | { answered: false; silence: Silence };

/** What one attempt asks with. */
export interface Asking {
  /** The runtime's, or a test's. */
  readonly fetch: typeof fetch;
  /** Ends the attempt: all of its requests share it. */
  readonly deadline: AbortSignal;
  /** Milliseconds since 1970 */
  readonly now: number;
}

/** What was asked for, or what the attempt comes to without it. */
export type Answer<Data> = { ok: true; data: Data } | { ok: false; outcome: Outcome };

/** Answers of the calls that are made here have a few KiB; more is not the API that we know. */
const ANSWER_BYTES_MAX = 1_048_576;
/** So much of a vendor's own words goes into an error. */
const QUOTED_LENGTH_MAX = 300;

/** The runtime sends none, and a firewall may take that for a robot. */
const USER_AGENT = 'Signalbox/1';

/** @param deadline ends the exchange, the reading of the answer included */
export async function exchange(
  fetcher: typeof fetch,
  url: string,
  init: RequestInit,
  deadline: AbortSignal,
): Promise<Exchange> {
  const silent = (silence: Silence) => ({
    answered: false as const,
    silence: deadline.aborted ? 'timeout' : silence,
  });
  const headers = new Headers(init.headers);
  headers.set('user-agent', USER_AGENT);
  let response: Response;
  try {
    response = await fetcher(url, { ...init, headers, redirect: 'manual', signal: deadline });
  } catch {
    return silent('unreachable');
  }
  const { status } = response;
  if (status >= 300 && status < 400) {
    await response.body?.cancel().catch(() => undefined);
    return { answered: false, silence: 'redirected' };
  }
  try {
    const text = await readText(response, deadline);
    return text === null
      ? silent('too_large')
      : { answered: true, status, headers: response.headers, text };
  } catch {
    return silent('broken_off');
  }
}

/** The whole body as text, or null when it is longer than an answer may be. Throws when it breaks. */
async function readText(response: Response, deadline: AbortSignal): Promise<string | null> {
  if (response.body === null) return '';
  const reader = response.body.getReader();
  const stop = () => void reader.cancel().catch(() => undefined);
  deadline.addEventListener('abort', stop, { once: true });
  const decoder = new TextDecoder();
  let text = '';
  let size = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      // A reader that was stopped says that it is done, with half of the body.
      if (deadline.aborted) throw new Error('timeout');
      if (done) return text + decoder.decode();
      const chunk: Uint8Array = value;
      size += chunk.byteLength;
      if (size > ANSWER_BYTES_MAX) {
        stop();
        return null;
      }
      text += decoder.decode(chunk, { stream: true });
    }
  } finally {
    deadline.removeEventListener('abort', stop);
  }
}

const SILENCES: Readonly<Record<Silence, { code: string; says: string }>> = {
  timeout: { code: 'timeout', says: 'did not answer in time' },
  unreachable: { code: 'connection_failed', says: 'could not be reached' },
  broken_off: { code: 'connection_failed', says: 'broke off in the middle of its answer' },
  redirected: { code: 'redirect_refused', says: 'answered with a redirect, which is not followed' },
  too_large: { code: 'answer_unreadable', says: 'answered with far more than was asked for' },
};

/** For calls that may be repeated: they only read, or the vendor knows our key. */
export function silenceOutcome(vendor: string, silence: Silence): Outcome {
  const { code, says } = SILENCES[silence];
  return failed(code, `${vendor} ${says}.`, { retryable: silence !== 'redirected' });
}

/** The outcome of 429 and 5xx, which say nothing about what was asked; null for other statuses. */
export function busyOutcome(
  vendor: string,
  status: number,
  retryAfter: string | null | undefined,
  now: number,
): Outcome | null {
  const options = { retryable: true, retryAfterMs: retryAfterMs(retryAfter, now) };
  if (status === 429)
    return failed('rate_limited', `${vendor} asks for fewer requests; it is asked again.`, options);
  if (status >= 500)
    return failed('vendor_failed', `${vendor} has a fault of its own (${status}).`, options);
  return null;
}

/** After a request that changed something, or may have: another attempt finds out. */
export function inDoubt(outcome: Outcome): Outcome {
  return outcome.kind === 'failed' && outcome.retryable ? { ...outcome, inDoubt: true } : outcome;
}

/** The outcome of a request that changes something: in doubt unless it was turned away. */
export function ofChange(outcome: Outcome): Outcome {
  const turnedAway = outcome.kind === 'failed' && outcome.error.code === 'rate_limited';
  return turnedAway ? outcome : inDoubt(outcome);
}

/** JSON that we do not recognise, or no JSON. What was asked may have been done. */
export function unreadableOutcome(vendor: string): Outcome {
  return failed('answer_unreadable', `${vendor} answered something that cannot be read.`, {
    retryable: true,
  });
}

/** JSON as it is, undefined for anything else. */
export function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A vendor's own words for an error of ours: one bounded line, without the credential, if any. */
export function quoted(text: string, credential?: string): string {
  const line = (credential === undefined ? text : text.replaceAll(credential, '…'))
    .replaceAll(/[\p{C}\s]+/gu, ' ')
    .trim();
  return line.length > QUOTED_LENGTH_MAX ? `${line.slice(0, QUOTED_LENGTH_MAX)}…` : line;
}
