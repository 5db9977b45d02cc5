/** What JSON text tells besides its value: depth, fields given twice, digits that would be lost. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Json } from '../../src/contract/json.ts';
import { parseJson } from '../../src/http/body.ts';
import { countFields, numberLost, shapeOf } from '../../src/http/json-text.ts';
import { parseLossless } from '../../src/vendors/lossless-json.ts';
import { always } from './support/properties.ts';

function read(text: string, lossless?: (text: string) => Json) {
  return parseJson(new TextEncoder().encode(text), lossless);
}
const every = <T>(values: fc.Arbitrary<T>, check: (value: T) => void) =>
  always(20_261_125, 500, fc.property(values, check));
const detailOf = (text: string) => {
  const parsed = read(text);
  return parsed.ok ? null : parsed.detail;
};

describe('a field that is given twice', () => {
  test.each([
    '{"a":1,"a":1}',
    '{"a":1,"b":2,"a":3}',
    '{"a":1,"\\u0061":1}',
    '[{"a":[{"b":1,"b":1}]}]',
    '{"":1,"":2}',
    '{"a" : 1 , "a"\n:\t2}',
  ])('is refused in %s', (text) => {
    expect(detailOf(text)).toContain('given twice');
  });

  test.each([
    '{"a":{"a":{"a":1}}}',
    '[{"a":1},{"a":1}]',
    '{"a":"\\"a\\":1,\\"a\\":1"}',
    '{"a":":","b":"{\\"a\\":[","c\\\\":1}',
    '{"constructor":1,"toString":2,"hasOwnProperty":3}',
    '{"0":1,"00":2}',
  ])('is not seen in %s', (text) => {
    expect(detailOf(text)).toBeNull();
  });

  test('is told from the number of fields, whatever the value', () => {
    every(fc.json({ maxDepth: 5 }), (text) => {
      expect(shapeOf(text).fields).toBe(countFields(JSON.parse(text)));
      const depth = (value: Json): number =>
        typeof value === 'object' && value !== null
          ? 1 + Math.max(0, ...Object.values(value).map(depth))
          : 0;
      expect(shapeOf(text).depth).toBe(depth(JSON.parse(text)));
    });
  });

  test('is refused wherever it stands', () => {
    const name = fc.string({ maxLength: 8 });
    every(
      fc.tuple(fc.dictionary(name, fc.jsonValue(), { minKeys: 1 }), fc.nat()),
      ([fields, at]) => {
        const members = Object.entries(fields).map(
          ([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`,
        );
        const twice = members[at % members.length] ?? '';
        expect(read(`[{${[...members, twice].join()}}]`).ok).toBe(false);
      },
    );
  });
});

describe('a number', () => {
  test.each([
    ['9007199254740993', '9007199254740993'],
    ['{"id":[1,820982911946154508]}', '820982911946154508'],
    ['-9007199254740993', '-9007199254740993'],
    ['12345678901234567890', '12345678901234567890'],
    ['1e400', '1e400'],
    ['-1E999', '-1E999'],
    ['1'.repeat(400), '1'.repeat(400)],
  ])('%s would lose digits', (text, lost) => {
    expect(shapeOf(text).hasWideNumber).toBe(true);
    expect(numberLost(text)).toBe(lost);
    expect(detailOf(text)).toContain('would lose digits');
  });

  test.each([
    '9007199254740991',
    '9007199254740992',
    '9007199254740994',
    '0.1',
    '3.141592653589793238462643383279',
    '1e308',
    '5e-324',
    '1e-400',
    '-0',
    '1.0',
    '{"1e400":"9007199254740993"}',
  ])('%s stays', (text) => {
    expect(detailOf(text)).toBeNull();
  });

  test('that is taken comes back as the number that it was', () => {
    const digits = fc.stringMatching(/^-?[1-9][0-9]{0,30}$/);
    every(digits, (text) => {
      const parsed = read(text);
      expect(parsed.ok ? String(parsed.value) : text).toBe(text);
    });
    every(
      fc.oneof(fc.maxSafeInteger(), fc.double({ noDefaultInfinity: true, noNaN: true })),
      (number) => {
        expect(read(JSON.stringify(number))).toMatchObject({ ok: true });
      },
    );
  });

  test('of a vendor keeps every digit instead', () => {
    expect(read('{"id":820982911946154508}', parseLossless)).toEqual({
      ok: true,
      value: { id: '820982911946154508' },
    });
  });
});
