/**
 * Alarms of many objects that are due in the same moment, as those of a thousand approvals that expire
 * together, begin one after the other: objects share a thread, and their reports come to one tenant, so
 * requests are served in between. An alarm that is due alone waits for nobody.
 */

/** Twice what an alarm takes with all that follows it: a report, and the emptying of its object. */
const APART_MS = 12;
/** However many there are, none waits for longer; and so none waits for a time that was taken back. */
const WAIT_MAX_MS = 30_000;

/** For all objects of this isolate. */
let nextAt = 0;

/** Resolves when it is an alarm's turn. */
export async function alarmTurn(): Promise<void> {
  const now = Date.now();
  const at = nextAt > now + WAIT_MAX_MS ? now : Math.max(nextAt, now);
  nextAt = at + APART_MS;
  if (at > now) await scheduler.wait(at - now);
}
