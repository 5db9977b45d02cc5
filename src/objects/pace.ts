/** A time between the beginnings of what is done again and again, but for those who wait for it. */
export class Pace {
  readonly #everyMs: number;
  #nextAt = 0;
  #hurried = 0;
  #goOn: (() => void) | null = null;

  constructor(everyMs: number) {
    this.#everyMs = everyMs;
  }

  /** Resolves when it is time again: at once, while somebody hurries. */
  async turn(): Promise<void> {
    // A clock may have been set back.
    const left = Math.min(this.#nextAt - Date.now(), this.#everyMs);
    if (left > 0 && !this.isHurried()) await this.#wait(left);
    this.#nextAt = Date.now() + this.#everyMs;
  }

  /** Nobody waits for their turn while the work is done. */
  async hurry(work: () => Promise<void>): Promise<void> {
    this.#hurried += 1;
    this.#goOn?.();
    try {
      await work();
    } finally {
      this.#hurried -= 1;
    }
  }

  /** It is time again: whoever waits for their turn has it, and whoever comes next. */
  skip(): void {
    this.#nextAt = 0;
    this.#goOn?.();
  }

  isHurried(): boolean {
    return this.#hurried > 0;
  }

  async #wait(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#goOn = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#goOn = null;
  }
}
