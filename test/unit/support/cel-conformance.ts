/**
 * The conformance suite of CEL (cel-spec, Apache-2.0, from npm by @bufbuild/cel-spec), run by our
 * expressions: what each of its cases comes to. Values that JSON cannot hold, protobuf messages and
 * what only a type checker answers are outside of what workflows can say.
 */
import type { Value } from '@bufbuild/cel-spec/cel/expr/value_pb.js';
import { getConformanceSuite } from '@bufbuild/cel-spec/testdata/tests.js';
import type { Json } from '../../../src/contract/json.ts';
import { compileExpression } from '../../../src/engine/expressions.ts';

type Suite = ReturnType<typeof getConformanceSuite>;
type Case = Suite['suites'][number]['tests'][number]['original'];

export type Outcome = 'agrees' | 'refused' | 'fails' | 'differs' | 'outside';

export interface Ran {
  /** `comparisons/eq_literal/eq_bytes` */
  readonly name: string;
  readonly source: string;
  readonly outcome: Outcome;
  /** What we say instead, or why it is outside. */
  readonly says: string;
}

/** Files about protobuf and its types, or about what nothing here has. */
const OUTSIDE =
  /^(block_ext|dynamic|enums|macros2|namespace|plumbing|proto2|proto2_ext|proto3|type_deductions|wrappers)\//;
const MESSAGES = /TestAllTypes|google\.protobuf|NestedEnum|GlobalEnum/;

export function runConformance(): Ran[] {
  return casesOf(getConformanceSuite(), []).map(({ name, test }) => ({
    name,
    source: test.expr,
    ...outcomeOf(name, test),
  }));
}

function casesOf(
  { tests, suites }: Suite,
  path: readonly string[],
): { name: string; test: Case }[] {
  return [
    ...tests.map(({ name, original }) => ({ name: [...path, name].join('/'), test: original })),
    ...suites.flatMap((inner) => casesOf(inner, [...path, inner.name])),
  ];
}

function outcomeOf(name: string, test: Case): Pick<Ran, 'outcome' | 'says'> {
  const outside = (says: string) => ({ outcome: 'outside', says }) as const;
  if (OUTSIDE.test(name) || MESSAGES.test(test.expr)) return outside('protobuf and its types');
  if (test.container !== '' || test.disableMacros) return outside('a container, or no macros');
  const names = Object.keys(test.bindings);
  const values = Object.values(test.bindings).map(({ kind }) =>
    kind.case === 'value' ? jsonOf(kind.value) : undefined,
  );
  if (values.includes(undefined) || names.some((one) => one.includes('.')))
    return outside('a variable that no event holds');
  const event = Object.fromEntries(names.map((one, index) => [one, values[index] ?? null]));
  const source = names.reduce(
    (inner, one) => `cel.bind(${one}, event.${one}, ${inner})`,
    test.expr,
  );
  const compiled = compileExpression(source, ['event']);
  const { case: matcher } = test.resultMatcher;
  if (matcher === 'evalError' || matcher === 'anyEvalErrors') {
    if (!compiled.ok) return { outcome: 'agrees', says: compiled.fault.message };
    const ran = compiled.expression.evaluate({ event });
    return ran.ok
      ? { outcome: 'differs', says: `gives ${JSON.stringify(ran.value)}, not an error` }
      : { outcome: 'agrees', says: ran.error.message };
  }
  const wanted = wantedOf(test);
  if (wanted === undefined) return outside('a value that is no JSON, or a type');
  if (!compiled.ok) return { outcome: 'refused', says: compiled.fault.message };
  const ran = compiled.expression.evaluate({ event });
  if (!ran.ok) return { outcome: 'fails', says: ran.error.message };
  return JSON.stringify(ran.value) === JSON.stringify(wanted)
    ? { outcome: 'agrees', says: '' }
    : { outcome: 'differs', says: `gives ${JSON.stringify(ran.value)}` };
}

/** Without a matcher the suite wants true. */
function wantedOf({ resultMatcher }: Case): Json | undefined {
  if (resultMatcher.case === undefined) return true;
  if (resultMatcher.case === 'value') return jsonOf(resultMatcher.value);
  const result = resultMatcher.case === 'typedResult' ? resultMatcher.value.result : undefined;
  return result === undefined ? undefined : jsonOf(result);
}

/** Undefined for what JSON cannot hold. */
function jsonOf({ kind }: Value): Json | undefined {
  switch (kind.case) {
    case 'nullValue':
      return null;
    case 'boolValue':
    case 'stringValue':
      return kind.value;
    case 'int64Value':
    case 'uint64Value':
      return Number.isSafeInteger(Number(kind.value)) ? Number(kind.value) : undefined;
    case 'doubleValue':
      return Number.isFinite(kind.value) ? kind.value : undefined;
    case 'listValue':
      return listOf(kind.value.values);
    case 'mapValue':
      return mapOf(kind.value.entries);
    default:
      return undefined;
  }
}

function listOf(values: readonly Value[]): Json | undefined {
  const items = values.map(jsonOf);
  return items.every((item) => item !== undefined) ? items : undefined;
}

function mapOf(entries: readonly { key?: Value; value?: Value }[]): Json | undefined {
  const fields: Record<string, Json> = {};
  for (const { key, value } of entries) {
    const name = key === undefined ? undefined : jsonOf(key);
    const inner = value === undefined ? undefined : jsonOf(value);
    if (typeof name !== 'string' || inner === undefined) return undefined;
    fields[name] = inner;
  }
  return fields;
}
