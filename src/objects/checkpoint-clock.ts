/**
 * When a checkpoint is due by itself: an hour after the first entry that none covers. So there is one
 * for every hour in which something happened, and a tenant in which nothing happens is never woken.
 */
import { logError } from '../log.ts';
import type { CheckpointAnswer } from './checkpoints.ts';
import type { Stores } from './stores.ts';

const PERIOD_MS = 3_600_000;

export class CheckpointClock {
  /** After one that failed: the next is not tried before this time. */
  #notBefore = 0;
  #isSigning = false;

  /** In milliseconds; null when no entry waits, or one is being signed. */
  dueAt({ audit }: Pick<Stores, 'audit'>): number | null {
    const since = audit.waitingSince();
    if (since === null || this.#isSigning) return null;
    return Math.max(since + PERIOD_MS, this.#notBefore);
  }

  /** Signs when it is time; false when it is not. Never throws: a failure is logged, and tried again. */
  async tick(
    stores: Pick<Stores, 'audit'>,
    sign: () => Promise<CheckpointAnswer>,
  ): Promise<boolean> {
    const due = this.dueAt(stores);
    if (due === null || due > Date.now()) return false;
    this.#isSigning = true;
    this.#notBefore = Date.now() + PERIOD_MS;
    try {
      const { ok } = await sign();
      if (ok) this.#notBefore = 0;
    } catch (error) {
      logError({ what: 'checkpoint_failed' }, error);
    } finally {
      this.#isSigning = false;
    }
    return true;
  }
}
