/**
 * Group commit: what comes in the same moment is written down together, since each commit waits for the disk
 * and sets off everything that follows one. Whatever comes alone waits for nobody.
 */

/** So much is done in one go at the most, for others wait meanwhile. */
const SIZE_MAX = 50;

interface Work {
  readonly size: number;
  /** Does it. @returns to be called once all of it is done, with what went wrong after it, if anything */
  readonly act: () => (error?: unknown) => void;
}

export class GroupCommit {
  readonly #afterCommit: () => Promise<void>;
  /** Stands for the moment after work was done. */
  #isMoment = false;
  #waiting: Work[] = [];

  /** @param afterCommit follows what was done together */
  constructor(afterCommit: () => Promise<void>) {
    this.#afterCommit = afterCommit;
  }

  /**
   * Does the work and what follows it. What it throws is its caller's alone.
   * @param size how much it is beside others
   */
  async run<T>(size: number, work: () => T): Promise<T> {
    if (this.#isMoment) return await this.#wait(size, work);
    this.#begin();
    const done = work();
    await this.#afterCommit();
    return done;
  }

  #begin(): void {
    this.#isMoment = true;
    setTimeout(() => void this.#next(), 0);
  }

  #wait<T>(size: number, work: () => T): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const act = () => {
      try {
        const done = work();
        return (error?: unknown) => (error === undefined ? resolve(done) : reject(error));
      } catch (error) {
        return () => reject(error);
      }
    };
    this.#waiting.push({ size, act });
    return promise;
  }

  async #next(): Promise<void> {
    const works = this.#take();
    if (works.length === 0) {
      this.#isMoment = false;
      return;
    }
    this.#begin();
    const ends = works.map(({ act }) => act());
    try {
      await this.#afterCommit();
      for (const end of ends) end();
    } catch (error) {
      for (const end of ends) end(error);
    }
  }

  #take(): Work[] {
    const works: Work[] = [];
    for (let room = SIZE_MAX; room > 0; ) {
      const work = this.#waiting.shift();
      if (work === undefined) break;
      works.push(work);
      room -= work.size;
    }
    return works;
  }
}
