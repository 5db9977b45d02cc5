/**
 * Cloudflare Access: the JWT that it puts on a request says which person signed in. Its signature is
 * verified with the team's keys, its issuer, audience and times are checked; the header with the bare
 * email is never trusted.
 * https://developers.cloudflare.com/cloudflare-one/identity/authorization-cookie/validating-json/
 */
import {
  type CryptoKey,
  createLocalJWKSet,
  createRemoteJWKSet,
  type FlattenedJWSInput,
  type JWKSCacheInput,
  type JWSHeaderParameters,
  type JWTPayload,
  jwksCache,
  jwtVerify,
} from 'jose';
import { JOSEError, JWKSInvalid, JWKSNoMatchingKey, JWKSTimeout } from 'jose/errors';
import type { Env } from '../env.ts';

type AccessEnv = Pick<Env, 'ACCESS_TEAM' | 'ACCESS_AUDIENCE'>;

const HEADER = 'cf-access-jwt-assertion';
/** In ASCII: beyond it, letters such as the Kelvin sign become another one's in lower case. */
const ADDRESS = /^[!-~]+@[!-~]+$/;
const CLOCK_TOLERANCE_S = 5;
const KEYS_CACHED_MS = 3_600_000;
/**
 * Keys that were read are good for so long while the team's endpoint does not answer. They rotate
 * every six weeks, and a former one stays valid for seven days.
 */
const KEYS_KEPT_MS = 24 * 3_600_000;
/** So long after a failure the endpoint is left alone, and what was read before is used at once. */
const RETRY_MS = 30_000;

/** The keys cannot be read, and those that were do not tell: no fault of the caller. */
class KeysUnavailable extends Error {}

/** A team's key endpoint, and what was read there. */
class TeamKeys {
  readonly #cache: JWKSCacheInput = {};
  readonly #read: ReturnType<typeof createRemoteJWKSet>;
  #failedAt = Number.NEGATIVE_INFINITY;

  constructor(team: string) {
    const options = { cacheMaxAge: KEYS_CACHED_MS, [jwksCache]: this.#cache };
    this.#read = createRemoteJWKSet(new URL('/cdn-cgi/access/certs', team), options);
  }

  async find(header: JWSHeaderParameters, token: FlattenedJWSInput): Promise<CryptoKey> {
    if (Date.now() - this.#failedAt > RETRY_MS)
      try {
        return await this.#read(header, token);
      } catch (error) {
        if (!isOutage(error)) throw error;
        this.#failedAt = Date.now();
      }
    const { jwks, uat = Number.NEGATIVE_INFINITY } = this.#cache;
    if (jwks === undefined || Date.now() - uat > KEYS_KEPT_MS) throw new KeysUnavailable();
    try {
      return await createLocalJWKSet(jwks)(header, token);
    } catch (error) {
      // It may be a new key, which could not be read.
      const isMissing = error instanceof JWKSNoMatchingKey || isOutage(error);
      throw isMissing ? new KeysUnavailable() : error;
    }
  }
}

/** The endpoint did not answer, or not with keys; and not: it has no such key. */
function isOutage(error: unknown): boolean {
  return (
    !(error instanceof JOSEError) ||
    error instanceof JWKSTimeout ||
    error instanceof JWKSInvalid ||
    error.code === JOSEError.code
  );
}

/** One for each team, kept for the isolate's life. */
const teams = new Map<string, TeamKeys>();

function keysOf(team: string): TeamKeys {
  const known = teams.get(team) ?? new TeamKeys(team);
  teams.set(team, known);
  return known;
}

export function hasAccessToken(request: Request): boolean {
  return request.headers.has(HEADER);
}

/**
 * The email of whoever signed in, in lower case; `wrong` for a token that does not hold, or when
 * Access is not configured; `unavailable` when that cannot be told.
 */
export async function accessEmail(
  request: Request,
  env: AccessEnv,
): Promise<{ email: string } | 'wrong' | 'unavailable'> {
  const token = request.headers.get(HEADER);
  const team = env.ACCESS_TEAM ?? '';
  const audience = env.ACCESS_AUDIENCE ?? '';
  if (token === null || team === '' || audience === '') return 'wrong';
  try {
    const keys = keysOf(team);
    const { payload } = await jwtVerify(token, (...asked) => keys.find(...asked), {
      issuer: team,
      audience,
      algorithms: ['RS256'],
      clockTolerance: CLOCK_TOLERANCE_S,
      requiredClaims: ['exp', 'iat'],
    });
    const { email } = payload;
    return isIssued(payload) && typeof email === 'string' && ADDRESS.test(email)
      ? { email: email.toLowerCase() }
      : 'wrong';
  } catch (error) {
    if (error instanceof KeysUnavailable) return 'unavailable';
    if (error instanceof JOSEError) return 'wrong';
    throw error;
  }
}

/** Nobody signs in tomorrow. The library looks at `exp` and `nbf` alone. */
function isIssued({ iat = Number.POSITIVE_INFINITY }: JWTPayload): boolean {
  return iat <= Date.now() / 1_000 + CLOCK_TOLERANCE_S;
}
