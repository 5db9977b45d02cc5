/**
 * One CEL source, checked once and run many times. Conditions and the holes of templates are both made
 * of these; they differ in what text a fault points into, so faults here are relative to the source.
 */
import type { Json, JsonObject } from '../contract/json.ts';
import { assertFits, CelFault, overrun, pay } from './budget.ts';
import { environmentFor, isKnownFunction, type Names } from './cel.ts';
import { type Comparison, firstComparison } from './cel-comparison.ts';
import { type PlacedReason, reasonOf } from './cel-faults.ts';
import { costOf, guard } from './cel-guards.ts';
import { type CelNode, calledName, isCelNode } from './cel-nodes.ts';
import { review, stepsIn } from './cel-review.ts';
import { toJson } from './cel-values.ts';

const SOURCE_MAX = 4_096;

export interface Program {
  /** Ids in `steps.<id>`. */
  readonly steps: readonly string[];
  readonly first: Comparison | null;
  /** Runs on the budget that the caller has started. Never throws. */
  run(scope: JsonObject): Ran;
}
type Ran = { ok: true; value: Json } | { ok: false; fault: PlacedReason };
type Compiled = { ok: true; program: Program } | { ok: false; fault: PlacedReason };

/** Parses, reviews and checks. `knownSteps` are the steps that may be named; without it, any. */
export function compileProgram(
  source: string,
  names: Names,
  knownSteps: readonly string[] | undefined,
): Compiled {
  try {
    return { ok: true, program: compile(source, names, knownSteps) };
  } catch (error) {
    return { ok: false, fault: compileReason(error, names) };
  }
}

function compile(source: string, names: Names, knownSteps: readonly string[] | undefined): Program {
  if (source.trim() === '') throw new CelFault('is empty', null);
  if (source.length > SOURCE_MAX) {
    throw new CelFault(`is longer than ${SOURCE_MAX} characters`, null);
  }
  const parsed = environmentFor(names).parse(source);
  const root: unknown = parsed.ast;
  if (!isCelNode(root)) throw new TypeError('cel-js changed the shape of its syntax tree');
  const refused = review(root, names, knownSteps);
  if (refused !== null) throw refused;
  const { error } = parsed.check();
  if (error !== undefined) throw error;
  return programOf(root, parsed);
}

function programOf(root: CelNode, evaluate: (scope: JsonObject) => unknown): Program {
  const cost = costOf(root);
  guard(root);
  const run = (scope: JsonObject): Ran => {
    try {
      pay(cost, root);
      const value = evaluate(scope);
      const stopped = overrun();
      if (stopped !== null) return { ok: false, fault: reasonOf(stopped) };
      const json = toJson(value);
      assertFits(json);
      return { ok: true, value: json };
    } catch (error) {
      return { ok: false, fault: reasonOf(overrun() ?? error) };
    }
  };
  return { steps: stepsIn(root), first: firstComparison(root), run };
}

/** What the checker says about unknown names does not say which ones there are. */
function compileReason(error: unknown, names: Names): PlacedReason {
  const node = errorNode(error);
  if (node?.op === 'id' && errorCode(error) === 'unknown_variable') {
    return { reason: `unknown name "${node.args}"; known here: ${names.join(', ')}`, place: node };
  }
  const called = node === null ? null : calledName(node);
  if (called !== null && !isKnownFunction(called, environmentFor(names))) {
    return { reason: `unknown function ${called}()`, place: node };
  }
  return reasonOf(error);
}

function errorNode(error: unknown): CelNode | null {
  if (!(error instanceof Error) || !('node' in error)) return null;
  return isCelNode(error.node) ? error.node : null;
}

function errorCode(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
