/**
 * Ways out of an object. Each one drains and backs off alone, so that one that is down delays only
 * itself (I6, I7). What waits is kept by its owner; here is only who is sending, and who may not yet.
 */
import { logError } from '../log.ts';

const BACKOFF_FIRST_MS = 500;
/** Whatever has failed for long is caught up with within so much, once it works again. */
const BACKOFF_MAX_MS = 30_000;

/** Sends some of what waits, and takes it off the list once the receiver has it for good. */
export type SendSome = () => Promise<'sent' | 'nothing waits'>;

export class Drains {
  readonly #running = new Map<string, Promise<void>>();
  readonly #backoff = new Map<string, { failures: number; until: number }>();

  /**
   * Sends until nothing waits. Never throws: a failure is logged and backed off. Whoever calls while
   * a drain is under way waits for that one, which also takes what they have put.
   */
  run(way: string, sendSome: SendSome): Promise<void> {
    const running = this.#running.get(way);
    if (running !== undefined) return running;
    const drain = this.#sendAll(way, sendSome);
    this.#running.set(way, drain);
    return drain;
  }

  isIdle(way: string, now: number): boolean {
    return !this.#running.has(way) && !this.isBackingOff(way, now);
  }

  isBackingOff(way: string, now: number): boolean {
    return (this.#backoff.get(way)?.until ?? 0) > now;
  }

  /** Somebody is sending. */
  isBusy(): boolean {
    return this.#running.size > 0;
  }

  /** When the first of those that have failed may be tried again; null when none has. */
  nextTry(): number | null {
    const times = [...this.#backoff.values()].map(({ until }) => until);
    return times.length === 0 ? null : Math.min(...times);
  }

  /** Ends in the turn in which it saw nothing more: what is put later begins a new drain. */
  async #sendAll(way: string, sendSome: SendSome): Promise<void> {
    await Promise.resolve();
    try {
      while ((await sendSome()) === 'sent') this.#backoff.delete(way);
      this.#backoff.delete(way);
    } catch (error) {
      this.#fail(way, error);
    }
    this.#running.delete(way);
  }

  #fail(way: string, error: unknown): void {
    const failures = (this.#backoff.get(way)?.failures ?? 0) + 1;
    const wait = Math.min(BACKOFF_FIRST_MS * 2 ** (failures - 1), BACKOFF_MAX_MS);
    this.#backoff.set(way, { failures, until: Date.now() + wait });
    logError({ what: 'outbox_failed', code: way.split(':')[0], count: failures }, error);
  }
}
