/**
 * What was seen a moment ago, in this isolate's memory alone: a bounded number of things, each for the
 * same short while. Whatever is forgotten too early has to be harmless.
 */
export class Recent<Value> {
  readonly #max: number;
  readonly #keptMs: number;
  readonly #entries = new Map<string, { readonly value: Value; readonly until: number }>();

  constructor({ max, keptMs }: { max: number; keptMs: number }) {
    this.#max = max;
    this.#keptMs = keptMs;
  }

  /** `now` in milliseconds; undefined for what was not seen, or is over. */
  get(key: string, now: number): Value | undefined {
    const entry = this.#entries.get(key);
    return entry !== undefined && entry.until > now ? entry.value : undefined;
  }

  /** The oldest gives way. */
  put(key: string, value: Value, now: number): void {
    this.#entries.delete(key);
    const oldest = this.#entries.keys().next().value;
    if (this.#entries.size >= this.#max && oldest !== undefined) this.#entries.delete(oldest);
    this.#entries.set(key, { value, until: now + this.#keptMs });
  }
}
