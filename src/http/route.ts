/**
 * A route as data: method, path, tier, role, schemas, handler. The router serves it, the OpenAPI
 * document describes it, the tests walk it. `route()` ties schemas and handler together by type and
 * gives back a form without type parameters, so that all routes fit one table.
 */
import * as z from 'zod';
import type { Actor, Json, Role } from '../contract/json.ts';
import { later } from '../contract/later.ts';
import { type Fault, faultsOf, type Refusal, refusal } from '../contract/problems.ts';
import { envForWork } from '../db/databases.ts';
import type { Env } from '../env.ts';
import type { By } from '../objects/change.ts';
import type { Caller } from './authenticate.ts';
import type { FlagReader } from './flag-reader.ts';
import type { Sender } from './sender.ts';

export type Access =
  | { readonly tier: 'anyone' }
  /** The vendor's own signature, which the handler verifies over the raw bytes. */
  | { readonly tier: 'vendor' }
  | { readonly tier: 'platform' }
  /** A frontend key, or a caller who may read. */
  | { readonly tier: 'frontend' }
  /** Who sends events: their key is looked up by the call that takes what they send (sender.ts). */
  | { readonly tier: 'sender'; readonly role: 'ingest' }
  | {
      readonly tier: 'admin';
      readonly role: Role;
      readonly orInPerson?: true;
      readonly actsOnRun?: true;
    };

/** What every handler gets. */
export interface Served {
  readonly request: Request;
  readonly env: Env;
  readonly requestId: string;
  readonly params: Readonly<Record<string, string>>;
  /** What the request's log line is to tell besides: set when it is known. */
  readonly told: { tenantId?: string };
  /** Runs on after the answer. */
  defer(work: Promise<unknown>): void;
}

/** What handlers of protected routes get besides. */
export interface ServedCaller extends Served, Caller {
  readonly by: By;
}

/** Who has been let in, by tier. */
export type Admitted =
  | { caller: Caller }
  | { sender: Sender }
  | { platform: Actor }
  | { reader: FlagReader }
  | null;

/** An answer: a JSON body (with the request's id added), a whole Response, or a refusal. */
export type Answer = Response | Refusal | { readonly status?: number; readonly body: object };

/** What a route answers, for the OpenAPI document: without schema and type it has no body. */
export interface AnswerSpec {
  readonly status: number;
  readonly description: string;
  readonly schema?: z.ZodLazy;
  /** Default: application/json */
  readonly contentType?: string;
}

/** Schemas of routes are made `later`, so that a start makes none of them: docs/performance.md. */
type QuerySchema = z.ZodLazy<z.ZodObject>;

interface Common {
  readonly method: 'GET' | 'POST';
  /** itty-router's form: `/api/hooks/:tenantId/shopify` */
  readonly path: string;
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  readonly answer: AnswerSpec;
  /** Problem codes beside the usual ones of its tier. */
  readonly problems?: readonly number[];
  /** Answers that are neither the good one nor a problem: 304, or errors in a protocol's own form. */
  readonly others?: readonly AnswerSpec[];
  readonly access: Access;
  readonly query?: QuerySchema;
  readonly body?: z.ZodLazy;
  /** What is done by it is the caller's own: an `Idempotency-Key` is theirs, not their tenant's. */
  readonly perCaller?: true;
  /** The handler reads the body itself; content types that it takes, for the document. */
  readonly rawBody?: readonly string[];
}

/** A route without type parameters: `serve` parses, checks and calls the handler. */
export interface Route extends Common {
  serve(served: Served, admitted: Admitted, body: Json): Promise<Answer>;
}

type Parsed<Schema extends z.ZodType | undefined> = Schema extends z.ZodType
  ? z.output<Schema>
  : undefined;

interface Spec<Query extends QuerySchema | undefined, Body extends z.ZodLazy | undefined, Context>
  extends Common {
  readonly query?: NonNullable<Query>;
  readonly body?: NonNullable<Body>;
  /** More that is wrong with a body whose shape is wrong already: all faults come at once. */
  alsoCheck?(body: Json): Fault[];
  handle(context: Context, input: { query: Parsed<Query>; body: Parsed<Body> }): Promise<Answer>;
}

/** A route that anyone, or whoever the vendor's signature proves, may call. */
export function openRoute<
  Query extends QuerySchema | undefined = undefined,
  Body extends z.ZodLazy | undefined = undefined,
>(spec: Spec<Query, Body, Served>): Route {
  return { ...spec, serve: (served, _admitted, body) => handleParsed(spec, served, served, body) };
}

/** A route of the operator. */
export function platformRoute<
  Query extends QuerySchema | undefined = undefined,
  Body extends z.ZodLazy | undefined = undefined,
