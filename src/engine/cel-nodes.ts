/**
 * The shape of the syntax tree that cel-js 8.0.0 builds, as far as we walk it. Its types leave out
 * what macros expand to and the handlers we price, so the shape is asserted here, in one place;
 * the package is pinned exactly and the tests of expressions notice a change.
 */
import type { Place } from './budget.ts';

export type Evaluate = (evaluator: unknown, node: unknown, context: unknown) => unknown;
export type Handle = (a: unknown, b?: unknown, c?: unknown, d?: unknown) => unknown;

/** A macro that the library evaluates itself: has(), orValue(), or(), bind(). */
interface Macro {
  readonly evaluate: Evaluate;
}

export interface CelNode extends Place {
  readonly op: string;
  readonly args: unknown;
  readonly pos: number;
  readonly input: string;
  readonly meta: {
    readonly alternate?: CelNode;
    readonly macro?: Macro;
    readonly evaluate: Evaluate;
  };
  evaluate: Evaluate;
  handle?: Handle;
}

/** all, exists, exists_one, map and filter all expand to this. */
export interface Loop {
  readonly iterable: CelNode;
  readonly init: CelNode;
  readonly step: CelNode;
  readonly iterVarName: string;
  /** A quantifier goes on past errors; map and filter do not. */
  readonly errorsAreFatal: boolean;
  condition?: (result: unknown) => boolean;
}

export function isCelNode(value: unknown): value is CelNode {
  return typeof value === 'object' && value !== null && 'meta' in value && 'evaluate' in value;
}

function isLoop(args: unknown): args is Loop {
  return typeof args === 'object' && args !== null && 'iterVarName' in args && 'step' in args;
}

export function loopOf(node: CelNode): Loop | null {
  return node.op === 'comprehension' && isLoop(node.args) ? node.args : null;
}

/** The nodes directly below, where a macro counts as what it expands to. */
export function childrenOf(node: CelNode): readonly CelNode[] {
  if (node.meta.alternate !== undefined) return [node.meta.alternate];
  const loop = loopOf(node);
  return loop === null ? nodesIn(node.args) : [loop.iterable, loop.init, loop.step];
}

export function nodesIn(args: unknown): readonly CelNode[] {
  if (isCelNode(args)) return [args];
  return Array.isArray(args) ? args.flatMap(nodesIn) : [];
}

/** Every node with the number of loops around it. */
export function* walk(node: CelNode, loops = 0): Generator<{ node: CelNode; loops: number }> {
  yield { node, loops };
  const body = loopOf(node)?.step;
  for (const child of childrenOf(node)) yield* walk(child, child === body ? loops + 1 : loops);
}

/** The text that a node was parsed from. */
export function sourceOf(node: CelNode): string {
  return node.input.slice(node.start, node.end);
}

/** The name in `name(…)` or `x.name(…)`; null for any other node. */
export function calledName(node: CelNode): string | null {
  if (node.op !== 'call' && node.op !== 'rcall') return null;
  const name: unknown = Array.isArray(node.args) ? node.args[0] : undefined;
  return typeof name === 'string' ? name : null;
}

/** The literal string that a node is; null for any other node. */
export function literalText(node: CelNode | undefined): string | null {
  return node?.op === 'value' && typeof node.args === 'string' ? node.args : null;
}
