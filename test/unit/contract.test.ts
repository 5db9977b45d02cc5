/** The plain values and the envelope of events: what is taken, what comes out, what is refused where. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as z from 'zod';
import { approvalPolicyUpdate } from '../../src/contract/approvals.ts';
import { connectionSet } from '../../src/contract/connections.ts';
import { destinationBody } from '../../src/contract/deliveries.ts';
import { EVENT_TYPES, incomingEvent, isPlatformType } from '../../src/contract/events.ts';
import {
  canonicalJson,
  DURATION_MAX_MS,
  duration,
  durationMs,
  idAtTime,
  idOf,
  isCanonical,
  isJsonObject,
  type Json,
  type JsonObject,
  money,
  parseDuration,
  tenantId,
  timestamp,
} from '../../src/contract/json.ts';
import { paged } from '../../src/contract/pages.ts';
import { type Fault, faultsOf, PROBLEMS, refusal } from '../../src/contract/problems.ts';
import { approveBody, cancelBody, denyBody } from '../../src/contract/run-requests.ts';
import { always } from './support/properties.ts';

function faults(schema: z.ZodType, value: unknown): Fault[] {
  const parsed = schema.safeParse(value);
  return parsed.success ? [] : faultsOf(parsed.error);
}
const paths = (schema: z.ZodType, value: unknown) => faults(schema, value).map(({ path }) => path);
const accepts = (schema: z.ZodType, value: unknown) => schema.safeParse(value).success;

describe('durations', () => {
  test.each([
    ['1s', 1_000],
    ['30s', 30_000],
    ['15m', 900_000],
    ['72h', 259_200_000],
    ['7d', 604_800_000],
    ['366d', DURATION_MAX_MS],
    ['999999s', 999_999_000],
  ])('%s is %i ms', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
    expect(durationMs(text)).toBe(ms);
    expect(accepts(duration, text)).toBe(true);
  });

  test.each([
    '',
    '0s',
    '00s',
    '05m',
    '1',
    's',
    '1.5h',
    '-1s',
    '+1s',
    '1 s',
    ' 1s',
    '1s ',
    '1s\n',
    '1S',
    '1w',
    '1ms',
    '1h30m',
    'PT1H',
    '1000000s',
    '١s',
    '1constructor',
  ])('%j is none', (text) => {
    expect(parseDuration(text)).toBeNull();
    expect(accepts(duration, text)).toBe(false);
    expect(() => durationMs(text)).toThrow(TypeError);
  });

  test.each(['367d', '8785h', '999999d'])(
    '%s is one, but longer than anything may wait',
    (text) => {
      expect(parseDuration(text)).toBeGreaterThan(DURATION_MAX_MS);
      expect(accepts(duration, text)).toBe(false);
    },
  );

  test.each([30, null, { s: 1 }])('%j is none either', (value) => {
    expect(accepts(duration, value)).toBe(false);
  });
});

describe('times', () => {
  test.each([
    ['2026-01-31T12:00:00Z', '2026-01-31T12:00:00.000Z'],
    ['2026-01-31T12:00:00.5Z', '2026-01-31T12:00:00.500Z'],
    ['2026-01-31T12:00:00.123456789Z', '2026-01-31T12:00:00.123Z'],
    ['2026-01-31T00:30:00+02:00', '2026-01-30T22:30:00.000Z'],
    ['2026-12-31T23:30:00-05:30', '2027-01-01T05:00:00.000Z'],
    ['2024-02-29T00:00:00Z', '2024-02-29T00:00:00.000Z'],
  ])('%s comes out as %s', (text, utc) => {
    expect(timestamp.parse(text)).toBe(utc);
  });

  test.each([
    '2026-01-31',
    '2026-01-31T12:00Z',
    '2026-01-31T12:00:00',
    '2026-01-31 12:00:00Z',
    '2026-02-30T12:00:00Z',
    '2025-02-29T12:00:00Z',
    '2026-13-01T12:00:00Z',
    '2026-01-31T24:00:00Z',
    '2026-01-31T12:60:00Z',
    '2026-01-31T12:00:00+25:00',
    '2026-01-31T12:00:00Z\n',
    'yesterday',
    '',
  ])('%j is none', (text) => {
    expect(accepts(timestamp, text)).toBe(false);
  });

  test.each(['9999-12-31T23:59:59-00:01', '0000-01-01T00:00:00+00:01'])(
    '%s leaves the four digits of a year in UTC, so that times no longer sort as text',
    (text) => {
      expect(accepts(timestamp, text)).toBe(false);
    },
  );

  test('any moment of four-digit years, told in any offset, comes out as that moment', () => {
    const moments = fc.date({
      min: new Date('0001-01-01'),
      max: new Date('9998-12-31'),
      noInvalidDate: true,
    });
    always(
      20_260_309,
      1_000,
      fc.property(moments, fc.integer({ min: -23 * 60, max: 23 * 60 }), (moment, offset) => {
        const local = new Date(moment.getTime() + offset * 60_000).toISOString().slice(0, -1);
        const minutes = Math.abs(offset);
        const two = (n: number) => String(n).padStart(2, '0');
        const zone = `${offset < 0 ? '-' : '+'}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
        expect(timestamp.parse(`${local}${zone}`)).toBe(moment.toISOString());
      }),
    );
  });
});

describe('ids', () => {
  const hex = '018f00000000700080000000000000ab';
  test('an id is its prefix and 32 hex digits, with a number where there are several', () => {
    expect(accepts(idOf('run'), `run_${hex}`)).toBe(true);
    expect(accepts(idOf('apr'), `apr_${hex}-12`)).toBe(true);
  });

  test.each([
    '',
    hex,
    `evt_${hex}`,
    `run_${hex}0`,
    `run_${hex.slice(1)}`,
    `run_${hex.toUpperCase()}`,
    `run_${hex}-`,
    ` run_${hex}`,
    `run_${hex}\n`,
  ])('%j is no id of a run', (text) => {
    expect(accepts(idOf('run'), text)).toBe(false);
  });

  test('the id of a time sorts before those made then, and after those made before', () => {
    const time = '2026-03-01T12:00:00.000Z';
    const ms = Date.parse(time);
    const made = (at: number) => `evt_${at.toString(16).padStart(12, '0')}7abc8000000000000001`;
    expect(idAtTime('evt', time) <= made(ms)).toBe(true);
    expect(idAtTime('evt', time) > made(ms - 1)).toBe(true);
  });

  test.each([
    ['ab', true],
    ['acme-2', true],
    ['a', false],
    ['', false],
    ['Acme', false],
    ['a_b', false],
    ['a'.repeat(40), true],
    ['a'.repeat(41), false],
    ['ab\n', false],
  ])('tenant id %j: %s', (text, good) => {
    expect(accepts(tenantId, text)).toBe(good);
  });
});

describe('money', () => {
  test.each<[unknown, string[]]>([
    [{ amount: 7_500, currency: 'USD' }, []],
    [{ amount: 0, currency: 'JPY' }, []],
    [{ amount: -1, currency: 'EUR' }, []],
    [{ amount: Number.MAX_SAFE_INTEGER, currency: 'USD' }, []],
    [{ amount: 2 ** 53, currency: 'USD' }, ['amount']],
    [{ amount: 75.5, currency: 'USD' }, ['amount']],
    [{ amount: '75', currency: 'USD' }, ['amount']],
    [{ amount: Number.NaN, currency: 'USD' }, ['amount']],
    [{ amount: 1, currency: 'usd' }, ['currency']],
    [{ amount: 1, currency: 'US' }, ['currency']],
    [{ amount: 1, currency: 'USDT' }, ['currency']],
    [{ amount: 1, currency: 'USD\n' }, ['currency']],
    [{ amount: 1 }, ['currency']],
    [{ amount: 1, currency: 'USD', cents: 1 }, ['cents']],
    [1, ['']],
  ])('%j', (value, at) => {
    expect(paths(money, value)).toEqual(at);
  });
});

const DATA: Record<string, { good: JsonObject[]; bad: [JsonObject, string[]][] }> = {
  'order.created': {
    good: [
      { order: { id: '8200000000000000001', total: { amount: 1, currency: 'USD' } } },
      {
        order: {
          id: '1',
          total: { amount: 1, currency: 'USD' },
          name: '#1',
          customer: { id: '2', email: 'a@example.com', name: 'Ada' },
          tags: ['vip'],
          more: { kept: true },
        },
        more: 1,
      },
    ],
    bad: [
      [{}, ['data.order']],
      [{ order: { id: 1, total: { amount: 1, currency: 'USD' } } }, ['data.order.id']],
      [
        { order: { id: '', total: { amount: 1.5, currency: 'usd' } } },
        ['data.order.id', 'data.order.total.amount', 'data.order.total.currency'],
      ],
      [
        { order: { id: '1', total: { amount: 1, currency: 'USD' }, tags: ['a', 5] } },
        ['data.order.tags.1'],
      ],
      [
        { order: { id: '1', total: { amount: 1, currency: 'USD' }, customer: null } },
        ['data.order.customer'],
      ],
    ],
  },
  'order.refunded': {
    good: [
      {
        order: { id: '1' },
        refund: { id: '2', amount: { amount: 5, currency: 'USD' }, reason: 'broken' },
      },
    ],
    bad: [
      [{ order: { id: '1' } }, ['data.refund']],
      [{ order: { id: '1' }, refund: { id: '2', amount: 5 } }, ['data.refund.amount']],
    ],
  },
  'customer.created': {
    good: [{ customer: { id: '1' } }],
    bad: [[{ customer: { email: 5 } }, ['data.customer.id', 'data.customer.email']]],
  },
  'content.section.updated': {
    good: [{ section: { id: 'hero', page: 'home', locale: 'de' } }],
    bad: [[{ section: { page: 'home' } }, ['data.section.id']]],
  },
  'export.completed': {
    good: [{ export: { id: 'exp_1', kind: 'orders', format: 'csv', rows: 0, bytes: 10 } }],
    bad: [
      [
        { export: { id: 'exp_1', kind: 'orders', format: 'csv', rows: -1, bytes: 0.5 } },
        ['data.export.rows', 'data.export.bytes'],
      ],
    ],
  },
  'flags.changed': {
    good: [
      { flag: { key: 'k', enabled: true } },
      { flag: { key: 'k', enabled: true }, previous: false },
    ],
    bad: [
      [{ flag: { key: '', enabled: 'yes' } }, ['data.flag.key', 'data.flag.enabled']],
      [{ flag: { key: 'k', enabled: true }, previous: null }, ['data.previous']],
    ],
  },
  'authz.denied': {
    good: [{ actor: { type: 'member', id: 'm' }, action: 'GET /x', resource: 'r' }],
    bad: [[{ actor: { type: 'member' } }, ['data.actor.id', 'data.action']]],
  },
  'destination.disabled': {
    good: [{ destination: { url: 'https://example.com/hook', reason: 'gone', failures: 3 } }],
    bad: [[{ destination: { reason: 5 } }, ['data.destination.url', 'data.destination.reason']]],
  },
  'destination.enabled': {
    good: [{ destination: { url: 'https://example.com/hook', reason: 'failing' } }],
    bad: [[{}, ['data.destination']]],
  },
  'custom.stock.low': {
    good: [{}, { anything: [1, { deep: null }] }],
    bad: [],
  },
};

describe('the data of events', () => {
  test('every type has examples here', () => {
    expect(Object.keys(DATA)).toEqual([...EVENT_TYPES, 'custom.stock.low']);
  });

  test.each(Object.entries(DATA))('%s', (type, { good, bad }) => {
    for (const data of good) expect(incomingEvent.parse({ type, data }).data).toEqual(data);
    for (const [data, at] of bad) expect(paths(incomingEvent, { type, data })).toEqual(at);
    for (const data of [undefined, null, 5, 'x', []])
      expect(paths(incomingEvent, { type, data })).toEqual(['data']);
  });

  test.each([
    'order.eaten',
    'ORDER.CREATED',
    'custom',
    'custom.',
    'custom.-x',
    'custom.X',
    `custom.${'x'.repeat(101)}`,
    'custom.a b',
    'custom.a\n',
    'constructor',
    '__proto__',
    'toString',
    '',
    5,
    null,
  ])('%j is no type', (type) => {
    expect(paths(incomingEvent, { type, data: {} })).toEqual(['type']);
  });

  test.each(['constructor', '__proto__', 'hasOwnProperty'])('%s is no type of ours', (name) => {
    expect(isPlatformType(name)).toBe(false);
  });
});

describe('the envelope of events', () => {
  const event = (over: JsonObject) => ({ type: 'custom.x', data: {}, ...over });

  test('a whole CloudEvent comes out as ours', () => {
    expect(
      incomingEvent.parse({
        specversion: '1.0',
        id: 'a-1',
        source: '/shops/7?x=1',
        type: 'custom.x',
        time: '2026-03-01T13:00:00+01:00',
        subject: 'orders/7',
        datacontenttype: 'application/json; charset=utf-8',
        dataschema: 'https://example.com/schema.json',
        correlationid: 'cor-1',
        traceparent: '00-ab-cd-01',
        sampled: true,
        depth: 3,
        data: { n: 1 },
      }),
    ).toEqual({
      id: 'a-1',
      source: '/shops/7?x=1',
      type: 'custom.x',
      time: '2026-03-01T12:00:00.000Z',
      subject: 'orders/7',
      specversion: undefined,
      correlationId: 'cor-1',
      extensions: { traceparent: '00-ab-cd-01', sampled: true, depth: 3 },
      data: { n: 1 },
    });
  });

  test('the smallest event has the source api, and no id of its own', () => {
    expect(incomingEvent.parse(event({}))).toMatchObject({
      id: undefined,
      source: 'api',
      extensions: {},
    });
  });

  test.each<[string, JsonObject, string]>([
    ['an older version', { specversion: '0.3' }, 'specversion'],
    ['a version as a number', { specversion: 1 }, 'specversion'],
    ['an empty id', { id: '' }, 'id'],
    ['an id that is too long', { id: 'x'.repeat(257) }, 'id'],
    ['an id that is a number', { id: 5 }, 'id'],
    ['an empty source', { source: '' }, 'source'],
    ['a source with a space', { source: 'a b' }, 'source'],
    ['a source that no URL reads', { source: 'http://[' }, 'source'],
    ['a time that is none', { time: 'now' }, 'time'],
    ['an empty subject', { subject: '' }, 'subject'],
    ['data that is no JSON', { datacontenttype: 'text/xml' }, 'datacontenttype'],
    [
      'a content type that only begins well',
      { datacontenttype: 'application/jsonx' },
      'datacontenttype',
    ],
    ['an empty correlation id', { correlationid: '' }, 'correlationid'],
    ['binary data', { data_base64: 'AA==' }, 'data_base64'],
    ['an unknown field in capitals', { TraceParent: 'x' }, 'TraceParent'],
    ['a field in camel case', { correlationId: 'x' }, 'correlationId'],
    ['a name with a hyphen', { 'trace-parent': 'x' }, 'trace-parent'],
    ['a name of 21 characters', { aaaaaaaaaaaaaaaaaaaaa: 'x' }, 'aaaaaaaaaaaaaaaaaaaaa'],
    ['an empty name', { '': 'x' }, ''],
    ['an extension that is an object', { ext: {} }, 'ext'],
    ['an extension that is null', { ext: null }, 'ext'],
    ['an extension that is a fraction', { ext: 1.5 }, 'ext'],
    ['an extension that is too long', { ext: 'x'.repeat(1_025) }, 'ext'],
    ['a name of the prototype as an object', { constructor: { prototype: {} } }, 'constructor'],
  ])('%s', (_name, over, path) => {
    expect(paths(incomingEvent, event(over))).toEqual([path]);
  });

  test.each([undefined, null, 5, 'x', [], [{}]])('%j is no event', (value) => {
    expect(accepts(incomingEvent, value)).toBe(false);
  });

  test('several faults are named together', () => {
    expect(paths(incomingEvent, event({ Aa: 1, Bb: 2, ext: null })).sort()).toEqual([
      'Aa',
      'Bb',
      'ext',
    ]);
    expect(paths(incomingEvent, { type: 'nope', id: 5, time: 'x', data: {} })).toEqual([
      'id',
      'type',
      'time',
    ]);
  });

  test('a field of the prototype changes no prototype, whatever becomes of it', () => {
    const hostile: Json = JSON.parse(
      '{"type":"custom.x","__proto__":{"polluted":1},"data":{"__proto__":{"polluted":1},"a":{"constructor":{"prototype":{"polluted":1}}}}}',
    );
    const parsed = incomingEvent.safeParse(hostile);
    expect(Object.keys(parsed.data?.extensions ?? {})).toEqual([]);
    expect(Object.getPrototypeOf(parsed.data?.extensions ?? {})).toBe(Object.prototype);
    expect('polluted' in {}).toBe(false);
  });

  test('anything at all is an event or is refused, and never throws', () => {
    const loose = fc.record(
      {
        type: fc.constantFrom('custom.x', 'order.created', 'x'),
        data: fc.jsonValue(),
        ext: fc.jsonValue(),
        time: fc.jsonValue(),
      },
      { requiredKeys: [] },
    );
    always(
      20_260_310,
      1_500,
      fc.property(fc.oneof(loose, fc.jsonValue()), (value) => {
        const parsed = incomingEvent.safeParse(value);
        if (parsed.success) expect(isJsonObject(parsed.data.data)).toBe(true);
        else expect(faultsOf(parsed.error).length).toBeGreaterThan(0);
      }),
    );
  });
});

describe('canonical JSON (RFC 8785)', () => {
  test('the sample of section 3.2.2', () => {
    const sample: Json = JSON.parse(String.raw`{
      "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
      "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
      "literals": [null, true, false]
    }`);
    expect(canonicalJson(sample)).toBe(
      String.raw`{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}`,
    );
  });

  test('keys are sorted by their UTF-16 units, as in section 3.2.3', () => {
    const sample: Json = JSON.parse(
      String.raw`{"\u20ac":"Euro Sign","\r":"Carriage Return","\ufb33":"Hebrew Letter Dalet With Dagesh","1":"One","\ud83d\ude00":"Emoji: Grinning Face","\u0080":"Control","\u00f6":"Latin Small Letter O With Diaeresis"}`,
    );
    expect([...canonicalJson(sample).matchAll(/:"([^"]+)"/g)].map(([, name]) => name)).toEqual([
      'Carriage Return',
      'One',
      'Control',
      'Latin Small Letter O With Diaeresis',
      'Euro Sign',
      'Emoji: Grinning Face',
      'Hebrew Letter Dalet With Dagesh',
    ]);
  });

  test.each([
    [0, '0'],
    [-0, '0'],
    [5e-324, '5e-324'],
    [-5e-324, '-5e-324'],
    [1.7976931348623157e308, '1.7976931348623157e+308'],
    [9007199254740992, '9007199254740992'],
    [295147905179352830000, '295147905179352830000'],
    [9.999999999999997e22, '9.999999999999997e+22'],
    [1e23, '1e+23'],
    [1e21, '1e+21'],
    [999999999999999900000, '999999999999999900000'],
    [9.999999999999997e-7, '9.999999999999997e-7'],
    [0.000001, '0.000001'],
    [333333333.3333332, '333333333.3333332'],
    [-0.0000033333333333333333, '-0.0000033333333333333333'],
    [1424953923781206.2, '1424953923781206.2'],
  ])('number %d of appendix B is %s', (value, text) => {
    expect(canonicalJson(value)).toBe(text);
  });

  test.each<[string, Json]>([
    ['an unpaired surrogate', '\ud800'],
    ['one in a key', { a: [{ '\udc00': 1 }] }],
    ['a number that is none', Number.NaN],
    ['infinity', Number.POSITIVE_INFINITY],
  ])('%s has no canonical text', (_name, value) => {
    expect(() => canonicalJson(value)).toThrow();
    expect(isCanonical(value)).toBe(false);
  });

  test('equal values have one text, which reads back as the value', () => {
    always(
      20_260_311,
      1_000,
      fc.property(fc.jsonValue(), (drawn) => {
        const value: Json = JSON.parse(JSON.stringify(drawn));
        if (!isCanonical(value)) return;
        const text = canonicalJson(value);
        expect(JSON.parse(text)).toEqual(value);
        expect(canonicalJson(reversed(value))).toBe(text);
      }),
    );
  });
});

/** The same value with the fields of every object the other way around. */
function reversed(value: Json): Json {
  if (isJsonObject(value))
    return Object.fromEntries(
      Object.entries(value)
        .reverse()
        .map(([key, inner]) => [key, reversed(inner)]),
    );
  return Array.isArray(value) ? value.map(reversed) : value;
}