>(spec: Omit<Spec<Query, Body, Served & { by: By }>, 'access'>): Route {
  const whole = { ...spec, access: { tier: 'platform' } } as const;
  return {
    ...whole,
    async serve(served, admitted, body) {
      if (admitted === null || !('platform' in admitted)) return refusal('unauthenticated');
      const by = { actor: admitted.platform, requestId: served.requestId };
      return await handleParsed(whole, { ...served, by }, served, body);
    },
  };
}

/** A route that reads flags: who is let in comes with what may be read. */
export function flagRoute<Query extends QuerySchema | undefined = undefined>(
  spec: Omit<Spec<Query, undefined, Served & { reader: FlagReader }>, 'access' | 'body'>,
): Route {
  const whole = { ...spec, access: { tier: 'frontend' } } as const;
  return {
    ...whole,
    async serve(served, admitted, body) {
      if (admitted === null || !('reader' in admitted)) return refusal('unauthenticated');
      return await handleParsed(spec, { ...served, reader: admitted.reader }, served, body);
    },
  };
}

/** A route of senders. */
export function senderRoute(
  spec: Omit<Spec<undefined, undefined, Served & { sender: Sender }>, 'access'>,
): Route {
  const whole = { ...spec, access: { tier: 'sender', role: 'ingest' } } as const;
  return {
    ...whole,
    async serve(served, admitted, body) {
      if (admitted === null || !('sender' in admitted)) return refusal('unauthenticated');
      return await handleParsed(spec, { ...served, sender: admitted.sender }, served, body);
    },
  };
}

/** A route of a tenant's callers: the credential says which tenant, and nothing else does. */
export function tenantRoute<
  Query extends QuerySchema | undefined = undefined,
  Body extends z.ZodLazy | undefined = undefined,
>(
  spec: Omit<Spec<Query, Body, ServedCaller>, 'access'> & {
    readonly role: Role;
    /** Also a member of a lower role, who may be named or stand in for somebody: the object tells. */
    readonly orInPerson?: true;
    /** What is asked is asked of a run: the caller brings along what it may go by (`lent`). */
    readonly actsOnRun?: true;
  },
): Route {
  const { role, orInPerson, actsOnRun, ...rest } = spec;
  const access: Access = {
    tier: 'admin',
    role,
    ...(orInPerson === undefined ? {} : { orInPerson }),
    ...(actsOnRun === undefined ? {} : { actsOnRun }),
  };
  const whole = { ...rest, access };
  return {
    ...whole,
    async serve(served, admitted, body) {
      if (admitted === null || !('caller' in admitted)) return refusal('unauthenticated');
      const { caller } = admitted;
      const by = { actor: caller.actor, requestId: served.requestId };
      const env = await envForWork(served.env, caller.tenantId);
      return await handleParsed(rest, { ...served, env, ...caller, by }, served, body);
    },
  };
}

async function handleParsed<
  Query extends QuerySchema | undefined,
  Body extends z.ZodLazy | undefined,
  Context,
>(
  spec: Pick<Spec<Query, Body, Context>, 'query' | 'body' | 'alsoCheck' | 'handle'>,
  context: Context,
  { request }: Served,
  body: Json,
): Promise<Answer> {
  const given = spec.query === undefined ? {} : queryOf(request);
  const query = parseWith<Query>(spec.query, given, 'query');
  const parsed = parseWith<Body>(spec.body, body, '');
  if (!query.ok || !parsed.ok) {
    const faults = [query, parsed].flatMap((part) => (part.ok ? [] : part.faults));
    faults.push(...(spec.alsoCheck?.(body) ?? []));
    return refusal('validation_failed', 'See errors for what is wrong and where.', faults);
  }
  return await spec.handle(context, { query: query.value, body: parsed.value });
}

function parseWith<Schema extends z.ZodType | undefined>(
  schema: NonNullable<Schema> | undefined,
  value: Json,
  prefix: string,
): { ok: true; value: Parsed<Schema> } | { ok: false; faults: ReturnType<typeof faultsOf> };
function parseWith(schema: z.ZodType | undefined, value: Json, prefix: string) {
  if (schema === undefined) return { ok: true, value: undefined };
  const parsed = schema.safeParse(value);
  return parsed.success
    ? { ok: true, value: parsed.data }
    : { ok: false, faults: faultsOf(parsed.error, prefix) };
}

/** A parameter that is given twice is a list, which no schema takes: it is named as a fault. */
function queryOf(request: Request): Record<string, Json> {
  const query: Record<string, Json> = {};
  const { searchParams } = new URL(request.url);
  for (const name of new Set(searchParams.keys())) {
    const values = searchParams.getAll(name);
    query[name] = values.length === 1 ? (values[0] ?? '') : values;
  }
  return query;
}

/** `?limit=&cursor=` of every list. */
export const listQuery = () => ({
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.string().min(1).max(1_024).optional(),
});

/** A list's answer. */
export function listOf<Item extends z.ZodType>(item: Item) {
  return later(() =>
    z.object({
      items: z.array(item),
      nextCursor: z.string().nullable(),
      requestId: z.string(),
    }),
  );
}
