/**
 * The comparison of a field with a literal that a condition begins with. CEL asks the left side of `&&`
 * first and is done when it is false: so a condition whose first comparison is false is false, whatever
 * else it says, and need not be evaluated to know it (trigger-index.ts).
 */
import type { Json } from '../contract/json.ts';
import { type CelNode, nodesIn } from './cel-nodes.ts';
import { isPlainObject } from './cel-values.ts';

/** How to say it from the other side: `5 < x` is `x > 5`. */
const TURNED = { '==': '==', '<': '>', '<=': '>=', '>': '<', '>=': '<=' } as const;
export type Comparator = keyof typeof TURNED;

export interface Comparison {
  /** Of a field of the event: `event.data.n` is `data`, `n`. */
  readonly path: readonly string[];
  readonly op: Comparator;
  /** A number beside anything but `==`. */
  readonly literal: string | number | boolean;
}

/** Null when the condition begins otherwise: then only evaluating it tells. */
export function firstComparison(root: CelNode): Comparison | null {
  let node: CelNode | undefined = root;
  while (node?.op === '&&') node = nodesIn(node.args)[0];
  const { op } = node ?? { op: '' };
  if (!isComparator(op)) return null;
  const [left, right] = nodesIn(node?.args);
  return comparison(left, op, right) ?? comparison(right, TURNED[op], left);
}

function isComparator(op: string): op is Comparator {
  return Object.hasOwn(TURNED, op);
}

function comparison(
  field: CelNode | undefined,
  op: Comparator,
  value: CelNode | undefined,
): Comparison | null {
  const path = pathOf(field);
  const literal = literalOf(value);
  if (path === null || literal === null) return null;
  return op === '==' || typeof literal === 'number' ? { path, op, literal } : null;
}

/** The names in `event.a.b`; null for anything else. */
function pathOf(node: CelNode | undefined): string[] | null {
  if (node?.op === 'id') return node.args === 'event' ? [] : null;
  if (node?.op !== '.' || !Array.isArray(node.args)) return null;
  const name: unknown = node.args[1];
  const before = pathOf(nodesIn(node.args)[0]);
  return before === null || typeof name !== 'string' ? null : [...before, name];
}

/** A double holds each of them exactly, so comparing doubles is comparing what CEL compares. */
function literalOf(node: CelNode | undefined): Comparison['literal'] | null {
  const value = node?.op === 'value' ? node.args : null;
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : null;
  const isPlain = typeof value === 'string' || typeof value === 'boolean';
  return isPlain || typeof value === 'number' ? value : null;
}

/** What an expression would find there; undefined where it would fail. */
export function valueAt(event: Json, path: readonly string[]): unknown {
  let value: unknown = event;
  for (const name of path) {
    if (!isPlainObject(value) || !Object.hasOwn(value, name)) return undefined;
    value = value[name];
  }
  return value;
}
