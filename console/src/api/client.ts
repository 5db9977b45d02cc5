/**
 * Requests to the API, wherever it is. A refusal becomes a `Problem` with the server's own words; a
 * request that got no answer becomes `Unreachable`. Nothing here knows a page.
 */
import type { Fault } from '../../../src/contract/problems.ts';

export type Query = Readonly<Record<string, string | number | null | undefined>>;

/** An RFC 9457 problem as the API answers it. */
export class Problem extends Error {
  readonly status: number;
  readonly code: string;
  readonly requestId: string;
  readonly errors: readonly Fault[];

  constructor({ status, code, detail, requestId, errors }: ProblemBody) {
    super(detail);
    this.status = status;
    this.code = code;
    this.requestId = requestId;
    this.errors = errors;
  }
}

/** There was no answer: offline, or nothing listens there. */
export class Unreachable extends Error {}

interface ProblemBody {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly requestId: string;
  readonly errors: readonly Fault[];
}

const meta = (name: string) =>
  document.querySelector(`meta[name="${name}"]`)?.getAttribute('content') ?? '';

/** Empty when the API is where this page is. */
export const API_ORIGIN = meta('signalbox-api').replace(/\/$/, '');
const IS_ELSEWHERE = API_ORIGIN !== '' && API_ORIGIN !== location.origin;
const TENANT = 'signalbox.tenant';

/** In memory alone: only where a cookie cannot be had (docs/console.md), and gone with the page. */
let bearer: string | null = null;
export function holdBearer(key: string | null): void {
  bearer = key;
}
export const heldBearer = () => bearer;

/** Members of several tenants who come by Cloudflare Access say which one they mean. */
export function chooseTenant(id: string | null): void {
  if (id === null) localStorage.removeItem(TENANT);
  else localStorage.setItem(TENANT, id);
}

export const chosenTenant = () => localStorage.getItem(TENANT);

/** Where a WebSocket of the API is opened. */
export function socketUrl(path: string, query: Query): string {
  const origin = API_ORIGIN === '' ? location.origin : API_ORIGIN;
  return `${origin.replace(/^http/, 'ws')}${path}${queryText(query)}`;
}

const signOutListeners = new Set<() => void>();
/** Called when the API does not know the caller (any more). */
export function onSignedOut(listener: () => void): () => void {
  signOutListeners.add(listener);
  return () => void signOutListeners.delete(listener);
}

export async function get<Answer>(
  path: string,
  query: Query = {},
  signal?: AbortSignal,
): Promise<Answer> {
  const response = await ask(`${path}${queryText(query)}`, { ...(signal ? { signal } : {}) });
  return await response.json();
}

export async function post<Answer>(path: string, body: object): Promise<Answer> {
  const response = await ask(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return await response.json();
}

/** A file, as it is. */
export async function getFile(path: string, query: Query = {}): Promise<Blob> {
  return await (await ask(`${path}${queryText(query)}`, {})).blob();
}

async function ask(path: string, init: RequestInit): Promise<Response> {
  const response = await reach(`${API_ORIGIN}${path}`, {
    ...init,
    headers: { ...init.headers, ...ownHeaders() },
    credentials: IS_ELSEWHERE ? 'include' : 'same-origin',
    cache: 'no-store',
  });
  if (response.ok) return response;
  const problem = new Problem(await problemOf(response));
  if (problem.status === 401 && path !== '/api/session')
    for (const listener of signOutListeners) listener();
  throw problem;
}

async function reach(url: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, init);
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw new Unreachable('There was no answer.', { cause: error });
  }
}

function ownHeaders(): Record<string, string> {
  const tenant = chosenTenant();
  return {
    ...(bearer === null ? {} : { authorization: `Bearer ${bearer}` }),
    ...(tenant === null ? {} : { 'x-tenant-id': tenant }),
  };
}

async function problemOf(response: Response): Promise<ProblemBody> {
  const requestId = response.headers.get('x-request-id') ?? '';
  const none = { code: `http_${response.status}`, detail: response.statusText, errors: [] };
  try {
    const body: Partial<ProblemBody> = await response.json();
    return { ...none, requestId, ...body, status: response.status };
  } catch {
    return { ...none, requestId, status: response.status };
  }
}

function queryText(query: Query): string {
  const given = Object.entries(query).flatMap(([name, value]) =>
    value === undefined || value === null || value === '' ? [] : [[name, String(value)]],
  );
  return given.length === 0 ? '' : `?${new URLSearchParams(given)}`;
}
