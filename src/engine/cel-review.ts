/**
 * What is refused in an expression when it is saved, beyond syntax and types: patterns that backtrack,
 * deep loops, steps that do not exist, keys that would reach an object's prototype.
 * Pure reading of the syntax tree; nothing is evaluated.
 */
import { CelFault, type Place } from './budget.ts';
import type { Names } from './cel.ts';
import { type CelNode, calledName, literalText, loopOf, nodesIn, walk } from './cel-nodes.ts';

const LOOP_DEPTH_MAX = 2;
const PROTOTYPE_KEYS: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

/** The first thing that is refused, or null. */
export function review(
  root: CelNode,
  names: Names,
  knownSteps: readonly string[] | undefined,
): CelFault | null {
  for (const { node, loops } of walk(root)) {
    const fault =
      reviewCall(node) ??
      reviewLoop(node, loops, names) ??
      reviewKeys(node) ??
      reviewStep(node, knownSteps);
    if (fault !== null) return fault;
  }
  return null;
}

/** matches() runs a native RegExp, which a pattern like (a+)+$ stops for minutes. */
function reviewCall(node: CelNode): CelFault | null {
  if (calledName(node) !== 'matches') return null;
  const instead = 'use glob("order-*"), startsWith(), endsWith() or contains()';
  return new CelFault(`matches() is not available; ${instead}`, node);
}

function reviewLoop(node: CelNode, loops: number, names: Names): CelFault | null {
  if (loopOf(node) !== null && loops >= LOOP_DEPTH_MAX) {
    return new CelFault('loops inside of loops go two deep at most', node);
  }
  const shadowed = names.find((name) => name === boundName(node));
  if (shadowed === undefined) return null;
  return new CelFault(`a loop's own name cannot be "${shadowed}", which is taken`, node);
}

/** The name that a loop, or cel.bind, introduces. */
function boundName(node: CelNode): unknown {
  if (calledName(node) === 'bind') return nodesIn(node.args)[1]?.args;
  return loopOf(node)?.iterVarName;
}

/** Computed keys are refused too: with them a short expression makes a type of unlimited size. */
function reviewKeys(node: CelNode): CelFault | null {
  if (node.op !== 'map' || !Array.isArray(node.args)) return null;
  for (const entry of node.args) {
    const [key] = nodesIn(entry);
    const text = literalText(key);
    if (text === null) return new CelFault('an object key must be a text in quotes', key ?? node);
    if (PROTOTYPE_KEYS.has(text)) {
      return new CelFault(`"${text}" cannot be an object key`, key ?? node);
    }
  }
  return null;
}

function reviewStep(node: CelNode, knownSteps: readonly string[] | undefined): CelFault | null {
  const step = stepOf(node);
  if (step === null || knownSteps === undefined || knownSteps.includes(step.id)) return null;
  const known =
    knownSteps.length === 0 ? 'no step comes before' : `known steps: ${knownSteps.join(', ')}`;
  return new CelFault(`unknown step "${step.id}"; ${known}`, step.place);
}

/** The ids in `steps.<id>` and `steps["<id>"]`, each once, in the order they appear. */
export function stepsIn(root: CelNode): readonly string[] {
  const ids = new Set<string>();
  for (const { node } of walk(root)) {
    const step = stepOf(node);
    if (step !== null) ids.add(step.id);
  }
  return [...ids];
}

function stepOf(node: CelNode): { id: string; place: Place } | null {
  if (!['.', '.?', '[]', '[?]'].includes(node.op) || !Array.isArray(node.args)) return null;
  const [object, index] = nodesIn(node.args);
  if (object?.op !== 'id' || object.args !== 'steps') return null;
  const name: unknown = node.args[1];
  const id = typeof name === 'string' ? name : literalText(index);
  if (id === null) return null;
  return { id, place: index ?? { start: node.pos, end: node.end } };
}
