/**
 * Who sends many wrong credentials from one address is told to slow down. A right one passes all the
 * same: an address may be shared, and nobody may lock a tenant out by guessing from next door, nor by
 * sending a vendor's webhooks to the wrong tenant. The operator's token alone is not even looked at any
 * more: it is the one secret here that a person may have made up.
 *
 * The platform's counter is a shield (each location counts for itself, and not to the last one); what
 * makes guessing hopeless are 160 random bits in a key and 256 in a link's signature.
 * https://developers.cloudflare.com/workers/runtime-apis/bindings/rate-limit/
 */
import { type Refusal, refusal } from '../contract/problems.ts';
import type { Env } from '../env.ts';
import { log, logError } from '../log.ts';
import { Recent } from '../recent.ts';
import { clientNetwork } from './client-address.ts';

/** As in wrangler.toml. */
const PERIOD_MS = 60_000;

const flooding = new Recent<true>({ max: 10_000, keptMs: PERIOD_MS });

interface Asked {
  readonly request: Request;
  readonly env: Pick<Env, 'WRONG_CREDENTIALS'>;
  readonly requestId: string;
}

/** What to answer to a credential that is wrong: `refused`, or 429 to an address that sends many. */
export async function wrongCredential(
  { request, env, requestId }: Asked,
  refused: Refusal,
): Promise<Refusal> {
  const network = clientNetwork(request);
  const counter = env.WRONG_CREDENTIALS;
  if (network === null || counter === undefined) return refused;
  try {
    const { success } = await counter.limit({ key: network });
    if (success) return refused;
  } catch (error) {
    logError({ what: 'wrong_credentials_failed', requestId }, error);
    return refused;
  }
  if (!isFlooding(request)) log({ what: 'wrong_credentials_flood', requestId });
  flooding.put(network, true, Date.now());
  return slowDown();
}

/** Whether the address was told so within the last minute, as far as this isolate knows. */
export function isFlooding(request: Request): boolean {
  const network = clientNetwork(request);
  return network !== null && flooding.get(network, Date.now()) === true;
}

export function slowDown(): Refusal {
  const detail = 'Too many wrong credentials came from your address. Try again in a minute.';
  return { ...refusal('rate_limited', detail), retryAfterMs: PERIOD_MS };
}
