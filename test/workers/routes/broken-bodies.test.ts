/**
 * Right bodies with one thing broken in their bytes: cut off, in another encoding, zipped, nested too
 * deep, with what JSON has no word for. Each is refused by name, and nothing of it is left behind.
 */
import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import type { Route } from '../../../src/http/route.ts';
import { ROUTES } from '../../../src/routes/index.ts';
import { newTenant, send, type Tenant } from '../support/api.ts';
import { bodyFor } from '../support/samples.ts';
import { stateOf } from '../support/state.ts';

const SEED = 20_261_125;
const TRIES_EACH = 60;
const JSON_TYPE = { 'content-type': 'application/json' };
const CODES = ['malformed_json', 'payload_too_large'];

const bytesOf = (text: string) => new TextEncoder().encode(text);

/** What stands where a value should, and is none, or none that everybody reads alike. */
const NO_VALUES: readonly string[] = [
  ...['NaN', 'Infinity', '-Infinity', 'undefined', 'None', 'True', 'nul', "'text'", '`text`'],
  ...['+1', '.5', '1.', '01', '-01', '0x1F', '1_000', '1e', '1e400', '9007199254740993', '٣'],
  ...['', '/* none */', '{}}', '[1,]', '{"a":1,}', '{a:1}', '{"a"}', '{"a":1 "b":2}', '["a" "b"]'],
  ...['"\t"', '"\n"', '"\\x41"', '"\\u12"', '"\\ud800"', '"\\udc00\\ud800"', '"\\u0000"'],
  ...['{"__proto__":{"isAdmin":true}}', '{"a":1,"a":2}', '{"a":1,"\\u0061":2}'],
  `${'['.repeat(33)}${']'.repeat(33)}`,
  `${'{"a":'.repeat(33)}1${'}'.repeat(33)}`,
  '['.repeat(100_000),
  `"${'x'.repeat(1_048_576)}"`,
];

type Break = (text: string, at: number) => Uint8Array;

const BREAKS: readonly Break[] = [
  (text, at) => bytesOf(text).slice(0, at % bytesOf(text).length),
  (text, at) => bytesOf(text.replace(/}$/, `,"x":${NO_VALUES[at % NO_VALUES.length]}}`)),
  (text, at) => bytesOf(`${text}${['}', ',', ' {}', 'x', '\0', '//'][at % 6]}`),
  (text) => bytesOf(text.replace('{', '{"first":1,')),
  (text, at) => spliced(bytesOf(text), at, [[0xff], [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xf5]]),
  (text) => new Uint8Array(Uint16Array.from(text, (char) => char.charCodeAt(0)).buffer),
  (text) => new Uint8Array(Uint32Array.from(text, (char) => char.charCodeAt(0)).buffer),
  (text) => Uint8Array.from([0x1f, 0x8b, 0x08, 0, 0, 0, 0, 0, 0, 3, ...bytesOf(text)]),
];

/** Bytes that no UTF-8 has, anywhere in between. */
function spliced(bytes: Uint8Array, at: number, none: readonly number[][]): Uint8Array {
  const place = at % bytes.length;
  const bad = none[at % none.length] ?? [];
  return Uint8Array.from([...bytes.slice(0, place), ...bad, ...bytes.slice(place)]);
}

const broken = fc.record({ how: fc.constantFrom(...BREAKS), at: fc.nat(100_000) });

const taking = ROUTES.filter(
  ({ method, body, access, path }) =>
    method === 'POST' &&
    (access.tier === 'admin' || access.tier === 'sender') &&
    (body !== undefined || path === '/api/events'),
);

let tenant: Tenant;
let before: Record<string, string>;
beforeAll(async () => {
  tenant = await newTenant();
  await tenant.get('/api/admin/workflows', 'viewer');
  before = await stateOf(tenant);
});

async function refused(route: Route, raw: Uint8Array): Promise<string> {
  const token = await tenant.key('admin');
  const answer = await send('POST', route.path, { token, raw, headers: JSON_TYPE });
  expect([400, 413], answer.text).toContain(answer.status);
  return String(answer.body.code);
}

test.each(taking.map((route) => ({ path: route.path, route })))(
  '$path with a body that is broken',
  { timeout: 60_000 },
  async ({ route }) => {
    // With a first field that is known, so that it can be given twice.
    const text = JSON.stringify({ first: 1, ...bodyFor(route) });
    await fc.assert(
      fc.asyncProperty(broken, async ({ how, at }) => {
        expect(CODES).toContain(await refused(route, how(text, at)));
      }),
      { seed: SEED, numRuns: TRIES_EACH },
    );
  },
);

test('and nothing of any of it was kept', async () => {
  expect(await stateOf(tenant)).toEqual(before);
});
