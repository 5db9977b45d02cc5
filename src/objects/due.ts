/**
 * An object's one alarm. It is a hint: what waits is told by the object's rows, and the alarm is set
 * to the earliest of them. Nothing else in the code touches alarms.
 *
 * Platform facts that force this: a fired alarm is used up; an alarm handler that throws is tried
 * six times and then gone for good; setAlarm before a throw loops for ever. So handlers never throw
 * and arm last. Setting costs a row, so an alarm that comes early enough is left alone.
 */

/** An alarm that is this late will not come any more, whatever this instance remembers. */
const LOST_AFTER_MS = 5_000;

export class Alarm {
  readonly #storage: DurableObjectStorage;
  /** The time that this instance has set; undefined while a former instance's alarm may stand. */
  #armedAt: number | null | undefined;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
  }

  /** The handler runs: the alarm that woke it is used up. */
  fired(): void {
    this.#armedAt = null;
  }

  /** The storage was emptied, and the alarm with it. */
  forget(): void {
    this.#armedAt = null;
  }

  /** Makes sure that the object wakes at `at` (milliseconds) or a little before; null: never. */
  async arm(at: number | null): Promise<void> {
    if (at === null) {
      if (typeof this.#armedAt !== 'number') return;
      this.#armedAt = null;
      await this.#storage.deleteAlarm();
      return;
    }
    const now = Date.now();
    const armedAt = this.#armedAt ?? Number.POSITIVE_INFINITY;
    if (armedAt <= at && armedAt > now - LOST_AFTER_MS) return;
    const time = Math.max(at, now + 1);
    this.#armedAt = time;
    await this.#storage.setAlarm(time);
  }
}
