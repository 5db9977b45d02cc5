/** Events that go on at a steady rate while something else is under way, and how much longer they take than alone. */
import { runLoad } from '../support/processes.ts';
import { deliveries, newRound, whenShown } from '../support/rounds.ts';
import { quantile, shown } from '../support/statistics.ts';
import { BARE, PRODUCT } from '../systems/index.ts';
import type { System } from '../systems/system.ts';
import type { Bench, Row } from './measure.ts';

/** Events a second. */
export const RATE = 20;
const MOST = 1.5;

/** Of each round: milliseconds from each event's request to its delivery. */
type Rounds = readonly (readonly number[])[];

export interface Beside {
  readonly alone: Rounds;
  readonly beside: Rounds;
}

/** An event of the steady ones. */
export interface Steady {
  readonly sentAt: number;
  readonly ms: number;
}

/** So many events at the rate, from the first request until all of them are delivered and shown. */
export async function steadyEvents(bench: Bench, system: System, count: number): Promise<Steady[]> {
  const round = newRound('orders', 'steady', count);
  const requests = system.events(round, 1) ?? [];
  const report = await runLoad({
    ...{ origin: system.origin, headers: {}, senders: 16, rate: RATE, requests },
  });
  const times = await deliveries(system, bench.sink, round, report);
  await whenShown(system, round);
  return round.ids.map((id, index) => ({
    sentAt: report.sentAt[id] ?? Number.NaN,
    ms: times[index] ?? Number.NaN,
  }));
}

/** @param bare the same of the bare runtime */
export function rowBeside(meanwhile: string, ours: Beside, bare?: Beside): Row {
  return {
    what: `event → delivery at ${RATE} events/s while ${meanwhile}: p99 of all rounds, ms`,
    figures: {
      [PRODUCT]: words(ours.beside),
      ...(bare === undefined ? {} : { [BARE]: words(bare.beside) }),
    },
    ratio: [ratioOf(ours), ...(bare === undefined ? [] : [`${BARE} ${ratioOf(bare)}`])].join('; '),
    asked: { words: `within ${MOST} ×`, reached: timesOf(ours) <= MOST },
  };
}

/** The p99 of a round, for what is said meanwhile. */
export function shownP99(times: readonly number[]): string {
  return shown(quantile(times, 0.99));
}

/** Of all rounds together: the p99 of one round is its second or third worst, and swings. */
function p99Of(rounds: Rounds): number {
  return quantile(rounds.flat(), 0.99);
}

/** With the least and the greatest of a round. */
function words(rounds: Rounds): string {
  const each = rounds.map((times) => quantile(times, 0.99));
  return `${shown(p99Of(rounds))} (${shown(Math.min(...each))}–${shown(Math.max(...each))})`;
}

function timesOf({ alone, beside }: Beside): number {
  return p99Of(beside) / p99Of(alone);
}

function ratioOf(one: Beside): string {
  return `${shown(timesOf(one))} × alone (${words(one.alone)})`;
}
