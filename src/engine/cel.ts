/**
 * The CEL environments (cel-spec, https://cel.dev) that conditions and templates are checked in: which
 * names exist, how JSON's doubles mix with CEL's whole numbers, and glob() in place of matches().
 * Building one is slow, so there is one for each set of names, made when first needed.
 */
import { Environment } from '@marcbachmann/cel-js';
import { CelFault } from './budget.ts';

/** What an expression may name. Triggers see no steps; approval policies see the step's input. */
export type Names = readonly ('event' | 'steps' | 'run' | 'tenant' | 'input')[];

const LIMITS = {
  maxAstNodes: 500,
  maxDepth: 40,
  maxListElements: 100,
  maxMapEntries: 50,
  maxCallArguments: 8,
};

const environments = new Map<string, Environment>();

export function environmentFor(names: Names): Environment {
  const key = names.join();
  const known = environments.get(key);
  if (known !== undefined) return known;
  const environment = buildEnvironment(names);
  environments.set(key, environment);
  return environment;
}

function buildEnvironment(names: Names): Environment {
  const environment = new Environment({
    enableOptionalTypes: true,
    homogeneousAggregateLiterals: false,
    limits: LIMITS,
  });
  for (const name of names) environment.registerVariable(name, 'map');
  mixNumbers(environment);
  const sync = { async: false };
  environment.registerFunction('glob(string, string): bool', glob, sync);
  environment.registerFunction('string.glob(string): bool', glob, sync);
  return environment;
}

/** JSON numbers arrive as doubles and literals like `1` are ints: CEL alone refuses to add them. */
function mixNumbers(environment: Environment): void {
  for (const [op, compute] of Object.entries(ARITHMETIC)) {
    environment.registerOperator(`double ${op} int: double`, (left: number, right: bigint) =>
      compute(left, Number(right)),
    );
    environment.registerOperator(`int ${op} double: double`, (left: bigint, right: number) =>
      compute(Number(left), right),
    );
  }
  environment.registerOperator('double % double: double', remainder);
  environment.registerOperator(
    'int == double: bool',
    (left: bigint, right: number) => Number(left) === right,
  );
}

const ARITHMETIC = {
  '+': (left: number, right: number) => left + right,
  '-': (left: number, right: number) => left - right,
  '*': (left: number, right: number) => left * right,
  '/': (left: number, right: number) => left / right,
  '%': remainder,
};

function remainder(left: number, right: number): number {
  if (right === 0) throw new CelFault('divides by zero', null);
  if (Number.isInteger(left) && Number.isInteger(right)) return left % right;
  throw new CelFault('% takes whole numbers only', null);
}

/**
 * Whether the whole text fits the pattern: `*` stands for any run of characters, `?` for one UTF-16
 * unit. Only the last star is ever tried again, so the work is at most text times pattern length.
 */
export function glob(text: string, pattern: string): boolean {
  let at = 0;
  let next = 0;
  let star = -1;
  let retry = 0;
  while (at < text.length) {
    if (pattern[next] === '*') {
      star = next++;
      retry = at;
    } else if (next < pattern.length && (pattern[next] === '?' || pattern[next] === text[at])) {
      next++;
      at++;
    } else if (star >= 0) {
      next = star + 1;
      at = ++retry;
    } else return false;
  }
  while (pattern[next] === '*') next++;
  return next === pattern.length;
}

/** Whether any function or method has this name, whatever it takes. */
export function isKnownFunction(name: string, environment: Environment): boolean {
  return environment.getDefinitions().functions.some((definition) => definition.name === name);
}