describe('faults', () => {
  const shape = z.strictObject({ list: z.array(z.strictObject({ n: z.int() })), word: z.string() });

  test('a place is dotted, with list positions, and unknown fields are named one by one', () => {
    expect(faults(shape, { list: [{ n: 1 }, { n: 'x', a: 1, b: 2 }], word: 5, c: 3 })).toEqual([
      { path: 'list.1.n', message: expect.stringContaining('number') },
      { path: 'list.1.a', message: 'unknown field' },
      { path: 'list.1.b', message: 'unknown field' },
      { path: 'word', message: expect.stringContaining('string') },
      { path: 'c', message: 'unknown field' },
    ]);
  });

  test('a prefix stands before all of them', () => {
    const parsed = shape.safeParse({ list: 5, c: 1 });
    const found = parsed.success ? [] : faultsOf(parsed.error, 'events.3');
    expect(found.map(({ path }) => path)).toEqual(['events.3.list', 'events.3.word', 'events.3.c']);
  });

  test('of a union, the shape that was meant is told by the fields that are given', () => {
    const union = z.union([
      z.strictObject({ kind: z.string(), deep: z.strictObject({ n: z.int() }) }),
      z.strictObject({ word: z.string() }),
    ]);
    expect(paths(union, { kind: 'a', deep: { n: 'x', m: 1 } })).toEqual(['deep.n', 'deep.m']);
    expect(paths(union, { word: 5 })).toEqual(['word']);
    expect(paths(union, {})).toEqual(['']);
    expect(paths(z.strictObject({ inner: union }), { inner: { word: 5 } })).toEqual(['inner.word']);
  });

  test('a refusal holds what it was given and no empty fields', () => {
    expect(refusal('not_found')).toEqual({ ok: false, code: 'not_found' });
    expect(refusal('conflict', 'Why.', [])).toEqual({
      ok: false,
      code: 'conflict',
      detail: 'Why.',
      errors: [],
    });
  });

  test('every code is a snake_case word with an HTTP status of a refusal', () => {
    for (const [code, [status, title]] of Object.entries(PROBLEMS)) {
      expect(code).toMatch(/^[a-z]+(_[a-z]+)*$/);
      expect(status).toBeGreaterThanOrEqual(400);
      expect(title).not.toBe('');
    }
  });
});

