/**
 * Conditions of workflows: CEL (cel-spec) over the event, the steps so far, the run and the tenant.
 * Checked when saved, compiled once, evaluated often, without I/O, clock or randomness. What fails at
 * run time is an error with a place and a reason; it is never taken as true or false.
 */
import type { Json, JsonObject } from '../contract/json.ts';
import { type SharedWork, settleWith, startBudget } from './budget.ts';
import type { Names } from './cel.ts';
import type { Comparison } from './cel-comparison.ts';
import { type ExpressionFault, locate } from './cel-faults.ts';
import { compileProgram } from './cel-program.ts';
import { kindOf } from './cel-values.ts';

export type { Names } from './cel.ts';
export type { ExpressionFault } from './cel-faults.ts';

/** What conditions and templates see. A trigger's condition gets no steps and no run: `{}`. */
export type Scope = {
  readonly event: Json;
  readonly steps: JsonObject;
  readonly run: JsonObject;
  readonly tenant: JsonObject;
};

export type Evaluated = { ok: true; value: Json } | { ok: false; error: ExpressionFault };

export interface Expression {
  readonly source: string;
  /** Ids of the steps that it names as `steps.<id>`. */
  readonly steps: readonly string[];
  /** What it begins with: false, and it is false. Null: only evaluating it tells. */
  readonly first: Comparison | null;
  /** The value as JSON, at most 256 KiB of it. Never throws. `shared` is work that others do too. */
  evaluate(scope: JsonObject, shared?: SharedWork): Evaluated;
}

/**
 * Checks and compiles a source of at most 4,096 characters: syntax, names, functions, types as far as
 * they are known, and, when `knownSteps` is given, that every `steps.<id>` is one of them.
 */
export function compileExpression(
  source: string,
  names: Names,
  knownSteps?: readonly string[],
): { ok: true; expression: Expression } | { ok: false; fault: ExpressionFault } {
  const compiled = compileProgram(source, names, knownSteps);
  if (!compiled.ok) return { ok: false, fault: locate(compiled.fault, source, 0, source.length) };
  const { run, steps, first } = compiled.program;
  const evaluate = (scope: JsonObject, shared?: SharedWork): Evaluated => {
    startBudget(shared);
    const ran = run(scope);
    if (shared !== undefined) settleWith(shared);
    return ran.ok ? ran : { ok: false, error: locate(ran.fault, source, 0, source.length) };
  };
  return { ok: true, expression: { source, steps, first, evaluate } };
}

/** True or false; anything else that the expression gives is an error, not a guess. */
export function evaluateCondition(
  expression: Expression,
  scope: JsonObject,
  shared?: SharedWork,
): { ok: true; value: boolean } | { ok: false; error: ExpressionFault } {
  const result = expression.evaluate(scope, shared);
  if (!result.ok) return result;
  if (typeof result.value === 'boolean') return { ok: true, value: result.value };
  const reason = `must be true or false, is ${kindOf(result.value)}`;
  const { source } = expression;
  return { ok: false, error: locate({ reason, place: null }, source, 0, source.length) };
}
