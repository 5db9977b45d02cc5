/** From a credential to a caller. A handler of a protected route cannot run without one. */
import { type Actor, type Role, tenantId } from '../contract/json.ts';
import { type Refusal, refusal } from '../contract/problems.ts';
import { directoryOf } from '../db/databases.ts';
import { tenantsOfEmail } from '../db/members.ts';
import type { Env } from '../env.ts';
import { type Known, roleAllows } from '../objects/identity.ts';
import { call, tenantObject } from '../objects/index.ts';
import { Recent } from '../recent.ts';
import { accessEmail, hasAccessToken } from './access.ts';
import { equalSecrets, type RecognisedKey, recogniseKey } from './api-key.ts';
import { socketKey, socketTenant } from './live-protocol.ts';
import { isFromOurPages, otherSite } from './own-origin.ts';
import { hasSession, readSession } from './session.ts';
import { isFlooding, slowDown } from './wrong-credentials.ts';

/** Who calls. The tenant comes from the credential alone. */
export interface Caller extends Known {
  readonly tenantId: string;
}

/** Not let in: for want of a credential that holds, or of a role. */
export type TurnedAway = Refusal & { denied?: Caller };

const WRONG_KEY = refusal('unauthenticated', 'The API key is wrong or revoked.');
const BEARER = /^Bearer +([\x21-\x7e]{1,512})$/i;
const PLATFORM_TOKEN_LENGTH_MIN = 16;
/** A key that is revoked stays so: whoever goes on using it wakes no object with every request. */
const refusedKeys = new Recent<true>({ max: 10_000, keptMs: 60_000 });

/**
 * The caller of an API key, sent or in a session, or the member whom Cloudflare Access signed in. A
 * session of either kind is what a browser sends along by itself, so what changes anything has to come
 * from one of our pages. @param actsOnRun whether what they ask is asked of a run
 */
export async function authenticateCaller(
  request: Request,
  env: Env,
  actsOnRun = false,
): Promise<Caller | Refusal> {
  const found = await recogniseCaller(request, env, actsOnRun);
  return 'digest' in found ? await callerOfKey(found, env, actsOnRun) : found;
}

/** The same as far as it can be told without waking a key's tenant, which alone knows whether it is live. */
export async function recogniseCaller(
  request: Request,
  env: Env,
  actsOnRun = false,
): Promise<RecognisedKey | Caller | Refusal> {
  const token = bearerToken(request) ?? socketKey(request);
  if (token !== null) return await recogniseOwnKey(token, env);
  if (!hasSession(request, env) && !hasAccessToken(request))
    return refusal('unauthenticated', 'Send an API key: Authorization: Bearer sbx_…');
  if (!isReading(request) && !isFromOurPages(request, env)) return otherSite();
  const session = await readSession(request, env);
  if (session !== null) return await recogniseOwnKey(session.apiKey, env);
  return hasAccessToken(request)
    ? await authenticateMember(request, env, actsOnRun)
    : refusal('unauthenticated', 'The session is over. Sign in again.');
}

/** What another site's page may send, since it cannot read the answer: but it can listen to a WebSocket. */
function isReading({ method, headers }: Request): boolean {
  return (method === 'GET' || method === 'HEAD') && !headers.has('upgrade');
}

export async function authenticateKey(token: string, env: Env): Promise<Caller | Refusal> {
  const key = await recogniseOwnKey(token, env);
  return 'ok' in key ? key : await callerOfKey(key, env);
}

async function recogniseOwnKey(token: string, env: Env): Promise<RecognisedKey | Refusal> {
  const key = await recogniseKey(env.KEY_SECRET, token);
  if (key === null) return WRONG_KEY;
  // Anyone can have it, so it is turned away here: it wakes nothing, and no event tells of it.
  if (key.isFrontend)
    return refusal('unauthenticated', 'A frontend key reads flags, and nothing else.');
  return refusedKeys.get(key.digest, Date.now()) === true ? WRONG_KEY : key;
}

export async function callerOfKey(
  key: RecognisedKey,
  env: Env,
  actsOnRun = false,
): Promise<Caller | Refusal> {
  const { tenantId, digest } = key;
  const known = await call(() => tenantObject(env, tenantId).authenticate(digest, actsOnRun));
  return known === null ? unknownKey(key) : { tenantId, ...known };
}

/** What to answer to a key that its tenant does not know, or not any more. */
export function unknownKey({ digest }: RecognisedKey): Refusal {
  refusedKeys.put(digest, true, Date.now());
  return WRONG_KEY;
}

/** A person may belong to several tenants, and then names one; the membership still decides. */
async function authenticateMember(
  request: Request,
  env: Env,
  actsOnRun: boolean,
): Promise<Caller | Refusal> {
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
  const known = await call(() => tenantObject(env, only).authenticateMember(email, actsOnRun));
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

/** The caller, unless their role is too low. @param orInPerson whether a member may come all the same */
export function withRole(caller: Caller, role: Role, orInPerson = false): Caller | TurnedAway {
  if (roleAllows(caller.role, role) || (orInPerson && caller.inPerson)) return caller;
  const detail = `This takes the role ${role}; the key has ${caller.role}.`;
  return { ...refusal('forbidden', detail), denied: caller };
}

export function bearerToken(request: Request): string | null {
  return BEARER.exec(request.headers.get('authorization') ?? '')?.[1] ?? null;
}
