/** Measures of all systems alike: in each round each of them has its turn, in the same order. */
import type { LoadRequest } from '../support/load-job.ts';
import { type Figures, inTurn, type Load, measureRound, newRound } from '../support/rounds.ts';
import { median, shown, spread } from '../support/statistics.ts';
import { NAMES, PRODUCT } from '../systems/index.ts';
import type { Round, System } from '../systems/system.ts';
import type { Bench, Measure, Row } from './measure.ts';

export interface Comparison {
  readonly name: string;
  readonly kind: Round['kind'];
  readonly events: number;
  readonly load: Load;
  /** Null for a system that cannot do it. */
  requests(system: System, round: Round): Promise<LoadRequest[] | null>;
}

/** The figures of each round, by system. */
export type Compared = ReadonlyMap<string, readonly Figures[]>;

/** A turn begins with so many events that do not count; the first one of a process with more. */
const WARM_UP = 100;
const WARM_UP_FIRST = 1_000;

/** A system that fails is ended and leaves the measure, the product with the whole of it. */
export async function compare(bench: Bench, comparison: Comparison): Promise<Compared> {
  const { name, events } = comparison;
  const compared = new Map<string, Figures[]>();
  const able = new Set(NAMES);
  for (let number = 1; number <= bench.rounds; number++)
    for (const each of able) {
      const system = await bench.systems.running(each);
      const isNew = number === 1 || system?.isNewEachTurn === true;
      const all = Math.ceil(events * (system?.part ?? 0));
      const sizes = [Math.min(isNew ? WARM_UP_FIRST : WARM_UP, all), all];
      try {
        const figures = system && (await turn(bench, comparison, system, sizes));
        if (figures === null) able.delete(each);
        else compared.set(each, [...(compared.get(each) ?? []), figures]);
        if (figures !== null) bench.say(`${name} ${number} ${each}: ${words(figures)}`);
        if (system?.isNewEachTurn) await bench.systems.end(system);
      } catch (error) {
        able.delete(each);
        compared.delete(each);
        if (system !== null) await bench.systems.end(system);
        if (each === PRODUCT) throw error;
        bench.say(`${name} ${each}: ${error instanceof Error ? error.message : error}`);
      }
    }
  return compared;
}

/** A measure that is one comparison, with a row for each of its figures. */
export function comparing(
  name: string,
  comparisonFor: (bench: Bench) => Omit<Comparison, 'name'>,
  rows: readonly Wanted[],
): Measure {
  return {
    name,
    async run(bench) {
      const compared = await compare(bench, { name, ...comparisonFor(bench) });
      return rows.map((wanted) => rowOf(compared, wanted));
    },
  };
}

/** The figures of the last of the sizes. */
async function turn(
  { sink }: Bench,
  { name, kind, load, requests }: Comparison,
  system: System,
  sizes: readonly number[],
): Promise<Figures | null> {
  return await inTurn(system, async () => {
    let figures: Figures | null = null;
    for (const size of sizes) {
      const round = newRound(kind, name, size);
      const all = await requests(system, round);
      if (all === null) return null;
      figures = await measureRound(system, sink, round, all, load);
    }
    return figures;
  });
}

export interface Wanted {
  readonly what: string;
  /** Of a round. */
  figure(figures: Figures): number;
  readonly better: 'more' | 'less';
  readonly asked: string;
  /** How many times better than each peer it has to be. */
  readonly least: Readonly<Record<string, number>>;
}

/** @returns the row of one figure */
export function rowOf(compared: Compared, wanted: Wanted): Row {
  const { what, figure, better, asked, least } = wanted;
  const middle = (name: string) => median((compared.get(name) ?? []).map(figure));
  const ours = middle(PRODUCT);
  const times = (peer: string) => (better === 'more' ? ours / middle(peer) : middle(peer) / ours);
  const peers = [...compared.keys()].filter((name) => name !== PRODUCT);
  return {
    what,
    figures: Object.fromEntries(
      [...compared].map(([name, all]) => [name, spread(all.map(figure))]),
    ),
    ratio: peers.map((name) => `${shown(times(name))} × ${name}`).join(', '),
    asked: {
      words: asked,
      reached: Object.entries(least).every(([name, factor]) => times(name) >= factor),
    },
  };
}

function words({ perSecond, p50, p99, cpuMs }: Figures): string {
  const latency = `p50 ${shown(p50)} ms, p99 ${shown(p99)} ms`;
  return `${shown(perSecond)} runs/s, ${latency}, ${shown(cpuMs)} ms of CPU for each`;
}
