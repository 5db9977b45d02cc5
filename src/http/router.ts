/**
 * Every request's way: request id, CORS, route, credential, body, idempotency, handler, answer, one
 * log line. Routes come as a table; nothing about a single one of them is known here.
 */
import { type IRequest, Router } from 'itty-router';
import type { IncomingEvent } from '../contract/events.ts';
import { type Refusal, refusal } from '../contract/problems.ts';
import type { Env } from '../env.ts';
import { log, logError } from '../log.ts';
import { SYSTEM } from '../objects/audit-facts.ts';
import { tenantObject } from '../objects/index.ts';
import {
  authenticateCaller,
  authenticatePlatform,
  type Caller,
  recogniseCaller,
  type TurnedAway,
  withRole,
} from './authenticate.ts';
import { parseJson, readJsonBytes } from './body.ts';
import { consoleFile } from './console-files.ts';
import { corsHeaders, preflight } from './cors.ts';
import { admitFlagReader, type FlagReader } from './flag-reader.ts';
import { onceForKey } from './idempotent.ts';
import { loggedPath } from './logged-path.ts';
import { refusalFor } from './passing.ts';
import { finish, toResponse } from './respond.ts';
import type { Admitted, Answer, Route, Served } from './route.ts';
import { wrongCredential } from './wrong-credentials.ts';

const REQUEST_ID = /^[A-Za-z0-9._-]{1,128}$/;

type Handler = (request: Request, env: Env, ctx: ExecutionContext) => Promise<Response>;

/** A fetch handler for a table of routes. */
export function serveRoutes(routes: readonly Route[]): Handler {
  const router = Router<IRequest, [Served], Answer>();
  for (const route of routes) {
    const handler = async ({ params }: IRequest, served: Served) =>
      await serveRoute(route, { ...served, params: decoded(params) });
    if (route.method === 'GET') router.get(route.path, handler);
    else router.post(route.path, handler);
  }
  const paths = [...router.routes];
  router.all('*', async ({ url }, { requestId }) => {
    const { pathname } = new URL(url);
    const [, , , path] = paths.find(([, pattern]) => pattern.test(pathname)) ?? [];
    const there = routes.filter((route) => route.path === path);
    return there.length === 0 ? undefined : methodNotAllowed(there, requestId);
  });
  return async (request, env, ctx) => await serveRequest(router, request, env, ctx);
}

/** Of a request it needs no more, and notes there what it found. */
interface Routing {
  fetch(request: { method: string; url: string }, served: Served): Promise<Answer | undefined>;
}

async function serveRequest(
  router: Routing,
  request: Request,
  env: Env,
  ctx: ExecutionContext,
): Promise<Response> {
  const begun = Date.now();
  const given = request.headers.get('x-request-id') ?? '';
  const requestId = REQUEST_ID.test(given) ? given : crypto.randomUUID();
  const cors = corsHeaders(request, env.ALLOWED_ORIGINS);
  const defer = (work: Promise<unknown>) => ctx.waitUntil(work);
  const { method, url } = request;
  const path = loggedPath(url);
  const told: Served['told'] = {};
  let answer: Answer;
  try {
    const served = { request, env, requestId, params: {}, told, defer };
    // A HEAD is answered by the route of the GET. Every pattern is one that a start has to make.
    const asked = method === 'HEAD' ? 'GET' : method;
    answer =
      method === 'OPTIONS'
        ? preflight(cors)
        : ((await router.fetch({ method: asked, url }, served)) ??
          (await consoleFile(request, env)) ??
          refusal('not_found', 'There is no such route.'));
  } catch (error) {
    logError({ what: 'request_failed', requestId, ...told, method, path }, error);
    answer = refusalFor(error);
  }
  const headOnly = method === 'HEAD';
  const response = finish(answer, { requestId, cors, headOnly, environment: env.ENVIRONMENT });
  const { status } = response;
  const ms = Date.now() - begun;
  log({ what: 'request', requestId, ...told, method, path, status, ms });
  return response;
}

