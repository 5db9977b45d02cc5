/**
 * Requests that are nearly right, by the thousand: whatever is wrong with them, the answer is one that
 * the document promises, it is never a fault of ours, and it never takes long to think about.
 */
import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { isJsonObject, type Json, type JsonObject } from '../../../src/contract/json.ts';
import type { Route } from '../../../src/http/route.ts';
import { ROUTES } from '../../../src/routes/index.ts';
import { at } from '../support/answers.ts';
import { newTenant, send, type Tenant } from '../support/api.ts';
import { fromSchema } from '../support/from-schema.ts';
import { bodyFor, createWorkflow, flagWorkflow, startRun } from '../support/samples.ts';

const SEED = 20_261_123;
const TRIES_EACH = 60;

const SCHEMA = 'operation.post.requestBody.content.application/json.schema';

/** Values that have broken somebody's parser, column, regular expression or log line. */
const ODD: readonly Json[] = [
  null,
  true,
  0,
  -0,
  -1,
  1.5,
  2 ** 53 + 2,
  1e308,
  5e-324,
  '',
  ' ',
  '\0',
  '\r\nX-Injected: 1',
  '\u202eevil',
  '\uffff',
  '👩‍👩‍👧‍👦',
  'ﬁ',
  'İ',
  '__proto__',
  'constructor',
  'undefined',
  'NaN',
  '-9223372036854775809',
  "' OR 1=1 --",
  '%00',
  '%',
  '../../etc/passwd',
  '{{ event.data }}',
  '{{',
  '#{7*7}',
  '<script>alert(1)</script>',
  '2026-02-30T00:00:00Z',
  '9999-12-31T23:59:59.999Z',
  '1s',
  '999999999d',
  'x'.repeat(5_000),
  [],
  [[[[[]]]]],
  {},
  { '': '' },
  { toJSON: 1 },
];
const odd = fc.constantFrom(...ODD);
const step = fc.record({
  kind: fc.constantFrom('replace', 'remove', 'add', 'wrap', 'swap'),
  at: fc.nat(50),
  value: odd,
  name: fc.constantFrom('', '__proto__', 'toString', 'id', 'extra', 'a.b', '0'),
});
type Mutation = typeof step extends fc.Arbitrary<infer T> ? T : never;

const { body: document } = await send('GET', '/api/openapi.json');

let tenant: Tenant;
let runId: string;
let workflowId: string;
beforeAll(async () => {
  tenant = await newTenant();
  workflowId = await createWorkflow(tenant, flagWorkflow());
  runId = await startRun(tenant);
});

/** Every place in a value, the root first. */
function places(value: Json, at: readonly string[] = []): (readonly string[])[] {
  const children = typeof value === 'object' && value !== null ? Object.entries(value) : [];
  return [at, ...children.flatMap(([key, child]) => places(child, [...at, key]))];
}

function changed(
  value: Json,
  path: readonly string[],
  change: (old: Json) => Json | undefined,
): Json {
  const [key, ...rest] = path;
  if (key === undefined) return change(value) ?? null;
  if (Array.isArray(value))
    return value.flatMap((item, index) =>
      String(index) === key ? [changed(item, rest, change)] : [item],
    );
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, child]): [string, Json][] => {
      if (name !== key) return [[name, child]];
      const next = rest.length === 0 ? change(child) : changed(child, rest, change);
      return next === undefined ? [] : [[name, next]];
    }),
  );
}

function mutate(body: Json, { kind, at, value, name }: Mutation): Json {
  const all = places(body);
  const path = all[at % all.length] ?? [];
  return changed(body, path, (old) => {
    if (kind === 'remove') return undefined;
    if (kind === 'wrap') return [old];
    if (kind === 'add' && isJsonObject(old)) return { ...old, [name]: value };
    if (kind === 'swap') return typeof old === 'string' ? old.length : JSON.stringify(old);
    return value;
  });
}

/** Ids that are there, so that what is wrong is found behind them. */
function withOwnIds(body: JsonObject): JsonObject {
  return {
    ...body,
    ...('runId' in body ? { runId } : {}),
    ...(typeof body.id === 'string' && body.id.startsWith('wf_') ? { id: workflowId } : {}),
  };
}

async function tokenOf({ access }: Route): Promise<string> {
  return access.tier === 'sender' ? await tenant.key('ingest') : await tenant.key('admin');
}

const bodies = ROUTES.filter(({ method, body, access, path }) => {
  const ours = access.tier === 'admin' || access.tier === 'sender';
  return method === 'POST' && ours && (body !== undefined || path === '/api/events');
});
const queries = ROUTES.filter(
  ({ query, access }) => query !== undefined && access.tier === 'admin',
);

/** By what the document says of its body, with none of an example's habits. */
function madeBodies({ path }: Route): fc.Arbitrary<Json> {
  const paths = document.paths;
  const operation = isJsonObject(paths) ? paths[path] : undefined;
  const schema = at({ body: { operation: operation ?? {} } }, SCHEMA);
  return path === '/api/events' ? madeEvents() : fromSchema(document, schema ?? null).map(withOwn);
}

/** The document leaves events to CloudEvents' own schema. */
function madeEvents(): fc.Arbitrary<Json> {
  const event = fc.record(
    {
      type: fc.constantFrom('custom.fuzz', 'order.created', 'flags.changed', 'authz.denied'),
      id: fc.string({ unit: 'grapheme', maxLength: 300 }),
      source: fc.webPath(),
      time: fc.constantFrom('2026-01-31T12:00:00Z', '2026-01-31'),
      subject: fc.string({ maxLength: 20 }),
      data: fc.json().map((text): Json => JSON.parse(text)),
      extra: fc.oneof(fc.integer(), fc.boolean(), fc.string({ maxLength: 20 })),
    },
    { requiredKeys: ['type', 'data'] },
  );
  return fc.oneof(event, fc.array(event, { maxLength: 4 }));
}

function withOwn(body: Json): Json {
  return isJsonObject(body) ? withOwnIds(body) : body;
}

test.each(bodies.map((route) => [route.path, route] as const))(
  '%s with a body that is nearly right',
  { timeout: 60_000 },
  async (path, route) => {
    const token = await tokenOf(route);
    const example = fc.constant<Json>(withOwnIds(bodyFor(route)));
    // A test of a connection asks whomever the body names.
    const isMade = path !== '/api/admin/connections/test';
    const right = isMade ? fc.oneof(example, madeBodies(route)) : example;
    const steps = fc.array(step, { maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(right, steps, async (base, mutations) => {
        const body = mutations.reduce<Json>(mutate, base);
        const answer = await send('POST', path, { token, body });
        expect(answer.status, answer.text).toBeLessThan(500);
      }),
      { seed: SEED, numRuns: TRIES_EACH * 2 },
    );
  },
);

test.each(queries.map((route) => [route.path, route] as const))(
  '%s with a query that is nearly right',
  { timeout: 60_000 },
  async (path, route) => {
    const names = Object.keys(route.query?.unwrap().shape ?? {});
    const token = await tokenOf(route);
    const parameter = fc.tuple(fc.constantFrom(...names, 'other'), odd.map(String));
    await fc.assert(
      fc.asyncProperty(fc.array(parameter, { minLength: 1, maxLength: 3 }), async (parameters) => {
        const query = new URLSearchParams(parameters).toString();
        const answer = await send('GET', `${path}?${query}`, { token });
        expect(answer.status, answer.text).toBeLessThan(500);
      }),
      { seed: SEED, numRuns: TRIES_EACH },
    );
  },
);
