/** How fast something may come, with room for bursts. Pure: the caller keeps the state and the clock. */

/** `tokens` as of `at` (milliseconds). */
export interface Bucket {
  readonly tokens: number;
  readonly at: number;
}

export interface Rate {
  readonly perSecond: number;
  /** The most that can be saved up. */
  readonly burst: number;
}

export function fullBucket(rate: Rate, now: number): Bucket {
  return { tokens: rate.burst, at: now };
}

/**
 * Takes `count` tokens, all or none. More than the bucket ever holds is let through when it is full,
 * and leaves it in debt: otherwise it could never pass. A clock that goes back adds nothing.
 */
export function take(
  bucket: Bucket,
  rate: Rate,
  count: number,
  now: number,
): { ok: true; bucket: Bucket } | { ok: false; bucket: Bucket; waitMs: number } {
  const passed = Math.max(0, now - bucket.at);
  const tokens = Math.min(rate.burst, bucket.tokens + (passed * rate.perSecond) / 1_000);
  const needed = Math.min(count, rate.burst);
  if (tokens >= needed) return { ok: true, bucket: { tokens: tokens - count, at: now } };
  const waitMs = Math.ceil(((needed - tokens) * 1_000) / rate.perSecond);
  return { ok: false, bucket: { tokens, at: now }, waitMs };
}