async function serveRoute(route: Route, served: Served): Promise<Answer> {
  const { requestId, defer, env } = served;
  const admitted = await admit(route, served);
  if (admitted !== null && 'ok' in admitted) return await turnedAway(route, served, admitted);
  const caller = admitted !== null && 'caller' in admitted ? admitted.caller : null;
  const tenantId = caller?.tenantId ?? readerOf(admitted)?.tenantId;
  if (tenantId !== undefined) served.told.tenantId = tenantId;
  const answer = await serveBody(route, served, admitted, caller);
  // Who sends is told by the call that takes what they send.
  if (route.access.tier === 'sender' && !(answer instanceof Response) && 'ok' in answer)
    return await turnedAway(route, served, answer);
  if (
    !(answer instanceof Response) &&
    'ok' in answer &&
    answer.code === 'forbidden' &&
    caller !== null
  )
    defer(reportDenied(env, caller, route, requestId));
  return answer;
}

async function turnedAway(
  route: Route,
  served: Served,
  { denied, ...refused }: TurnedAway,
): Promise<Refusal> {
  if (refused.code === 'unauthenticated') return await wrongCredential(served, refused);
  if (denied !== undefined) {
    served.told.tenantId = denied.tenantId;
    served.defer(reportDenied(served.env, denied, route, served.requestId));
  }
  return refused;
}

async function admit({ access }: Route, { request, env }: Served): Promise<Admitted | TurnedAway> {
  if (access.tier === 'anyone' || access.tier === 'vendor') return null;
  if (access.tier === 'platform') {
    const platform = await authenticatePlatform(request, env);
    return 'ok' in platform ? platform : { platform };
  }
  if (access.tier === 'frontend') {
    const reader = await admitFlagReader(request, env);
    return 'ok' in reader ? reader : { reader };
  }
  if (access.tier === 'sender') {
    const sender = await recogniseCaller(request, env);
    return 'ok' in sender ? sender : { sender };
  }
  const found = await authenticateCaller(request, env, access.actsOnRun);
  const caller = 'ok' in found ? found : withRole(found, access.role, access.orInPerson);
  return 'ok' in caller ? caller : { caller };
}

function readerOf(admitted: Admitted): FlagReader | null {
  return admitted !== null && 'reader' in admitted ? admitted.reader : null;
}

async function serveBody(
  route: Route,
  served: Served,
  admitted: Admitted,
  caller: Caller | null,
): Promise<Answer> {
  const { request, env, requestId } = served;
  if (route.body === undefined) return await route.serve(served, admitted, null);
  const bytes = await readJsonBytes(request);
  if ('ok' in bytes) return bytes;
  const parsed = parseJson(bytes);
  if (!parsed.ok) return parsed;
  const serve = async () => await route.serve(served, admitted, parsed.value);
  const key = request.headers.get('idempotency-key');
  if (key === null || caller === null || route.access.tier !== 'admin') return await serve();
  const { tenantId } = caller;
  const owner = route.perCaller === true ? caller.actor.id : null;
  const keyed = { env, tenantId, requestId, key, owner, path: route.path, body: bytes };
  return await onceForKey(keyed, async () => toResponse(await serve(), requestId));
}

/** A denial is an event of its tenant, so that a workflow can tell someone; a storm of them is cut off. */
async function reportDenied(
  env: Env,
  { tenantId, actor: { type, id } }: Caller,
  { method, path }: Route,
  requestId: string,
): Promise<void> {
  const event: IncomingEvent = {
    id: undefined,
    source: '/authz',
    type: 'authz.denied',
    time: undefined,
    subject: undefined,
    correlationId: undefined,
    extensions: {},
    data: { actor: { type, id }, action: `${method} ${path}` },
  };
  await tenantObject(env, tenantId).takeDenied(event, { actor: SYSTEM, requestId });
}

function methodNotAllowed(routes: readonly Route[], requestId: string): Response {
  const allow = routes.flatMap(({ method }) => (method === 'GET' ? ['GET', 'HEAD'] : [method]));
  const detail = `Use ${allow.join(' or ')}.`;
  const response = toResponse(refusal('method_not_allowed', detail), requestId);
  response.headers.set('allow', [...allow, 'OPTIONS'].join(', '));
  return response;
}

function decoded(params: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(params).map(([name, value]) => {
      try {
        return [name, decodeURIComponent(value)];
      } catch {
        return [name, value];
      }
    }),
  );
}
