/**
 * Cloudflare Access: the JWT that it puts on a request says which person signed in. Its signature is
 * verified with the team's keys, its issuer, audience and expiry are checked; the header with the
 * bare email is never trusted.
 * https://developers.cloudflare.com/cloudflare-one/identity/authorization-cookie/validating-json/
 */
import { createRemoteJWKSet, errors, jwtVerify } from 'jose';
import type { Env } from '../env.ts';

type AccessEnv = Pick<Env, 'ACCESS_TEAM' | 'ACCESS_AUDIENCE'>;

const HEADER = 'cf-access-jwt-assertion';
const CLOCK_TOLERANCE_S = 5;
const KEYS_CACHED_MS = 3_600_000;

/** One key set for each team, kept for the isolate's life: keys rotate every six weeks. */
const keySets = new Map<string, ReturnType<typeof createRemoteJWKSet>>();

function keysOf(team: string): ReturnType<typeof createRemoteJWKSet> {
  const known = keySets.get(team);
  if (known !== undefined) return known;
  const keys = createRemoteJWKSet(new URL('/cdn-cgi/access/certs', team), {
    cacheMaxAge: KEYS_CACHED_MS,
  });
  keySets.set(team, keys);
  return keys;
}

export function hasAccessToken(request: Request): boolean {
  return request.headers.has(HEADER);
}

/**
 * The email of whoever signed in, in lower case; null for a token that does not hold, or when Access
 * is not configured. A team whose keys cannot be read throws: that is no fault of the caller.
 */
export async function accessEmail(request: Request, env: AccessEnv): Promise<string | null> {
  const token = request.headers.get(HEADER);
  const team = env.ACCESS_TEAM ?? '';
  const audience = env.ACCESS_AUDIENCE ?? '';
  if (token === null || team === '' || audience === '') return null;
  try {
    const { payload } = await jwtVerify(token, keysOf(team), {
      issuer: team,
      audience,
      algorithms: ['RS256'],
      clockTolerance: CLOCK_TOLERANCE_S,
      requiredClaims: ['exp', 'iat'],
    });
    return typeof payload.email === 'string' ? payload.email.toLowerCase() : null;
  } catch (error) {
    if (error instanceof errors.JWKSTimeout) throw error;
    if (error instanceof errors.JOSEError) return null;
    throw error;
  }
}
