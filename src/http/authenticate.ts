/** From a credential to a caller. A handler of a protected route cannot run without one. */
import { type Actor, ROLES, type Role, tenantId } from '../contract/json.ts';
import { type Refusal, refusal } from '../contract/problems.ts';
import { directoryOf } from '../db/databases.ts';
import { tenantsOfEmail } from '../db/members.ts';
import type { Env } from '../env.ts';
import type { Identity } from '../objects/identity.ts';
import { call, tenantObject } from '../objects/index.ts';
import { Recent } from '../recent.ts';
import { accessEmail, hasAccessToken } from './access.ts';
import { equalSecrets, recogniseKey } from './api-key.ts';
import { socketKey, socketTenant } from './live-protocol.ts';
import { isFromOurPages, otherSite } from './own-origin.ts';
import { hasSession, readSession } from './session.ts';
import { isFlooding, slowDown } from './wrong-credentials.ts';

/** Who calls. The tenant comes from the credential alone. */
export interface Caller extends Identity {
  readonly tenantId: string;
}

const BEARER = /^Bearer +([\x21-\x7e]{1,512})$/i;
const PLATFORM_TOKEN_LENGTH_MIN = 16;
/** A key that is revoked stays so: whoever goes on using it wakes no object with every request. */
const refusedKeys = new Recent<true>({ max: 10_000, keptMs: 60_000 });

/**
 * The caller of an API key, sent or in a session, or the member whom Cloudflare Access signed in. A
 * session of either kind is what a browser sends along by itself, so what changes anything has to come
 * from one of our pages.
 */
export async function authenticateCaller(request: Request, env: Env): Promise<Caller | Refusal> {
  const token = bearerToken(request) ?? socketKey(request);
  if (token !== null) return await authenticateKey(token, env);
  if (!hasSession(request, env) && !hasAccessToken(request))
    return refusal('unauthenticated', 'Send an API key: Authorization: Bearer sbx_…');
  if (!isReading(request) && !isFromOurPages(request, env)) return otherSite();
  const session = await readSession(request, env);
  if (session !== null) return await authenticateKey(session.apiKey, env);
  return hasAccessToken(request)
    ? await authenticateMember(request, env)
    : refusal('unauthenticated', 'The session is over. Sign in again.');
}

/** What another site's page may send, since it cannot read the answer: but it can listen to a WebSocket. */
function isReading({ method, headers }: Request): boolean {
  return (method === 'GET' || method === 'HEAD') && !headers.has('upgrade');
}

export async function authenticateKey(token: string, env: Env): Promise<Caller | Refusal> {
  const wrong = refusal('unauthenticated', 'The API key is wrong or revoked.');
  const key = await recogniseKey(env.KEY_SECRET, token);
  if (key === null) return wrong;
  // Anyone can have it, so it is turned away here: it wakes nothing, and no event tells of it.
  if (key.isFrontend)
    return refusal('unauthenticated', 'A frontend key reads flags, and nothing else.');
  const now = Date.now();
  if (refusedKeys.get(key.digest, now) === true) return wrong;
  const known = await call(() => tenantObject(env, key.tenantId).authenticate(key.digest));
  if (known !== null) return { tenantId: key.tenantId, ...known };
  refusedKeys.put(key.digest, true, now);
  return wrong;
}

/** A person may belong to several tenants, and then names one; the membership still decides. */
async function authenticateMember(request: Request, env: Env): Promise<Caller | Refusal> {
  const signedIn = await accessEmail(request, env);
  if (signedIn === 'wrong') return refusal('unauthenticated', 'The Access token does not hold.');
  if (signedIn === 'unavailable')
    return refusal('unavailable', 'The keys of Cloudflare Access cannot be read right now.');
  const { email } = signedIn;
  const stranger = refusal('unauthenticated', 'You are not a member of this tenant.');
  const named = request.headers.get('x-tenant-id') ?? socketTenant(request);
  const tenantIds = named === null ? await tenantsOfEmail(directoryOf(env), email) : [named];
  const [only] = tenantIds;
  if (tenantIds.length > 1)
    return refusal('tenant_needed', 'You belong to several tenants: name one with X-Tenant-Id.');
  if (only === undefined || !tenantId.safeParse(only).success) return stranger;
  const known = await call(() => tenantObject(env, only).authenticateMember(email));
  return known === null ? stranger : { tenantId: only, ...known };
}

export async function authenticatePlatform(request: Request, env: Env): Promise<Actor | Refusal> {
  if (isFlooding(request)) return slowDown();
  const token = bearerToken(request);
  const configured = env.PLATFORM_TOKEN ?? '';
  const right =
    token !== null &&
    configured.length >= PLATFORM_TOKEN_LENGTH_MIN &&
    (await equalSecrets(token, configured));
  return right
    ? { type: 'platform', id: 'platform', name: 'Platform operator' }
    : refusal('unauthenticated', 'Send the platform token: Authorization: Bearer …');
}

/** `ingest` sends events and reads nothing; the other roles each hold those before them. */
export function roleAllows(role: Role, needed: Role): boolean {
  if (needed === 'ingest') return role === 'ingest' || role === 'admin';
  return role !== 'ingest' && ROLES.indexOf(role) >= ROLES.indexOf(needed);
}

export function bearerToken(request: Request): string | null {
  return BEARER.exec(request.headers.get('authorization') ?? '')?.[1] ?? null;
}
