/** People: members, their keys, and their sign-in by Cloudflare Access. */
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import type { JsonObject } from '../../../src/contract/json.ts';
import { at, faultPaths, textAt } from '../support/answers.ts';
import { newTenant, runWithStatus, send, type Tenant } from '../support/api.ts';
import { createWorkflow } from '../support/samples.ts';

const CREATE = '/api/admin/members/create';
const TEAM = 'https://team.test';
const AUDIENCE = 'the-audience';

async function addMember(tenant: Tenant, name: string, role = 'approver'): Promise<string> {
  const email = `${name}@example.com`;
  const made = await tenant.post(CREATE, { name, email, role });
  expect(made.status).toBe(201);
  return textAt(made, 'member.id');
}

async function keyOf(tenant: Tenant, memberId: string, role = 'approver'): Promise<string> {
  const body = { name: 'Theirs', role, memberId };
  return textAt(await tenant.post('/api/admin/api-keys/create', body), 'apiKey.secret');
}

/** A run that waits for two different people. */
async function waitingRun(tenant: Tenant): Promise<string> {
  await createWorkflow(tenant, {
    name: 'Gate',
    trigger: { event: 'custom.gate' },
    steps: [{ id: 'off', action: 'flag.enable', with: { key: 'f' }, approval: { approvals: 2 } }],
    enabled: true,
  });
  const sent = await tenant.events({ type: 'custom.gate', data: {} });
  const runId = textAt(sent, 'events.0.runs.0');
  await runWithStatus(tenant, runId, 'pending_approval');
  return runId;
}

describe('members', () => {
  test('are added, listed, changed and removed, each told in the audit', async () => {
    const tenant = await newTenant();
    const id = await addMember(tenant, 'ada');
    const again = { name: 'Ada again', email: 'ADA@example.com', role: 'viewer' };
    expect((await tenant.post(CREATE, again)).status).toBe(409);
    const changed = await tenant.post('/api/admin/members/update', { id, role: 'admin' });
    expect(changed.body.member).toMatchObject({ id, role: 'admin', email: 'ada@example.com' });
    await tenant.post('/api/admin/members/remove', { id });
    expect((await tenant.get('/api/admin/members')).body.items).toMatchObject([
      { id, removedAt: expect.any(String) },
    ]);
    const told = await tenant.get(`/api/admin/audit?target=${id}`);
    expect(told.body.items).toMatchObject([
      { action: 'member.removed' },
      { action: 'member.updated' },
      { action: 'member.created' },
    ]);
  });

  test('two keys of one member are one person, and keys of two are two', async () => {
    const tenant = await newTenant();
    const [ada, ben] = [await addMember(tenant, 'ada'), await addMember(tenant, 'ben')];
    const runId = await waitingRun(tenant);
    const approve = async (token: string) =>
      await send('POST', '/api/admin/workflow-runs/approve', { token, body: { runId } });
    expect((await approve(await keyOf(tenant, ada))).status).toBe(200);
    const second = await approve(await keyOf(tenant, ada));
    expect([second.status, second.body.code]).toEqual([403, 'self_approval']);
    expect(at(await approve(await keyOf(tenant, ben)), 'run.approvals.0.status')).toBe('approved');
  });

  test('a key is never worth more than its member, and ends with the membership', async () => {
    const tenant = await newTenant();
    const id = await addMember(tenant, 'vic', 'viewer');
    const token = await keyOf(tenant, id, 'admin');
    const made = await send('POST', CREATE, {
      token,
      body: { name: 'X', email: 'x@example.com', role: 'admin' },
    });
    expect(made.status).toBe(403);
    expect((await send('GET', '/api/admin/members', { token })).status).toBe(200);
    await tenant.post('/api/admin/members/remove', { id });
    expect((await send('GET', '/api/admin/members', { token })).status).toBe(401);
  });
});

