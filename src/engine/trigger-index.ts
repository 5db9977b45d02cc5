/**
 * Which workflows of a type an event may start, found without asking each: those whose conditions begin
 * with a comparison of the same field stand together, equalities by their value and limits by size. The
 * others, and all of a field that is not there or not comparable, have to be evaluated.
 */
import type { Json } from '../contract/json.ts';
import { type Comparator, type Comparison, valueAt } from './cel-comparison.ts';
import type { CompiledTrigger } from './definition.ts';

export interface Candidate {
  readonly workflowId: string;
  readonly version: number;
  readonly trigger: CompiledTrigger;
}

/** Places in the list of candidates. */
type Places = readonly number[];
type Found = (value: unknown) => Places;

interface Field {
  readonly path: readonly string[];
  /** One for each comparator that the field is compared by. */
  readonly found: readonly Found[];
}

export class TriggerIndex<C extends Candidate> {
  readonly #candidates: readonly C[];
  readonly #always: Places;
  readonly #fields: readonly Field[];

  constructor(candidates: readonly C[]) {
    this.#candidates = candidates;
    const begun = candidates.map(({ trigger }, place) => ({
      place,
      first: trigger.condition?.first ?? null,
    }));
    this.#always = begun.flatMap(({ place, first }) => (first === null ? [place] : []));
    const known = begun.flatMap(({ place, first }) =>
      first === null ? [] : [{ place, ...first }],
    );
    this.#fields = [...Map.groupBy(known, ({ path }) => JSON.stringify(path)).values()].map(
      fieldOf,
    );
  }

  /** In their order. The condition of every other one is false of the event. */
  possible(event: Json): C[] {
    const places = [...this.#always];
    for (const { path, found } of this.#fields) {
      const value = valueAt(event, path);
      for (const find of found) for (const place of find(value)) places.push(place);
    }
    return places.sort((one, other) => one - other).flatMap((at) => this.#candidates[at] ?? []);
  }
}

type Placed = Comparison & { readonly place: number };

function fieldOf(placed: readonly Placed[]): Field {
  const found = [...Map.groupBy(placed, ({ op }) => op)].map(([op, group]) =>
    op === '==' ? equalTo(group) : within(op, group),
  );
  return { path: placed[0]?.path ?? [], found };
}

/** A value of another kind equals none of them; one that is not there is an error. */
function equalTo(group: readonly Placed[]): Found {
  const all = group.map(({ place }) => place);
  const byValue = new Map<unknown, Places>();
  for (const [literal, equal] of Map.groupBy(group, ({ literal }) => literal))
    byValue.set(
      literal,
      equal.map(({ place }) => place),
    );
  return (value) => (value === undefined ? all : (byValue.get(value) ?? []));
}

/** The limits that hold stand first: each is a condition to evaluate, and at the next one it ends. */
function within(op: Comparator, group: readonly Placed[]): Found {
  // A value is below a limit when its negative is above that of the limit.
  const sign = op.startsWith('>') ? 1 : -1;
  const isStrict = !op.endsWith('=');
  const limits = group
    .map(({ literal, place }) => ({ limit: sign * Number(literal), place }))
    .sort((one, other) => one.limit - other.limit);
  const all = limits.map(({ place }) => place);
  return (value) => {
    if (typeof value !== 'number') return all;
    const size = sign * value;
    const end = limits.findIndex(({ limit }) => (isStrict ? size <= limit : size < limit));
    return end === -1 ? all : all.slice(0, end);
  };
}
