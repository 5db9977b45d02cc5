/**
 * Runs that nobody is at work on, in the order in which they are given out. Those of a workflow that has
 * kept its caller waiting are set apart: they leave by themselves, so that no other run leaves with them
 * and waits for their destination (I6). In memory alone: which are slow is soon learnt again.
 */

/** @see RunQueue.takeApart */
export interface Apart {
  readonly workflowId: string;
  readonly runIds: readonly string[];
}

interface Queued {
  readonly runId: string;
  readonly workflowId: string;
}

export class RunQueue {
  /** The oldest first. Of workflows that were set apart later there may be some still. */
  #common: Queued[] = [];
  /** By workflow, the one first whose turn it is. */
  readonly #apart = new Map<string, string[]>();

  put(run: Queued): void {
    const apart = this.#apart.get(run.workflowId);
    if (apart === undefined) this.#common.push(run);
    else apart.push(run.runId);
  }

  /** One that is not set apart; null when there is none. */
  next(): string | null {
    for (let run = this.#common.shift(); run !== undefined; run = this.#common.shift()) {
      const apart = this.#apart.get(run.workflowId);
      if (apart === undefined) return run.runId;
      apart.push(run.runId);
    }
    return null;
  }

  /** Some of a workflow that is set apart, each in its turn; null when none waits. */
  takeApart(most: number): Apart | null {
    for (const [workflowId, waiting] of this.#apart) {
      if (waiting.length === 0) continue;
      this.#apart.delete(workflowId);
      this.#apart.set(workflowId, waiting);
      return { workflowId, runIds: waiting.splice(0, most) };
    }
    return null;
  }

  setApart(workflowId: string): void {
    if (!this.#apart.has(workflowId)) this.#apart.set(workflowId, []);
  }

  /** The workflow's runs keep nobody waiting any more. */
  rejoin(workflowId: string): void {
    const waiting = this.#apart.get(workflowId) ?? [];
    this.#apart.delete(workflowId);
    this.#common.push(...waiting.map((runId) => ({ runId, workflowId })));
  }

  /** How many wait at the least, but for those that are set apart. */
  get size(): number {
    return this.#common.length;
  }

  isEmpty(): boolean {
    return (
      this.#common.length === 0 && [...this.#apart.values()].every(({ length }) => length === 0)
    );
  }
}
