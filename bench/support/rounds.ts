/**
 * One turn of one system: it gets the machine, is warmed up, takes the load, and is held still again.
 * A run counts when its event was delivered once and the system's own log shows it as succeeded once;
 * anything else ends the bench.
 */
import type { Round, System } from '../systems/system.ts';
import { now, until } from './clock.ts';
import type { LoadReport, LoadRequest } from './load-job.ts';
import { runLoad } from './processes.ts';
import type { Sink } from './sink-process.ts';
import { quantile } from './statistics.ts';

const WAIT = { waitMs: 240_000, everyMs: 25 };

export interface Load {
  readonly senders: number;
  /** Requests a second; 0: as fast as they are answered. */
  readonly rate: number;
}

export interface Figures {
  /** Runs, by the time from the first request until the last of them was shown as succeeded. */
  readonly perSecond: number;
  /** Milliseconds from the request that brought an event, or decided on it, to its delivery. */
  readonly p50: number;
  readonly p99: number;
  /** CPU time of all the system's processes, in milliseconds for each run. */
  readonly cpuMs: number;
}

let rounds = 0;

/** @param name letters, digits and hyphens */
export function newRound(kind: Round['kind'], name: string, events: number): Round {
  rounds += 1;
  const unique = `${name}-${process.pid}-${rounds}`;
  return { name: unique, kind, ids: Array.from({ length: events }, (_, n) => `${unique}-${n}`) };
}

/** While it runs, the system has the machine for itself. */
export async function inTurn<Value>(system: System, act: () => Promise<Value>): Promise<Value> {
  system.running.goOn();
  try {
    return await act();
  } finally {
    system.running.hold();
  }
}

/** @throws Error when something is refused, lost, delivered twice, or not shown as succeeded once */
export async function measureRound(
  system: System,
  sink: Sink,
  round: Round,
  requests: readonly LoadRequest[],
  load: Load,
): Promise<Figures> {
  await sink.forget();
  const cpuBefore = system.running.cpuMs();
  const report = await runLoad({ origin: system.origin, headers: {}, requests, ...load });
  if (report.refused.length > 0)
    throw new Error(`${system.name} refused: ${report.refused.join('; ')}`);
  const times = await deliveries(system, sink, round, report);
  const ended = await whenShown(system, round);
  const cpuMs = (system.running.cpuMs() - cpuBefore) / round.ids.length;
  return {
    perSecond: (round.ids.length * 1_000) / (ended - report.begun),
    p50: quantile(times, 0.5),
    p99: quantile(times, 0.99),
    cpuMs,
  };
}

/** Milliseconds from each event's request to its delivery. */
export async function deliveries(
  system: System,
  sink: Sink,
  { name, ids }: Round,
  { sentAt }: LoadReport,
): Promise<number[]> {
  const seen = await sink.seen(name, ids.length, WAIT.waitMs);
  const came = ids.filter((id) => seen[id] !== undefined).length;
  if (came < ids.length)
    throw new Error(`${system.name} delivered ${came} of ${ids.length} events${saidBy(system)}`);
  return ids.map((id) => {
    const [at = Number.NaN, ...more] = seen[id] ?? [];
    if (more.length > 0)
      throw new Error(`${system.name} delivered ${id} ${more.length + 1} times${saidBy(system)}`);
    return at - (sentAt[id] ?? Number.NaN);
  });
}

/**
 * Asks about the last runs until they are shown, which costs each system little, then about all. Only
 * when some of these are missing is the question repeated, and its time counted.
 * @returns when all were shown
 */
export async function whenShown(system: System, round: Round): Promise<number> {
  await until(
    () => system.isDone(round),
    (isDone) => isDone,
    WAIT,
  );
  const lastShown = now();
  const { ids } = round;
  if (isEachOnce(await system.succeeded(round), ids)) return lastShown;
  const shown = await until(
    () => system.succeeded(round),
    (found) => found.length >= ids.length,
    WAIT,
  );
  if (isEachOnce(shown, ids)) return now();
  const distinct = new Set(shown).size;
  throw new Error(
    `${system.name} shows ${shown.length} runs as succeeded, ${distinct} different, of ${ids.length}${saidBy(system)}`,
  );
}

function isEachOnce(shown: readonly string[], ids: readonly string[]): boolean {
  const distinct = new Set(shown);
  return shown.length === ids.length && ids.every((id) => distinct.has(id));
}

function saidBy({ running }: System): string {
  return `.\nIts last words:\n${running.said()}`;
}
