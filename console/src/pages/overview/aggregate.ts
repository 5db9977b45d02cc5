/** What the bars of the overview show, made of the numbers that the API counts for each hour. Pure. */
import type { HourStats } from '../../../../src/contract/stats.ts';
import type { Signal } from '../../ui/status.tsx';

export const SIGNALS = ['go', 'stop', 'move', 'off'] as const satisfies readonly Signal[];

export interface Bucket {
  readonly from: number;
  readonly counts: Readonly<Record<(typeof SIGNALS)[number], number>>;
  readonly total: number;
}

export interface Series {
  readonly buckets: readonly Bucket[];
  /** How long each is. */
  readonly stepMs: number;
  readonly count: number;
  /** More happened than was counted: some of it is assumed. */
  readonly isEstimated: boolean;
}

const HOUR_MS = 3_600_000;

/** Runs by the hour in which they began, by how they stand now. */
export function runSeries(hours: readonly HourStats[]): Series {
  return seriesOf(hours, ({ runs }) => ({
    go: runs.succeeded,
    stop: runs.failed + runs.denied + runs.expired,
    move: runs.open,
    off: runs.cancelled,
  }));
}

/** Events by the hour in which they came. */
export function eventSeries(hours: readonly HourStats[]): Series {
  return seriesOf(hours, ({ events }) => ({ go: 0, stop: 0, move: events, off: 0 }));
}

/** Of all hours together. */
export function totalOf({ buckets }: Series, signal: (typeof SIGNALS)[number]): number {
  return buckets.reduce((sum, { counts }) => sum + counts[signal], 0);
}

function seriesOf(
  hours: readonly HourStats[],
  countsOf: (hour: HourStats) => Bucket['counts'],
): Series {
  const buckets = hours.map((hour) => {
    const counts = countsOf(hour);
    const total = SIGNALS.reduce((sum, signal) => sum + counts[signal], 0);
    return { from: Date.parse(hour.from), counts, total };
  });
  return {
    buckets,
    stepMs: HOUR_MS,
    count: buckets.reduce((sum, { total }) => sum + total, 0),
    isEstimated: hours.some(({ estimated }) => estimated),
  };
}
