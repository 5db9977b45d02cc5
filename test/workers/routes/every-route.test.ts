/**
 * One suite for the whole table of routes: a new route is tested here from the moment it is listed.
 * Bodies are `{}` where only the way in matters: it changes nothing, for every body has a field that
 * is required.
 */
import { beforeAll, describe, expect, test } from 'vitest';
import type { Route } from '../../../src/http/route.ts';
import { isWorkers } from '../../../src/http/worker-first.ts';
import { ROUTES } from '../../../src/routes/index.ts';
import { at, faultPaths } from '../support/answers.ts';
import { fetchApi, newTenant, type Sent, send, type Tenant } from '../support/api.ts';
import { type Credential, everyCredential, expectedFor } from '../support/credentials.ts';
import { bodyFor } from '../support/samples.ts';

const all = ROUTES.map((route) => [`${route.method} ${route.path}`, route] as const);
const withBody = all.filter(([, { body }]) => body !== undefined);
const takingJson = all.filter(([, { body, path }]) => body !== undefined || path === '/api/events');
const withQuery = all.filter(([, { query }]) => query !== undefined);

let tenant: Tenant;
let credentials: Credential[];
beforeAll(async () => {
  ({ tenant, credentials } = await everyCredential());
});

function pathOf({ path }: Route): string {
  return path.replace(':tenantId', tenant.id);
}

/** A request that only differs from a right one in what `sent` says. */
async function ask(route: Route, sent: Sent = {}, query = '') {
  const body = route.method === 'POST' && sent.raw === undefined ? { body: {}, ...sent } : sent;
  return await send(route.method, `${pathOf(route)}${query}`, body);
}

async function tokenFor({ access }: Route): Promise<string> {
  const wanted = access.tier === 'platform' ? 'platform' : 'admin';
  return credentials.find(({ role }) => role === wanted)?.token ?? '';
}

describe.each(all)('%s', (_name, route) => {
  test('lets in whom its tier and role allow, and nobody else', async () => {
    for (const credential of credentials) {
      const { token, name } = credential;
      const { status } = await ask(route, token === undefined ? {} : { token });
      const expected = expectedFor(route, credential);
      if (expected === 'in') expect([401, 403], name).not.toContain(status);
      else expect(status, name).toBe(expected);
    }
  });

  test('refuses without a credential before it looks at the body', async () => {
    if (route.access.tier === 'anyone') return;
    const raw = { raw: 'not json', headers: { 'content-type': 'text/plain' } };
    const { status, headers } = await ask(route, route.method === 'POST' ? raw : {});
    expect(status).toBe(401);
    expect(headers.get('www-authenticate')).toBe('Bearer');
  });

  test('answers another method with 405 and Allow', async () => {
    const own: string[] = ROUTES.flatMap(({ path, method }) =>
      path === route.path ? [method] : [],
    );
    const allowed = own.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method]));
    const others = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'].filter((one) => !own.includes(one));
    for (const method of others) {
      const { status, body, headers } = await send(method, pathOf(route));
      expect(status, method).toBe(405);
      expect(body.code).toBe('method_not_allowed');
      expect(headers.get('allow')).toBe([...allowed, 'OPTIONS'].join(', '));
    }
  });

  test('gives a good X-Request-Id back and makes another for a bad one', async () => {
    const token = await tokenFor(route);
    for (const id of ['a', 'My_trace-0.1', 'x'.repeat(128)]) {
      const { headers } = await ask(route, { token, headers: { 'x-request-id': id } });
      expect(headers.get('x-request-id')).toBe(id);
    }
    for (const id of ['', 'two words', 'x'.repeat(129), 'a"b', '../a', 'ä']) {
      const { headers } = await ask(route, { token, headers: { 'x-request-id': encodeURI(id) } });
      const given = headers.get('x-request-id') ?? '';
      expect(given).not.toBe(encodeURI(id));
      expect(given).toMatch(/^[0-9a-f-]{36}$/);
    }
  });
});

describe.each(withBody)('%s takes a body and', (_name, route) => {
  test('has an example that its schema takes', () => {
    expect(route.body?.safeParse(bodyFor(route)).error?.issues).toBeUndefined();
  });

  test('names a field that it does not know', async () => {
    const body = { ...bodyFor(route), unexpected: 1, 'another.one': true };
    const answer = await ask(route, { token: await tokenFor(route), body });
    expect(answer.status).toBe(400);
    expect(answer.body.code).toBe('validation_failed');
    expect(faultPaths(answer)).toEqual(['unexpected', 'another.one']);
  });

  test.each([null, [], 'text', 7, true])('refuses %j where an object belongs', async (body) => {
    const answer = await ask(route, { token: await tokenFor(route), body });
    expect(answer.status).toBe(400);
    expect(answer.body.code).toBe('validation_failed');
  });
});

