/** The sink (bench/sink.ts) as its bench sees it. */
import { ask, call } from './ask.ts';
import { startScript } from './processes.ts';

export interface Sink {
  /** Deliveries to it are noted. */
  readonly url: string;
  /** The same, answered so late. */
  slowUrl(ms: number): string;
  /** When each id of a round came; answered once so many came, or the wait is over. */
  seen(round: string, count: number, waitMs: number): Promise<Record<string, number[]>>;
  forget(): Promise<void>;
  stop(): Promise<void>;
}

export async function startSink(): Promise<Sink> {
  const { found, stop } = await startScript(['bench/sink.ts'], /port (\d+)/);
  const origin = `http://127.0.0.1:${found[1]}`;
  return {
    url: `${origin}/hook`,
    slowUrl: (ms) => `${origin}/slow/${ms}`,
    seen: (round, count, waitMs) =>
      ask(`${origin}/rounds/${round}?count=${count}&waitMs=${waitMs}`),
    async forget() {
      await call(`${origin}/rounds`, { method: 'DELETE' });
    },
    stop,
  };
}
