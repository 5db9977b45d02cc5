/**
 * A change of the sealing key, some tenants at a time: every sealed text is opened with the key that
 * it needs and sealed under the one in use. What does not open is left as it is and counted, so that
 * the operator knows whether a former key is still needed. Doing it again changes nothing.
 */
import type { Env } from '../env.ts';
import { inLanes, LANES_OUT } from '../in-lanes.ts';
import { logError } from '../log.ts';
import { keyIdOf, reseal, type SealKeys, sealKeyId } from '../sealed.ts';
import type { By } from './change.ts';
import { tenantObject } from './index.ts';
import type { Resealed, SealedText } from './tenant-secrets.ts';

type ResealingEnv = Pick<Env, 'TENANTS' | 'RUNS'> & SealKeys;

/** What a number of tenants came to. */
export interface Resealing {
  /** The key that seals now. */
  readonly keyId: string;
  readonly resealed: number;
  /** Texts that are under another key still, by its id; `unreadable` for what is no sealed text. */
  readonly left: Readonly<Record<string, number>>;
  /** Tenants that could not be gone through. */
  readonly failed: readonly string[];
}

/** Pages of one tenant in one request. A tenant with more is gone on with by the next pass. */
const PAGES_MAX = 20;
const UNREADABLE = 'unreadable';

export async function resealTenants(
  env: ResealingEnv,
  tenantIds: readonly string[],
  by: By,
): Promise<Resealing> {
  const keyId = await sealKeyId(env);
  const tally = new Tally();
  await inLanes([...tenantIds], LANES_OUT, async (id) => {
    await resealTenant(env, id, keyId, by, tally).catch((error) => tally.failure(id, error));
  });
  const left = Object.fromEntries(tally.left);
  return { keyId, resealed: tally.resealed, left, failed: tally.failed };
}

class Tally {
  resealed = 0;
  readonly left = new Map<string, number>();
  readonly failed: string[] = [];

  sealed(count: number): void {
    this.resealed += count;
  }

  leaves(keyId: string, count: number): void {
    if (count > 0) this.left.set(keyId, (this.left.get(keyId) ?? 0) + count);
  }

  failure(tenantId: string, error: unknown): void {
    logError({ what: 'resealing_failed', tenantId }, error);
    this.failed.push(tenantId);
  }
}

async function resealTenant(
  env: ResealingEnv,
  tenantId: string,
  keyId: string,
  by: By,
  tally: Tally,
): Promise<void> {
  let after: string | null = null;
  for (let page = 0; page < PAGES_MAX; page += 1) {
    const { texts, next } = await tenantObject(env, tenantId).sealedTexts(keyId, after);
    const opened = await Promise.all(texts.map((text) => resealText(env, text)));
    const fresh = opened.flatMap((one) => (one === null ? [] : [one]));
    if (fresh.length > 0) tally.sealed(await tenantObject(env, tenantId).replaceSealed(fresh, by));
    for (const [index, { text }] of texts.entries())
      if (opened[index] === null) tally.leaves(keyIdOf(text) ?? UNREADABLE, 1);
    after = next;
    if (after === null) return;
  }
  throw new Error('there is more than one request can seal anew: the next pass goes on');
}

/** Null for a text that does not open. */
async function resealText(
  env: ResealingEnv,
  { place, owner, text }: SealedText,
): Promise<Resealed | null> {
  const to = await reseal(env, owner, text);
  return to === null ? null : { place, from: text, to };
}
