/** Flags over HTTP: what a page evaluates with a key that anyone can see, and what admins do by hand. */
import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { describe, expect, test } from 'vitest';
import * as z from 'zod';
import type { Json } from '../../../src/contract/json.ts';
import type { Env } from '../../../src/env.ts';
import { FLAGS_MAX } from '../../../src/ports/flags.ts';
import worker from '../../../src/worker.ts';
import { type Answer, at, faultPaths, listAt, textAt } from '../support/answers.ts';
import { eventually, newKey, newTenant, runWithStatus, send, type Tenant } from '../support/api.ts';
import { createWorkflow, flagWorkflow, startRun, tagWorkflow } from '../support/samples.ts';

const FLAGS = '/api/flags';
const SET = '/api/admin/flags/set';
const HISTORY = '/api/admin/flags/history';
const PAGE_ORIGIN = 'https://console.test';

async function tenantWith(flags: Readonly<Record<string, boolean>>): Promise<Tenant> {
  const tenant = await newTenant();
  for (const [key, enabled] of Object.entries(flags)) await set(tenant, key, enabled);
  return tenant;
}

async function set(tenant: Tenant, key: string, enabled: boolean, more: object = {}) {
  return await tenant.post(SET, JSON.parse(JSON.stringify({ key, enabled, ...more })));
}

async function read(tenant: Tenant, query = '', headers: Record<string, string> = {}) {
  return await send('GET', FLAGS + query, { token: await tenant.key('frontend'), headers });
}

async function changedEvents(tenant: Tenant): Promise<readonly Json[]> {
  return listAt(await tenant.get('/api/admin/events?type=flags.changed'));
}

async function audited(tenant: Tenant): Promise<readonly Json[]> {
  return listAt(await tenant.get('/api/admin/audit?action=flag.set'));
}

/** A request to the Worker with bindings of the test's own. */
async function fetchWith(bindings: Env, path: string, token: string): Promise<Response> {
  const headers = { authorization: `Bearer ${token}` };
  const ctx = createExecutionContext();
  const request = new Request<unknown, IncomingRequestCfProperties>(`https://api.test${path}`, {
    headers,
  });
  const response = await worker.fetch(request, bindings, ctx);
  await waitOnExecutionContext(ctx);
  return response;
}

/** Objects that nobody may wake. */
function asleep(): Pick<Env, 'TENANTS' | 'RUNS'> {
  const refuse = (): never => {
    throw new Error('an object was woken');
  };
  return {
    TENANTS: new Proxy(env.TENANTS, { get: refuse }),
    RUNS: new Proxy(env.RUNS, { get: refuse }),
  };
}

/** The database, with each statement that is prepared written down. */
function watched(): { DB: D1Database; statements: string[] } {
  const statements: string[] = [];
  const prepare = (sql: string) => {
    statements.push(sql);
    return env.DB.prepare(sql);
  };
  const DB = new Proxy(env.DB, {
    get: (db, name) => (name === 'prepare' ? prepare : Reflect.get(db, name)),
  });
  return { DB, statements };
}

