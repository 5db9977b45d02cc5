/** From a credential to a caller. A handler of a protected route cannot run without one. */
import { type Actor, ROLES, type Role } from '../contract/json.ts';
import { type Refusal, refusal } from '../contract/problems.ts';
import type { Env } from '../env.ts';
import { call, tenantObject } from '../objects/index.ts';
import { equalSecrets, recogniseKey } from './api-key.ts';

/** Who calls. The tenant comes from the credential alone. */
export interface Caller {
  readonly tenantId: string;
  readonly actor: Actor;
  readonly role: Role;
}

const BEARER = /^Bearer +([\x21-\x7e]{1,512})$/i;
const PLATFORM_TOKEN_LENGTH_MIN = 16;

/** The caller of an API key. */
export async function authenticateKey(request: Request, env: Env): Promise<Caller | Refusal> {
  const token = bearerToken(request);
  if (token === null)
    return refusal('unauthenticated', 'Send an API key: Authorization: Bearer sbx_…');
  const wrong = refusal('unauthenticated', 'The API key is wrong or revoked.');
  const key = await recogniseKey(env.KEY_SECRET, token);
  if (key === null) return wrong;
  const known = await call(() => tenantObject(env, key.tenantId).authenticate(key.digest));
  if (known === null) return wrong;
  const { id, name, role } = known;
  return { tenantId: key.tenantId, actor: { type: 'api_key', id, name }, role };
}

export async function authenticatePlatform(request: Request, env: Env): Promise<Actor | Refusal> {
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

function bearerToken(request: Request): string | null {
  return BEARER.exec(request.headers.get('authorization') ?? '')?.[1] ?? null;
}
