/** Templates: types kept or put into text, holes found, faults with their path, nothing expanded twice. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Json, JsonObject } from '../../src/contract/json.ts';
import { compileTemplate, type Template, type TemplateFault } from '../../src/engine/templates.ts';

const NAMES = ['event', 'steps', 'run', 'tenant'] as const;

const scope: JsonObject = {
  event: {
    data: {
      id: '8200000000000000001',
      total: 75,
      half: 0.5,
      none: null,
      paid: true,
      tags: ['b', 'a'],
      customer: { name: 'Ada', email: 'ada@example.com' },
      inner: '{{ tenant.name }}',
    },
  },
  steps: { tell: { output: { status: 200 } } },
  run: { id: 'run_1' },
  tenant: { id: 'acme', name: 'Acme' },
};

function compile(value: Json, knownSteps?: readonly string[]): Template {
  const compiled = compileTemplate(value, NAMES, knownSteps);
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.faults));
  return compiled.template;
}

function render(value: Json, over: JsonObject = scope): Json {
  const rendered = compile(value).render(over);
  if (!rendered.ok) throw new Error(`${rendered.path}: ${rendered.error.message}`);
  return rendered.value;
}

function faultsOf(value: Json, knownSteps?: readonly string[]): TemplateFault[] {
  const compiled = compileTemplate(value, NAMES, knownSteps);
  if (compiled.ok) throw new Error('was accepted');
  return compiled.faults;
}

describe('a string that is one hole keeps the type', () => {
  test.each<[string, Json]>([
    ['{{ event.data.total }}', 75],
    ['{{event.data.total}}', 75],
    ['{{ event.data.half }}', 0.5],
    ['{{ event.data.none }}', null],
    ['{{ event.data.paid }}', true],
    ['{{ event.data.tags }}', ['b', 'a']],
    ['{{ event.data.customer }}', { name: 'Ada', email: 'ada@example.com' }],
    ['{{ event.data.id }}', '8200000000000000001'],
    ['{{ event.data.total + 1 }}', 76],
    ['{{ {"s": "}}"} }}', { s: '}}' }],
    ['{{ {"s": {"t": 1}}}}', { s: { t: 1 } }],
    ['{{ "{{" }}', '{{'],
    ["{{ '}}' + r\"\\d\" + '}}' }}", '}}\\d}}'],
    ['{{ "\\"}}" }}', '"}}'],
    ['{{ """a"}}""" }}', 'a"}}'],
  ])('%s gives %j', (template, value) => {
    expect(render(template)).toEqual(value);
  });
});

describe('otherwise results become text', () => {
  test.each([
    ['Order {{ event.data.id }}', 'Order 8200000000000000001'],
    ['{{ event.data.total }} USD', '75 USD'],
    ['{{ event.data.total * 1.0 }}/{{ event.data.half }}', '75/0.5'],
    ['{{ event.data.paid }}!', 'true!'],
    ['[{{ event.data.none }}]', '[]'],
    ['tags: {{ event.data.tags }}', 'tags: ["b","a"]'],
    ['{{ event.data.customer }}.', '{"email":"ada@example.com","name":"Ada"}.'],
    [' {{ event.data.total }}', ' 75'],
    ['{{ run.id }}{{ tenant.id }}', 'run_1acme'],
    ['a }} b { c } d', 'a }} b { c } d'],
  ])('%s gives %j', (template, text) => {
    expect(render(template)).toBe(text);
  });

  test('a value that looks like a template is not expanded', () => {
    expect(render('{{ event.data.inner }}')).toBe('{{ tenant.name }}');
    expect(render('x {{ event.data.inner }}')).toBe('x {{ tenant.name }}');
    expect(render({ a: ['{{ event.data.inner }}'] })).toEqual({ a: ['{{ tenant.name }}'] });
  });
});

describe('whole values', () => {
  test('strings are rendered at any depth; keys and other values stay', () => {
    const value = {
      url: 'https://example.com/hook',
      body: { order: '{{ event.data.id }}', lines: ['{{ event.data.total }}', 1, null, true] },
      '{{ run.id }}': 2,
    };
    expect(render(value)).toEqual({
      url: 'https://example.com/hook',
      body: { order: '8200000000000000001', lines: [75, 1, null, true] },
      '{{ run.id }}': 2,
    });
    expect(compile(value).expressions).toBe(2);
  });

  test('a value without holes is given as it is', () => {
    const value = { to: 'ada@example.com', list: [1, { a: null }] };
    const rendered = compile(value).render(scope);
    expect(rendered.ok && rendered.value).toBe(value);
  });

  test('the steps it refers to are known', () => {
    const value = { a: '{{ steps.tell.output.status }}', b: ['x {{ steps["tag"] }}'] };
    expect(compile(value, ['tell', 'tag']).steps).toEqual(['tell', 'tag']);
  });
});

describe('a save is refused with the path and the place in its string', () => {
  test.each<[Json, TemplateFault[]]>([
    ['{{ x', [{ path: '', message: '"{{" is never closed (1:1)' }]],
    [{ a: 'ok\n  {{ "}}' }, [{ path: 'a', message: '"{{" is never closed (2:3)' }]],
    [{ a: '{{ }}' }, [{ path: 'a', message: 'is empty (1:3)' }]],
    [
      { body: { order: ['Order {{ evnt.id }}'] } },
      [
        {
          path: 'body.order.0',
          message: 'unknown name "evnt"; known here: event, steps, run, tenant (1:10)',
        },
      ],
    ],
    [
      { a: '{{ 1 + }}', b: ['{{ nope() }}'] },
      [
        { path: 'a', message: 'unexpected token: the end (1:8)' },
        { path: 'b.0', message: 'unknown function nope() (1:4)' },
      ],
    ],
    [
      { a: '{{ steps.later.output }}' },
      [{ path: 'a', message: 'unknown step "later"; known steps: tell (1:10)' }],
    ],
    [
      JSON.parse('{"a": {"__proto__": 1}}'),
      [{ path: 'a', message: '"__proto__" cannot be a field' }],
    ],
  ])('%j', (value, faults) => {
    expect(faultsOf(value, ['tell'])).toEqual(faults);
  });

  test('more than 200 expressions are too many', () => {
    expect(faultsOf(Array(201).fill('{{ run.id }}'))[0]?.message).toMatch(
      /more than 200 expressions/,
    );
  });
});

describe('what fails while rendering', () => {
  test('has the path of its string and the place in it', () => {
    const rendered = compile({ body: { n: ['a {{ event.data.refund.id }}'] } }).render(scope);
    expect(rendered).toEqual({
      ok: false,
      path: 'body.n.0',
      error: { message: 'event.data has no field "refund" (1:17)', start: 16, end: 22 },
    });
  });

  test('is an optional value, bytes or broken Unicode', () => {
    expect(compile('{{ event.data.?x }}').render(scope)).toMatchObject({ ok: false, path: '' });
    expect(compile({ a: '{{ b"x" }}' }).render(scope)).toMatchObject({ ok: false, path: 'a' });
    const broken = { ...scope, event: ['\ud800'] };
    expect(compile({ a: 'x {{ event }}' }).render({ ...broken, event: { s: '\ud800' } }).ok).toBe(
      false,
    );
  });

  test('is too much work for all holes together', () => {
    const list = Array.from({ length: 1_000 }, (_, index) => index);
    const over = { ...scope, event: { list } };
    const hole = '{{ event.list.all(x, x >= 0 && x < 5000) }}';
    expect(compile([hole]).render(over).ok).toBe(true);
    expect(compile(Array(50).fill(hole)).render(over)).toMatchObject({
      ok: false,
      error: { message: expect.stringMatching(/takes too much work/) },
    });
  });

  test('is a result larger than 256 KiB, also in parts', () => {
    const over = { ...scope, event: { text: 'x'.repeat(100_000) } };
    expect(compile(['{{ event.text }}', '{{ event.text }}']).render(over).ok).toBe(true);
    for (const value of [Array(3).fill('{{ event.text }}'), '{{ event.text }}'.repeat(3)]) {
      expect(compile(value).render(over)).toMatchObject({
        ok: false,
        error: { message: expect.stringMatching(/256 KiB/) },
      });
    }
  });
});

describe('prototypes are out of reach', () => {
  test('a rendered field named "__proto__" stays a plain field', () => {
    const event = JSON.parse('{"x": {"__proto__": {"admin": true}}}');
    const value = render({ a: '{{ event.x }}' }, { ...scope, event });
    expect(JSON.stringify(value)).toBe('{"a":{"__proto__":{"admin":true}}}');
  });

  test('fields named "constructor" and "toString" render like any other', () => {
    const value: JsonObject = { constructor: '{{ run.id }}', toString: '{{ 1 }}' };
    expect(JSON.stringify(render(value))).toBe('{"constructor":"run_1","toString":1}');
  });
});

describe('properties', () => {
  const json = fc
    .jsonValue({ maxDepth: 4 })
    .map((value): Json => JSON.parse(JSON.stringify(value)));
  const scopes = json.map((event): JsonObject => ({ ...scope, event }));

  test('text without "{{" is its own rendering', () => {
    const plain = fc.string().filter((text) => !text.includes('{{'));
    return fc.assert(
      fc.property(plain, scopes, (text, over) => {
        const rendered = render(text, over);
        expect(rendered).toBe(text);
      }),
      { numRuns: 1_000 },
    );
  });

  test('compiling and rendering any value never throws', () => {
    const part = fc.constantFrom(
      '{{',
      '}}',
      '{',
      '}',
      '"',
      "'",
      '\\',
      'event',
      '.x',
      '[0]',
      ' ',
      '1',
      'r"',
      'é',
    );
    const text = fc.oneof(
      fc.string(),
      fc.array(part, { maxLength: 20 }).map((list) => list.join('')),
    );
    const value = fc.oneof(
      text,
      fc.array(text, { maxLength: 3 }),
      fc.dictionary(fc.string(), text),
      json,
    );
    return fc.assert(
      fc.property(value, scopes, (input: Json, over) => {
        const compiled = compileTemplate(input, NAMES);
        if (!compiled.ok) {
          expect(compiled.faults).not.toEqual([]);
          return;
        }
        const rendered = compiled.template.render(over);
        if (!rendered.ok) {
          expect(rendered.error.message).not.toBe('');
          return;
        }
        expect(JSON.parse(JSON.stringify(rendered.value))).toEqual(rendered.value);
      }),
      { numRuns: 2_000 },
    );
  });

  test('any JSON goes through one hole unchanged', () => {
    return fc.assert(
      fc.property(json, (event) => {
        expect(JSON.stringify(render('{{ event.v }}', { ...scope, event: { v: event } }))).toBe(
          JSON.stringify(event),
        );
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('a field that is HTML', () => {
  const over: JsonObject = {
    ...scope,
    event: { data: { note: `<b>"O'Neil" & Co</b>{{ run.id }}`, none: null, list: ['<', 1], n: 5 } },
  };
  function asHtml(value: Json): Json {
    const compiled = compileTemplate(value, NAMES, undefined, ['html']);
    if (!compiled.ok) throw new Error(JSON.stringify(compiled.faults));
    const rendered = compiled.template.render(over);
    if (!rendered.ok) throw new Error(rendered.error.message);
    return rendered.value;
  }
  const safe = '&lt;b&gt;&quot;O&#39;Neil&quot; &amp; Co&lt;/b&gt;{{ run.id }}';

  test.each<[string, string]>([
    ['<p>{{ event.data.note }}</p>', `<p>${safe}</p>`],
    ['<a title="{{ event.data.note }}">x</a>', `<a title="${safe}">x</a>`],
    ['{{ event.data.note }}', safe],
    ['{{ "<i>" + event.data.note }}', `&lt;i&gt;${safe}`],
    ['{{ event.data.list }}', '[&quot;&lt;&quot;,1]'],
    ['{{ event.data.n }}{{ event.data.none }}', '5'],
    ['{{ event.data.n }}', '5'],
    ['<p>&amp;</p>', '<p>&amp;</p>'],
  ])('escapes what %s puts into it, and keeps the markup', (template, html) => {
    expect(asHtml({ html: template })).toEqual({ html });
  });

  test('is that field alone: other fields, and fields of its name further in, have plain text', () => {
    const note = '{{ event.data.note }}!';
    const plain = `<b>"O'Neil" & Co</b>{{ run.id }}!`;
    expect(asHtml({ text: note, subject: note, body: { html: note } })).toEqual({
      text: plain,
      subject: plain,
      body: { html: plain },
    });
  });

  test('has the room that any result has, counted as it is sent', () => {
    const compiled = compileTemplate({ html: '{{ event.data.note }}' }, NAMES, undefined, ['html']);
    if (!compiled.ok) throw new Error('does not compile');
    const big = { ...scope, event: { data: { note: '<'.repeat(100_000) } } };
    const rendered = compiled.template.render(big);
    expect(rendered).toMatchObject({
      ok: false,
      path: 'html',
      error: { message: expect.stringContaining('larger than 256 KiB') },
    });
  });
});
