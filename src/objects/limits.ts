/**
 * Keeps a tenant to its limits, before anything of a request is stored. How fast events come is kept
 * in memory: an object that was away starts with a full bucket, which costs no row.
 */
import type { LimitsView, TenantLimitsChange } from '../contract/limits.ts';
import { type Refusal, refusal } from '../contract/problems.ts';
import { type Bucket, fullBucket, type Rate, take } from '../engine/token-bucket.ts';
import { type Change, changed } from './change.ts';
import type { Intake } from './intake.ts';
import type { Settings } from './settings.ts';

/** Counting reads a row for each run, so the count may be so old. */
const COUNT_FRESH_MS = 5_000;
/** To ask for it costs as much as to take a small event. */
const SIZE_FRESH_MS = 250;
/** When too many runs are under way, some of them have ended by then. */
const RUNS_WAIT_MS = 10_000;
/** Denied calls that become events. Whoever may do nothing can at least not fill anything by trying. */
const DENIALS: Rate = { perSecond: 1, burst: 60 };

export class Limits {
  readonly #sql: SqlStorage;
  readonly #settings: Settings;
  readonly #intake: Intake;
  #bucket: Bucket | null = null;
  #denials: Bucket | null = null;
  #runs = { count: 0, at: Number.NEGATIVE_INFINITY };
  #size = { bytes: 0, at: Number.NEGATIVE_INFINITY };

  constructor(sql: SqlStorage, settings: Settings, intake: Intake) {
    this.#sql = sql;
    this.#settings = settings;
    this.#intake = intake;
  }

  /** Why so many events cannot be taken now (`now` in milliseconds), or null: then they count. */
  refuse(events: number, now: number): Refusal | null {
    const full = this.#full(now);
    if (full !== null) return full;
    const limits = this.#settings.limits();
    const rate = { perSecond: limits.eventsPerSecond, burst: limits.eventsBurst };
    const taken = take(this.#bucket ?? fullBucket(rate, now), rate, events, now);
    this.#bucket = taken.bucket;
    if (taken.ok) return null;
    const detail = `More than ${rate.perSecond} events a second. Nothing was taken; send it again later.`;
    return { ...refusal('rate_limited', detail), retryAfterMs: taken.waitMs };
  }

  /** Whether one more denied call may become an event, which then counts; apart from the others. */
  admitsDenial(now: number): boolean {
    if (this.#full(now) !== null) return false;
    const taken = take(this.#denials ?? fullBucket(DENIALS, now), DENIALS, 1, now);
    this.#denials = taken.bucket;
    return taken.ok;
  }

  #full(now: number): Refusal | null {
    const limits = this.#settings.limits();
    if (this.#storageBytes(now) > limits.storageBytes)
      return refusal('limit_reached', "The tenant's storage is full. Ask the operator.");
    if (this.#runsInFlight(now) < limits.runsInFlight) return null;
    const detail = `More than ${limits.runsInFlight} runs have not ended.`;
    return { ...refusal('rate_limited', detail), retryAfterMs: RUNS_WAIT_MS };
  }

  view(now: number): LimitsView {
    return {
      limits: this.#settings.limits(),
      usage: { runsInFlight: this.#runsInFlight(now), storageBytes: this.#storageBytes(now) },
    };
  }

  update(tenantId: string, change: TenantLimitsChange, now: number): Change<LimitsView> {
    this.#settings.setLimits({ ...this.#settings.limits(), ...change });
    this.#bucket = null;
    this.#runs.at = Number.NEGATIVE_INFINITY;
    this.#size.at = Number.NEGATIVE_INFINITY;
    const target = { type: 'tenant', id: tenantId };
    return changed(this.view(now), 'limits.updated', target, { ...change });
  }

  #runsInFlight(now: number): number {
    if (now - this.#runs.at >= COUNT_FRESH_MS || now < this.#runs.at) {
      this.#runs = { count: this.#intake.countOpen(), at: now };
    }
    return this.#runs.count;
  }

  #storageBytes(now: number): number {
    if (now - this.#size.at >= SIZE_FRESH_MS || now < this.#size.at)
      this.#size = { bytes: this.#sql.databaseSize, at: now };
    return this.#size.bytes;
  }
}
