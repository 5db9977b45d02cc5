import { env } from 'cloudflare:workers';
import { afterEach, expect, test, vi } from 'vitest';
import page from '../../../docs/audit-format.md?raw';
import { AUDIT_ACTIONS, type AuditEntry } from '../../../src/contract/audit.ts';
import type { Json, JsonObject } from '../../../src/contract/json.ts';
import { tenantObject } from '../../../src/objects/index.ts';
import { resealTenants } from '../../../src/objects/resealing.ts';
import { answer } from '../../fixtures/receiver/script.ts';
import { addPerson, linkOf, type Person, submit } from '../notices/support.ts';
import { passTime, ring } from '../objects/support/disturb.ts';
import { textAt } from '../support/answers.ts';
import { newTenant, runWithStatus, send, type Tenant } from '../support/api.ts';
import { tamperWith } from '../support/journal.ts';
import { openAddress } from '../support/real-receiver.ts';
import { createWorkflow, flagWorkflow, tagWorkflow } from '../support/samples.ts';
import { exported, exportLines, signed, verdictOn } from './support.ts';

const HALF_HOUR_MS = 1_800_000;
const PLATFORM = { token: env.PLATFORM_TOKEN };

afterEach(() => {
  vi.useRealTimers();
});

async function did(answered: Promise<{ status: number; text: string }>): Promise<void> {
  const { status, text } = await answered;
  expect([200, 201, 202], text).toContain(status);
}

/** A run that waits for an approval of a flag. */
async function waiting(tenant: Tenant, key: string): Promise<string> {
  const sent = await tenant.events({ type: 'custom.ask', data: { key } });
  const runId = textAt(sent, 'events.0.runs.0');
  await runWithStatus(tenant, runId, 'pending_approval');
  return runId;
}

async function by(person: Person, route: string, body: JsonObject): Promise<void> {
  await did(send('POST', `/api/admin/${route}`, { token: person.key, body }));
}

const NEW_KEY = {
  SEAL_KEY: 'the-next-seal-key-0123456789abcdef0123456',
  SEAL_KEYS_RETIRED: env.SEAL_KEY,
};
const OPERATOR = {
  actor: { type: 'platform', id: 'platform', name: 'Platform operator' },
  requestId: 'r',
} as const;

/** One is away and back; and somebody else has her link. */
async function delegate(tenant: Tenant, ann: Person, bob: Person): Promise<void> {
  const until = new Date(Date.now() + HALF_HOUR_MS).toISOString();
  await by(ann, 'members/delegate', { to: bob.id, until, comment: 'away' });
  await by(ann, 'members/undelegate', {});
  const runId = await waiting(tenant, 'linked');
  const link = await linkOf({ tenant, people: { ann, bob }, runId }, 'ann');
  const wrong = await submit(link, { decision: 'approved', email: bob.email, comment: '' });
  expect(wrong.status).toBe(403);
  await by(ann, 'workflow-runs/deny', { runId, comment: 'no' });
}

/** Members, keys, connections, limits and workflows: made, changed, taken away. */
async function changeSettings(tenant: Tenant): Promise<void> {
  const post = (path: string, body: Json) => did(tenant.post(`/api/admin/${path}`, body));
  const zoe = await addPerson(tenant, 'zoe', 'viewer');
  await post('members/update', { id: zoe.id, role: 'approver' });
  const key = await tenant.post('/api/admin/api-keys/create', { name: 'Brief', role: 'viewer' });
  await post('api-keys/revoke', { id: textAt(key, 'apiKey.id') });
  await post('members/remove', { id: zoe.id });
  await post('privacy/erase', { memberId: zoe.id, reason: 'left' });
  await post('connections/rotate', { kind: 'webhook' });
  await post('connections/set', { kind: 'stripe', webhookSecret: 'whsec_of_stripe_0123456789' });
  await post('connections/remove', { kind: 'stripe' });
  const { url } = await openAddress();
  await post('connections/test', { kind: 'webhook', url });
  await resealTenants({ ...env, ...NEW_KEY }, [tenant.id], OPERATOR);
  await resealTenants({ ...env, SEAL_KEYS_RETIRED: NEW_KEY.SEAL_KEY }, [tenant.id], OPERATOR);
  await post('flags/set', { key: 'by-hand', enabled: true });
  const limits = { id: tenant.id, limits: { eventsPerSecond: 50 } };
  await did(send('POST', '/api/platform/tenants/limits', { ...PLATFORM, body: limits }));
  const id = await createWorkflow(tenant, tagWorkflow({ enabled: false }));
  await post('workflows/enable', { id });
  await post('workflows/disable', { id });
  const { enabled: _, ...definition } = tagWorkflow();
  await post('workflows/update', { id, version: 1, ...definition });
}