describe('bodies of decisions', () => {
  test.each<[string, z.ZodType, unknown, string[]]>([
    ['approving needs no comment', approveBody, { runId: 'run_1' }, []],
    ['denying needs one', denyBody, { runId: 'run_1' }, ['comment']],
    ['a comment of spaces is none', denyBody, { runId: 'run_1', comment: ' \n ' }, ['comment']],
    ['a comment has an end', approveBody, { runId: 'r', comment: 'x'.repeat(2_001) }, ['comment']],
    [
      'a hash is 64 small hex digits',
      approveBody,
      { runId: 'r', inputHash: 'F'.repeat(64) },
      ['inputHash'],
    ],
    ['nobody says who they are', approveBody, { runId: 'r', actor: 'me' }, ['actor']],
    ['nobody names a tenant', cancelBody, { runId: 'r', tenantId: 'acme' }, ['tenantId']],
    ['a run is named', cancelBody, {}, ['runId']],
  ])('%s', (_name, schema, body, at) => {
    expect(paths(schema, body)).toEqual(at);
  });

  test('silence can only deny, and ingest keys and viewers never decide', () => {
    const update = (over: JsonObject) =>
      paths(approvalPolicyUpdate, { actions: { 'order.refund': over } });
    expect(update({ approvals: 2 })).toEqual([]);
    expect(update({ onExpire: 'approve' })).toEqual(['actions.order.refund.onExpire']);
    expect(update({ roles: ['viewer'] })).toEqual(['actions.order.refund.roles.0']);
    expect(update({ roles: ['ingest'] })).toEqual(['actions.order.refund.roles.0']);
    expect(update({ approvals: 0 })).toEqual(['actions.order.refund.approvals']);
    expect(update({ edit: 'viewer' })).toEqual(['actions.order.refund.edit']);
  });

  test('named members may take the place of roles, and no workflow rule is set by a policy', () => {
    const update = (over: JsonObject) =>
      paths(approvalPolicyUpdate, { actions: { 'order.refund': over } });
    expect(update({ roles: [], members: ['mem_1'] })).toEqual([]);
    expect(update({ members: [''] })).toEqual(['actions.order.refund.members.0']);
    expect(update({ among: ['mem_1'] })).toEqual(['actions.order.refund.among']);
    expect(update({ roles: ['approver', 'admin', 'admin'] })).toEqual([
      'actions.order.refund.roles',
    ]);
  });

  test('an escalation says who, and until when; a reminder says how often', () => {
    const update = (over: JsonObject) =>
      paths(approvalPolicyUpdate, { actions: { 'order.refund': over } });
    const escalateTo = { roles: ['admin'], members: [], expiresIn: '24h' };
    expect(update({ onExpire: 'escalate', escalateTo, remindEvery: '4h' })).toEqual([]);
    expect(update({ escalateTo: null, remindEvery: null })).toEqual([]);
    expect(update({ escalateTo: { ...escalateTo, roles: ['viewer'] } })).toEqual([
      'actions.order.refund.escalateTo.roles.0',
    ]);
    expect(update({ escalateTo: { roles: ['admin'], members: [] } })).toEqual([
      'actions.order.refund.escalateTo.expiresIn',
    ]);
    expect(update({ remindEvery: 'hourly' })).toEqual(['actions.order.refund.remindEvery']);
  });

  test('a condition is a text that is there, over fields that a rule has', () => {
    const update = (when: JsonObject[]) =>
      paths(approvalPolicyUpdate, { actions: { 'order.refund': { when } } });
    const at = 'actions.order.refund.when.0';
    expect(update([{ if: 'input.amount.amount > 50000', approvals: 2 }])).toEqual([]);
    expect(update([{ approvals: 2 }])).toEqual([`${at}.if`]);
    expect(update([{ if: 'true', when: [] }])).toEqual([`${at}.when`]);
    expect(update(Array(21).fill({ if: 'true' }))).toEqual(['actions.order.refund.when']);
  });
});

