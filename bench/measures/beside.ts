/** Events that go on at a steady rate while something else is under way, and how much longer they take than alone. */
import { median, shown, spread } from '../support/statistics.ts';
import { PRODUCT } from '../systems/index.ts';
import type { Row } from './measure.ts';

/** Events a second. */
export const RATE = 20;
const MOST = 1.5;

/** @param alone the p99 of each round, in milliseconds; as is `beside`, of what went on meanwhile */
export function rowBeside(
  meanwhile: string,
  alone: readonly number[],
  beside: readonly number[],
): Row {
  const times = median(beside) / median(alone);
  return {
    what: `event → delivery at ${RATE} events/s while ${meanwhile}: p99, ms`,
    figures: { [PRODUCT]: spread(beside) },
    ratio: `${shown(times)} × alone (${spread(alone)})`,
    asked: { words: `within ${MOST} ×`, reached: times <= MOST },
  };
}
