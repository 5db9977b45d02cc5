/**
 * When a checkpoint is due by itself: an hour after the first entry that none covers. So there is one
 * for every hour in which something happened, and a tenant in which nothing happens is never woken.
 */
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

  /** Signs when it is time. @param sign logs why when it cannot, and does not throw */
  async tick(stores: Pick<Stores, 'audit'>, sign: () => Promise<CheckpointAnswer>): Promise<void> {
    const due = this.dueAt(stores);
    if (due === null || due > Date.now()) return;
    this.#isSigning = true;
    try {
      const { ok } = await sign();
      this.#notBefore = ok ? 0 : Date.now() + PERIOD_MS;
    } finally {
      this.#isSigning = false;
    }
  }
}
