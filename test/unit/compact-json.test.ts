/** The quick reading of lines: whatever it is sure of is what JSON.parse and RFC 8785 say. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CanonicalBytes } from '../../scripts/verify-audit/canonical-bytes.ts';
import { CompactReader } from '../../scripts/verify-audit/compact-json.ts';
import { canonicalJson } from '../../src/contract/json.ts';
import { always } from './support/properties.ts';

const reader = new CompactReader();
const writer = new CanonicalBytes();

/** The canonical text; null when the reader is not sure. */
function read(text: string): string | null {
  const bytes = Buffer.from(`  ${text}  `);
  const span = reader.read(bytes, 2, bytes.length - 2);
  if (span === null) return null;
  writer.begin(bytes, bytes.length);
  writer.value(span);
  return Buffer.from(writer.bytes).toString('utf8');
}

/** What the ordinary way says: null for what JSON.stringify would not have written. */
function ordinary(text: string): string | null {
  try {
    const value = JSON.parse(text);
    return JSON.stringify(value) === text ? canonicalJson(value) : null;
  } catch {
    return null;
  }
}

const names = fc.oneof(fc.string(), fc.stringMatching(/^[a-z][A-Za-z0-9._$-]{0,8}$/));
const values = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.string({ unit: 'grapheme' }),
    fc.maxSafeNat(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.constantFrom(
      true,
      false,
      null,
      'a "quote"',
      'back\\slash',
      'line\nbreak',
      '\u001f',
      '[erased]',
    ),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(names, tie('value'), { maxKeys: 6 }),
  ),
})).value;

test.each([
  ['{}', '{}'],
  ['[]', '[]'],
  ['{"b":1,"a":[true,false,null]}', '{"a":[true,false,null],"b":1}'],
  [
    '{"b":{"d":"x","c":""},"a":[[{"y":0,"x":12}]]}',
    '{"a":[[{"x":12,"y":0}]],"b":{"c":"","d":"x"}}',
  ],
  ['{"ab":1,"a":2,"b":3,"a.b":4}', '{"a":2,"a.b":4,"ab":1,"b":3}'],
  ['"Größe ✓ \\"\\\\\\b\\f\\n\\r\\t"', '"Größe ✓ \\"\\\\\\b\\f\\n\\r\\t"'],
  ['999999999999999', '999999999999999'],
])('%s is read', (text, canonical) => {
  expect(read(text)).toBe(canonical);
  expect(ordinary(text)).toBe(canonical);
});

describe('it is not sure of', () => {
  test.each([
    '',
    ' {}',
    '{} ',
    '{"a":1,"a":2}',
    '{"a" :1}',
    '{"a":1,}',
    '{"a"}',
    '{"a":1',
    '{,}',
    '[1,]',
    '[1',
    '[,1]',
    '01',
    '-1',
    '-0',
    '1.0',
    '1e3',
    '1000000000000000',
    'tru',
    'trux',
    'truefalse',
    'undefined',
    '"a',
    '"\u0001"',
    '"\\u0041"',
    '"\\/"',
    '"\\ud800"',
    '{"A":1}',
    '{"1":1}',
    '{"$private":1}',
    '{"ä":1}',
    '{"a\\n":1}',
    '{"":1}',
    '{"__proto__":1}',
    '{"a":1}{"a":1}',
    `${'['.repeat(100)}${']'.repeat(100)}`,
    `${'['.repeat(100_000)}`,
  ])('%j', (text) => {
    expect(read(text)).toBeNull();
  });
});

test('of any value: it says what RFC 8785 says, or nothing', () => {
  let sure = 0;
  always(
    20_260_501,
    3_000,
    fc.property(values, (value) => {
      const text = JSON.stringify(value);
      const canonical = read(text);
      if (canonical === null) return;
      sure += 1;
      expect(canonical).toBe(ordinary(text));
    }),
  );
  expect(sure).toBeGreaterThan(500);
});

test('of any text that is nearly JSON: nothing that is not', () => {
  const edits = fc.record({
    value: values,
    at: fc.nat(),
    cut: fc.integer({ min: 0, max: 3 }),
    put: fc.oneof(
      fc.constant(''),
      fc.constantFrom(...'{}[]",:\\0123456789.-+eEtfn \n$a'),
      fc.string(),
    ),
  });
  always(
    20_260_502,
    6_000,
    fc.property(edits, ({ value, at, cut, put }) => {
      const text = JSON.stringify(value);
      const place = at % (text.length + 1);
      const edited = text.slice(0, place) + put + text.slice(place + cut);
      if (!edited.isWellFormed()) return;
      const canonical = read(edited);
      if (canonical !== null) expect(canonical).toBe(ordinary(edited));
    }),
  );
});