/** Something is kept for so many days, and one thing is older. */
async function grow(tenant: Tenant): Promise<void> {
  await did(tenant.post('/api/admin/retention/update', { runsDays: 30 }));
  await env.DB.prepare(
    `INSERT INTO deliveries (tenant_id, id, run_id, step_id, attempt, webhook_id, destination,
       started_at, duration_ms) VALUES (?, 'dlv_01', 'run_gone', 's', 1, 'w', 'd', '2000', 1)`,
  )
    .bind(tenant.id)
    .run();
  while (await tenantObject(env, tenant.id).removeOld());
}

/** Every way in which an approval goes, and one that is tampered with. */
async function decide(tenant: Tenant, ann: Person, bob: Person): Promise<void> {
  const steps = [{ id: 'on', action: 'flag.enable', with: { key: '{{ event.data.key }}' } }];
  await createWorkflow(tenant, flagWorkflow({ trigger: { event: 'custom.ask' }, steps }));
  const off = { id: 'off', action: 'flag.disable', with: { key: '{{ event.data.flag.key }}' } };
  const onChange = { trigger: { event: 'flags.changed' }, steps: [off] };
  await createWorkflow(tenant, flagWorkflow({ name: 'Never on', ...onChange }));
  await delegate(tenant, ann, bob);
  const approved = await waiting(tenant, 'one');
  await by(bob, 'approvals/view', { runId: approved });
  await by(bob, 'workflow-runs/edit', { runId: approved, input: { key: 'two' } });
  await by(ann, 'workflow-runs/approve', { runId: approved });
  await runWithStatus(tenant, approved, 'succeeded');
  await by(ann, 'workflow-runs/deny', { runId: await waiting(tenant, 'three'), comment: 'no' });
  const overridden = await waiting(tenant, 'four');
  await by(ann, 'workflow-runs/override', { runId: overridden, comment: 'now' });
  await by(ann, 'workflow-runs/cancel', { runId: await waiting(tenant, 'five') });
  const tampered = await waiting(tenant, 'harmless');
  await tamperWith(tenant.id, tampered, (part) => ({
    ...part,
    entries: part.entries.replaceAll('harmless', 'x'),
  }));
  await by(ann, 'workflow-runs/approve', { runId: tampered });
  await runWithStatus(tenant, tampered, 'failed');
  const late = await waiting(tenant, 'six');
  for (const status of ['pending_approval', 'pending_approval', 'pending_approval', 'expired']) {
    passTime(HALF_HOUR_MS + 1_000);
    await ring(tenant.id, late);
    await runWithStatus(tenant, late, status);
  }
  vi.useRealTimers();
}

