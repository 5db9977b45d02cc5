/** What the load generator is told, and what it says when it is done. */
export interface LoadRequest {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** The events that it brings, or decides on. */
  readonly ids: readonly string[];
}

export interface LoadJob {
  readonly origin: string;
  /** Those of every request. */
  readonly headers: Readonly<Record<string, string>>;
  /** Connections that each send one request after another. */
  readonly senders: number;
  /** Requests a second, evenly; 0: as fast as they are answered. */
  readonly rate: number;
  readonly requests: readonly LoadRequest[];
}

export interface LoadReport {
  /** When the first request left. */
  readonly begun: number;
  /** When each event's request left, by the event's id. */
  readonly sentAt: Readonly<Record<string, number>>;
  /** Milliseconds from each request to the end of its answer, in the order of the job. */
  readonly tookMs: readonly number[];
  /** The first answers that were not 2xx; anything in it spoils the round. */
  readonly refused: readonly string[];
}
