/**
 * `Idempotency-Key` on POSTs under /api/admin: the same key and request answer with the first
 * outcome for 24 hours, per tenant; where people act as themselves, for each of them, or one vote
 * would pass for another's. An answer may hold a secret that is shown once, so it is sealed.
 * Cf. https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/
 */
import { refusal } from '../contract/problems.ts';
import type { Env } from '../env.ts';
import { answerOwner } from '../objects/idempotency.ts';
import { tenantObject } from '../objects/index.ts';
import { seal, unseal } from '../sealed.ts';
import type { Answer } from './route.ts';

const KEY = /^[\x21-\x7e]{1,255}$/;

const UNHEARD =
  'The first request with this key was carried out, but its answer was lost. Read what is there now.';

export interface Keyed {
  readonly env: Env;
  readonly tenantId: string;
  readonly requestId: string;
  readonly key: string;
  /** Whose key it is; null: the tenant's. */
  readonly owner: string | null;
  readonly path: string;
  readonly body: Uint8Array;
}

/** Serves once for a key; repeats get the first outcome, marked `Idempotency-Replayed`. */
export async function onceForKey(keyed: Keyed, serve: () => Promise<Response>): Promise<Answer> {
  const { env, tenantId, requestId, key } = keyed;
  if (!KEY.test(key)) {
    const errors = [{ path: 'Idempotency-Key', message: '1 to 255 visible ASCII characters' }];
    return refusal('validation_failed', undefined, errors);
  }
  const tenant = tenantObject(env, tenantId);
  const begun = await tenant.beginIdempotent(nameOf(keyed), await requestDigest(keyed), requestId);
  switch (begun.state) {
    case 'mismatch':
      return refusal('idempotency_mismatch');
    case 'in_progress':
      return refusal('idempotency_in_progress');
    case 'unheard':
      return refusal('conflict', UNHEARD);
    case 'done':
      return await replay(keyed, begun.status, begun.answer);
    case 'fresh':
      return await serveFresh(keyed, serve);
  }
}

async function serveFresh(keyed: Keyed, serve: () => Promise<Response>): Promise<Response> {
  const { env, tenantId } = keyed;
  const name = nameOf(keyed);
  const tenant = tenantObject(env, tenantId);
  try {
    const response = await serve();
    const text = await response.clone().text();
    const type = response.headers.get('content-type') ?? '';
    const answer = await seal(env, answerOwner(tenantId, name), JSON.stringify({ type, text }));
    const { status } = response;
    await tenant.finishIdempotent(name, status >= 500 ? null : { status, answer });
    return response;
  } catch (error) {
    await tenant.finishIdempotent(name, null);
    throw error;
  }
}

async function replay(keyed: Keyed, status: number, sealed: string): Promise<Answer> {
  const { env, tenantId } = keyed;
  const opened = await unseal(env, answerOwner(tenantId, nameOf(keyed)), sealed);
  if (opened === null) return refusal('conflict', 'The first outcome can no longer be read.');
  const { type, text }: { type: string; text: string } = JSON.parse(opened);
  const headers = { 'content-type': type, 'idempotency-replayed': 'true' };
  return new Response(text, { status, headers });
}

/** A key holds no space, so a person's name for it is nobody else's. */
function nameOf({ key, owner }: Keyed): string {
  return owner === null ? key : `${key} ${owner}`;
}

async function requestDigest({ path, body }: Keyed): Promise<string> {
  const head = new TextEncoder().encode(`POST ${path}\n`);
  const bytes = new Uint8Array(head.length + body.length);
  bytes.set(head);
  bytes.set(body, head.length);
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return btoa(String.fromCharCode(...digest));
}
