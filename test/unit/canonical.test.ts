/** The fast canonical text is the library's, and so RFC 8785's, for every value. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { canonicalJson, type Json } from '../../src/contract/json.ts';
import { canonicalText } from '../../src/engine/canonical.ts';
import { always } from './support/properties.ts';

const names = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.constantFrom('__proto__', '10', '9', 'toJSON', 'constructor', 'a', 'ab', 'B', 'a\u{1f600}'),
);
const { value } = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constant(null),
    fc.boolean(),
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.string({ unit: 'binary' }),
    fc.array(tie('value')),
    fc.dictionary(names, tie('value')),
  ),
}));

test('it is the library’s text for every value', () => {
  always(
    20_260_403,
    2_000,
    fc.property(value, (json) => {
      expect(canonicalText(json)).toBe(canonicalJson(json));
    }),
  );
});

test.each([
  ['{"10":1,"9":2,"a":3}', '{"10":1,"9":2,"a":3}'],
  ['{"__proto__":{"x":1},"a":[]}', '{"__proto__":{"x":1},"a":[]}'],
  ['{"b":[{"d":1,"c":-0}],"a":1e21}', '{"a":1e+21,"b":[{"c":0,"d":1}]}'],
])('%s', (json, text) => {
  expect(canonicalText(JSON.parse(json))).toBe(text);
});

test('what has no canonical text is refused', () => {
  for (const json of ['"\\ud800"', '{"a":"\\udc00"}', '{"a\\ud800":1}', '[1e999]'])
    expect(() => canonicalText(JSON.parse(json)), json).toThrow();
});
