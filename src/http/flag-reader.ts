/**
 * Who may evaluate flags: a page with its frontend key, by one read that answers for the key and for the
 * flags, waking no object; or anyone of the tenant who may read, by the usual way.
 */
import { refusal } from '../contract/problems.ts';
import { envOf } from '../db/databases.ts';
import { type FlagsSeen, flagsByKey, flagsOf } from '../db/frontend-keys.ts';
import type { Env } from '../env.ts';
import { roleAllows } from '../objects/identity.ts';
import { call, tenantObject } from '../objects/index.ts';
import { type RecognisedKey, recogniseKey } from './api-key.ts';
import { authenticateCaller, bearerToken, type TurnedAway } from './authenticate.ts';

/** Who has been let in, with what may be read. */
export interface FlagReader extends FlagsSeen {
  readonly tenantId: string;
}

/** Says to whoever asks us that they have to ask somebody else. */
export function keptElsewhere(service: string): string {
  return `The flags of this tenant are kept by ${service}: evaluate them there.`;
}

type Let = FlagReader | TurnedAway;

export async function admitFlagReader(request: Request, env: Env): Promise<Let> {
  const token = bearerToken(request);
  const key = token === null ? null : await recogniseKey(env.KEY_SECRET, token);
  if (key?.isFrontend === true) return await readerOfKey(key, env);
  const caller = await authenticateCaller(request, env);
  if ('ok' in caller) return caller;
  if (roleAllows(caller.role, 'viewer')) return await readerOf(caller.tenantId, env);
  const detail = `This takes a frontend key, or the role viewer; the key has ${caller.role}.`;
  return { ...refusal('forbidden', detail), denied: caller };
}

/** A key that the read model does not have was made a moment ago, or never: its tenant knows. */
async function readerOfKey({ tenantId, digest }: RecognisedKey, env: Env): Promise<Let> {
  const { DB } = await envOf(env, tenantId);
  const seen = await flagsByKey(DB, tenantId, digest);
  if (typeof seen !== 'string') return { tenantId, ...seen };
  const isLive =
    seen === 'unknown' && (await call(() => tenantObject(env, tenantId).isFrontendKey(digest)));
  return isLive
    ? await readerOf(tenantId, env)
    : refusal('unauthenticated', 'The frontend key is wrong or revoked.');
}

async function readerOf(tenantId: string, env: Env): Promise<FlagReader> {
  const { DB } = await envOf(env, tenantId);
  return { tenantId, ...(await flagsOf(DB, tenantId)) };
}
