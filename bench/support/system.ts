/** What the bench asks of every system that it compares. */
export interface System {
  readonly name: string;
  readonly origin: string;
  /** Takes one event, or an array of them. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /**
   * How many runs the system itself shows as succeeded, of events whose id begins so.
   * Each run counts, so one that is there twice is seen.
   */
  succeeded(prefix: string): Promise<number>;
  stop(): Promise<void>;
}
