/** When a failed attempt is tried again. Pure: the jitter is drawn by the caller. */

export interface RetryPlan {
  /** How many attempts in all, the first one included. */
  readonly attempts: number;
  readonly delayMs: number;
  readonly maxDelayMs: number;
  /** The delay after each attempt, instead of doubling; the last one holds for all that follow. */
  readonly delaysMs?: readonly number[];
}

/** A destination may ask for patience, but not for ever. */
export const RETRY_AFTER_MAX_MS = 24 * 3_600_000;
const JITTER = 0.2;

/**
 * Milliseconds until the attempt after `attempt` (1 for the first), or null when there is none.
 * By the plan's own schedule, or doubling from `delayMs` up to `maxDelayMs`; ±20 % by `jitter` in
 * [0, 1), so that runs that failed together do not come back together. A longer `Retry-After` wins.
 */
export function retryDelayMs(
  plan: RetryPlan,
  attempt: number,
  jitter: number,
  retryAfterMs: number | null,
): number | null {
  if (attempt >= plan.attempts) return null;
  const doubled = Math.min(plan.delayMs * 2 ** (attempt - 1), plan.maxDelayMs);
  const backoff = plan.delaysMs?.[attempt - 1] ?? plan.delaysMs?.at(-1) ?? doubled;
  const spread = backoff * (1 - JITTER + 2 * JITTER * jitter);
  return Math.round(Math.max(spread, Math.min(retryAfterMs ?? 0, RETRY_AFTER_MAX_MS)));
}
