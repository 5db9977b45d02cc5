/** What every answer has to be: documented, of the schema that its route promises, with its headers. */
import { expect } from 'vitest';
import type { Json, JsonObject } from '../../../src/contract/json.ts';
import { PROBLEMS, problem } from '../../../src/contract/problems.ts';
import { openApiDocument } from '../../../src/http/openapi.ts';
import type { Route } from '../../../src/http/route.ts';
import { ROUTES } from '../../../src/routes/index.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** An empty object when the answer is not JSON. */
  readonly body: JsonObject;
}

const DOCUMENT = openApiDocument(ROUTES);
/** Not an operation's answer: the path is there, the method is not. */
const METHOD_NOT_ALLOWED = 405;

/** The route that serves a path, or undefined. */
export function routeOf(method: string, path: string): Route | undefined {
  return ROUTES.find((route) => route.method === method && patternOf(route).test(path));
}

/** The statuses that the OpenAPI document gives for a route. */
export function documentedStatuses({ method, path }: Route): number[] {
  const item = DOCUMENT.paths?.[path.replaceAll(/:(\w+)/g, '{$1}')];
  const operation = method === 'GET' ? item?.get : item?.post;
  return Object.keys(operation?.responses ?? {}).map(Number);
}

/** Fails the test when the answer is not one that the contract and the document allow. */
export function checkAnswer(route: Route | undefined, answer: Answer): void {
  checkHeaders(answer.headers);
  const other = route?.others?.find(({ status }) => status === answer.status);
  if (other !== undefined) {
    if (other.schema !== undefined) expect(other.schema.parse(answer.body)).toEqual(answer.body);
    return;
  }
  if (answer.status >= 400) checkProblem(answer);
  if (route === undefined || answer.status === METHOD_NOT_ALLOWED) return;
  expect(documentedStatuses(route), `${route.path}: ${answer.text}`).toContain(answer.status);
  if (answer.status < 300) checkSuccess(route, answer);
}

function checkHeaders(headers: Headers): void {
  expect(headers.get('x-request-id')).toMatch(/^[A-Za-z0-9._-]{1,128}$/);
  expect(headers.get('x-content-type-options')).toBe('nosniff');
  expect(headers.get('referrer-policy')).toBe('no-referrer');
  expect(headers.get('vary')).toMatch(/origin/i);
}

function checkProblem({ status, headers, body, text }: Answer): void {
  expect(headers.get('content-type'), text).toBe('application/problem+json');
  expect(headers.get('cache-control')).toBe('no-store');
  const parsed = problem.unwrap().loose().parse(body);
  expect(parsed.status).toBe(status);
  expect(Object.entries(PROBLEMS).map(([code, [own]]) => `${code} ${own}`)).toContain(
    `${parsed.code} ${status}`,
  );
  if (headers.get('idempotency-replayed') === null)
    expect(parsed.requestId).toBe(headers.get('x-request-id'));
  expect(text).not.toMatch(/\bat .+\.ts:|SQLITE|SELECT |INSERT /);
}

/** A field that the schema does not have is not documented: the parsed answer has to be the same. */
function checkSuccess({ path, answer }: Route, { status, headers, body }: Answer): void {
  expect(status, path).toBe(answer.status);
  if (answer.schema === undefined || path === '/api/openapi.json') return;
  expect(headers.get('content-type')).toBe('application/json');
  const isCached = path === '/api/flags';
  if (path.startsWith('/api/') && !isCached) expect(headers.get('cache-control')).toBe('no-store');
  expect(answer.schema.parse(body), path).toEqual(body);
}

function patternOf({ path }: Route): RegExp {
  return new RegExp(`^${path.replaceAll('.', '\\.').replaceAll(/:(\w+)/g, '[^/]+')}$`);
}

/** A value inside an answer by its dotted path: `run.steps.0.status`. Undefined when it is not there. */
export function at({ body }: Pick<Answer, 'body'>, path: string): Json | undefined {
  return path.split('.').reduce<Json | undefined>((value, key) => {
    if (typeof value !== 'object' || value === null) return undefined;
    return Object.entries(value).find(([name]) => name === key)?.[1];
  }, body);
}

/** A text inside an answer; the test fails when there is none. */
export function textAt(answer: Pick<Answer, 'body' | 'text'>, path: string): string {
  const value = at(answer, path);
  if (typeof value !== 'string') throw new Error(`no text at ${path} in ${answer.text}`);
  return value;
}

/** A list inside an answer, `items` unless another path is given. */
export function listAt(answer: Pick<Answer, 'body' | 'text'>, path = 'items'): readonly Json[] {
  const value = at(answer, path);
  if (!Array.isArray(value)) throw new Error(`no list at ${path} in ${answer.text}`);
  return value;
}

/** One field of every item of a list. */
export function fieldsOf(answer: Pick<Answer, 'body' | 'text'>, field: string): Json[] {
  return listAt(answer).map((item) => at({ body: { item } }, `item.${field}`) ?? null);
}

/** The paths of a problem's faults. */
export function faultPaths(answer: Pick<Answer, 'body' | 'text'>): Json[] {
  return listAt(answer, 'errors').map((item) => at({ body: { item } }, 'item.path') ?? null);
}