describe.each(takingJson)('%s reads JSON and', (_name, route) => {
  const json = { 'content-type': 'application/json' };

  test.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/jsonp',
    'application/xml',
  ])('answers 415 to %s', async (type) => {
    const sent = { token: await tokenFor(route), raw: '{}', headers: { 'content-type': type } };
    const { status, body } = await ask(route, sent);
    expect(status).toBe(415);
    expect(body.code).toBe('unsupported_media_type');
  });

  test('answers 415 when no content type is given', async () => {
    const raw = new TextEncoder().encode('{}');
    expect((await ask(route, { token: await tokenFor(route), raw })).status).toBe(415);
  });

  test.each([
    ['nothing', ''],
    ['blanks', ' \n '],
    ['half an object', '{"a":'],
    ['two values', '{} {}'],
    ['a comment', '{/* */}'],
    ['a single quote', "{'a': 1}"],
    ['33 levels', `${'['.repeat(33)}${']'.repeat(33)}`],
    ['100,000 open brackets', '['.repeat(100_000)],
    ['half a surrogate pair', '{"name": "\\ud800"}'],
    ['the character U+0000', '{"name": "a\\u0000b"}'],
    ['a field __proto__', '{"__proto__": {"name": "x"}}'],
    ['a field that is given twice', '{"name": "a", "name": "b"}'],
    ['a field that is given twice, in other letters', '{"name": "a", "n\\u0061me": "a"}'],
    ['a field that is given twice, deep inside', '{"a": [{"b": {"c": 1, "c": 1}}]}'],
    ['an integer that a double rounds', '{"name": 9007199254740993}'],
    ['a long integer', '{"name": -123456789012345678901234567890}'],
    ['a number beyond the range', '{"name": [1, 1e400]}'],
    ['NaN', '{"name": NaN}'],
    ['Infinity', '{"name": -Infinity}'],
    ['UTF-16', new Uint8Array([0xff, 0xfe, 0x7b, 0x00, 0x7d, 0x00])],
    ['Latin-1', new Uint8Array([0x22, 0xe4, 0x22])],
    ['a zipped body', new Uint8Array([0x1f, 0x8b, 0x08, 0x00, 0x00])],
  ])('answers 400 to %s', async (_what, raw) => {
    const answer = await ask(route, { token: await tokenFor(route), raw, headers: json });
    expect(answer.status, answer.text).toBe(400);
    expect(answer.body.code).toBe('malformed_json');
  });

  test('answers 415 to a body that says it is encoded', async () => {
    const headers = { ...json, 'content-encoding': 'gzip' };
    const answer = await ask(route, { token: await tokenFor(route), raw: '{}', headers });
    expect(answer.status).toBe(415);
    expect(answer.body.code).toBe('unsupported_media_type');
  });

  test('answers 413 to more than 1 MiB, whether or not the length is announced', async () => {
    const token = await tokenFor(route);
    const bytes = new TextEncoder().encode(`"${'a'.repeat(1_048_575)}"`);
    const streamed = new ReadableStream({
      start(controller) {
        controller.enqueue(bytes);
        controller.close();
      },
    });
    for (const raw of [bytes, streamed]) {
      const { status, body } = await ask(route, { token, raw, headers: json });
      expect(status).toBe(413);
      expect(body.code).toBe('payload_too_large');
    }
  });
});

describe.each(withQuery)('%s takes parameters and', (_name, route) => {
  test('names one that it does not know, and one that is given twice', async () => {
    const token = await tokenFor(route);
    const unknown = await ask(route, { token }, '?unexpected=1');
    expect(unknown.status).toBe(400);
    expect(faultPaths(unknown)).toContain('query.unexpected');
    const [first = ''] = Object.keys(route.query?.unwrap().shape ?? {});
    const twice = await ask(route, { token }, `?${first}=1&${first}=2`);
    expect(twice.status).toBe(400);
    expect(faultPaths(twice)).toContain(`query.${first}`);
  });

  test('refuses a limit and a cursor that are not any', async () => {
    if (!Object.hasOwn(route.query?.unwrap().shape ?? {}, 'limit')) return;
    const token = await tokenFor(route);
    for (const limit of ['0', '-1', '201', '1.5', 'many', '', 'NaN', '1e9']) {
      const answer = await ask(route, { token }, `?limit=${limit}`);
      expect(faultPaths(answer), limit).toEqual(['query.limit']);
    }
    for (const cursor of ['x', 'bm90LW91cnM', '%00', '=', 'a'.repeat(1_024), btoa('runs|')]) {
      const { status, body } = await ask(route, { token }, `?cursor=${encodeURIComponent(cursor)}`);
      expect(status, cursor).toBe(400);
      expect(body.code).toBe('invalid_cursor');
    }
  });
});

test('every route has an address that the console has not', () => {
  expect(ROUTES.filter(({ path }) => !isWorkers(path))).toEqual([]);
  expect(['/', '/runs/run_1', '/apis', '/exports.js'].filter(isWorkers)).toEqual([]);
});

describe('what belongs to no route', () => {
  test.each(['/', '/api', '/api/', '/api/admin', '/api/nothing', '/api/admin/workflows/get/x'])(
    '%s is 404',
    async (path) => {
      const answer = await send('GET', path);
      expect(answer.status).toBe(404);
      expect(at(answer, 'code')).toBe('not_found');
    },
  );

  test('HEAD answers like GET, without a body', async () => {
    const token = await (await newTenant()).key('viewer');
    const response = await fetchApi('HEAD', '/api/admin/workflows', { token });
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('application/json');
    expect(await response.text()).toBe('');
  });
});
