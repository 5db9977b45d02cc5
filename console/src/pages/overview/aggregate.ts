/** Counts over the newest rows of a list: what the API gives today. Pure. */
import type { Delivery } from '../../../../src/contract/deliveries.ts';
import { type Signal, signalOf } from '../../ui/status.tsx';

export const SIGNALS = ['go', 'stop', 'hold', 'move', 'off'] as const;

export interface Bucket {
  readonly from: number;
  readonly counts: Readonly<Record<Signal, number>>;
  readonly total: number;
}

export interface Series {
  readonly buckets: readonly Bucket[];
  /** How long each is. */
  readonly stepMs: number;
  readonly count: number;
  readonly spanMs: number;
}

const STEPS_MS = [60_000, 300_000, 900_000, 3_600_000, 10_800_000, 86_400_000, 604_800_000];
const BUCKETS_MAX = 48;
/** Fewer would be a wall, and tell nothing of before and after. */
const BUCKETS_MIN = 24;

/** By time, from the oldest row to now, in steps that people count in. */
export function seriesOf(
  rows: readonly { readonly at: string; readonly status: string }[],
  now: number,
): Series {
  const times = rows.map(({ at }) => Date.parse(at));
  const oldest = Math.min(now, ...times);
  const spanMs = now - oldest;
  const stepMs = STEPS_MS.find((step) => spanMs / step <= BUCKETS_MAX) ?? STEPS_MS.at(-1) ?? spanMs;
  const start = Math.floor(Math.min(oldest, now - (BUCKETS_MIN - 1) * stepMs) / stepMs) * stepMs;
  const count = Math.max(1, Math.floor((now - start) / stepMs) + 1);
  const buckets = Array.from({ length: Math.min(count, BUCKETS_MAX * 2) }, (_, at) => ({
    from: start + at * stepMs,
    counts: { go: 0, stop: 0, hold: 0, move: 0, off: 0 },
    total: 0,
  }));
  for (const [at, row] of rows.entries()) {
    const bucket = buckets[Math.floor(((times[at] ?? now) - start) / stepMs)];
    if (bucket === undefined) continue;
    bucket.counts[signalOf(row.status)] += 1;
    bucket.total += 1;
  }
  return { buckets, stepMs, count: rows.length, spanMs };
}

export interface DestinationTimes {
  readonly destination: string;
  readonly count: number;
  readonly failed: number;
  readonly middleMs: number;
  readonly slowMs: number;
}

/** The slowest first, by the time within which 19 of 20 were answered. */
export function destinationTimes(deliveries: readonly Delivery[]): DestinationTimes[] {
  const byDestination = Map.groupBy(deliveries, ({ destination }) => destination);
  return [...byDestination]
    .map(([destination, own]) => {
      const times = own.map(({ durationMs }) => durationMs).sort((a, b) => a - b);
      return {
        destination,
        count: own.length,
        failed: own.filter(({ status }) => status === 'failed').length,
        middleMs: quantile(times, 0.5),
        slowMs: quantile(times, 0.95),
      };
    })
    .sort((a, b) => b.slowMs - a.slowMs);
}

function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}
