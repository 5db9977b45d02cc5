/** Events that go on at a steady rate while something else is under way, and how much longer they take than alone. */
import { median, shown, spread } from '../support/statistics.ts';
import { BARE, PRODUCT } from '../systems/index.ts';
import type { Row } from './measure.ts';

/** Events a second. */
export const RATE = 20;
const MOST = 1.5;

/** The p99 of each round, in milliseconds. */
export interface Beside {
  readonly alone: readonly number[];
  readonly beside: readonly number[];
}

/** @param bare the same of the bare runtime */
export function rowBeside(meanwhile: string, ours: Beside, bare?: Beside): Row {
  return {
    what: `event → delivery at ${RATE} events/s while ${meanwhile}: p99, ms`,
    figures: {
      [PRODUCT]: spread(ours.beside),
      ...(bare === undefined ? {} : { [BARE]: spread(bare.beside) }),
    },
    ratio: [ratioOf(ours), ...(bare === undefined ? [] : [`${BARE} ${ratioOf(bare)}`])].join('; '),
    asked: { words: `within ${MOST} ×`, reached: timesOf(ours) <= MOST },
  };
}

function timesOf({ alone, beside }: Beside): number {
  return median(beside) / median(alone);
}

function ratioOf(one: Beside): string {
  return `${shown(timesOf(one))} × alone (${spread(one.alone)})`;
}
