/** A tenant over its limits is told so, and until when, before anything of its request is stored. */
import { env } from 'cloudflare:workers';
import { expect, test } from 'vitest';
import type { JsonObject } from '../../../src/contract/json.ts';
import { DEFAULT_LIMITS } from '../../../src/contract/limits.ts';
import { fieldsOf, listAt } from '../support/answers.ts';
import { newTenant, send, type Tenant } from '../support/api.ts';
import { createWorkflow, customEvent, flagWorkflow, orderEvent } from '../support/samples.ts';

async function limit({ id }: Tenant, limits: JsonObject) {
  const sent = { token: env.PLATFORM_TOKEN, body: { id, limits } };
  return await send('POST', '/api/platform/tenants/limits', sent);
}

function events(count: number): JsonObject[] {
  return Array.from({ length: count }, () => customEvent());
}

async function storedEvents(tenant: Tenant): Promise<number> {
  return listAt(await tenant.get('/api/admin/events?limit=200')).length;
}

test('limits are the defaults until the operator changes some, which the audit tells', async () => {
  const tenant = await newTenant();
  expect((await tenant.get('/api/admin/limits')).body.limits).toEqual(DEFAULT_LIMITS);
  const changed = await limit(tenant, { eventsPerSecond: 7 });
  expect(changed.body.limits).toEqual({ ...DEFAULT_LIMITS, eventsPerSecond: 7 });
  expect((await limit(tenant, { eventsBurst: 9 })).body.limits).toMatchObject({
    eventsPerSecond: 7,
  });
  const told = await tenant.get('/api/admin/audit?action=limits.updated');
  expect(fieldsOf(told, 'data')).toEqual([{ eventsBurst: 9 }, { eventsPerSecond: 7 }]);
});

test('a limit of a tenant that is none, and one that is no limit, are refused', async () => {
  const sent = { token: env.PLATFORM_TOKEN };
  const nobody = { id: 'no-such-tenant', limits: { eventsBurst: 1 } };
  const path = '/api/platform/tenants/limits';
  expect((await send('POST', path, { ...sent, body: nobody })).status).toBe(404);
  const tenant = await newTenant();
  const wrong: JsonObject[] = [{}, { eventsPerSecond: 0 }, { eventsPerSecond: 1.5 }, { other: 1 }];
  for (const limits of wrong) expect((await limit(tenant, limits)).status).toBe(400);
});

test('too many events get 429 with Retry-After, and nothing of the request is taken', async () => {
  const tenant = await newTenant();
  await limit(tenant, { eventsPerSecond: 1, eventsBurst: 10 });
  expect((await tenant.events(events(9))).status).toBe(202);
  const refused = await tenant.events(events(5));
  expect(refused.status).toBe(429);
  expect(refused.body.code).toBe('rate_limited');
  const wait = Number(refused.headers.get('retry-after'));
  expect(wait).toBeGreaterThanOrEqual(1);
  expect(wait).toBeLessThanOrEqual(4);
  expect(refused.body).not.toHaveProperty('retryAfterMs');
  expect(await storedEvents(tenant)).toBe(9);
  const other = await newTenant();
  expect((await other.events(events(50))).status).toBe(202);
});

test('a request larger than the burst passes once, and is paid for afterwards', async () => {
  const tenant = await newTenant();
  await limit(tenant, { eventsPerSecond: 1, eventsBurst: 10 });
  expect((await tenant.events(events(40))).status).toBe(202);
  const refused = await tenant.events(events(1));
  expect(refused.status).toBe(429);
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(20);
});

test('while too many runs have not ended, no event is taken', async () => {
  const tenant = await newTenant();
  await limit(tenant, { runsInFlight: 3 });
  await createWorkflow(tenant, flagWorkflow());
  expect((await tenant.events([orderEvent('1'), orderEvent('2'), orderEvent('3')])).status).toBe(
    202,
  );
  expect((await limit(tenant, { runsInFlight: 3 })).body.usage).toMatchObject({ runsInFlight: 3 });
  const refused = await tenant.events(events(1));
  expect(refused.status).toBe(429);
  expect(refused.headers.get('retry-after')).toBe('10');
  expect(await storedEvents(tenant)).toBe(3);
  await limit(tenant, { runsInFlight: 4 });
  expect((await tenant.events(events(1))).status).toBe(202);
});

test('decisions and settings are not held up by a tenant that has used up its events', async () => {
  const tenant = await newTenant();
  await limit(tenant, { eventsPerSecond: 1, eventsBurst: 1 });
  expect((await tenant.events(events(5))).status).toBe(202);
  expect((await tenant.events(events(1))).status).toBe(429);
  await createWorkflow(tenant, flagWorkflow());
  expect((await tenant.get('/api/admin/workflows')).status).toBe(200);
  const denied = await tenant.post('/api/admin/api-keys/create', {}, { role: 'viewer' });
  expect(denied.status).toBe(403);
});