describe('addresses', () => {
  const isTaken = (url: string) => ({
    asDestination: accepts(destinationBody, { url }),
    forNotices: accepts(approvalPolicyUpdate, { notifyUrl: url }),
  });

  test.each(['https://example.com/hook', 'HTTP://example.com', 'https://例え.jp/a%20b'])(
    '%s stays the text that it was',
    (url) => {
      expect(approvalPolicyUpdate.parse({ notifyUrl: url })).toMatchObject({ notifyUrl: url });
      expect(isTaken(url)).toEqual({ asDestination: true, forNotices: true });
    },
  );

  // A parser of URLs takes blanks and breaks out, and then asks another host than the one that was read.
  test.each([
    ' https://example.com/',
    'https://example.com/ ',
    'https://exam\nple.com/',
    'ht\ttps://example.com/',
    'https://example.com\r\n.example.net/',
    'https://example.com/a b',
    'https://example.com/\u0000',
    'https:example.com',
    'https://',
    '//example.com/',
    'ftp://example.com/',
    'javascript:alert(1)',
  ])('%j is none', (url) => {
    expect(isTaken(url)).toEqual({ asDestination: false, forNotices: false });
  });
});

describe('connections', () => {
  test.each<[JsonObject, string[]]>([
    [{ kind: 'shopify', shopDomain: 'Example.MyShopify.com', webhookSecret: 'secret-123' }, []],
    [{ kind: 'shopify', shopDomain: 'https://x', webhookSecret: 'secret-123' }, ['shopDomain']],
    [{ kind: 'stripe', webhookSecret: 'short' }, ['webhookSecret']],
    [{ kind: 'stripe', webhookSecret: 'with a space', apiKey: 'sk_test_1' }, ['webhookSecret']],
    [{ kind: 'webhook', signingSecret: `whsec_${'A'.repeat(32)}` }, []],
    [{ kind: 'webhook', signingSecret: `whsec_${'A'.repeat(31)}` }, ['signingSecret']],
    [{ kind: 'webhook', signingSecret: 'A'.repeat(32) }, ['signingSecret']],
    [
      { kind: 'webhook', signingSecret: `whsec_${'A'.repeat(32)}`, shopDomain: 'x.com' },
      ['shopDomain'],
    ],
    [{ kind: 'ftp' }, ['kind']],
    [{}, ['kind']],
  ])('%j', (body, at) => {
    expect(paths(connectionSet, body)).toEqual(at);
  });
});

describe('pages', () => {
  const page = (rows: readonly string[], limit: number) =>
    paged(
      rows,
      limit,
      (row) => `key-${row}`,
      (row) => row.toUpperCase(),
    );
  test('one row too many tells that there is more, and is not shown', () => {
    expect(page(['a', 'b', 'c'], 2)).toEqual({ items: ['A', 'B'], next: 'key-b' });
    expect(page(['a', 'b'], 2)).toEqual({ items: ['A', 'B'], next: null });
    expect(page([], 2)).toEqual({ items: [], next: null });
  });
});
