/**
 * What calls of CEL functions cost, by the length of what they are given. The prices cover the worst
 * case: searching a text can take its length times the needle's, and the library's duration() reads
 * a run of digits in cubic time. Lists and objects are served here, without the library.
 */
import { Optional } from '@marcbachmann/cel-js';
import { CelFault, pay, textSteps } from './budget.ts';
import { type CelNode, type Handle, nodesIn, sourceOf } from './cel-nodes.ts';
import { isContainer, isInRange, kindOf } from './cel-values.ts';

/** A time zone by name goes through the runtime's date formatting: tens of microseconds. */
const TIME_ZONE_STEPS = 1_000;

/** The handler of a call: pays before (what is read) and after (what was made). */
export function guardCall(node: CelNode, name: string, inner: Handle): Handle {
  return (args, second, third) => {
    if (!Array.isArray(args)) return inner(args, second, third);
    if (args.some(isContainer)) return callOnContainer(node, name, args);
    pay(priceOf(name, args), node);
    const own = OWN.get(name);
    const [text] = args;
    const value =
      own !== undefined && typeof text === 'string' ? own(text) : inner(args, second, third);
    if (!isInRange(value)) throw outOfRange(node);
    if (typeof value === 'string') pay(textSteps(value.length), node);
    if (Array.isArray(value)) pay(value.length, node);
    return value;
  };
}

/** Where the library goes by JavaScript's rules for letters and blanks instead of CEL's. */
const OWN = new Map<string, (text: string) => string>([
  ['lowerAscii', (text) => text.replaceAll(/[A-Z]+/g, (letters) => letters.toLowerCase())],
  ['upperAscii', (text) => text.replaceAll(/[a-z]+/g, (letters) => letters.toUpperCase())],
  ['trim', (text) => text.slice(startOf(text), endOf(text))],
]);

const BLANK = /\p{White_Space}/u;

function startOf(text: string): number {
  let at = 0;
  while (at < text.length && BLANK.test(text.charAt(at))) at += 1;
  return at;
}

function endOf(text: string): number {
  let at = text.length;
  while (at > 0 && BLANK.test(text.charAt(at - 1))) at -= 1;
  return at;
}

export function outOfRange(node: CelNode): CelFault {
  const reason = 'is out of range: times have years 1 to 9999, durations 10,000 years at most';
  return new CelFault(`${sourceOf(node)} ${reason}`, node);
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
    case 'lowerAscii':
    case 'upperAscii':
    case 'trim':
      return 1 + Math.ceil(length / 2);
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
