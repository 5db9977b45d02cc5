/**
 * How well a destination takes webhooks: a circuit breaker. Whoever answers is healthy and has no
 * record. A record begins with the first failure since the last success; after five days of nothing
 * but failure, or at once on 410 Gone (Standard Webhooks 1.0.0), the destination is disabled. One
 * that was disabled for failing is tried now and then by a single attempt (a half-open probe), and
 * its success ends the record. What a receiver or an admin has ended, only an admin begins again.
 */

export type DisabledReason = 'failing' | 'gone' | 'by_hand';

/** Times are milliseconds since 1970. */
export interface DestinationHealth {
  readonly url: string;
  /** When the first failure since the last success began; null when nothing has failed. */
  readonly failingSince: number | null;
  readonly failures: number;
  readonly lastFailureAt: number | null;
  /** Why the last attempt failed: a stable code, and the HTTP status if there was an answer. */
  readonly lastCode: string | null;
  readonly lastStatus: number | null;
  readonly disabled: {
    readonly at: number;
    readonly reason: DisabledReason;
    readonly probes: number;
    /** When one attempt is let through; null: an admin has to enable it. */
    readonly nextProbeAt: number | null;
  } | null;
}

/** What one request to the destination came to; `code` is null for a success. */
export interface AttemptSeen {
  /** When it began. */
  readonly at: number;
  readonly code: string | null;
  readonly status: number | null;
}

export interface HealthStep {
  /** Null: healthy, nothing to remember. */
  readonly health: DestinationHealth | null;
  readonly change: 'disabled' | 'enabled' | null;
}

const HOUR_MS = 3_600_000;
/** As with Svix: five days of failure. */
export const DISABLE_AFTER_MS = 5 * 24 * HOUR_MS;
/** More than the eight attempts of one message: a single one cannot disable a destination. */
export const DISABLE_AFTER_FAILURES = 10;
export const FIRST_PROBE_MS = HOUR_MS;
export const PROBE_MAX_MS = 24 * HOUR_MS;
const GONE = 410;

export function afterAttempt(
  health: DestinationHealth | null,
  url: string,
  seen: AttemptSeen,
): HealthStep {
  return seen.code === null
    ? afterSuccess(health, seen.at)
    : afterFailure(health ?? unknownHealth(url), seen, seen.code);
}

/** A success that began before the destination was disabled says nothing about now. */
function afterSuccess(health: DestinationHealth | null, at: number): HealthStep {
  const disabled = health?.disabled ?? null;
  if (disabled === null) return { health: null, change: null };
  return disabled.reason === 'failing' && at >= disabled.at
    ? { health: null, change: 'enabled' }
    : { health, change: null };
}

function afterFailure(
  health: DestinationHealth,
  { at, status }: AttemptSeen,
  code: string,
): HealthStep {
  const failingSince = Math.min(health.failingSince ?? at, at);
  const lastFailureAt = Math.max(health.lastFailureAt ?? at, at);
  const failures = health.failures + 1;
  const seen = {
    ...health,
    failingSince,
    lastFailureAt,
    failures,
    lastCode: code,
    lastStatus: status,
  };
  const { disabled } = health;
  if (status === GONE) {
    const gone = { at: disabled?.at ?? at, reason: 'gone', probes: 0, nextProbeAt: null } as const;
    if (disabled === null) return { health: { ...seen, disabled: gone }, change: 'disabled' };
    // What an admin has switched off stays theirs.
    const now = disabled.reason === 'failing' ? gone : disabled;
    return { health: { ...seen, disabled: now }, change: null };
  }
  const dead =
    failures >= DISABLE_AFTER_FAILURES && lastFailureAt - failingSince >= DISABLE_AFTER_MS;
  if (disabled !== null || !dead) return { health: seen, change: null };
  const nextProbeAt = lastFailureAt + FIRST_PROBE_MS;
  const failing = { at: lastFailureAt, reason: 'failing', probes: 0, nextProbeAt } as const;
  return { health: { ...seen, disabled: failing }, change: 'disabled' };
}

export type Passage =
  /** `health` is to be kept: a probe that is let through is the only one for a while. */
  | { readonly allowed: true; readonly health: DestinationHealth | null }
  /** `retryAt`: when the next probe may be; null when only an admin can enable the destination. */
  | { readonly allowed: false; readonly retryAt: number | null };

/** May a request be sent now? A disabled destination lets one probe through when its time has come. */
export function passage(health: DestinationHealth | null, now: number): Passage {
  const disabled = health?.disabled ?? null;
  if (health === null || disabled === null) return { allowed: true, health };
  const { nextProbeAt } = disabled;
  if (nextProbeAt === null || now < nextProbeAt) return { allowed: false, retryAt: nextProbeAt };
  const probes = disabled.probes + 1;
  const pause = Math.min(FIRST_PROBE_MS * 2 ** probes, PROBE_MAX_MS);
  return {
    allowed: true,
    health: { ...health, disabled: { ...disabled, probes, nextProbeAt: now + pause } },
  };
}

/** An admin wants nothing sent there. Null when that is so already. */
export function disableByHand(
  health: DestinationHealth | null,
  url: string,
  now: number,
): DestinationHealth | null {
  if (health?.disabled?.reason === 'by_hand') return null;
  const disabled = { at: now, reason: 'by_hand', probes: 0, nextProbeAt: null } as const;
  return { ...(health ?? unknownHealth(url)), disabled };
}

function unknownHealth(url: string): DestinationHealth {
  return {
    url,
    failingSince: null,
    failures: 0,
    lastFailureAt: null,
    lastCode: null,
    lastStatus: null,
    disabled: null,
  };
}
