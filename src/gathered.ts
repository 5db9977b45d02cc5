/** Work that is cheaper done for several at once. */
export class Gathered<T> {
  readonly #ms: number;
  readonly #work: (items: readonly T[]) => Promise<void>;
  #items: T[] = [];
  #done: Promise<void> = Promise.resolve();

  /** @param ms what comes so soon after another one is done together with it */
  constructor(ms: number, work: (items: readonly T[]) => Promise<void>) {
    this.#ms = ms;
    this.#work = work;
  }

  /** Resolves when it is done, or throws what the work throws. */
  add(item: T): Promise<void> {
    this.#items.push(item);
    if (this.#items.length === 1) this.#done = this.#doSoon();
    return this.#done;
  }

  async #doSoon(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, this.#ms));
    const items = this.#items;
    this.#items = [];
    await this.#work(items);
  }
}
