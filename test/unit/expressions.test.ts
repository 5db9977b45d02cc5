/** Conditions: what they give, what they refuse, where they point, and that nothing hostile runs long. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Json, JsonObject } from '../../src/contract/json.ts';
import { glob } from '../../src/engine/cel.ts';
import {
  compileExpression,
  type Evaluated,
  type Expression,
  type ExpressionFault,
  evaluateCondition,
} from '../../src/engine/expressions.ts';

const NAMES = ['event', 'steps', 'run', 'tenant'] as const;

const scope: JsonObject = {
  event: {
    id: 'evt-1',
    type: 'order.refunded',
    data: {
      qty: 3,
      price: 1.5,
      total: 75,
      name: 'Ada',
      none: null,
      tags: ['vip', 'eu'],
      refund: {},
      stock: { a: 1, b: 2 },
      when: '2026-01-31T12:00:00Z',
    },
  },
  steps: { tell: { output: { status: 200 } } },
  run: { id: 'run_1' },
  tenant: { id: 'acme', name: 'Acme' },
};

function compile(source: string, knownSteps?: readonly string[]): Expression {
  const compiled = compileExpression(source, NAMES, knownSteps);
  if (!compiled.ok) throw new Error(`${source}: ${compiled.fault.message}`);
  return compiled.expression;
}

function evaluate(source: string, over: JsonObject = scope): Evaluated {
  return compile(source).evaluate(over);
}

function faultOf(source: string, knownSteps?: readonly string[]): ExpressionFault {
  const compiled = compileExpression(source, NAMES, knownSteps);
  if (compiled.ok) throw new Error(`${source} was accepted`);
  return compiled.fault;
}

function errorOf(source: string, over: JsonObject = scope): ExpressionFault {
  const result = evaluate(source, over);
  if (result.ok) throw new Error(`${source} gave ${JSON.stringify(result.value)}`);
  return result.error;
}

function withData(data: JsonObject): JsonObject {
  return { ...scope, event: { data } };
}

describe('JSON numbers mix with whole numbers', () => {
  test.each<[string, Json]>([
    ['event.data.qty + 1', 4],
    ['1 + event.data.qty', 4],
    ['event.data.qty - 1', 2],
    ['10 - event.data.qty', 7],
    ['event.data.qty * 2', 6],
    ['2 * event.data.price', 3],
    ['event.data.qty / 2', 1.5],
    ['-event.data.qty', -3],
    ['event.data.qty % 2', 1],
    ['7 % event.data.qty', 1],
    ['event.data.qty == 3', true],
    ['3 == event.data.qty', true],
    ['event.data.qty != 3', false],
    ['2 < event.data.qty && event.data.qty <= 3', true],
    ['event.data.price > 1', true],
    ['event.data.qty in [1, 2, 3]', true],
    ['size(event.data.tags) == 2.0', true],
    ['size(event.data.tags) + 0.5', 2.5],
    ['[1, {"a": 2}] == [1.0, {"a": 2.0}]', true],
    ['int(event.data.price)', 1],
    ['double("2.5") + 1', 3.5],
    ['7 / 2', 3],
    ['5u', 5],
  ])('%s gives %j', (source, value) => {
    expect(evaluate(source)).toEqual({ ok: true, value });
  });
});

describe('the functions that workflows need', () => {
  test.each<[string, Json]>([
    ['has(event.data.qty)', true],
    ['has(event.data.coupon)', false],
    ['event.data.?coupon.orValue("none")', 'none'],
    ['event.data.refund.?amount.?currency.orValue("USD")', 'USD'],
    ['event.data.tags[?9].orValue("none")', 'none'],
    ['optional.of(event.data.tags).orValue([])', ['vip', 'eu']],
    ['size(event.data.name)', 3],
    ['event.data.stock.size()', 2],
    ['event.data.name.startsWith("A") && event.data.name.endsWith("a")', true],
    ['event.data.name.contains("d")', true],
    ['event.data.name.lowerAscii() + event.data.name.upperAscii()', 'adaADA'],
    ['event.data.tags.exists(t, t == "vip")', true],
    ['event.data.tags.all(t, size(t) < 3)', false],
    ['event.data.tags.exists_one(t, t == "eu")', true],
    ['event.data.tags.map(t, t + "!")', ['vip!', 'eu!']],
    ['event.data.tags.filter(t, t != "eu")', ['vip']],
    ['event.data.stock.all(key, key in ["a", "b"])', true],
    ['event.data.tags.join("-")', 'vip-eu'],
    ['event.data.tags + [1]', ['vip', 'eu', 1]],
    ['"vip" in event.data.tags', true],
    ['"a" in event.data.stock', true],
    ['string(event.data.total)', '75'],
    ['string(75.0)', '75'],
    ['event.data["name"]', 'Ada'],
    ['event.data.none == null', true],
    ['event.data.stock == null', false],
    ['event.data.stock', { a: 1, b: 2 }],
    ['timestamp(event.data.when) + duration("1h")', '2026-01-31T13:00:00.000Z'],
    ['duration("90m")', '5400s'],
    ['duration("-1.5s")', '-1.5s'],
    ['timestamp(event.data.when).getHours("UTC")', 12],
    ['steps.tell.output.status == 200', true],
    ['{"order": [event.id, 1 + 1]}', { order: ['evt-1', 2] }],
  ])('%s gives %j', (source, value) => {
    expect(evaluate(source)).toEqual({ ok: true, value });
  });

  test.each([
    ['order-17', 'order-*', true],
    ['order-17', '*-1?', true],
    ['order-17', 'order', false],
    ['', '*', true],
    ['', '?', false],
    ['aXbXc', 'a*X*c', true],
    ['aXbXd', 'a*X*c', false],
    ['a.c', 'a.c', true],
    ['abc', 'a.c', false],
  ])('glob(%j, %j) is %s', (text, pattern, fits) => {
    expect(glob(text, pattern)).toBe(fits);
    const over = withData({ text, pattern });
    expect(evaluate('glob(event.data.text, event.data.pattern)', over)).toEqual({
      ok: true,
      value: fits,
    });
    expect(evaluate('event.data.text.glob(event.data.pattern)', over)).toEqual({
      ok: true,
      value: fits,
    });
  });
});

describe('a save is refused, with the place', () => {
  test.each([
    ['', 'is empty (1:1)', 0, 0],
    ['evnt.data.qty > 1', 'unknown name "evnt"; known here: event, steps, run, tenant (1:1)', 0, 4],
    [
      'true &&\n  evnt.id == "x"',
      'unknown name "evnt"; known here: event, steps, run, tenant (2:3)',
      10,
      14,
    ],
    ['event.data.qty ==', 'unexpected token: the end (1:18)', 17, 17],
    ['(1', 'expected ")", got the end (1:3)', 2, 2],
    ['nope(1)', 'unknown function nope() (1:1)', 0, 7],
    ['event.data.nope(1)', 'unknown function nope() (1:1)', 0, 18],
    ['1 == "a"', 'cannot compute number == string (1:1)', 0, 8],
    ['[1].all(event, true)', 'a loop\'s own name cannot be "event", which is taken (1:1)', 0, 20],
    ['cel.bind(run, 1, run)', 'a loop\'s own name cannot be "run", which is taken (1:1)', 0, 21],
    ['{event.id: 1}', 'an object key must be a text in quotes (1:2)', 1, 9],
    ['{"__proto__": 1}', '"__proto__" cannot be an object key (1:2)', 1, 12],
    [
      '[1].all(a, [1].all(b, [1].all(c, true)))',
      'loops inside of loops go two deep at most (1:23)',
      22,
      38,
    ],
  ])('%j: %s', (source, message, start, end) => {
    expect(faultOf(source)).toEqual({ message, start, end });
  });

  test('matches() names what to use instead', () => {
    expect(faultOf('event.data.name.matches("^(a+)+$")').message).toMatch(
      /matches\(\) is not available; use glob\(.*startsWith\(\)/,
    );
  });

  test('a step that does not exist is named together with those that do', () => {
    const message = 'unknown step "nope"; known steps: tell, tag (1:7)';
    expect(faultOf('steps.nope.output.x', ['tell', 'tag'])).toEqual({ message, start: 6, end: 10 });
    expect(faultOf('steps["nope"].output', ['tell', 'tag']).message).toBe(message);
    expect(faultOf('has(steps.nope.output)', []).message).toMatch(/no step comes before/);
    expect(compile('steps.tell.output == steps.tag.output', ['tell', 'tag']).steps).toEqual([
      'tell',
      'tag',
    ]);
  });

  test('a name that this kind of expression does not have is unknown', () => {
    const compiled = compileExpression('input.amount > 1', ['event']);
    expect(compiled).toMatchObject({ ok: false, fault: { start: 0, end: 5 } });
    expect(compileExpression('input.amount > 1', ['event', 'input']).ok).toBe(true);
  });

  test.each([
    ['4,097 characters', `"${'x'.repeat(4_095)}"`],
    ['600 nodes', Array(300).fill('1').join('+')],
    ['100 parentheses', `${'('.repeat(100)}1${')'.repeat(100)}`],
    ['200 list items', `[${Array(200).fill('1').join()}]`],
    ['2,000 negations', `${'!'.repeat(2_000)}true`],
  ])('%s are too much', (_what, source) => {
    expect(faultOf(source).message).toMatch(/is longer than 4096|is too large/);
  });
});

describe('what fails at run time is neither true nor false', () => {
  test.each([
    ['event.data.refund.amount > 1', 'event.data.refund has no field "amount" (1:19)', 18, 24],
    ['event.data.none.x == 1', 'event.data.none is null: it has no field "x" (1:17)', 16, 17],
    ['event.data.name.x == 1', 'event.data.name is a string: it has no field "x" (1:17)', 16, 17],
    ['has(event.nope.x)', 'event has no field "nope" (1:11)', 10, 14],
    ['event.data.tags[5]', 'event.data.tags: index out of bounds, index 5 >= size 2 (1:1)', 0, 18],
    ['event.data[event.data.tags]', 'a list cannot be an index (1:12)', 11, 26],
    ['event.data.name + 1', 'cannot compute string + number (1:1)', 0, 19],
    ['event.data.tags < 3', '< does not go between a list and a number (1:1)', 0, 19],
    ['event.data.name && true', 'event.data.name must be true or false, is a string (1:1)', 0, 15],
    ['true && event.data.name', 'event.data.name must be true or false, is a string (1:9)', 8, 23],
    ['!event.data.name', 'event.data.name must be true or false, is a string (1:2)', 1, 16],
    ['event.data.name ? 1 : 2', 'event.data.name must be true or false, is a string (1:1)', 0, 15],
    [
      'event.data.name.all(x, true)',
      'event.data.name is a string, not a list or an object (1:1)',
      0,
      15,
    ],
    ['event.data.qty / 0', 'divides by zero (1:1)', 0, 18],
    ['event.data.qty % 0', 'divides by zero (1:1)', 0, 18],
    ['event.data.price % 2', '% takes whole numbers only (1:1)', 0, 20],
    ['1.0e308 * 10.0', '1.0e308 * 10.0 is too large a number (1:1)', 0, 14],
    ['string(event.data.tags)', 'string() does not take a list (1:1)', 0, 23],
    [
      '[1, 2].map(x, dyn(x)).join(",")',
      'join() takes texts, but the list holds a number; use string() (1:1)',
      0,
      31,
    ],
    [
      '9007199254740993',
      'gives 9007199254740993, which is beyond what a JSON number holds; use string() (1:1)',
      0,
      16,
    ],
    ['b"abc"', 'gives bytes, which JSON cannot hold (1:1)', 0, 6],
    ['type(1)', 'gives a type, which JSON cannot hold (1:1)', 0, 7],
  ])('%s: %s', (source, message, start, end) => {
    expect(errorOf(source)).toEqual({ message, start, end });
  });

  test('an optional value asks for orValue()', () => {
    expect(errorOf('event.data.?coupon').message).toMatch(/\.orValue\(\)/);
  });

  test('a condition that gives something else is an error', () => {
    expect(evaluateCondition(compile('event.data.name'), scope)).toEqual({
      ok: false,
      error: { message: 'must be true or false, is a string (1:1)', start: 0, end: 15 },
    });
    expect(evaluateCondition(compile('event.data.qty == 3'), scope)).toEqual({
      ok: true,
      value: true,
    });
    expect(evaluateCondition(compile('event.data.x == 3'), scope).ok).toBe(false);
  });

  test('one compiled expression serves one event after the other', () => {
    const large = compile('event.data.total > 100.0');
    expect(large.evaluate(withData({ total: 101 }))).toEqual({ ok: true, value: true });
    expect(large.evaluate(withData({})).ok).toBe(false);
    expect(large.evaluate(withData({ total: 'x' })).ok).toBe(false);
    expect(large.evaluate(withData({ total: 99 }))).toEqual({ ok: true, value: false });
  });
});

describe('prototypes are out of reach', () => {
  test.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty'])(
    '%s is a missing field',
    (name) => {
      expect(errorOf(`event.data.${name}`).message).toContain(`has no field "${name}"`);
      expect(errorOf(`event.data["${name}"]`).message).toContain(`has no field "${name}"`);
      expect(evaluate(`has(event.data.${name})`)).toEqual({ ok: true, value: false });
    },
  );

  test('a sender\'s own "__proto__" field stays a plain field', () => {
    const data = JSON.parse(
      '{"nested": {"__proto__": {"admin": true}, "constructor": "x", "v": 1}}',
    );
    const result = evaluate('event.data.nested', withData(data));
    expect(result.ok && JSON.stringify(result.value)).toBe(JSON.stringify(data.nested));
    expect(result.ok && Object.getPrototypeOf(result.value)).toBe(Object.prototype);
    expect(evaluate('event.data.nested.v', withData(data))).toEqual({ ok: true, value: 1 });
  });
});

describe('nothing hostile runs long', () => {
  const list = Array.from({ length: 1_000 }, (_, index) => index);
  const hostile = withData({
    list,
    empties: Array.from({ length: 50_000 }, () => ({})),
    text: 'a'.repeat(100_000),
    needle: `${'a'.repeat(30_000)}b`,
    digits: '1'.repeat(20_000),
    blanks: ' '.repeat(100_000),
    mixed: 'aBé'.repeat(30_000),
    many: Object.fromEntries(list.map((index) => [`k${index}`, index])),
    deep: list.map((id) => ({ id, tags: ['x', 'y'] })),
    copy: list.map((id) => ({ id, tags: ['x', 'y'] })),
  });
  const doubled = (seed: string, body: string) => seed + `.map(a, ${body})`.repeat(30);

  test.each([
    ['two loops', 'event.data.list.all(x, event.data.list.all(y, x + y > -1))'],
    ['two loops behind ||', 'event.data.list.all(x, event.data.list.all(y, x + y > -1)) || true'],
    [
      'two loops of exists',
      'event.data.list.exists(x, event.data.list.exists(y, x + y < 0)) || true',
    ],
    ['a search in a loop', 'event.data.list.all(x, event.data.text.contains(event.data.needle))'],
    [
      'a glob of stars',
      'glob(event.data.text, "*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b")',
    ],
    ['long texts', 'event.data.list.map(x, event.data.text + event.data.text)'],
    ['a join of long texts', 'event.data.list.map(x, event.data.text).join(event.data.text)'],
    ['sizes of objects', 'event.data.list.all(x, size(event.data.many) > 1)'],
    ['keys of objects', 'event.data.list.all(x, event.data.many.exists(k, true))'],
    ['deep equality', 'event.data.list.all(x, event.data.deep == event.data.copy)'],
    ['a text that doubles', doubled('["x"]', 'a + a')],
    ['a list that doubles', doubled('[[1]]', 'a + a')],
    ['trees that double', `${doubled('[1]', '[a, a]')} == ${doubled('[1]', '[a, a]')}`],
    ['digits that duration() reads', 'duration(event.data.digits)'],
    ['blanks to trim', 'event.data.list.map(x, event.data.blanks.trim())'],
    ['letters to change', 'event.data.list.map(x, event.data.mixed.upperAscii())'],
    ['a split into characters', 'event.data.text.split("")'],
  ])('%s is stopped', (_what, source) => {
    const before = performance.now();
    expect(errorOf(source, hostile).message).toMatch(/takes too much work: more than 50000 steps/);
    expect(performance.now() - before).toBeLessThan(1_000);
  });

  test.each([
    ['trees that double', doubled('[1]', '[a, a]')],
    ['the whole event', 'event'],
    ['text of many bytes', 'event.data.wide'],
  ])('a result of %s is too large', (_what, source) => {
    const over = withData({ text: 'a'.repeat(300_000), wide: 'é'.repeat(200_000) });
    expect(errorOf(source, over).message).toMatch(/a result larger than 256 KiB/);
  });

  test('errors that a loop swallows are paid for, and the first one is told', () => {
    const missing = 'i has no field "missing" (1:29)';
    expect(errorOf('event.data.empties.all(i, i.missing > 1)', hostile).message).toBe(missing);
    expect(errorOf('event.data.empties.map(i, i.missing || true)', hostile).message).toMatch(
      /missing/,
    );
  });

  test('ordinary work over 1,000 items fits', () => {
    expect(evaluate('event.data.list.filter(x, x > 997).map(x, x * 2)', hostile)).toEqual({
      ok: true,
      value: [1996, 1998],
    });
    expect(evaluate('event.data.deep.all(d, d.id >= 0 && "x" in d.tags)', hostile)).toEqual({
      ok: true,
      value: true,
    });
  });
});

describe('properties', () => {
  const words = fc.constantFrom(
    'event',
    'steps',
    'data',
    '.',
    '.?',
    '[',
    ']',
    '(',
    ')',
    '{',
    '}',
    ',',
    ':',
    '?',
    '"a"',
    "'b'",
    '1',
    '2.5',
    '-',
    '+',
    '*',
    '/',
    '%',
    '==',
    '<',
    '&&',
    '||',
    '!',
    ' in ',
    'true',
    'null',
    'size',
    '.all(x,',
    '.map(x,',
    'x',
    'has(',
    'string(',
    '.orValue(',
    '[?0]',
    'b"z"',
    '1u',
    '\n',
    'duration(',
  );
  const sources = fc.oneof(
    fc.string(),
    fc.array(words, { maxLength: 25 }).map((list) => list.join('')),
  );
  const names = fc.constantFrom(
    'event',
    'event.data',
    'event.data.a',
    'event.data.b',
    '1',
    '"x"',
    'null',
    '[1]',
    'x',
  );
  const formulas = fc.letrec<{ node: string }>((tie) => ({
    node: fc.oneof(
      { maxDepth: 5 },
      names,
      fc
        .tuple(
          tie('node'),
          fc.constantFrom('+', '-', '*', '/', '%', '==', '<', '&&', '||', 'in'),
          tie('node'),
        )
        .map(([left, op, right]) => `(${left} ${op} ${right})`),
      fc
        .tuple(tie('node'), fc.constantFrom('all', 'exists', 'map', 'filter'), tie('node'))
        .map(([on, loop, body]) => `${on}.${loop}(x, ${body})`),
      fc
        .tuple(fc.constantFrom('size', 'string', 'int', 'dyn', 'type'), tie('node'))
        .map(([f, on]) => `${f}(${on})`),
      fc.tuple(tie('node'), tie('node'), tie('node')).map(([c, a, b]) => `(${c} ? ${a} : ${b})`),
    ),
  })).node;
  const data = fc.jsonValue({ maxDepth: 4 }).map((value): JsonObject => {
    const a: Json = JSON.parse(JSON.stringify(value));
    return { ...scope, event: { data: { a, b: [1, 'x', null, a] } } };
  });

  test.each([
    ['any text', sources],
    ['any formula', formulas],
  ])(
    'compiling and evaluating %s never throws, and gives JSON or a place in the text',
    (_what, arbitrary) => {
      return fc.assert(
        fc.property(arbitrary, data, (source, over) => {
          const compiled = compileExpression(source, NAMES);
          if (!compiled.ok) return expectPlace(compiled.fault, source);
          const result = compiled.expression.evaluate(over);
          if (!result.ok) return expectPlace(result.error, source);
          expect(JSON.parse(JSON.stringify(result.value))).toEqual(result.value);
          expect(compiled.expression.evaluate(over)).toEqual(result);
        }),
        { numRuns: 1_500 },
      );
    },
  );

  function expectPlace(fault: ExpressionFault, source: string): void {
    expect(fault.message).toMatch(/\(\d+:\d+\)$/);
    expect(fault.start).toBeGreaterThanOrEqual(0);
    expect(fault.end).toBeGreaterThanOrEqual(fault.start);
    expect(fault.end).toBeLessThanOrEqual(source.length);
  }

  test('glob agrees with the regular expression it stands for', () => {
    const letters = fc.constantFrom('a', 'b', '.');
    const text = fc.array(letters, { maxLength: 12 }).map((list) => list.join(''));
    const pattern = fc
      .array(fc.oneof(letters, fc.constantFrom('*', '?')), { maxLength: 8 })
      .map((list) => list.join(''));
    return fc.assert(
      fc.property(text, pattern, (value, globbed) => {
        const source = globbed.replaceAll('.', '\\.').replaceAll('*', '.*').replaceAll('?', '.');
        expect(glob(value, globbed)).toBe(new RegExp(`^${source}$`).test(value));
      }),
      { numRuns: 2_000 },
    );
  });
});
