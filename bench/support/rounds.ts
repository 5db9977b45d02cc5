/** One round of one measure on one system: load, wait until all is delivered and visible, check. */
import { now } from './clock.ts';
import { runLoad } from './processes.ts';
import type { System } from './system.ts';

const WAIT_MAX_MS = 60_000;
const PAUSE_MS = 25;

export interface Measure {
  readonly name: string;
  readonly events: number;
  readonly senders: number;
  readonly perPost: number;
  readonly rate: number;
}

export const MEASURES: readonly Measure[] = [
  { name: 'w1-single', events: 2_000, senders: 16, perPost: 1, rate: 0 },
  { name: 'w1-batch', events: 5_000, senders: 16, perPost: 50, rate: 0 },
  { name: 'latency', events: 200, senders: 16, perPost: 1, rate: 20 },
];

export interface Figures {
  /** Runs that were delivered once and are visible as succeeded, by the time until the last was. */
  readonly perSecond: number;
  /** Milliseconds from the request that brought the event to its delivery. */
  readonly p50: number;
  readonly p99: number;
}

/** @throws Error when an event is refused, lost, delivered twice, or not shown as succeeded once */
export async function measureRound(
  { name, events, senders, perPost, rate }: Measure,
  system: System,
  sinkUrl: string,
  sent: Map<string, readonly string[]>,
): Promise<Figures> {
  const prefix = `${name}-${now().toFixed(0)}`;
  await (await fetch(`${sinkUrl}/seen`, { method: 'DELETE' })).arrayBuffer();
  const headers = { ...system.headers, 'x-request-id': prefix };
  const { origin, path } = system;
  const load = { origin, path, headers, senders, events, perPost, rate, prefix };
  const { begun, sentAt, refused } = await runLoad(load);
  if (refused.length > 0) throw new Error(`${system.name} refused events: ${refused.join('; ')}`);
  sent.set(prefix, Object.keys(sentAt));

  const seen = await until(
    () => deliveries(sinkUrl),
    (all) => Object.keys(all).length >= events,
  );
  const shown = await until(
    () => system.succeeded(prefix),
    (count) => count >= events,
  );
  const ended = now();
  if (shown !== events) throw new Error(`${system.name} shows ${shown} of ${events} runs`);

  const times = Object.entries(await deliveries(sinkUrl)).map(([id, [at = 0, ...more]]) => {
    if (more.length > 0) throw new Error(`${system.name} delivered ${id} ${more.length + 1} times`);
    return at - (sentAt[id] ?? Number.NaN);
  });
  if (Object.keys(seen).length !== events || times.some(Number.isNaN))
    throw new Error(`${system.name} delivered ${times.length} of ${events}`);
  times.sort((a, b) => a - b);
  return {
    perSecond: (events * 1_000) / (ended - begun),
    p50: quantile(times, 0.5),
    p99: quantile(times, 0.99),
  };
}

async function deliveries(sinkUrl: string): Promise<Record<string, number[]>> {
  return JSON.parse(await (await fetch(`${sinkUrl}/seen`)).text());
}

/** What is asked for, once it is enough; the last of it when it never is. */
async function until<Value>(
  ask: () => Promise<Value>,
  isEnough: (value: Value) => boolean,
): Promise<Value> {
  const deadline = now() + WAIT_MAX_MS;
  let value = await ask();
  while (!isEnough(value) && now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    value = await ask();
  }
  return value;
}

function quantile(sorted: readonly number[], part: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
}

export function median(values: readonly number[]): number {
  return quantile(
    values.toSorted((a, b) => a - b),
    0.5,
  );
}
