/** One pass over all tenants, page by page. A page that fails is asked for again: nothing is done twice. */
import { setTimeout } from 'node:timers/promises';
import * as z from 'zod';
import { Complaint } from '../support/complaint.mjs';

export interface Service {
  readonly origin: string;
  readonly token: string;
}

/** What became of all tenants. */
export interface Pass {
  /** The key in use. */
  keyId: string;
  retiredKeyIds: readonly string[];
  tenants: number;
  resealed: number;
  /** How many texts do not open, by the key that they need. */
  readonly left: Map<string, number>;
  readonly failed: string[];
}

const PATH = '/api/platform/keys/rotate';
const TRIES_MAX = 6;
const TIMEOUT_MS = 120_000;

const answered = z.object({
  keyId: z.string(),
  retiredKeyIds: z.array(z.string()),
  tenants: z.int(),
  resealed: z.int(),
  left: z.array(z.object({ keyId: z.string(), count: z.int() })),
  failed: z.array(z.string()),
  nextCursor: z.string().nullable(),
});
const refused = z.object({ detail: z.string() });

/** @param tell hears how many tenants are done @throws Complaint when the service refuses */
export async function passOver(service: Service, tell: (tenants: number) => void): Promise<Pass> {
  const pass: Pass = {
    ...{ keyId: '', retiredKeyIds: [], tenants: 0, resealed: 0 },
    ...{ left: new Map<string, number>(), failed: [] },
  };
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const page = await askFor(service, cursor);
    pass.keyId = page.keyId;
    pass.retiredKeyIds = page.retiredKeyIds;
    pass.tenants += page.tenants;
    pass.resealed += page.resealed;
    pass.failed.push(...page.failed);
    for (const { keyId, count } of page.left)
      pass.left.set(keyId, (pass.left.get(keyId) ?? 0) + count);
    cursor = page.nextCursor;
    if (cursor !== null) tell(pass.tenants);
  }
  return pass;
}

async function askFor(service: Service, cursor: string | undefined) {
  for (let tries = 1; ; tries += 1) {
    const answer = await tryOnce(service, cursor);
    if (typeof answer === 'object') return answer;
    if (tries === TRIES_MAX) throw new Complaint(`${answer} Run this again: it goes on.`);
    await setTimeout(250 * 2 ** tries);
  }
}

/** The page, or a sentence about why there is none this time. @throws Complaint when none will come */
async function tryOnce({ origin, token }: Service, cursor: string | undefined) {
  let response: Response;
  try {
    response = await fetch(`${origin}${PATH}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(cursor === undefined ? {} : { cursor }),
      redirect: 'manual',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
  } catch {
    return `${origin} does not answer.`;
  }
  if (response.status >= 300 && response.status < 400)
    throw new Complaint(`${origin} answered with a redirect, which the token does not follow.`);
  const body: unknown = await response.json().catch(() => null);
  if (response.ok) {
    const page = answered.safeParse(body).data;
    if (page === undefined) throw new Complaint(`${origin} is no Signalbox of this version.`);
    return page;
  }
  const why = refused.safeParse(body).data?.detail ?? 'without a reason';
  const sentence = `${origin} answered ${response.status}: ${why}`;
  if (response.status < 500 && response.status !== 429) throw new Complaint(sentence);
  return sentence;
}
