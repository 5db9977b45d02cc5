/**
 * Makes a checked syntax tree safe to run: loops and operators pay the budget, lists and objects
 * never reach the library's run-time type probing (it walks them, and keeps a type per shape), and
 * wrong types are faults with a place. Works by wrapping the handlers that the checker left on nodes.
 */
import { CelFault, pay, payForError, spend, textSteps } from './budget.ts';
import { guardCall, outOfRange } from './cel-calls.ts';
import {
  type CelNode,
  calledName,
  childrenOf,
  type Evaluate,
  type Handle,
  type Loop,
  loopOf,
  nodesIn,
  sourceOf,
} from './cel-nodes.ts';
import { equalValues, isContainer, isInRange, isPlainObject, kindOf } from './cel-values.ts';

/** Wraps every node once. The tree must have been checked and not yet run. */
export function guard(node: CelNode): void {
  for (const child of childrenOf(node)) guard(child);
  const loop = loopOf(node);
  if (loop !== null) guardLoop(node, loop);
  if (node.op === '&&' || node.op === '||') nodesIn(node.args).forEach(guardBoolean);
  if (node.handle !== undefined) node.handle = guardHandle(node, node.handle);
}

/** What one visit of the node costs, without the bodies of loops, which pay for each turn. */
export function costOf(node: CelNode): number {
  const body = loopOf(node)?.step;
  return childrenOf(node).reduce(
    (cost, child) => (child === body ? cost : cost + costOf(child)),
    ownCost(node),
  );
}

/** Names and fields are cheap, operators and calls look for an overload. */
function ownCost(node: CelNode): number {
  // An optional index that is not there makes the library throw and catch an error.
  if (node.op === '[?]') return 20;
  const isCheap = node.handle === undefined || node.op === '.' || node.op === '?:';
  return isCheap ? 1 : 3;
}

function guardHandle(node: CelNode, inner: Handle): Handle {
  if (node.meta.alternate !== undefined || node.meta.macro !== undefined) return inner;
  const name = calledName(node);
  if (name !== null) return guardCall(node, name, inner);
  switch (node.op) {
    case '.':
      return guardField(node, inner);
    case '[]':
      return guardIndex(node, inner);
    case '[?]':
      return guardOptionalIndex(node, inner);
    case '?:':
      return guardTernary(node, inner);
    case '-_':
    case '!_':
      return guardUnary(node, inner);
    case '==':
    case '!=':
      return guardEquality(node, inner);
    case 'in':
      return guardMembership(node, inner);
    case '+':
    case '-':
    case '*':
    case '/':
    case '%':
      return guardArithmetic(node, inner);
    case '<':
    case '<=':
    case '>':
    case '>=':
      return guardComparison(node, inner);
    default:
      return inner;
  }
}

function guardLoop(node: CelNode, loop: Loop): void {
  const turn = 1 + costOf(loop.step);
  const goesOn = loop.condition;
  // Ends the loop instead of throwing: a quantifier would catch an error at every further turn.
  loop.condition = (result) => spend(turn, node) && (goesOn === undefined || goesOn(result));
  if (!loop.errorsAreFatal) guardBoolean(loop.step);
  const inner = node.handle;
  if (inner === undefined) return;
  node.handle = (items, args, evaluator, context) => {
    if (isPlainObject(items)) pay(Object.keys(items).length, node);
    else if (!Array.isArray(items)) throw notIterable(loop.iterable, items);
    return inner(items, args, evaluator, context);
  };
}

function notIterable(node: CelNode, value: unknown): CelFault {
  return new CelFault(`${sourceOf(node)} is ${kindOf(value)}, not a list or an object`, node);
}

/** A place where the library catches errors: they are paid for, and only booleans come out. */
function guardBoolean(node: CelNode): void {
  const inner = evaluatorOf(node);
  node.evaluate = (evaluator, _node, context) => {
    try {
      const value = inner(evaluator, node, context);
      if (typeof value === 'boolean') return value;
      throw notBoolean(node, value);
    } catch (error) {
      payForError(error, node);
      throw error;
    }
  };
}

/** What the node itself would call on its first evaluation. */
function evaluatorOf(node: CelNode): Evaluate {
  const { alternate, macro, evaluate } = node.meta;
  if (alternate !== undefined) {
    return (evaluator, _node, context) => alternate.evaluate(evaluator, alternate, context);
  }
  if (macro !== undefined) {
    return (evaluator, _node, context) => macro.evaluate(evaluator, macro, context);
  }
  return evaluate;
}

function notBoolean(node: CelNode, value: unknown): CelFault {
  return new CelFault(`${sourceOf(node)} must be true or false, is ${kindOf(value)}`, node);
}

