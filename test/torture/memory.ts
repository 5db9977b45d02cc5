/** The runtime's resident memory over time, as the system knows it (Linux). */
import { setTimeout as pause } from 'node:timers/promises';
import { residentMiB, workerdOf } from '../e2e/support/processes.ts';

const SAMPLE_MS = 250;

interface Sample {
  readonly at: number;
  readonly mib: number;
}

export class MemoryWatch {
  readonly #samples: Sample[] = [];
  readonly #stopped = new AbortController();
  readonly #watching: Promise<void>;

  /** @param pid the server's */
  constructor(pid: number) {
    this.#watching = this.#watch(pid);
  }

  async #watch(pid: number): Promise<void> {
    while (!this.#stopped.signal.aborted) {
      const mib = Math.max(0, ...workerdOf(pid).map(residentMiB));
      if (mib > 0) this.#samples.push({ at: Date.now(), mib });
      await pause(SAMPLE_MS);
    }
  }

  /** The middle one of the samples between two times; 0 where there are none. */
  between(from: number, to: number): number {
    const sorted = this.#samples
      .filter(({ at }) => at >= from && at < to)
      .map(({ mib }) => mib)
      .toSorted((left, right) => left - right);
    return sorted[Math.floor(sorted.length / 2)] ?? 0;
  }

  peak(): number {
    return Math.max(0, ...this.#samples.map(({ mib }) => mib));
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#watching;
  }
}