describe('a page with a frontend key', () => {
  test('reads every flag as a small object; one that was never set is off', async () => {
    const tenant = await tenantWith({ sale: true, beta: false });
    expect((await read(tenant)).body).toEqual({ flags: { beta: false, sale: true } });
    expect((await read(tenant, '?key=sale')).body).toEqual({ flags: { sale: true } });
    expect((await read(tenant, '?key=never')).body).toEqual({ flags: { never: false } });
    expect((await read(await newTenant())).body).toEqual({ flags: {} });
    const odd = await tenantWith({ constructor: true });
    expect((await read(odd)).text).toBe('{"flags":{"constructor":true}}');
    expect((await read(odd, '?key=toString')).body).toEqual({ flags: { toString: false } });
  });

  test('may keep the answer for a while, and asks anew by its ETag', async () => {
    const tenant = await tenantWith({ sale: true });
    const first = await read(tenant);
    const etag = first.headers.get('etag') ?? '';
    expect(etag).toMatch(/^"[0-9a-f]{32}"$/);
    const cached = 'private, max-age=10, stale-while-revalidate=50';
    expect(first.headers.get('cache-control')).toBe(cached);
    expect(first.headers.get('vary')).toBe('Authorization, Origin');
    for (const given of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
      const again = await read(tenant, '', { 'if-none-match': given });
      expect(again.status, given).toBe(304);
      expect(again.text).toBe('');
      expect(again.headers.get('etag')).toBe(etag);
      expect(again.headers.get('cache-control')).toBe(cached);
      expect(again.headers.get('vary')).toBe('Authorization, Origin');
    }
    for (const given of ['', '"other"', etag.replaceAll('"', '')])
      expect((await read(tenant, '', { 'if-none-match': given })).status, given).toBe(200);
    await set(tenant, 'sale', false);
    const changed = await read(tenant, '', { 'if-none-match': etag });
    expect(changed.body).toEqual({ flags: { sale: false } });
    await set(tenant, 'sale', true);
    expect((await read(tenant, '', { 'if-none-match': etag })).status).toBe(304);
  });

  test('on an allowed origin may ask, see the ETag, and no page elsewhere may', async () => {
    const tenant = await tenantWith({ sale: true });
    const { headers } = await read(tenant, '', { origin: PAGE_ORIGIN });
    expect(headers.get('access-control-allow-origin')).toBe(PAGE_ORIGIN);
    expect(headers.get('access-control-expose-headers')).toContain('etag');
    const other = await read(tenant, '', { origin: 'https://other.test' });
    expect(other.headers.get('access-control-allow-origin')).toBeNull();
  });

  test('costs one statement that finds its rows by index, and wakes no object', async () => {
    const tenant = await tenantWith({ sale: true, beta: false });
    const token = await tenant.key('frontend');
    const { DB, statements } = watched();
    const response = await fetchWith({ ...env, ...asleep(), DB }, FLAGS, token);
    expect(await response.json()).toEqual({ flags: { beta: false, sale: true } });
    expect(statements).toHaveLength(1);
    const [statement = ''] = statements;
    const plan = await env.DB.prepare(`EXPLAIN QUERY PLAN ${statement}`).bind('t', 'd').all();
    const steps = z.array(z.object({ detail: z.string() })).parse(plan.results);
    const scans = steps.filter(({ detail }) => detail.startsWith('SCAN'));
    expect(scans.map(({ detail }) => detail)).toEqual([
      expect.stringMatching(/SUBQUERY|\(subquery/i),
    ]);
    const find = 'SELECT digest FROM frontend_keys WHERE tenant_id = ?';
    const digest = await env.DB.prepare(find).bind(tenant.id).first('digest');
    const { meta } = await env.DB.prepare(statement).bind(tenant.id, digest).all();
    // The key, the tenant, and each flag.
    expect(meta.rows_read).toBe(4);
  });

  test('may do nothing else, and being turned away wakes nobody and is told to nobody', async () => {
    const tenant = await newTenant();
    const token = await tenant.key('frontend');
    for (const path of ['/api/admin/flags', '/api/admin/workflows', '/api/admin/api-keys']) {
      const response = await fetchWith({ ...env, ...asleep() }, path, token);
      expect(response.status, path).toBe(401);
    }
    const sent = await send('POST', '/api/events', { token, body: { type: 'custom.a', data: {} } });
    expect(sent.status).toBe(401);
    expect(sent.text).toContain('reads flags, and nothing else');
    expect(listAt(await tenant.get('/api/admin/events'))).toEqual([]);
  });

  test('is refused from the moment on in which its key is revoked, by one read', async () => {
    const tenant = await tenantWith({ sale: true });
    const { id, secret } = await newKey(await tenant.key('admin'), 'frontend');
    expect((await send('GET', FLAGS, { token: secret })).status).toBe(200);
    await tenant.post('/api/admin/api-keys/revoke', { id });
    const response = await fetchWith({ ...env, ...asleep() }, FLAGS, secret);
    expect(response.status).toBe(401);
    expect(response.headers.get('cache-control')).toBe('no-store');
  });

  test('is known while the read model does not have its key yet: the tenant has', async () => {
    const tenant = await tenantWith({ sale: true });
    const token = await tenant.key('frontend');
    await env.DB.prepare('DELETE FROM frontend_keys WHERE tenant_id = ?').bind(tenant.id).run();
    expect((await send('GET', FLAGS, { token })).body).toEqual({ flags: { sale: true } });
  });

  test('sees its own tenant’s flags, whatever else it says', async () => {
    const [mine, theirs] = [await tenantWith({ a: true }), await tenantWith({ b: true })];
    const answer = await read(mine, '', { 'x-tenant-id': theirs.id });
    expect(answer.body).toEqual({ flags: { a: true } });
    expect(faultPaths(await read(mine, `?tenantId=${theirs.id}`))).toEqual(['query.tenantId']);
  });
});

test('keys that may read may evaluate as well; the key of a sender may not', async () => {
  const tenant = await tenantWith({ sale: true });
  for (const role of ['viewer', 'approver', 'admin'] as const)
    expect((await tenant.get(FLAGS, role)).body).toEqual({ flags: { sale: true } });
  expect((await tenant.get(FLAGS, 'ingest')).status).toBe(403);
});

test('a frontend key is nobody’s, begins so that it is told from a secret, and has no last use', async () => {
  const tenant = await newTenant();
  const secret = await tenant.key('frontend');
  expect(secret).toMatch(new RegExp(`^sbf_${tenant.id}_[0-9a-f]{64}$`));
  const body = { name: 'Page', role: 'frontend', memberId: 'mem_1' };
  const refused = await tenant.post('/api/admin/api-keys/create', body);
  expect(faultPaths(refused)).toEqual(['memberId']);
  await read(tenant);
  const keys = await tenant.get('/api/admin/api-keys', 'admin');
  expect(listAt(keys)).toContainEqual(
    expect.objectContaining({ role: 'frontend', lastUsedAt: null, memberId: null }),
  );
});

describe('setting a flag by hand', () => {
  test('is told in the audit and causes an event, as the actions do', async () => {
    const tenant = await newTenant();
    const requestId = 'by-hand-1';
    const answer = await tenant.post(
      SET,
      { key: 'sale', enabled: true, comment: 'Black Friday' },
      { headers: { 'x-request-id': requestId } },
    );
    expect(answer.status, answer.text).toBe(200);
    const flag = { key: 'sale', enabled: true, previous: false, changed: true };
    expect(answer.body).toEqual({ flag, requestId });
    expect((await read(tenant)).body).toEqual({ flags: { sale: true } });
    expect(await audited(tenant)).toMatchObject([
      {
        actor: { type: 'api_key', name: 'First admin key' },
        target: { type: 'flag', id: expect.stringMatching(/^flag_[0-9a-f]{32}$/) },
        requestId,
        data: { key: 'sale', enabled: true, previous: false, comment: 'Black Friday' },
      },
    ]);
    expect(await changedEvents(tenant)).toMatchObject([
      {
        source: '/flags',
        correlationId: requestId,
        data: { flag: { key: 'sale', enabled: true }, previous: false },
      },
    ]);
  });

  test('starts the workflows that wait for it', async () => {
    const tenant = await newTenant();
    await createWorkflow(tenant, tagWorkflow({ trigger: { event: 'flags.changed' }, steps: TAGS }));
    await set(tenant, 'sale', true);
    const events = await tenant.get('/api/admin/events?type=flags.changed');
    await runWithStatus(tenant, textAt(events, 'items.0.runs.0'), 'succeeded');
  });

  test('to what it is already changes nothing, and nobody is told', async () => {
    const tenant = await tenantWith({ sale: true });
    const flag = { key: 'sale', enabled: true, previous: true, changed: false };
    expect((await set(tenant, 'sale', true)).body).toMatchObject({ flag });
    const off = { key: 'new', enabled: false, previous: false, changed: false };
    expect((await set(tenant, 'new', false)).body).toMatchObject({ flag: off });
    expect(await audited(tenant)).toHaveLength(1);
    expect(await changedEvents(tenant)).toHaveLength(1);
    expect((await read(tenant)).body).toEqual({ flags: { new: false, sale: true } });
  });

  test('takes an admin, and a flag’s name', async () => {
    const tenant = await newTenant();
    const body = { key: 'sale', enabled: true };
    expect((await tenant.post(SET, body, { role: 'approver' })).status).toBe(403);
    for (const key of ['', 'a b', 'ü', 'a/b', '__proto__', 'x'.repeat(101)])
      expect(faultPaths(await set(tenant, key, true)), key).toEqual(['key']);
  });

  test('under one Idempotency-Key is done once', async () => {
    const tenant = await newTenant();
    const twice = async () =>
      await tenant.post(
        SET,
        { key: 'sale', enabled: true },
        { headers: { 'idempotency-key': 'once' } },
      );
    const first = await twice();
    await set(tenant, 'sale', false);
    expect((await twice()).body).toEqual(first.body);
    expect((await read(tenant)).body).toEqual({ flags: { sale: false } });
  });

  test('ends where there would be too many to load', async () => {
    const tenant = await tenantWith({ known: true });
    await env.DB.prepare(
      `INSERT INTO flags (tenant_id, key, enabled, version, updated_at)
       SELECT ?1, 'f' || value, 0, 0, '' FROM json_each(?2)`,
    )
      .bind(tenant.id, JSON.stringify(Array.from({ length: FLAGS_MAX - 1 }, (_, i) => i)))
      .run();
    for (const enabled of [true, false]) {
      const full = await set(tenant, 'one-more', enabled);
      expect(full.status, full.text).toBe(422);
      expect(full.body.code).toBe('limit_reached');
    }
    expect((await set(tenant, 'f7', true)).status).toBe(200);
    expect((await set(tenant, 'known', false)).status).toBe(200);
  });
});

const TAGS = [{ id: 'tag', action: 'tag.order', with: { orderId: '1', tag: 'seen' } }];

describe('the history', () => {
  test('says which step of which run of which workflow, or who by hand, when, from what to what', async () => {
    const tenant = await newTenant();
    const actions = { 'flag.enable': { required: false } };
    await tenant.post('/api/admin/approval-policy/update', { actions });
    const workflowId = await createWorkflow(tenant, flagWorkflow());
    const runId = await startRun(tenant);
    await runWithStatus(tenant, runId, 'succeeded');
    await set(tenant, 'sale', false, { comment: 'Over' });
    const answer = await tenant.get(HISTORY);
    const kept = { key: 'sale', service: 'signalbox' };
    expect(listAt(answer)).toMatchObject([
      { ...kept, from: true, to: false, run: null, actor: { type: 'api_key' }, comment: 'Over' },
      {
        ...kept,
        from: false,
        to: true,
        actor: null,
        comment: null,
        run: {
          id: runId,
          stepId: 'on',
          workflowId,
          workflowName: 'Switch a flag',
          workflowVersion: 1,
        },
      },
    ]);
  });

  test('comes by pages, of one flag or of all, newest first, and of one tenant', async () => {
    const tenant = await newTenant();
    const other = await tenantWith({ a: true });
    for (const enabled of [true, false, true])
      for (const key of ['a', 'b']) await set(tenant, key, enabled);
    const pagesOf = async (query: string): Promise<Json[]> => {
      const items: Json[] = [];
      for (let cursor: Json | undefined = ''; typeof cursor === 'string'; ) {
        const more = cursor === '' ? '' : `&cursor=${cursor}`;
        const page: Answer = await tenant.get(`${HISTORY}?limit=2${query}${more}`);
        items.push(...listAt(page));
        cursor = at(page, 'nextCursor');
      }
      return items;
    };
    const all = await pagesOf('');
    const shown = z.array(z.object({ key: z.string(), to: z.boolean(), at: z.string() }));
    const changes = shown.parse(all);
    expect(changes).toHaveLength(6);
    expect(changes.map(({ at: time }) => time)).toEqual(
      changes
        .map(({ at: time }) => time)
        .toSorted()
        .toReversed(),
    );
    expect(shown.parse(await pagesOf('&key=b')).map(({ to }) => to)).toEqual([true, false, true]);
    expect(await pagesOf('&key=c')).toEqual([]);
    expect(listAt(await other.get(HISTORY))).toHaveLength(1);
  });
});

describe('flags that a service keeps', () => {
  const unleash = {
    kind: 'flags',
    service: 'unleash',
    url: 'https://unleash.example.com',
    environment: 'production',
    apiToken: '*:*.0123456789abcdef',
  };

  test('are evaluated there, and here again once it is disconnected', async () => {
    const tenant = await tenantWith({ sale: true });
    await tenant.post('/api/admin/connections/set', unleash);
    const refused = await read(tenant);
    expect(refused.status).toBe(409);
    expect(refused.text).toContain('kept by unleash');
    expect((await tenant.get(FLAGS)).status).toBe(409);
    await tenant.post('/api/admin/connections/remove', { kind: 'flags' });
    expect((await read(tenant)).body).toEqual({ flags: { sale: true } });
  });

  test.each([
    ['an address of this network', 'https://10.0.0.1', 'url'],
    ['a name of this network', 'https://unleash.internal', 'url'],
    ['a password in it', 'https://a:b@unleash.example.com', 'url'],
    ['no URL', 'unleash', 'url'],
  ])('are not looked for at %s', async (_what, url, path) => {
    const tenant = await newTenant();
    const answer = await tenant.post('/api/admin/connections/set', { ...unleash, url });
    expect(answer.status).toBe(400);
    expect(faultPaths(answer)).toEqual([path]);
  });

  test('are told of like any connection: what is secret is not shown', async () => {
    const tenant = await newTenant();
    const { text, body } = await tenant.post('/api/admin/connections/set', unleash);
    expect(body.connection).toMatchObject({
      kind: 'flags',
      settings: { service: 'unleash', url: unleash.url, environment: 'production' },
      secrets: ['apiToken'],
    });
    expect(text).not.toContain(unleash.apiToken);
  });
});

test('a workflow’s change is seen by a page at its next request', async () => {
  const tenant = await newTenant();
  const actions = { 'flag.enable': { required: false } };
  await tenant.post('/api/admin/approval-policy/update', { actions });
  await createWorkflow(tenant, flagWorkflow());
  await startRun(tenant);
  await eventually(
    () => read(tenant),
    ({ body }) => expect(body).toEqual({ flags: { sale: true } }),
  );
});
