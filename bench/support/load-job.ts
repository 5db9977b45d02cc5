/** What the load generator is told, and what it says when it is done. */
export interface LoadJob {
  readonly origin: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Connections that each send one request after another. */
  readonly senders: number;
  readonly events: number;
  /** Events in one request. */
  readonly perPost: number;
  /** Events a second, evenly; 0: as fast as they are answered. */
  readonly rate: number;
  readonly prefix: string;
}

export interface LoadReport {
  /** When the first request left. */
  readonly begun: number;
  /** When each event's request left, by the event's id. */
  readonly sentAt: Readonly<Record<string, number>>;
  /** The first answers that were not 2xx; anything in it spoils the round. */
  readonly refused: readonly string[];
}
