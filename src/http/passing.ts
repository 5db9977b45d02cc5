/**
 * Faults of the platform that pass by themselves, told from our own: whoever asked may ask again, and
 * is told so. What was being done is either done or not, as after a lost connection.
 */
import { type Refusal, refusal } from '../contract/problems.ts';

/**
 * As D1 documents them, SQLite's own for a store that is busy or full, and the runtime's for faults of
 * its own, such as a disk that is too full for an object to start:
 * https://developers.cloudflare.com/d1/observability/debug-d1/
 */
const PASSING =
  /^internal error; reference|Network connection lost|is overloaded|was reset|reset because|to be reset|transient issue|SQLITE_(?:BUSY|LOCKED|FULL)/;

/** What a request that ended in an error is answered. */
export function refusalFor(error: unknown): Refusal {
  if (isMarked(error, 'overloaded'))
    return refusal('rate_limited', 'There are more requests under way than can be taken.');
  return isPassing(error) ? refusal('unavailable') : refusal('internal');
}

/** Drizzle's errors have the database's as their cause. */
function isPassing(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return isMarked(error, 'retryable') || PASSING.test(error.message) || isPassing(error.cause);
}

/** Durable Objects mark what they throw: https://developers.cloudflare.com/durable-objects/best-practices/error-handling/ */
function isMarked(error: unknown, mark: 'overloaded' | 'retryable'): boolean {
  return error instanceof Error && Reflect.get(error, mark) === true;
}