describe('sign-in by Cloudflare Access', () => {
  let keys: Awaited<ReturnType<typeof generateKeyPair>>;

  /** Stands where the team's key endpoint would. */
  beforeAll(async () => {
    keys = await generateKeyPair('RS256', { extractable: true });
    const jwk = { ...(await exportJWK(keys.publicKey)), kid: 'one', alg: 'RS256', use: 'sig' };
    vi.spyOn(globalThis, 'fetch').mockImplementation(async (input) => {
      const url = input instanceof Request ? input.url : String(input);
      return url === `${TEAM}/cdn-cgi/access/certs`
        ? Response.json({ keys: [jwk] })
        : new Response('not here', { status: 404 });
    });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  async function token(claims: JWTPayload, expiresIn = '5m'): Promise<string> {
    return await new SignJWT(claims)
      .setProtectedHeader({ alg: 'RS256', kid: 'one' })
      .setIssuedAt()
      .setExpirationTime(expiresIn)
      .sign(keys.privateKey);
  }

  const good = (email: string) => ({ email, iss: TEAM, aud: [AUDIENCE] });
  const ask = async (jwt: string, headers: Record<string, string> = {}) =>
    await send('GET', '/api/admin/workflows', {
      headers: { 'cf-access-jwt-assertion': jwt, ...headers },
    });

  test('lets a member in, as the member', async () => {
    const tenant = await newTenant();
    const name = `m${crypto.randomUUID().slice(0, 8)}`;
    const id = await addMember(tenant, name, 'admin');
    const jwt = await token(good(`${name.toUpperCase()}@example.com`));
    expect((await ask(jwt)).status).toBe(200);
    const made = await send('POST', CREATE, {
      headers: { 'cf-access-jwt-assertion': jwt },
      body: { name: 'Next', email: `n-${name}@example.com`, role: 'viewer' },
    });
    expect(made.status).toBe(201);
    const told = await tenant.get(`/api/admin/audit?actor=${id}`);
    expect(told.body.items).toMatchObject([
      { action: 'member.created', actor: { type: 'member' } },
    ]);
  });

  test('a member of several tenants names one; of none, is a stranger', async () => {
    const name = `m${crypto.randomUUID().slice(0, 8)}`;
    const [one, two, other] = [await newTenant(), await newTenant(), await newTenant()];
    await addMember(one, name);
    await addMember(two, name);
    const jwt = await token(good(`${name}@example.com`));
    const unnamed = await ask(jwt);
    expect([unnamed.status, unnamed.body.code]).toEqual([400, 'tenant_needed']);
    expect((await ask(jwt, { 'x-tenant-id': two.id })).status).toBe(200);
    expect((await ask(jwt, { 'x-tenant-id': other.id })).status).toBe(401);
    expect((await ask(jwt, { 'x-tenant-id': 'no-such-tenant' })).status).toBe(401);
    expect((await ask(await token(good('nobody@example.com')))).status).toBe(401);
  });

  test('refuses what does not hold', async () => {
    const tenant = await newTenant();
    const name = `m${crypto.randomUUID().slice(0, 8)}`;
    await addMember(tenant, name, 'admin');
    const email = `${name}@example.com`;
    const strange = await generateKeyPair('RS256');
    const forged = await new SignJWT(good(email))
      .setProtectedHeader({ alg: 'RS256', kid: 'one' })
      .setIssuedAt()
      .setExpirationTime('5m')
      .sign(strange.privateKey);
    const symmetric = await new SignJWT(good(email))
      .setProtectedHeader({ alg: 'HS256', kid: 'one' })
      .setIssuedAt()
      .setExpirationTime('5m')
      .sign(new TextEncoder().encode(JSON.stringify(await exportJWK(keys.publicKey))));
    const [head, body] = (await token(good(email))).split('.');
    const refused = {
      'another audience': await token({ ...good(email), aud: ['another'] }),
      'another issuer': await token({ ...good(email), iss: 'https://evil.test' }),
      expired: await token(good(email), '-1m'),
      'no email': await token({ iss: TEAM, aud: [AUDIENCE] }),
      forged,
      symmetric,
      unsigned: `${head}.${body}.`,
      garbage: 'not.a.token',
    };
    for (const [why, jwt] of Object.entries(refused))
      expect([why, (await ask(jwt)).status]).toEqual([why, 401]);
  });
});

describe('a workflow that names who may decide', () => {
  const gate = (approval: JsonObject) => ({
    name: 'Gate',
    trigger: { event: 'custom.gate' },
    steps: [{ id: 'off', action: 'flag.enable', with: { key: 'f' }, approval }],
  });

  test('is refused when it names nobody, somebody who has left, or too few', async () => {
    const tenant = await newTenant();
    const [ada, ben] = [await addMember(tenant, 'ada'), await addMember(tenant, 'ben')];
    const save = (approval: JsonObject) =>
      tenant.post('/api/admin/workflows/create', gate(approval));
    expect((await save({ members: [ada, ben], approvals: 2 })).status).toBe(201);
    await tenant.post('/api/admin/members/remove', { id: ben });
    const refused = await save({ members: [ada, ben, 'mem_nobody'] });
    expect(refused.status).toBe(400);
    expect(faultPaths(refused)).toEqual([
      'steps.0.approval.members.1',
      'steps.0.approval.members.2',
    ]);
    expect(faultPaths(await save({ members: [ada], approvals: 2 }))).toEqual([
      'steps.0.approval.approvals',
    ]);
    const made = await save({ members: [ada] });
    const id = textAt(made, 'workflow.id');
    const changed = { id, version: 1, ...gate({ members: [ben] }) };
    expect(faultPaths(await tenant.post('/api/admin/workflows/update', changed))).toEqual([
      'steps.0.approval.members.0',
    ]);
  });
});
