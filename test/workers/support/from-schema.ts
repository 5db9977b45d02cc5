/**
 * Values that a JSON Schema of the OpenAPI document lets in, or nearly: made by the schema alone, so that
 * fields which no example has are there too. Rules that JSON Schema cannot say are left to chance.
 */
import fc from 'fast-check';
import { isJsonObject, type Json, type JsonObject } from '../../../src/contract/json.ts';

const TIMES = ['2026-01-31T12:00:00Z', '2026-02-28T23:59:59.999+14:00', '0000-01-01T00:00:00Z'];
/** Nobody is there: what a test sets up by chance reaches no one. */
const URLS = [
  'https://hooks.example.com/a',
  'http://127.0.0.1:9/',
  'https://hooks.example.com:8443/',
];
const ANY_DEPTH = 4;

/** @param document where `$ref` leads */
export function fromSchema(document: JsonObject, schema: Json, depth = 0): fc.Arbitrary<Json> {
  if (!isJsonObject(schema) || depth > ANY_DEPTH * 2) return anyJson();
  if (typeof schema.$ref === 'string')
    return fromSchema(document, resolve(document, schema.$ref), depth + 1);
  if ('const' in schema) return fc.constant(schema.const ?? null);
  if (Array.isArray(schema.enum)) return fc.constantFrom(...schema.enum);
  for (const variants of [schema.oneOf, schema.anyOf])
    if (Array.isArray(variants) && variants.length > 0)
      return fc.oneof(...variants.map((one: Json) => fromSchema(document, one, depth + 1)));
  if (Array.isArray(schema.allOf))
    return fromSchema(document, Object.assign({}, ...schema.allOf), depth + 1);
  switch (schema.type) {
    case 'string':
      return textOf(schema);
    case 'integer':
    case 'number':
      return numberOf(schema);
    case 'boolean':
      return fc.boolean();
    case 'null':
      return fc.constant(null);
    case 'array':
      return fc.array(fromSchema(document, schema.items ?? null, depth + 1), { maxLength: 3 });
    case 'object':
      return objectOf(document, schema, depth);
    default:
      return anyJson();
  }
}

function anyJson(): fc.Arbitrary<Json> {
  return fc.json({ maxDepth: ANY_DEPTH }).map((text): Json => JSON.parse(text));
}

function resolve(document: JsonObject, ref: string): Json {
  return ref
    .slice('#/'.length)
    .split('/')
    .reduce<Json>((value, name) => (isJsonObject(value) ? (value[name] ?? null) : null), document);
}

function textOf({ format, pattern, minLength, maxLength }: JsonObject): fc.Arbitrary<string> {
  if (format === 'date-time') return fc.constantFrom(...TIMES);
  if (format === 'uri') return fc.constantFrom(...URLS);
  if (format === 'email') return fc.constantFrom('ada@example.com', "o'b+c@a.example.com");
  if (typeof pattern === 'string') return fc.stringMatching(new RegExp(pattern));
  const length = {
    minLength: numberOr(minLength, 0),
    maxLength: Math.min(numberOr(maxLength, 40), 200),
  };
  return fc.string({ ...length, unit: 'grapheme' }).map((text) => text.slice(0, length.maxLength));
}

function numberOf({ type, minimum, maximum, exclusiveMinimum }: JsonObject): fc.Arbitrary<number> {
  const least = numberOr(exclusiveMinimum, numberOr(minimum, -1_000) - 1) + 1;
  const bounds = { min: least, max: Math.max(least, numberOr(maximum, 1_000_000)) };
  return type === 'integer'
    ? fc.integer({ ...bounds, max: Math.min(bounds.max, 2 ** 31 - 1) })
    : fc.double({ ...bounds, noNaN: true });
}

function objectOf(document: JsonObject, schema: JsonObject, depth: number): fc.Arbitrary<Json> {
  const { properties, required, additionalProperties } = schema;
  const fields = isJsonObject(properties) ? Object.entries(properties) : [];
  const needed = Array.isArray(required) ? required : [];
  const parts = fields.map(([name, inner]) => {
    const value = fromSchema(document, inner, depth + 1).map((made): [string, Json][] => [
      [name, made],
    ]);
    return needed.includes(name) ? value : fc.oneof(fc.constant<[string, Json][]>([]), value);
  });
  const more = isJsonObject(additionalProperties)
    ? fc.dictionary(
        fc.constantFrom('order.refund', 'flag.enable', 'x'),
        fromSchema(document, additionalProperties, depth + 1),
        { maxKeys: 2 },
      )
    : fc.constant({});
  return fc.tuple(more, ...parts).map(([extra, ...made]) => ({
    ...extra,
    ...Object.fromEntries(made.flat()),
  }));
}

function numberOr(value: Json | undefined, fallback: number): number {
  return typeof value === 'number' ? value : fallback;
}
