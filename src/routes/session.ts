/** Sign-in of a browser by API key, who is signed in, and sign-out. docs/console.md */
import * as z from 'zod';
import type { Role } from '../contract/json.ts';
import { later } from '../contract/later.ts';
import { refusal } from '../contract/problems.ts';
import { type Session, session, sessionStart } from '../contract/session.ts';
import { findTenantName } from '../db/tenants.ts';
import type { Env } from '../env.ts';
import { authenticateKey, bearerToken, type Caller } from '../http/authenticate.ts';
import { isFromOurPages, otherSite } from '../http/own-origin.ts';
import { toResponse } from '../http/respond.ts';
import { openRoute, type Route, tenantRoute } from '../http/route.ts';
import { endSession, readSession, startSession } from '../http/session.ts';
import { wrongCredential } from '../http/wrong-credentials.ts';

const TAG = 'Session';
const oneSession = later(() => z.object({ session, requestId: z.string() }));

export const sessionRoutes: readonly Route[] = [
  openRoute({
    method: 'POST',
    path: '/api/session',
    tag: TAG,
    summary: 'Sign a browser in by API key',
    description:
      'Sets a cookie (HttpOnly, SameSite=Strict, 12 hours) that holds the key, encrypted. It is a credential as the key is, but what changes anything has to come from a page of the same origin or an allowed one. It ends with its key.',
    access: { tier: 'anyone' },
    body: sessionStart,
    answer: { status: 201, description: 'Who is signed in', schema: oneSession },
    problems: [401, 403, 429],
    async handle(served, { body: { apiKey } }) {
      const { request, env, told, requestId } = served;
      // Nobody is to find themselves in someone else's account.
      if (!isFromOurPages(request, env)) return otherSite();
      const caller = await authenticateKey(apiKey, env);
      if ('ok' in caller) return await wrongCredential(served, caller);
      told.tenantId = caller.tenantId;
      if (!isReader(caller.role))
        return refusal('forbidden', 'A key of the role ingest sends events, and reads nothing.');
      const started = await startSession(request, env, apiKey);
      const body = { session: await viewOf(env, caller, started.session.expiresAt) };
      const response = toResponse({ status: 201, body }, requestId);
      response.headers.append('set-cookie', started.cookie);
      return response;
    },
  }),
  tenantRoute({
    method: 'GET',
    path: '/api/session',
    tag: TAG,
    summary: 'Who the caller is, by whichever credential',
    role: 'viewer',
    answer: { status: 200, description: 'Who is signed in', schema: oneSession },
    async handle({ request, env, ...caller }) {
      const ofBrowser = bearerToken(request) === null ? await readSession(request, env) : null;
      return { body: { session: await viewOf(env, caller, ofBrowser?.expiresAt ?? null) } };
    },
  }),
  openRoute({
    method: 'POST',
    path: '/api/session/end',
    tag: TAG,
    summary: 'Sign the browser out; saying it twice is fine',
    description: 'The cookie goes. Whoever has a copy of it is shut out by revoking the key.',
    access: { tier: 'anyone' },
    body: later(() => z.strictObject({})),
    answer: {
      status: 200,
      description: 'Signed out',
      schema: later(() => z.object({ ended: z.literal(true), requestId: z.string() })),
    },
    problems: [403],
    async handle({ request, env, requestId }) {
      if (!isFromOurPages(request, env)) return otherSite();
      const response = toResponse({ body: { ended: true } }, requestId);
      response.headers.append('set-cookie', endSession(request, env));
      return response;
    },
  }),
];

function isReader(role: Role): role is Session['role'] {
  return role !== 'ingest';
}

async function viewOf(
  env: Env,
  { tenantId, actor, role, inPerson, standsInFor }: Caller,
  expiresAt: string | null,
): Promise<Session> {
  // The read model may not have a tenant that was made a moment ago.
  const name = (await findTenantName(env.DB, tenantId)) ?? tenantId;
  return {
    tenant: { id: tenantId, name },
    actor,
    role: isReader(role) ? role : 'viewer',
    inPerson,
    standsInFor: standsInFor.map((right) => ({ id: right.actor.id, name: right.actor.name })),
    expiresAt,
  };
}
