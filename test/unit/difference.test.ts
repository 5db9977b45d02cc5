/** What an edit is told as: where two inputs differ, and what stood there before and after. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Change } from '../../src/contract/entries.ts';
import { isCanonical, isJsonObject, type Json } from '../../src/contract/json.ts';
import { differences } from '../../src/engine/difference.ts';
import { always } from './support/properties.ts';

describe('differences', () => {
  test.each<[string, Json, Json, Change[]]>([
    ['the same value in another order', { a: 1, b: [1, 2] }, { b: [1, 2], a: 1 }, []],
    ['a field that changed', { a: 1 }, { a: 2 }, [{ path: 'a', before: 1, after: 2 }]],
    ['a field that came', {}, { a: 2 }, [{ path: 'a', before: null, after: 2 }]],
    ['a field that went', { a: 1 }, {}, [{ path: 'a', before: 1, after: null }]],
    [
      'fields within fields',
      { amount: { amount: 500, currency: 'EUR' }, orderId: '7' },
      { amount: { amount: 900, currency: 'EUR' }, orderId: '7' },
      [{ path: 'amount.amount', before: 500, after: 900 }],
    ],
    [
      'several places',
      { a: 1, b: { c: 2 } },
      { a: 0, b: { c: 3, d: 4 } },
      [
        { path: 'a', before: 1, after: 0 },
        { path: 'b.c', before: 2, after: 3 },
        { path: 'b.d', before: null, after: 4 },
      ],
    ],
    [
      'lists, as a whole',
      { tags: ['x', 'y'] },
      { tags: ['y', 'x'] },
      [{ path: 'tags', before: ['x', 'y'], after: ['y', 'x'] }],
    ],
    ['a type that changed', { a: 7 }, { a: '7' }, [{ path: 'a', before: 7, after: '7' }]],
    ['an object in place of a value', { a: 7 }, { a: {} }, [{ path: 'a', before: 7, after: {} }]],
    ['a list in place of an object', { a: {} }, { a: [] }, [{ path: 'a', before: {}, after: [] }]],
    ['a null that came is told', {}, { a: null }, [{ path: 'a', before: null, after: null }]],
    ['values that are no objects', 1, 2, [{ path: '', before: 1, after: 2 }]],
    ['minus zero is zero', { a: 0 }, { a: -0 }, []],
  ])('%s', (_name, before, after, changes) => {
    expect(differences(before, after)).toEqual(changes);
  });

  test.each(['toString', 'constructor', 'hasOwnProperty', '__proto__', 'valueOf'])(
    'a field called %s is a field like any other',
    (name) => {
      const withIt: Json = JSON.parse(`{"a": 1, "${name}": {"b": 2}}`);
      expect(differences({ a: 1 }, withIt)).toEqual([
        { path: name, before: null, after: { b: 2 } },
      ]);
      expect(differences(withIt, { a: 1 })).toEqual([
        { path: name, before: { b: 2 }, after: null },
      ]);
      expect(differences(withIt, withIt)).toEqual([]);
    },
  );

  const json: fc.Arbitrary<Json> = fc
    .jsonValue({ maxDepth: 3 })
    .map((value): Json => JSON.parse(JSON.stringify(value)))
    .filter(isCanonical);

  test('there are none between a value and itself, and some between any two others', () => {
    always(
      20_260_310,
      1_000,
      fc.property(json, json, (before, after) => {
        expect(differences(before, JSON.parse(JSON.stringify(before)))).toEqual([]);
        const same = JSON.stringify(sorted(before)) === JSON.stringify(sorted(after));
        expect(differences(before, after).length === 0).toBe(same);
      }),
    );
  });

  test('the other way round, before and after change places', () => {
    always(
      20_260_311,
      1_000,
      fc.property(json, json, (before, after) => {
        const turned = differences(after, before).map((change) => ({
          path: change.path,
          before: change.after,
          after: change.before,
        }));
        expect(byPath(differences(before, after))).toEqual(byPath(turned));
      }),
    );
  });
});

const byPath = (changes: readonly Change[]) =>
  changes.map((change) => JSON.stringify(sorted(change))).sort();

/** The value with its fields in one order, so that equal values have equal texts. */
function sorted(value: Json): Json {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isJsonObject(value)) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return { fields: entries.map(([name, inner]) => [name, sorted(inner)]) };
}
