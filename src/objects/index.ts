/**
 * The only door to the objects: their names, typed stubs. Names hold the tenant, and each object
 * checks that it is the one it was called as, so a mistake in a caller cannot cross tenants (I4).
 */
import type { Env } from '../env.ts';

type Namespaces = Pick<Env, 'TENANTS' | 'RUNS'>;

export function tenantObject(env: Namespaces, tenantId: string) {
  return env.TENANTS.getByName(`t:${tenantId}`);
}

export function runObject(env: Namespaces, tenantId: string, runId: string) {
  return env.RUNS.getByName(`r:${tenantId}:${runId}`);
}

/** The parts of a run object's name; null for an object that was not addressed by name. */
export function runObjectName(
  name: string | undefined,
): { tenantId: string; runId: string } | null {
  const [, tenantId, runId] = /^r:([^:]+):([^:]+)$/.exec(name ?? '') ?? [];
  return tenantId === undefined || runId === undefined ? null : { tenantId, runId };
}

/**
 * Calls an object, and once more on a new stub when the platform says that this is useful: a stub is
 * spent after an exception, and an overloaded object must not be called again at once. @param isRepeatable
 * whether doing it twice is doing it once: an object that died may have done it
 */
export async function call<T>(attempt: () => Promise<T>, isRepeatable = true): Promise<T> {
  try {
    return await attempt();
  } catch (error) {
    if (!isRepeatable || !isRetryable(error)) throw error;
    return await attempt();
  }
}

function isRetryable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const retryable = 'retryable' in error && error.retryable === true;
  const overloaded = 'overloaded' in error && error.overloaded === true;
  return retryable && !overloaded;
}
