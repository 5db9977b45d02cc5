/** The API as a caller sees it: requests, tenants with a key for each role, waiting for an outcome. */
import { env, exports } from 'cloudflare:workers';
import { expect, vi } from 'vitest';
import type { Json, JsonObject, KeyRole, Role } from '../../../src/contract/json.ts';
import { type Answer, checkAnswer, routeOf, textAt } from './answers.ts';
import { canaries } from './canaries.ts';

const ORIGIN = 'https://api.test';

export interface Sent {
  readonly token?: string;
  /** Sent as JSON. */
  readonly body?: Json;
  /** Sent as it is, instead of `body`. */
  readonly raw?: BodyInit;
  readonly headers?: Readonly<Record<string, string>>;
}

/** One request, without any check of the answer. */
export async function fetchApi(method: string, path: string, sent: Sent = {}): Promise<Response> {
  const { token, body, raw } = sent;
  const headers = new Headers(sent.headers);
  if (token !== undefined) headers.set('authorization', `Bearer ${token}`);
  if (body !== undefined && !headers.has('content-type'))
    headers.set('content-type', 'application/json');
  const payload = body === undefined ? raw : JSON.stringify(body);
  const init = { method, headers, ...(payload === undefined ? {} : { body: payload }) };
  return await exports.default.fetch(new Request(`${ORIGIN}${path}`, init));
}

/** One request. Its answer is held against the route's schema and the documented statuses. */
export async function send(method: string, path: string, sent: Sent = {}): Promise<Answer> {
  const response = await fetchApi(method, path, sent);
  const text = await response.text();
  const isJson = /^application\/(problem\+)?json/.test(response.headers.get('content-type') ?? '');
  const body: JsonObject = isJson ? JSON.parse(text) : {};
  const answer = { status: response.status, headers: response.headers, text, body };
  canaries.note(path, JSON.stringify(sent.body ?? null), response.status, text);
  checkAnswer(routeOf(method, new URL(`${ORIGIN}${path}`).pathname), answer);
  return answer;
}

export interface Tenant {
  readonly id: string;
  /** The first admin key, and one for every other role as it is asked for. */
  key(role: KeyRole): Promise<string>;
  get(path: string, role?: Role): Promise<Answer>;
  post(path: string, body: Json, more?: Omit<Sent, 'body'> & { role?: Role }): Promise<Answer>;
  /** Sends events (an object or an array) with a key of the role `ingest`. */
  events(body: Json): Promise<Answer>;
}

let tenants = 0;

/** A tenant of its own, so that tests share nothing. */
export async function newTenant(): Promise<Tenant> {
  tenants += 1;
  const id = `t${tenants}-${crypto.randomUUID().slice(0, 8)}`;
  const made = await send('POST', '/api/platform/tenants/create', {
    token: env.PLATFORM_TOKEN,
    body: { id, name: `Tenant ${tenants}` },
  });
  expect(made.status).toBe(201);
  const keys = new Map<KeyRole, string>([['admin', textAt(made, 'apiKey.secret')]]);
  const key = async (role: KeyRole) => {
    const known = keys.get(role);
    if (known !== undefined) return known;
    const { secret } = await newKey(keys.get('admin') ?? '', role);
    keys.set(role, secret);
    return secret;
  };
  return {
    id,
    key,
    get: async (path, role = 'viewer') => await send('GET', path, { token: await key(role) }),
    post: async (path, body, { role = 'admin', ...more } = {}) =>
      await send('POST', path, { token: await key(role), body, ...more }),
    events: async (body) => await send('POST', '/api/events', { token: await key('ingest'), body }),
  };
}

/** A further key of a role. */
export async function newKey(
  adminKey: string,
  role: KeyRole,
): Promise<{ id: string; secret: string }> {
  const body = { name: `A ${role}`, role };
  const made = await send('POST', '/api/admin/api-keys/create', { token: adminKey, body });
  expect(made.status).toBe(201);
  return { id: textAt(made, 'apiKey.id'), secret: textAt(made, 'apiKey.secret') };
}

/** Asks until the answer is as wanted, for at most ten seconds; fails with what differs. */
export async function eventually(
  ask: () => Promise<Answer>,
  wanted: (answer: Answer) => void,
): Promise<Answer> {
  return await vi.waitFor(
    async () => {
      const answer = await ask();
      wanted(answer);
      return answer;
    },
    { timeout: 10_000, interval: 25 },
  );
}

/** The run, once it has a status; its timeline is complete up to there. */
export async function runWithStatus(tenant: Tenant, id: string, status: string): Promise<Answer> {
  return await eventually(
    () => tenant.get(`/api/admin/workflow-runs/get?id=${id}`),
    (answer) => expect(textAt(answer, 'run.status')).toBe(status),
  );
}
