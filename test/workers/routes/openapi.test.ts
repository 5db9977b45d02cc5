/** The served document: valid OpenAPI 3.1, the same as the routes in both directions; and its page. */
import { describe, expect, test } from 'vitest';
import { isJsonObject, type Json, type JsonObject } from '../../../src/contract/json.ts';
import { PROBLEMS } from '../../../src/contract/problems.ts';
import { EXAMPLE_BODIES, EXAMPLE_IDS } from '../../../src/http/docs-examples.ts';
import { docsPage } from '../../../src/http/docs-page.ts';
import type { Route } from '../../../src/http/route.ts';
import { ROUTES } from '../../../src/routes/index.ts';
import { at, routeOf } from '../support/answers.ts';
import { fetchApi, newTenant, send } from '../support/api.ts';

const { body: document, headers } = await send('GET', '/api/openapi.json');
const operations = objectsOf(document.paths).flatMap(([path, item]) =>
  objectsOf(item).map(([method, operation]) => ({ path, method, operation })),
);

function objectsOf(value: Json | undefined): (readonly [string, JsonObject])[] {
  if (!isJsonObject(value)) throw new Error('not an object');
  return Object.entries(value).map(([key, inner]) => {
    if (!isJsonObject(inner)) throw new Error(`${key} is not an object`);
    return [key, inner];
  });
}

/** Every object in a value, the value itself first. */
function* nodesOf(value: Json): Generator<JsonObject> {
  if (isJsonObject(value)) yield value;
  if (typeof value === 'object' && value !== null)
    for (const inner of Object.values(value)) yield* nodesOf(inner);
}

/** Answers that are neither the good one nor a problem, as the table has them. */
function isOwnForm(path: string, status: string): boolean {
  const route = ROUTES.find((one) => templateOf(one.path) === path && one.others !== undefined);
  return route?.others?.some((other) => String(other.status) === status) === true;
}
const TYPE_WORDS = ['type', '$ref', 'anyOf', 'oneOf', 'allOf', 'enum', 'const'];
/** Fields that take or hold whatever JSON there is. */
const ANY_JSON = ['after', 'before', 'data', 'input', 'output'];

function templateOf(path: string): string {
  return path.replaceAll(/:(\w+)/g, '{$1}');
}

describe('the document', () => {
  test('says which version of OpenAPI it is, and may be kept for a while', () => {
    expect(document.openapi).toMatch(/^3\.1\.\d+$/);
    expect(at({ body: document }, 'info.title')).toBe('Signalbox');
    expect(headers.get('cache-control')).toBe('public, max-age=300');
  });

  test('has an operation for each route, and a route for each operation', () => {
    const documented = operations.map(({ method, path }) => `${method.toUpperCase()} ${path}`);
    const served = ROUTES.map(({ method, path }) => `${method} ${templateOf(path)}`);
    expect(documented.toSorted()).toEqual(served.toSorted());
    expect(new Set(served).size).toBe(served.length);
  });

  test('points only to schemas that are there, and has none that nothing points to', () => {
    const refs = [...nodesOf(document)].flatMap(({ $ref }) =>
      typeof $ref === 'string' ? [$ref] : [],
    );
    const schemas = objectsOf(at({ body: document }, 'components.schemas') ?? null);
    const there = schemas.map(([name]) => `#/components/schemas/${name}`);
    expect([...new Set(refs)].toSorted()).toEqual(there.toSorted());
  });

  test('says of every field what it is, but for those that are any JSON', () => {
    const untyped = [...nodesOf(document)].flatMap(({ properties }) =>
      isJsonObject(properties)
        ? objectsOf(properties).flatMap(([name, schema]) =>
            TYPE_WORDS.some((word) => word in schema) ? [] : [name],
          )
        : [],
    );
    expect([...new Set(untyped)].toSorted()).toEqual(ANY_JSON);
  });

  test('names every operation, once', () => {
    const ids = operations.map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(operations.length);
    for (const id of ids) expect(id).toMatch(/^(get|post)[A-Za-z0-9.]+$/);
  });

  test('declares every parameter in a path, and only security schemes that are defined', () => {
    const schemes = objectsOf(at({ body: document }, 'components.securitySchemes') ?? null);
    const known = schemes.map(([name]) => name);
    for (const { path, operation } of operations) {
      const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      const parameters = [...nodesOf(operation.parameters ?? [])].filter(
        (node) => node.in === 'path',
      );
      expect(parameters.map(({ name }) => name)).toEqual(names);
      for (const { required } of parameters) expect(required).toBe(true);
      const used = [...nodesOf(operation.security ?? [])].flatMap((scheme) => Object.keys(scheme));
      for (const name of used) expect(known).toContain(name);
    }
  });

  test('has for every operation one good answer, a fault of ours, and problems as the contract says', () => {
    for (const { operation, path } of operations) {
      const responses = objectsOf(operation.responses);
      const statuses = responses.map(([status]) => Number(status));
      expect(
        statuses.filter((status) => status < 300),
        path,
      ).toHaveLength(1);
      expect(statuses, path).toContain(500);
      for (const [status, response] of responses) {
        expect(response.description, path).toBeTypeOf('string');
        if (Number(status) < 300 || isOwnForm(path, status)) continue;
        const schema = at({ body: response }, 'content.application/problem+json.schema.$ref');
        expect(schema, `${path} ${status}`).toBe('#/components/schemas/Problem');
      }
    }
  });

  test('uses only statuses that a problem code stands for', () => {
    const known: number[] = Object.values(PROBLEMS).map(([status]) => status);
    for (const { operation } of operations)
      for (const [status] of objectsOf(operation.responses))
        if (Number(status) >= 400) expect(known).toContain(Number(status));
  });

  test('describes bodies with JSON Schema types alone', () => {
    const types = new Set(['string', 'number', 'integer', 'boolean', 'object', 'array', 'null']);
    const schemas = objectsOf(at({ body: document }, 'components.schemas') ?? null);
    for (const [name, schema] of schemas)
      for (const { type } of nodesOf(schema))
        if (typeof type === 'string') expect(types, name).toContain(type);
  });
});

