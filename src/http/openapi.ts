/** The OpenAPI 3.1 document, made from the route table and the schemas that it holds. */
import * as z from 'zod';
import type { JsonObject } from '../contract/json.ts';
import { problem } from '../contract/problems.ts';
import { Schemas } from './openapi-schemas.ts';
import type { Access, AnswerSpec, Route } from './route.ts';

interface Operation extends JsonObject {
  readonly responses: JsonObject;
}
interface Operations extends JsonObject {
  readonly [method: string]: Operation;
}
interface Document extends JsonObject {
  readonly paths: { readonly [path: string]: Operations };
}

const DESCRIPTIONS: Readonly<Record<number, string>> = {
  400: 'Not valid: errors says what and where',
  401: 'No valid credential',
  403: 'Not allowed',
  404: 'Not found, or another tenant’s',
  409: 'Conflict with the current state',
  410: 'The link has expired',
  413: 'Too large',
  415: 'Unsupported content type',
  416: 'The range begins after the end: Content-Range says where that is',
  422: 'A limit of the tenant is reached',
  426: 'Asked for without an upgrade to a WebSocket',
  429: 'Too much at once: Retry-After says when',
  500: 'A fault of ours',
  503: 'Not available right now; detail says why',
};

export function openApiDocument(routes: readonly Route[]): Document {
  const schemas = new Schemas();
  const paths: Record<string, Record<string, object>> = {};
  for (const route of routes) {
    const path = route.path.replaceAll(/:(\w+)/g, '{$1}');
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operationOf(route, schemas) };
  }
  const document = {
    openapi: '3.1.1',
    info: {
      title: 'Signalbox',
      version: '1',
      description:
        'Workflow automation: events come in, actions go out, the risky ones wait for a human.',
    },
    tags: [...new Set(routes.map(({ tag }) => tag))].map((name) => ({ name })),
    paths,
    components: {
      schemas: schemas.components(),
      securitySchemes: {
        apiKey: {
          type: 'http',
          scheme: 'bearer',
          description: 'An API key: sbx_…, or sbf_… where a frontend key will do',
        },
        platform: { type: 'http', scheme: 'bearer', description: 'The operator’s token' },
        vendor: {
          type: 'apiKey',
          in: 'header',
          name: 'X-Shopify-Hmac-Sha256, Stripe-Signature',
          description: 'The vendor’s own signature over the raw body',
        },
      },
    },
  };
  return JSON.parse(JSON.stringify(document));
}

function operationOf(route: Route, schemas: Schemas): object {
  const { summary, description, tag, access, answer } = route;
  const others = (route.others ?? []).map(({ status }) => status);
  const codes = new Set([...usualProblems(route), ...(route.problems ?? [])]);
  for (const status of others) codes.delete(status);
  return {
    operationId: operationId(route),
    summary,
    ...(description === undefined ? {} : { description }),
    tags: [tag],
    security: securityOf(access),
    ...roleOf(access),
    parameters: paramsOf(route, schemas),
    ...bodyOf(route, schemas),
    responses: {
      [answer.status]: {
        description: answer.description,
        content: {
          [answer.contentType ?? 'application/json']: {
            schema: schemas.use('output', answer.schema ?? z.string()),
          },
        },
      },
      ...Object.fromEntries(
        (route.others ?? []).map((other) => [other.status, otherOf(other, schemas)]),
      ),
      ...Object.fromEntries(
        [...codes].sort().map((code) => [
          code,
          {
            description: DESCRIPTIONS[code] ?? 'Refused',
            content: { 'application/problem+json': { schema: schemas.use('output', problem) } },
          },
        ]),
      ),
    },
  };
}

function roleOf(access: Access): object {
  if (access.tier === 'frontend') return { 'x-role': 'frontend' };
  return access.tier === 'admin' || access.tier === 'sender' ? { 'x-role': access.role } : {};
}

/** An answer beside the good one: it may have no body. */
function otherOf(
  { description, schema, contentType = 'application/json' }: AnswerSpec,
  schemas: Schemas,
): object {
  return schema === undefined
    ? { description }
    : { description, content: { [contentType]: { schema: schemas.use('output', schema) } } };
}

function usualProblems({ access, body, query }: Route): number[] {
  const codes = [500, 503];
  if (access.tier !== 'anyone') codes.push(401, 429);
  if (access.tier === 'admin' || access.tier === 'sender' || access.tier === 'frontend')
    codes.push(400, 403);
  if (query !== undefined) codes.push(400);
  if (body !== undefined) codes.push(400, 413, 415);
  if (body !== undefined && access.tier === 'admin') codes.push(409);
  return codes;
}

function paramsOf({ path, query, body, access, perCaller }: Route, schemas: Schemas): object[] {
  const names = [...path.matchAll(/:(\w+)/g)].flatMap(([, name]) => (name ? [name] : []));
  const keyed = body !== undefined && access.tier === 'admin';
  const headers = {
    'X-Request-Id': z.string().max(128).optional().describe('1 to 128 of A-Z a-z 0-9 . _ -'),
    ...(keyed
      ? {
          'Idempotency-Key': z
            .string()
            .max(255)
            .optional()
            .describe(
              `The same key and body${perCaller === true ? ' of one caller' : ''} answer with the first outcome for 24 hours`,
            ),
        }
      : {}),
  };
  const places: Readonly<Record<string, Readonly<Record<string, z.ZodType>>>> = {
    path: Object.fromEntries(names.map((name) => [name, z.string()])),
    query: query?.unwrap().shape ?? {},
    header: headers,
  };
  return Object.entries(places).flatMap(([place, shape]) =>
    Object.entries(shape).map(([name, schema]) => ({
      ...{ in: place, name, schema: schemas.use('input', schema) },
      ...(schema.isOptional() ? {} : { required: true }),
      ...(schema.description === undefined ? {} : { description: schema.description }),
    })),
  );
}

function bodyOf({ body, rawBody }: Route, schemas: Schemas): object {
  if (body !== undefined) {
    const schema = schemas.use('input', body);
    return { requestBody: { required: true, content: { 'application/json': { schema } } } };
  }
  if (rawBody === undefined) return {};
  const content = Object.fromEntries(rawBody.map((type) => [type, { schema: {} }]));
  return { requestBody: { required: true, content } };
}

function securityOf({ tier }: Access): object[] {
  if (tier === 'anyone') return [];
  if (tier === 'vendor') return [{ vendor: [] }];
  return [tier === 'platform' ? { platform: [] } : { apiKey: [] }];
}

/**
 * `POST /api/admin/workflow-runs/approve` → `postWorkflowRunsApprove`; what frontends call is told from
 * what admins do.
 */
function operationId({ method, path, access }: Route): string {
  const words = path
    .replace(/^\/api\/(admin\/)?/, access.tier === 'frontend' ? 'frontend/' : '')
    .split(/[/:-]+/)
    .filter((word) => word !== '');
  const camel = words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('');
  return method.toLowerCase() + camel;
}
