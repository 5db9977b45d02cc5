/** What is going to happen, in the order of simulated time; at one time, in the order of a drawn number. */

export interface Happening {
  /** Milliseconds of simulated time, which never goes back. */
  readonly at: number;
  readonly order: number;
  readonly what: string;
  readonly act: () => void;
}

export class Agenda {
  readonly #heap: Happening[] = [];

  get size(): number {
    return this.#heap.length;
  }

  next(): Happening | undefined {
    return this.#heap[0];
  }

  add(happening: Happening): void {
    const heap = this.#heap;
    let at = heap.push(happening) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || !isBefore(happening, above)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = happening;
  }

  take(): Happening | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    let at = 0;
    for (;;) {
      const left = 2 * at + 1;
      const [a, b] = [heap[left], heap[left + 1]];
      const isRight = a !== undefined && b !== undefined && isBefore(b, a);
      const least = isRight ? b : a;
      if (least === undefined || !isBefore(least, last)) break;
      heap[at] = least;
      at = isRight ? left + 1 : left;
    }
    heap[at] = last;
    return first;
  }
}

function isBefore(a: Happening, b: Happening): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
