/**
 * What our expressions make of CEL's public conformance suite. Every case that does not come out as the
 * suite has it belongs to one of the gaps below, which docs/expressions.md tells of; a case that is in
 * none, or a gap of another size, fails. So nothing changes unseen, for the worse or for the better.
 */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { type Ran, runConformance } from './support/cel-conformance.ts';

/** Refused when it is saved, or an error of the run: never another value. */
const GAPS: readonly (readonly [string, RegExp])[] = [
  ['`math.…`, `base64.…`, `strings.quote`: extensions', /unknown name "(math|base64|strings)"/],
  ['`format()`, `replace()`, `charAt()`', /unknown function (format|replace|charAt)/],
  [
    '`optional.ofNonZeroValue()`, `optMap` and the like, `==` between optionals',
    /ofNonZeroValue|optional<|optionals\//,
  ],
  ['`matches()`: `glob()` stands in for it', /matches\(\) is not available/],
  ['keys of an object that are no text in quotes: JSON has no others', /object key must be a text/],
  ['names in backquotes', /unexpected character: `/],
  ['`<`, `>` between bytes', /cannot compute bytes/],
  ['`has()` of an object that is written out', /has\(\) invalid argument/],
  [
    'what a checker of types refuses: `1u != 2`, `true ? "a" : 1`',
    /cannot compute|ternary branches|requires bool/,
  ],
  [
    '`int()`, `string()`, `timestamp()`, `duration()` of what is one already, of a time or a uint',
    /does not take/,
  ],
  ['loops over `[]`, written out', /overlaps with/],
  ['a number without a digit before the point', /unexpected token/],
  [
    'a name or a function that is unknown, even where its value is not needed',
    /unknown (name|function)|expected a name/,
  ],
  ['`x / 0`: an error, not NaN', /divides by zero/],
  ['an index that is a uint, a time zone as `02:00`', /has no field|time zone/],
];

/** Another value than the suite's. */
const DIFFERENT: readonly (readonly [string, RegExp])[] = [
  ['bytes with letters beyond ASCII, written as they are', /eq_bytes|not_ne_bytes|bytes_invalid/],
  ['whole numbers at 2^63 against doubles', /big_lossy_double|big_double_int/],
  ['parts of a millisecond in sums of times', /nanos/],
  ['durations between two times 9,998 years apart', /sub_time_duration/],
  ['`.?a.b`, where `a` is there and `b` is none', /map_null_entry_no_such_key/],
];

const ran = runConformance();
const counted = (outcome: Ran['outcome']) => ran.filter((one) => one.outcome === outcome);

function group(cases: readonly Ran[], gaps: typeof GAPS, textOf: (one: Ran) => string) {
  const counts = new Map<string, number>();
  for (const one of cases) {
    const gap = gaps.find(([, pattern]) => pattern.test(textOf(one)))?.[0] ?? `none: ${one.name}`;
    counts.set(gap, (counts.get(gap) ?? 0) + 1);
  }
  return [...counts].map(([gap, count]) => `| ${gap} | ${count} |`);
}

test('the documentation tells of every gap, and how many cases are in it', () => {
  const page = readFileSync(new URL('../../docs/expressions.md', import.meta.url), 'utf8');
  const refused = [...counted('refused'), ...counted('fails')];
  const rows = [
    ...group(refused, GAPS, ({ says, name }) => `${says} ${name}`),
    ...group(counted('differs'), DIFFERENT, ({ name }) => name),
  ];
  expect(rows.filter((row) => !page.includes(row))).toEqual([]);
});

test('of the cases within reach, so many come out as the suite has them', () => {
  const figures = ['agrees', 'refused', 'fails', 'differs', 'outside'] as const;
  expect(figures.map((outcome) => [outcome, counted(outcome).length])).toEqual([
    ['agrees', 967],
    ['refused', 426],
    ['fails', 10],
    ['differs', 12],
    ['outside', 929],
  ]);
});
