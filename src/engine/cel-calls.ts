/**
 * What calls of CEL functions cost, by the length of what they are given. The prices cover the worst
 * case: searching a text can take its length times the needle's, and the library's duration() reads
 * a run of digits in cubic time. Lists and objects are served here, without the library.
 */
import { Optional } from '@marcbachmann/cel-js';
import { CelFault, pay, textSteps } from './budget.ts';
import { type CelNode, type Handle, nodesIn } from './cel-nodes.ts';
import { isContainer, kindOf } from './cel-values.ts';

/** A time zone by name goes through the runtime's date formatting: tens of microseconds. */
const TIME_ZONE_STEPS = 1_000;

/** The handler of a call: pays before (what is read) and after (what was made). */
export function guardCall(node: CelNode, name: string, inner: Handle): Handle {
  return (args, second, third) => {
    if (!Array.isArray(args)) return inner(args, second, third);
    if (args.some(isContainer)) return callOnContainer(node, name, args);
    pay(priceOf(name, args), node);
    const value = inner(args, second, third);
    if (typeof value === 'string') pay(textSteps(value.length), node);
    if (Array.isArray(value)) pay(value.length, node);
    return value;
  };
}

/** Steps for a call with these arguments; the receiver of a method comes first. */
function priceOf(name: string, args: readonly unknown[]): number {
  const [first, second] = args;
  const length = typeof first === 'string' ? first.length : 0;
  const other = typeof second === 'string' ? second.length : 0;
  switch (name) {
    case 'contains':
    case 'indexOf':
    case 'lastIndexOf':
      return 1 + textSteps(length) * Math.ceil(other / 16);
    case 'glob':
      return 1 + textSteps(length * other);
    case 'duration':
      return 1 + textSteps(length ** 3);
    default:
      if (name.startsWith('get') && typeof second === 'string') return TIME_ZONE_STEPS;
      return 1 + textSteps(length) + textSteps(other);
  }
}

function callOnContainer(node: CelNode, name: string, args: readonly unknown[]): unknown {
  const [first, second] = args;
  if (name === 'size' && isContainer(first)) return sizeOf(node, first);
  if (name === 'join' && Array.isArray(first)) return join(node, first, second ?? '');
  if (name === 'dyn') return first;
  if (name === 'of' && nodesIn(node.args)[0]?.args === 'optional') return Optional.of(second);
  const kind = kindOf(args.find(isContainer));
  const call = node.op === 'rcall' && isContainer(first) ? `.${name}()` : `${name}()`;
  throw new CelFault(`${call} does not take ${kind}`, node);
}

function sizeOf(node: CelNode, value: object): bigint {
  if (Array.isArray(value)) return BigInt(value.length);
  const size = Object.keys(value).length;
  pay(size, node);
  return BigInt(size);
}

function join(node: CelNode, list: readonly unknown[], separator: unknown): string {
  if (typeof separator !== 'string') throw new CelFault('join() takes a text', node);
  pay(list.length * (1 + textSteps(separator.length)), node);
  const texts = list.map((item) => {
    if (typeof item === 'string') return item;
    throw new CelFault(
      `join() takes texts, but the list holds ${kindOf(item)}; use string()`,
      node,
    );
  });
  for (const text of texts) pay(textSteps(text.length), node);
  return texts.join(separator);
}
