/** Addresses that something is to be sent to, as they are checked when somebody saves them. */
import { ACTIONS } from '../actions/index.ts';
import type { Fault } from '../contract/problems.ts';
import type { Definition } from '../contract/workflows.ts';
import { isWait } from '../engine/definition.ts';
import type { Env } from '../env.ts';
import { call, tenantObject } from '../objects/index.ts';
import { checkDestination, type DestinationRules, destinationRules } from '../ports/destination.ts';

/** Where a tenant may send to as it stands right now. */
export async function rulesOf(env: Env, tenantId: string): Promise<DestinationRules> {
  const tenant = tenantObject(env, tenantId);
  const listed = await call(() => tenant.sealedConnection('destinations'));
  return destinationRules(env, listed === null ? [] : [listed]);
}

/** What is wrong with the addresses of a workflow; each of them is checked again when it is used. */
export async function addressFaults(
  env: Env,
  tenantId: string,
  definition: Definition,
): Promise<Fault[]> {
  const addresses = addressesIn(definition);
  if (addresses.length === 0) return [];
  const rules = await rulesOf(env, tenantId);
  return addresses.flatMap(({ path, url }) => {
    const checked = checkDestination(url, rules);
    return checked.ok ? [] : [{ path, message: checked.reason }];
  });
}

function addressesIn({ steps }: Definition): { path: string; url: string }[] {
  return steps.flatMap((step, index) => {
    const field = isWait(step) ? undefined : ACTIONS[step.action]?.addressField;
    if (isWait(step) || typeof field !== 'string') return [];
    const text = step.with?.[field];
    const url = typeof text === 'string' ? writtenOut(text) : null;
    return url === null ? [] : [{ path: `steps.${index}.with.${field}`, url }];
  });
}

/** All of it; of one with templates what stands before the first, if the host ends before. */
function writtenOut(text: string): string | null {
  const hole = text.indexOf('{{');
  if (hole < 0) return text;
  const begin = text.slice(0, hole);
  return /^[^:/?#]+:\/\/[^/?#]+[/?#]/.test(begin) ? begin : null;
}
