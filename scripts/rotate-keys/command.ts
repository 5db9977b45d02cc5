/**
 * `signalbox keys rotate`: after SEAL_KEY was replaced, has everything sealed anew that is under a former
 * key, a page of tenants at a time, until a whole pass has found nothing more to do. Ended halfway, it
 * is simply run again. Exit code 0: nothing is left under a former key; 1: something is; 2: asked wrongly.
 */
import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { readSecrets, stateAt } from '../support/state.mjs';
import { type Pass, passOver, type Service } from './passes.ts';

export const USAGE = `Use: npx signalbox keys rotate [--url ORIGIN]

  --url  where the service is reached; left out: http://127.0.0.1:8787

The platform token is taken from PLATFORM_TOKEN, or from the state directory (STATE_DIR) of a server
that npm start or npm run serve has started.

Exit code 0: nothing is left under a former key. 1: something is, and what. 2: it was not tried.`;

/** What was sealed by a Worker of before, while the key was changed, is found by the next pass. */
const PASSES_MAX = 5;
const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\])$/;

/** Runs the command and prints its answer. @returns the exit code */
export async function rotateCommand(args: readonly string[]): Promise<number> {
  const service = serviceOf(args);
  if (typeof service === 'string') {
    console.error(`${service}\n\n${USAGE}`);
    return 2;
  }
  let resealed = 0;
  for (let count = 1; ; count += 1) {
    const pass = await passOver(service, (tenants) => console.log(`${tenants} tenants…`));
    resealed += pass.resealed;
    const isQuiet = pass.resealed === 0 && pass.failed.length === 0;
    if (isQuiet || count === PASSES_MAX) return report(pass, resealed, isQuiet);
  }
}

/** Where to ask and with which token, or a sentence about what is wrong. */
function serviceOf(args: readonly string[]): Service | string {
  const url = urlOf(args);
  if (typeof url === 'string') return url;
  if (url.protocol !== 'https:' && !LOOPBACK.test(url.hostname))
    return 'The platform token goes over https only: --url has to begin with https://.';
  const token = process.env.PLATFORM_TOKEN || localToken();
  return token === null
    ? 'Set PLATFORM_TOKEN to the platform token.'
    : { origin: url.origin, token };
}

function urlOf(args: readonly string[]): URL | string {
  try {
    const options = { url: { type: 'string', default: 'http://127.0.0.1:8787' } } as const;
    const { values } = parseArgs({ args: [...args], options });
    return URL.canParse(values.url) ? new URL(values.url) : `${values.url} is no address.`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function localToken(): string | null {
  const state = stateAt(process.env.STATE_DIR);
  return existsSync(state.secrets) ? (readSecrets(state).PLATFORM_TOKEN ?? null) : null;
}

function report(pass: Pass, resealed: number, isQuiet: boolean): number {
  const { keyId, tenants, left, retiredKeyIds, failed } = pass;
  console.log(`Sealed anew: ${resealed} texts. Tenants: ${tenants}. The key in use: ${keyId}.`);
  for (const [id, count] of left)
    console.error(
      retiredKeyIds.includes(id)
        ? `${count} under the key ${id} do not open with it: they were changed. Have them set again.`
        : `${count} need the key ${id}, which is not in SEAL_KEYS_RETIRED. Put it back there, or have them set again.`,
    );
  if (failed.length > 0) console.error(`Not gone through: ${failed.join(', ')}. Run this again.`);
  else if (!isQuiet)
    console.error('Texts under a former key keep coming. Is the new key deployed?');
  if (!isQuiet || left.size > 0) return 1;
  console.log('Nothing is left under a former key: SEAL_KEYS_RETIRED may be removed.');
  return 0;
}
