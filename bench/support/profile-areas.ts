/** Whose time a CPU profile shows: each sample goes to the part of the product nearest to its leaf. */
import { SourceMap } from 'node:module';
import type { CallFrame, CpuProfile } from './cdp.ts';

export interface Area {
  readonly name: string;
  readonly files: RegExp;
  /** Only these functions of the files; all of them when it is left out. */
  readonly functions?: RegExp;
}

/** Not in the product's hands: the runtime's own code, and what V8 does for itself. */
const RUNTIME: Readonly<Record<string, string>> = {
  '(garbage collector)': 'garbage collection',
  '(program)': 'runtime: sockets, HTTP, SQLite, other isolates (D1)',
};
const IDLE = '(idle)';
/** No sample is taken while the Worker waits, so the one after a wait seems to have taken that long. */
const SAMPLE_MOST_US = 1_000;
const NOBODY = 'elsewhere';
const BUNDLE = /worker\.js$/;

/** Where a function of the bundle stands in the sources, and what it is called there. */
export type Origin = { readonly source: string; readonly name: string };
export type OriginOf = (frame: CallFrame) => Origin;

/** @param map the bundle's source map, as text */
export function originsBy(map: string): OriginOf {
  const sourceMap = new SourceMap(JSON.parse(map));
  return ({ functionName, url, lineNumber, columnNumber }) => {
    // Other frames are of the runtime's own modules.
    if (!BUNDLE.test(url)) return { source: url, name: functionName };
    const entry = sourceMap.findEntry(lineNumber, columnNumber);
    if (!('originalSource' in entry)) return { source: '', name: functionName };
    const source = entry.originalSource.replace(/^.*?(?=(src|node_modules)\/)/, '');
    return {
      source,
      name: 'name' in entry && typeof entry.name === 'string' ? entry.name : functionName,
    };
  };
}

export interface Share {
  readonly name: string;
  readonly ms: number;
}

/** Milliseconds by area, the largest first; idle time is left out. */
export function sharesOf(
  { nodes, samples, timeDeltas }: CpuProfile,
  originOf: OriginOf,
  areas: readonly Area[],
): Share[] {
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  const parents = new Map(nodes.flatMap(({ id, children = [] }) => children.map((c) => [c, id])));
  const known = new Map<number, string | null>();
  const areaOf = (id: number): string | null => {
    const before = known.get(id);
    if (before !== undefined) return before;
    const frame = frames.get(id);
    const parent = parents.get(id);
    const own = frame === undefined ? null : areaOfFrame(frame, originOf, areas);
    const area = own ?? (parent === undefined ? null : areaOf(parent));
    known.set(id, area);
    return area;
  };
  const sums = new Map<string, number>();
  for (const [index, sample] of samples.entries()) {
    if (frames.get(sample)?.functionName === IDLE) continue;
    const name = areaOf(sample) ?? NOBODY;
    sums.set(name, (sums.get(name) ?? 0) + sampleMs(timeDeltas[index]));
  }
  return [...sums].map(([name, ms]) => ({ name, ms })).sort((a, b) => b.ms - a.ms);
}

function sampleMs(deltaUs = 0): number {
  return Math.min(deltaUs, SAMPLE_MOST_US) / 1_000;
}

function areaOfFrame(frame: CallFrame, originOf: OriginOf, areas: readonly Area[]): string | null {
  const runtime = RUNTIME[frame.functionName];
  if (runtime !== undefined) return runtime;
  const { source, name } = originOf(frame);
  return (
    areas.find(({ files, functions }) => files.test(source) && (functions?.test(name) ?? true))
      ?.name ?? null
  );
}

/** The functions that are most on top of the stack: milliseconds of their own, the largest first. */
export function functionsOf(
  { nodes, samples, timeDeltas }: CpuProfile,
  originOf: OriginOf,
): Share[] {
  const names = new Map(nodes.map(({ id, callFrame }) => [id, nameOf(callFrame, originOf)]));
  const sums = new Map<string, number>();
  for (const [index, sample] of samples.entries()) {
    const name = names.get(sample) ?? NOBODY;
    if (name === IDLE) continue;
    sums.set(name, (sums.get(name) ?? 0) + sampleMs(timeDeltas[index]));
  }
  return [...sums].map(([name, ms]) => ({ name, ms })).sort((a, b) => b.ms - a.ms);
}

function nameOf(frame: CallFrame, originOf: OriginOf): string {
  const { source, name } = originOf(frame);
  return `${name || '(anonymous)'} ${source}`.trim();
}