function guardField(node: CelNode, inner: Handle): Handle {
  const [object] = nodesIn(node.args);
  const name = Array.isArray(node.args) ? String(node.args[1]) : '';
  return (left, _name, ast, evaluator) => {
    if (isPlainObject(left)) {
      const value = Object.hasOwn(left, name) ? left[name] : undefined;
      if (value !== undefined) return value;
      throw noField(node, object, name, '');
    }
    if (left === null || typeof left !== 'object' || Array.isArray(left)) {
      throw noField(node, object, name, kindOf(left));
    }
    return inner(left, name, ast, evaluator);
  };
}

function noField(node: CelNode, object: CelNode | undefined, name: string, kind: string): CelFault {
  const source = object === undefined ? 'the value' : sourceOf(object);
  const place = { start: node.op === '.' ? node.pos : node.start, end: node.end };
  const reason = kind === '' ? `has no field "${name}"` : `is ${kind}: it has no field "${name}"`;
  return new CelFault(`${source} ${reason}`, place);
}

function guardIndex(node: CelNode, inner: Handle): Handle {
  const [object, index] = nodesIn(node.args);
  return (left, key, ast, evaluator) => {
    if (isContainer(key)) throw new CelFault(`${kindOf(key)} cannot be an index`, index ?? node);
    if (!isPlainObject(left)) return inner(left, key, ast, evaluator);
    const name = String(key);
    const value = typeof key === 'string' && Object.hasOwn(left, key) ? left[key] : undefined;
    if (value === undefined) throw noField(node, object, name, '');
    return value;
  };
}

function guardOptionalIndex(node: CelNode, inner: Handle): Handle {
  return (left, key, ast, evaluator) => {
    if (isContainer(key)) throw new CelFault(`${kindOf(key)} cannot be an index`, node);
    return inner(left, key, ast, evaluator);
  };
}

function guardTernary(node: CelNode, inner: Handle): Handle {
  const condition = nodesIn(node.args)[0] ?? node;
  return (value, evaluator, ast, context) => {
    if (typeof value !== 'boolean') throw notBoolean(condition, value);
    return inner(value, evaluator, ast, context);
  };
}

function guardUnary(node: CelNode, inner: Handle): Handle {
  const operand = nodesIn(node.args)[0] ?? node;
  return (value, ast, evaluator) => {
    if (node.op === '!_' && typeof value !== 'boolean') throw notBoolean(operand, value);
    if (isContainer(value)) throw new CelFault(`- does not take ${kindOf(value)}`, node);
    return inner(value, ast, evaluator);
  };
}

function guardEquality(node: CelNode, inner: Handle): Handle {
  const whenEqual = node.op === '==';
  return (left, right, ast, evaluator) => {
    if (typeof left === 'string' && typeof right === 'string') {
      pay(textSteps(left.length), node);
      return (left === right) === whenEqual;
    }
    if (isContainer(left) || isContainer(right)) {
      return equalValues(left, right, node) === whenEqual;
    }
    return inner(left, right, ast, evaluator);
  };
}

function guardMembership(node: CelNode, inner: Handle): Handle {
  return (left, right, ast, evaluator) => {
    if (Array.isArray(right)) return right.some((item) => equalValues(left, item, node));
    if (isPlainObject(right)) return typeof left === 'string' && Object.hasOwn(right, left);
    refuseContainers(node, left, right);
    return inner(left, right, ast, evaluator);
  };
}

function guardArithmetic(node: CelNode, inner: Handle): Handle {
  return (left, right, ast, evaluator) => {
    if (typeof left === 'object' || typeof right === 'object') {
      if (node.op === '+' && Array.isArray(left) && Array.isArray(right)) {
        pay(left.length + right.length, node);
        return [...left, ...right];
      }
      refuseContainers(node, left, right);
    }
    const value = inner(left, right, ast, evaluator);
    if (typeof value === 'string') pay(textSteps(value.length), node);
    if (typeof value === 'number' && !Number.isFinite(value)) throw notFinite(node, right);
    if (!isInRange(value)) throw outOfRange(node);
    return value;
  };
}

function notFinite(node: CelNode, right: unknown): CelFault {
  if (node.op === '/' && Number(right) === 0) return new CelFault('divides by zero', node);
  return new CelFault(`${sourceOf(node)} is too large a number`, node);
}

function guardComparison(node: CelNode, inner: Handle): Handle {
  return (left, right, ast, evaluator) => {
    if (typeof left === 'string') pay(textSteps(left.length), node);
    refuseContainers(node, left, right);
    return inner(left, right, ast, evaluator);
  };
}

function refuseContainers(node: CelNode, left: unknown, right: unknown): void {
  if (!isContainer(left) && !isContainer(right)) return;
  const reason = `${node.op} does not go between ${kindOf(left)} and ${kindOf(right)}`;
  throw new CelFault(reason, node);
}
