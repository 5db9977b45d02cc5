/**
 * When the next call to an executor may begin. A call, and taking what it brings home, cost as much as
 * several runs do; and where destinations answer soon, a few calls keep up with what comes, and more would
 * only stand in line before whatever else the machine has to do.
 */

const CALLS_MAX = 16;
/** Of these, so many may have begun within so long. */
const YOUNG_CALLS_MAX = 3;
const YOUNG_MS = 150;
/**
 * What comes while the last call is still new leaves with the next one, once that is back, has lasted so
 * long, or can be a full one.
 */
const GATHER_MS = 10;

export class CallSlots {
  readonly #whenFree: () => void;
  #calls = 0;
  #young = 0;
  /** Stands for as long as the last call is new. */
  #gathering: ReturnType<typeof setTimeout> | null = null;

  /** @param whenFree is called when a call may begin that might not before, but at the end of another one */
  constructor(whenFree: () => void) {
    this.#whenFree = whenFree;
  }

  /** @param full whether it would be a full one */
  mayBegin(full: boolean): boolean {
    return (
      this.#calls < CALLS_MAX && this.#young < YOUNG_CALLS_MAX && (this.#gathering === null || full)
    );
  }

  /** @returns to be called when the call ends */
  begin(): () => void {
    const endYouth = this.#youth();
    const endGathering = this.#gather();
    this.#calls += 1;
    return () => {
      this.#calls -= 1;
      endYouth();
      endGathering();
    };
  }

  #youth(): () => void {
    this.#young += 1;
    let isYoung = true;
    const end = () => {
      if (isYoung) this.#young -= 1;
      isYoung = false;
    };
    const timer = setTimeout(() => {
      end();
      this.#whenFree();
    }, YOUNG_MS);
    return () => {
      clearTimeout(timer);
      end();
    };
  }

  #gather(): () => void {
    if (this.#gathering !== null) clearTimeout(this.#gathering);
    const gathering = setTimeout(() => {
      this.#gathering = null;
      this.#whenFree();
    }, GATHER_MS);
    this.#gathering = gathering;
    return () => {
      if (this.#gathering !== gathering) return;
      clearTimeout(gathering);
      this.#gathering = null;
    };
  }
}
