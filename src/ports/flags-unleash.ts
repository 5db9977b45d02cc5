/**
 * Flags at Unleash, over its Admin API: a feature is switched on or off in one environment of a project.
 * That sets a state, so an attempt whose answer was lost is simply made again; whether a call has changed
 * something is told by reading first, and by the ledger. A feature that Unleash does not have is not
 * made: its strategies are for people to write.
 * https://docs.getunleash.io/api/toggle-feature-environment-on, …-off, …/get-feature-environment
 */
import * as z from 'zod';
import { later } from '../contract/later.ts';
import type { Outcome } from '../engine/plan.ts';
import { changedFlag, type FlagLedger, unchangedFlag } from './flag-changes.ts';
import { type FlagChange, type FlagsPort, failed, type PortCall } from './index.ts';
import {
  type Answer,
  type Asking,
  busyOutcome,
  exchange,
  parsedJson,
  quoted,
  silenceOutcome,
  unreadableOutcome,
} from './vendor-http.ts';

export interface UnleashPlace {
  /** Where Unleash is, such as `https://unleash.example.com`; may have a path. */
  readonly url: string;
  readonly project: string;
  readonly environment: string;
  readonly apiToken: string;
}

export interface UnleashDeps {
  readonly fetch: typeof fetch;
  readonly ledger: FlagLedger;
}

const VENDOR = 'Unleash';
/** A path of dots would lead elsewhere; no feature is called so. */
const DOTS = /^\.+$/;

const state = later(() => z.object({ enabled: z.boolean() }));
const refused = later(() => z.object({ message: z.string() }).catch({ message: '' }));

export function unleashFlags(place: UnleashPlace, deps: UnleashDeps): FlagsPort {
  return { setFlag: (call, change) => setFlag(place, deps, call, change) };
}

async function setFlag(
  place: UnleashPlace,
  { fetch, ledger }: UnleashDeps,
  call: PortCall,
  change: FlagChange,
): Promise<Outcome> {
  const { key, enabled } = change;
  if (DOTS.test(key)) return unknownFlag(`There is no feature named ${key}.`);
  const progress = await ledger.progress(call, key);
  if (progress === 'applied') return changedFlag(call, change);
  const asking = { fetch, deadline: AbortSignal.timeout(call.timeoutMs), now: call.now };
  const read = await askUnleash(place, key, '', asking);
  if (!read.ok) return read.outcome;
  const found = state.safeParse(parsedJson(read.data));
  if (!found.success) return unreadableOutcome(VENDOR);
  const isSet = found.data.enabled === enabled;
  // That way already; unless it was the other when this call began, and an answer was lost.
  if (isSet && progress === null) return unchangedFlag(change);
  if (!isSet) {
    await ledger.begin(call, change);
    const made = await askUnleash(place, key, enabled ? '/on' : '/off', asking);
    if (!made.ok) return made.outcome;
  }
  await ledger.finish(call, key);
  return changedFlag(call, change);
}

/** One request: without a verb it reads. The text of a good answer. */
export async function askUnleash(
  { url, project, environment, apiToken }: UnleashPlace,
  key: string,
  verb: '' | '/on' | '/off',
  { fetch, deadline, now }: Asking,
): Promise<Answer<string>> {
  const [inProject, feature, place] = [project, key, environment].map(encodeURIComponent);
  const sent = await exchange(
    fetch,
    `${url.replace(/\/+$/, '')}/api/admin/projects/${inProject}/features/${feature}/environments/${place}${verb}`,
    {
      method: verb === '' ? 'GET' : 'POST',
      headers: { authorization: apiToken, accept: 'application/json' },
    },
    deadline,
  );
  if (!sent.answered) return { ok: false, outcome: silenceOutcome(VENDOR, sent.silence) };
  const { status, headers, text } = sent;
  if (status >= 200 && status < 300) return { ok: true, data: text };
  const { message } = refused.parse(parsedJson(text));
  const outcome =
    busyOutcome(VENDOR, status, headers.get('retry-after'), now) ??
    refusalOutcome(status, quoted(message, apiToken));
  return { ok: false, outcome };
}

function refusalOutcome(status: number, said: string): Outcome {
  const why = said === '' ? '' : ` It said: ${said}`;
  if (status === 401)
    return failed(
      'credential_refused',
      'Unleash refused the API token: set the flags connection with a valid one.',
    );
  if (status === 403)
    return failed(
      'scope_missing',
      `The API token may not switch features in this environment.${why}`,
    );
  if (status === 404) return unknownFlag(said || 'It has no such project, feature or environment.');
  if (status === 409)
    return failed('vendor_busy', `Unleash is busy with another change of this.${why}`, {
      retryable: true,
    });
  return failed('flags_refused', `Unleash refused (${status}).${why}`);
}

function unknownFlag(said: string): Outcome {
  return failed('flag_not_found', `Unleash does not know the flag: ${said}`);
}
