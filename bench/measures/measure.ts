/** What a measure is, and what it has to work with. */
import type { Sink } from '../support/sink-process.ts';
import type { SharedSystems } from '../systems/index.ts';

export interface Bench {
  readonly sink: Sink;
  readonly rounds: number;
  /** A quick run measures this part of what a whole one does. */
  readonly part: number;
  readonly systems: SharedSystems;
  /** One line about what was just seen. */
  say(line: string): void;
}

/** A line of the table. */
export interface Row {
  readonly what: string;
  /** Medians of the rounds by system; what is missing was not measured there. */
  readonly figures: Readonly<Record<string, string>>;
  readonly ratio: string;
  /** What was to be reached; null where nothing was asked. */
  readonly asked: { readonly words: string; readonly reached: boolean } | null;
}

export interface Measure {
  /** For `--only`. */
  readonly name: string;
  run(bench: Bench): Promise<Row[]>;
}

/** A whole number of things in a run that may be a quick one, and not too few to mean anything. */
export function scaled(bench: Bench, count: number, least = 40): number {
  return Math.max(Math.round(count * bench.part), Math.min(least, count));
}
