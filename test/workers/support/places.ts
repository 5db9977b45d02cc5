/**
 * Where a request may name something, read from the OpenAPI document: every text in a path, a query or
 * a body that the schema leaves open. Which of them are ids is said here by their names, and a name that
 * is not said fails the test that walks them: a new field has to be thought about.
 */
import { isJsonObject, type Json, type JsonObject } from '../../../src/contract/json.ts';

export interface Place {
  readonly method: 'GET' | 'POST';
  /** As the document has it: `/api/hooks/{tenantId}/stripe` */
  readonly path: string;
  readonly where: 'path' | 'query' | 'body';
  /** Names from the outside in; `[]` is an item of a list, `*` a field of any name. */
  readonly at: readonly string[];
}

/** They name a thing of a tenant, or a tenant. */
const IDS: ReadonlySet<string> = new Set([
  'actor',
  'approvalId',
  'correlationId',
  'cursor',
  'destination',
  'id',
  'key',
  'memberId',
  'members',
  'onBehalfOf',
  'q',
  'runId',
  'source',
  'target',
  'tenantId',
  'to',
  'token',
  'url',
  'workflowId',
]);

/** Words of people, names that no tenant owns, secrets that are written and never read. */
const WORDS: ReadonlySet<string> = new Set([
  'action',
  'adminToken',
  'allow',
  'apiKey',
  'apiToken',
  'comment',
  'description',
  'environment',
  'event',
  'eventType',
  'from',
  'if',
  'name',
  'notifyUrl',
  'project',
  'reason',
  'shopDomain',
  'shopId',
  'signingKey',
  'signingSecret',
  'type',
  'unsubscribe',
  'webhookSecret',
]);

/** A workflow's own words (its ids are of its steps), and a shop's. */
const OWN_WORDS: readonly string[] = ['steps', 'customer'];

/** The last name that says what is meant: `members` of `actions.*.members[]`. */
export function nameOf({ at }: Place): string {
  return at.findLast((name) => name !== '[]' && name !== '*') ?? '';
}

export function isId(place: Place): boolean {
  return IDS.has(nameOf(place));
}

export function isKnown(place: Place): boolean {
  return isId(place) || WORDS.has(nameOf(place));
}

/** Every open text of every operation. */
export function placesIn(document: JsonObject): Place[] {
  return fieldsOf(document.paths).flatMap(([path, item]) =>
    fieldsOf(item).flatMap(([verb, operation]) => {
      const method = verb === 'get' ? 'GET' : 'POST';
      return placesOf(document, operation).map((place) => ({ method, path, ...place }) as const);
    }),
  );
}

function placesOf(document: JsonObject, operation: Json): Pick<Place, 'where' | 'at'>[] {
  if (!isJsonObject(operation)) return [];
  const parameters = Array.isArray(operation.parameters) ? operation.parameters : [];
  const named = parameters.flatMap((parameter) => {
    if (!isJsonObject(parameter) || typeof parameter.name !== 'string') return [];
    const where = parameter.in === 'path' || parameter.in === 'query' ? parameter.in : null;
    const isOpen = openTexts(document, parameter.schema ?? null, []).length > 0;
    return where === null || !isOpen ? [] : [{ where, at: [parameter.name] } as const];
  });
  const body = find(operation, ['requestBody', 'content', 'application/json', 'schema']);
  const inBody = unique(openTexts(document, body ?? null, []));
  return [...named, ...inBody.map((at) => ({ where: 'body', at }) as const)];
}

function openTexts(document: JsonObject, schema: Json, at: readonly string[]): string[][] {
  if (!isJsonObject(schema)) return [];
  if (typeof schema.$ref === 'string')
    return openTexts(document, find(document, schema.$ref.slice(2).split('/')) ?? null, at);
  const variants = [schema.anyOf, schema.oneOf, schema.allOf].flatMap((list) =>
    Array.isArray(list) ? list : [],
  );
  const properties = fieldsOf(schema.properties).filter(([name]) => !OWN_WORDS.includes(name));
  const isOpen =
    schema.type === 'string' &&
    !['enum', 'const', 'format'].some((word) => word in schema && schema.format !== 'uri') &&
    !isDuration(schema);
  return [
    ...(isOpen ? [[...at]] : []),
    ...variants.flatMap((variant) => openTexts(document, variant, at)),
    ...properties.flatMap(([name, inner]) => openTexts(document, inner, [...at, name])),
    ...openTexts(document, schema.items ?? null, [...at, '[]']),
    ...openTexts(document, schema.additionalProperties ?? null, [...at, '*']),
  ];
}

/** Of the texts with a pattern those alone that no id of anything fits. */
function isDuration({ pattern }: JsonObject): boolean {
  return typeof pattern === 'string' && /smhd|\[0-9a-f\]\{64\}|\[A-Z\]\{3\}|20\(2/.test(pattern);
}

function find(value: Json, path: readonly string[]): Json | undefined {
  return path.reduce<Json | undefined>(
    (inner, name) => (isJsonObject(inner) ? inner[name] : undefined),
    value,
  );
}

function fieldsOf(value: Json | undefined): [string, Json][] {
  return isJsonObject(value) ? Object.entries(value) : [];
}

function unique(paths: readonly string[][]): string[][] {
  return [...new Map(paths.map((path) => [path.join('.'), path])).values()];
}

/** The value with `text` at a place in it, which is made where it is not there. */
export function withText(value: Json, at: readonly string[], text: string): Json {
  const [name, ...rest] = at;
  if (name === undefined) return text;
  if (name === '[]') return [withText({}, rest, text)];
  const known = isJsonObject(value) ? value : {};
  const field = name === '*' ? 'order.refund' : name;
  return { ...known, [field]: withText(known[field] ?? {}, rest, text) };
}