describe('answers', () => {
  test('every GET of an admin answers as its schema says, on a tenant with nothing in it', async () => {
    const tenant = await newTenant();
    const asksForNothing = ({ query }: Route) => query?.safeParse({}).success !== false;
    const plain = ROUTES.filter(
      (route) =>
        route.method === 'GET' &&
        route.access.tier === 'admin' &&
        route.answer.status === 200 &&
        asksForNothing(route),
    );
    for (const { path } of plain) expect((await tenant.get(path, 'admin')).status, path).toBe(200);
  });

  test('every GET that asks for an id answers 404 to one that does not exist', async () => {
    const tenant = await newTenant();
    for (const [path, id] of Object.entries(EXAMPLE_IDS)) {
      expect(routeOf('GET', path), path).toBeDefined();
      expect((await tenant.get(`${path}?id=${id}`, 'admin')).status, path).toBe(404);
    }
  });
});

describe('the page', () => {
  test('has examples of operations that are there, and of no others', () => {
    for (const path of Object.keys(EXAMPLE_BODIES))
      expect(routeOf('POST', path), path).toBeDefined();
    for (const path of Object.keys(EXAMPLE_IDS)) expect(routeOf('GET', path), path).toBeDefined();
  });

  test('has a section for every operation and every schema, and no dead link', async () => {
    const text = await (await fetchApi('GET', '/api/docs')).text();
    const anchors = new Set([...text.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id));
    for (const { operation } of operations) expect(anchors).toContain(operation.operationId);
    for (const [name] of objectsOf(at({ body: document }, 'components.schemas') ?? null))
      expect(anchors).toContain(`schema-${name}`);
    for (const [, target] of text.matchAll(/href="#([^"]+)"/g)) expect(anchors).toContain(target);
    expect([...text.matchAll(/ id="/g)]).toHaveLength(anchors.size);
  });

  test('runs no script, fetches nothing, and its policy allows its own style alone', async () => {
    const response = await fetchApi('GET', '/api/docs');
    const text = await response.text();
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(text).not.toMatch(/<script|<link|<img|<iframe|@import|url\(| style=| on\w+=/i);
    const style = /<style>([\s\S]*?)<\/style>/.exec(text)?.[1] ?? '';
    const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(style));
    const hash = btoa(String.fromCharCode(...new Uint8Array(digest)));
    expect(response.headers.get('content-security-policy')).toBe(
      `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'; ` +
        "frame-ancestors 'none'",
    );
  });

  test('escapes whatever the document holds', async () => {
    const evil = `</style><script>alert("1 & '2'")</script>`;
    const schema = { type: 'object', properties: { [evil]: { const: evil, description: evil } } };
    const text = await docsPage({
      info: { title: evil, version: evil, description: evil },
      tags: [{ name: evil }],
      paths: {
        [`/${evil}`]: {
          post: {
            operationId: evil,
            summary: evil,
            description: evil,
            tags: [evil],
            parameters: [{ name: evil, in: 'query', schema: { type: 'string', default: evil } }],
            requestBody: { content: { [evil]: { schema } } },
            responses: { 200: { description: evil, content: { 'application/json': { schema } } } },
          },
        },
      },
      components: { schemas: { [evil]: schema } },
    }).text();
    expect(text).not.toMatch(/<script/);
    expect(text.split('</style>')).toHaveLength(2);
    expect(text).toContain('&lt;script&gt;alert(&quot;1 &amp; &#39;2&#39;&quot;)');
  });
});