/** A budget that is spent, an export, a destination, a message that is sent once more. */
async function useActions(tenant: Tenant, ann: Person): Promise<void> {
  const steps = [{ id: 'out', action: 'export.orders', with: { format: 'csv' } }];
  await createWorkflow(tenant, tagWorkflow({ trigger: { event: 'custom.export' }, steps }));
  const exporting = () => tenant.events({ type: 'custom.export', data: {} });
  await runWithStatus(tenant, textAt(await exporting(), 'events.0.runs.0'), 'succeeded');
  const files = await tenant.get('/api/admin/exports', 'admin');
  const id = textAt(files, 'items.0.id');
  await did(tenant.get(`/api/admin/exports/get?id=${id}`, 'admin'));
  await did(tenant.post('/api/admin/exports/link', { id, expiresIn: '1h' }));
  const over = textAt(await exporting(), 'events.0.runs.0');
  await runWithStatus(tenant, over, 'pending_approval');
  await by(ann, 'workflow-runs/deny', { runId: over, comment: 'one is enough' });
  const { url } = await openAddress([answer(500), answer(200)]);
  const send = { id: 'send', action: 'notify.webhook', with: { url }, retry: { attempts: 1 } };
  await createWorkflow(tenant, tagWorkflow({ trigger: { event: 'custom.send' }, steps: [send] }));
  const sent = await tenant.events({ type: 'custom.send', data: {} });
  const runId = textAt(sent, 'events.0.runs.0');
  await runWithStatus(tenant, runId, 'failed');
  await did(tenant.post('/api/admin/workflow-runs/retry', { runId, comment: 'once more' }));
  const list = await tenant.get(`/api/admin/deliveries?runId=${runId}`);
  await did(tenant.post('/api/admin/deliveries/redeliver', { id: textAt(list, 'items.0.id') }));
  await did(tenant.post('/api/admin/destinations/disable', { url }));
  await did(tenant.post('/api/admin/destinations/enable', { url }));
}

test('every action is written, with who did it, and the chain verifies', {
  timeout: 60_000,
}, async () => {
  const tenant = await newTenant();
  const ann = await addPerson(tenant, 'ann', 'admin');
  const bob = await addPerson(tenant, 'bob', 'admin');
  const escalateTo = { roles: ['admin'], members: [], expiresIn: '1h' };
  const waits = { expiresIn: '1h', remindEvery: '30m', onExpire: 'escalate', escalateTo };
  const budget = { count: 1, window: '1h' };
  await did(
    tenant.post('/api/admin/approval-policy/update', {
      actions: {
        'flag.enable': { ...waits, edit: 'admin', breakGlass: true },
        'flag.disable': { required: false },
        'export.orders': { required: false, budget },
      },
    }),
  );
  await changeSettings(tenant);
  await grow(tenant);
  await decide(tenant, ann, bob);
  await useActions(tenant, ann);
  const wanted = [...AUDIT_ACTIONS].toSorted();
  const entries = await vi.waitFor(
    async () => {
      const all = await exported(tenant);
      expect([...new Set(all.map(({ action }) => action))].toSorted()).toEqual(wanted);
      return all;
    },
    { timeout: 10_000, interval: 100 },
  );
  for (const entry of entries) expectAsOnThePage(entry);
  const verdict = await verdictOn(tenant, await exportLines(tenant), [await signed(tenant)]);
  expect(verdict).toMatchObject({ ok: true, checkpoints: 1 });
});

/** docs/audit-format.md has every field of the entry, with a star where it is private. */
function expectAsOnThePage({ action, data, private: parts = {} }: AuditEntry): void {
  const [, cell = ''] =
    new RegExp(`^\\| \`${action}\` \\|.*\\| ([^|]*) \\|$`, 'm').exec(page) ?? [];
  const fields = fieldsIn(cell);
  for (const [name, value] of Object.entries(data)) {
    expect(fields.has(name), `${action} ${name}`).toBe(true);
    const isPrivate = fields.get(name) === true && value !== null;
    expect(`data.${name}` in parts, `${action} ${name}`).toBe(isPrivate);
  }
}

const SHORT = {
  '…run': ['workflowId', 'workflowVersion'],
  '…approval': ['workflowId', 'workflowVersion', 'stepId', 'approvalId'],
};

/** The fields that a cell of the page's table names, and whether each is private. */
function fieldsIn(cell: string): Map<string, boolean> {
  const short = Object.entries(SHORT).flatMap(([word, names]) =>
    cell.includes(word) ? names.map((name) => [name, false] as const) : [],
  );
  const named = [...cell.matchAll(/`(\w+)`(\*?)/g)].map(
    ([, name = '', star]) => [name, star === '*'] as const,
  );
  return new Map([...short, ...named]);
}
