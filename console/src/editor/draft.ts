/**
 * A definition while it is written: any JSON object, of which the picture shows what it can. Changes
 * from the forms are made here, and become text again; the text is the one truth. Pure.
 */
import type { Json, JsonObject } from '../../../src/contract/json.ts';
import { isJsonArray, isJsonObject, textOr } from '../ui/json-kind.ts';
import { withField } from './schema.ts';

export interface DraftStep {
  /** As it is written; a made-up one where there is none. */
  readonly id: string;
  readonly index: number;
  readonly needs: readonly string[] | undefined;
  readonly step: JsonObject;
}

export type Parsed =
  | { readonly ok: true; readonly draft: JsonObject }
  | { readonly ok: false; readonly message: string };

export function parseDraft(text: string): Parsed {
  try {
    const value: Json = JSON.parse(text);
    return isJsonObject(value)
      ? { ok: true, draft: value }
      : { ok: false, message: 'not an object' };
  } catch (error) {
    return { ok: false, message: error instanceof Error ? error.message : String(error) };
  }
}

export function draftText(draft: JsonObject): string {
  return JSON.stringify(draft, null, 2);
}

export function stepsOf({ steps }: JsonObject): DraftStep[] {
  if (!isJsonArray(steps)) return [];
  const seen = new Set<string>();
  return steps.flatMap((step, index) => {
    if (!isJsonObject(step)) return [];
    const written = textOr(step.id, '');
    const id = written === '' || seen.has(written) ? `step ${index + 1}` : written;
    seen.add(id);
    const { needs } = step;
    const named = isJsonArray(needs) ? needs.filter((need) => typeof need === 'string') : undefined;
    return [{ id, index, needs: named, step }];
  });
}

export function withStep(draft: JsonObject, index: number, step: JsonObject): JsonObject {
  const steps = isJsonArray(draft.steps) ? draft.steps : [];
  return { ...draft, steps: steps.map((own, at) => (at === index ? step : own)) };
}

/** Another id, also where the other steps name it as what they need. */
export function withStepId(draft: JsonObject, index: number, id: string): JsonObject {
  const steps = stepsOf(draft);
  const former = steps.find((one) => one.index === index)?.id;
  const renamed = steps.map(({ step, needs, index: own }) => {
    if (own === index) return { ...step, id };
    if (former === undefined || needs?.includes(former) !== true) return step;
    return { ...step, needs: needs.map((need) => (need === former ? id : need)) };
  });
  return { ...draft, steps: renamed };
}

/** A new step behind another one: those that came next come next still. */
export function withStepAfter(
  draft: JsonObject,
  after: string | null,
  action: string,
): { readonly draft: JsonObject; readonly id: string } {
  const steps = stepsOf(draft);
  const id = freeId(steps, action);
  const at = after === null ? -1 : steps.findIndex((one) => one.id === after);
  const needs =
    steps.some((one) => one.needs !== undefined) && after !== null ? [after] : undefined;
  const step = { id, action, ...(needs === undefined ? {} : { needs }), with: {} };
  const all = steps.map((one) => one.step);
  return { draft: { ...draft, steps: all.toSpliced(at + 1, 0, step) }, id };
}

/** Without a step: who needed it needs what it needed. */
export function withoutStep(draft: JsonObject, id: string): JsonObject {
  const steps = stepsOf(draft);
  const gone = steps.find((one) => one.id === id);
  const rest = steps.filter((one) => one.id !== id);
  return {
    ...draft,
    steps: rest.map(({ step, needs }) => {
      if (needs?.includes(id) !== true) return step;
      const others = [...new Set([...needs.filter((need) => need !== id), ...(gone?.needs ?? [])])];
      return withField(step, 'needs', others);
    }),
  };
}

function freeId(steps: readonly DraftStep[], action: string): string {
  const base = (action.split('.').at(-1) ?? 'step').replaceAll(/\W/g, '_');
  const taken = new Set(steps.map(({ id }) => id));
  for (let n = 1; ; n += 1) {
    const id = n === 1 ? base : `${base}${n}`;
    if (!taken.has(id)) return id;
  }
}

/** Which step a fault's path is about; null for the trigger and what is around it. */
export function stepIndexOf(path: string): number | null {
  const [, index] = /^steps\.(\d+)(?:\.|$)/.exec(path) ?? [];
  return index === undefined ? null : Number(index);
}
