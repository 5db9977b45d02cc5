/** I5: every change is in the chain once and in order, whatever happened in between. */
import { env } from 'cloudflare:workers';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { AuditEntry } from '../../../src/contract/audit.ts';
import { verifyChain } from '../../../src/engine/chain.ts';
import { mintKey } from '../../../src/http/api-key.ts';
import { type Disturbance, disturb } from './support/disturb.ts';
import { auditActions, auditChain, quiet } from './support/history.ts';
import { Receiver } from './support/receiver.ts';
import {
  addWorkflow,
  by,
  cancel,
  flagOn,
  openShop,
  setPolicy,
  startOne,
  tenantOf,
  vote,
} from './support/shop.ts';

const receiver = new Receiver();
beforeEach(() => receiver.listen());
afterEach(() => void vi.restoreAllMocks());

const OWNER = by('owner');

test('every kind of change is written down with who asked and by which request', async () => {
  const shop = await openShop();
  const tenant = tenantOf(shop);
  const { key } = await mintKey(env.KEY_SECRET, shop, { name: 'second', role: 'viewer' });
  await tenant.createKey(key, OWNER);
  await tenant.revokeKey(key.id, OWNER);
  const workflow = await addWorkflow(shop, [flagOn('gate', 'beta')]);
  await tenant.setWorkflowEnabled(workflow.id, false, OWNER);
  await tenant.setWorkflowEnabled(workflow.id, true, OWNER);
  const { trigger, steps } = workflow;
  const definition = { name: 'Renamed', trigger, steps };
  await tenant.updateWorkflow(workflow.id, 1, definition, OWNER);
  await setPolicy(shop, { 'flag.enable': { approvals: 2 } });
  const shopify = { kind: 'shopify', settings: {}, secrets: {}, updatedAt: 'now' } as const;
  await tenant.setConnection(shopify, 'connection.set', OWNER);
  await tenant.removeConnection('shopify', OWNER);
  const chain = await auditChain(shop);
  expect(chain.map(({ action }) => action)).toEqual([
    'tenant.created',
    'api_key.created',
    'api_key.revoked',
    'workflow.created',
    'workflow.disabled',
    'workflow.enabled',
    'workflow.updated',
    'policy.updated',
    'connection.set',
    'connection.removed',
  ]);
  expect(chain[1]).toMatchObject({ ...OWNER, target: { type: 'api_key', id: key.id } });
  expect(JSON.stringify(chain)).not.toContain(key.digest);
});

test('what changed nothing, or was refused, is not in the chain', async () => {
  const shop = await openShop();
  const tenant = tenantOf(shop);
  const workflow = await addWorkflow(shop, [flagOn('gate', 'beta')]);
  await tenant.setWorkflowEnabled(workflow.id, true, OWNER);
  const { trigger, steps, name } = workflow;
  const stale = await tenant.updateWorkflow(workflow.id, 7, { name, trigger, steps }, OWNER);
  expect(stale).toMatchObject({ ok: false, code: 'version_conflict' });
  expect(await tenant.setWorkflowEnabled('wf_unknown', true, OWNER)).toMatchObject({ ok: false });
  expect(await tenant.removeConnection('stripe', OWNER)).toMatchObject({ ok: false });
  expect(await auditActions(shop)).toEqual(['tenant.created', 'workflow.created']);
});

test('a chain in D1 cannot be changed', async () => {
  const shop = await openShop();
  const statements = [
    `UPDATE audit SET actor_name = 'nobody' WHERE tenant_id = ?1`,
    'DELETE FROM audit WHERE tenant_id = ?1',
    `INSERT OR REPLACE INTO audit SELECT tenant_id, seq, id, at, actor_type, actor_id, 'nobody',
       action, target_type, target_id, request_id, data, prev_hash, 'other', parts FROM audit
     WHERE tenant_id = ?1`,
  ];
  for (const statement of statements)
    await expect(env.DB.prepare(statement).bind(shop).run()).rejects.toThrow('append-only');
  expect(await auditActions(shop)).toEqual(['tenant.created']);
});

describe('whatever is done, in whatever order, with whatever in between', () => {
  /** One thing that can be done to a tenant; answers the actions that the audit has to gain. */
  type Deed = (shop: string) => Promise<string[]>;
  const DEEDS: Record<string, Deed> = {
    async policy(shop) {
      await setPolicy(shop, { 'order.refund': { approvals: 3 } });
      return ['policy.updated'];
    },
    async workflow(shop) {
      await addWorkflow(shop, [flagOn('gate', 'x')], 'custom.never');
      return ['workflow.created'];
    },
    async denied(shop) {
      await vote(shop, await startOne(shop), 'denied', 'ann');
      return ['approval.requested', 'approval.denied'];
    },
    async cancelled(shop) {
      await cancel(shop, await startOne(shop));
      return ['approval.requested', 'approval.cancelled', 'run.cancelled'];
    },
    async approved(shop) {
      await vote(shop, await startOne(shop), 'approved', 'ann');
      return ['approval.requested', 'approval.approved'];
    },
  };
  const deeds = fc.array(
    fc.tuple(
      fc.constantFrom(...Object.values(DEEDS)),
      fc.constantFrom<Disturbance>('nothing', 'nothing', 'evict', 'crash'),
    ),
    { minLength: 3, maxLength: 10 },
  );

  test('the chain tells it once, in order, and verifies', async () => {
    await fc.assert(
      fc.asyncProperty(deeds, async (sequence) => {
        const shop = await openShop();
        await addWorkflow(shop, [flagOn('gate', 'beta')]);
        const expected = ['tenant.created', 'workflow.created'];
        for (const [deed, disturbance] of sequence) {
          expected.push(...(await deed(shop)));
          await disturb(disturbance);
        }
        await tenantOf(shop).poke();
        await quiet(shop);
        const chain = await auditChain(shop);
        expect(chain.map(({ action }) => action)).toEqual(expected);
        expect(chain.map(({ at }) => at)).toEqual(chain.map(({ at }) => at).toSorted());
      }),
      { numRuns: 6 },
    );
  });

  test('changes that come all at once are all in it', async () => {
    const shop = await openShop();
    await Promise.all([
      ...Array.from({ length: 10 }, () => setPolicy(shop, { 'flag.enable': { approvals: 2 } })),
      ...Array.from({ length: 10 }, () => addWorkflow(shop, [flagOn('gate', 'x')])),
    ]);
    await quiet(shop);
    expect(await auditActions(shop)).toHaveLength(21);
  });

  test('a chain that lacks an entry, or has another one, does not verify', async () => {
    const shop = await openShop();
    await setPolicy(shop, { 'flag.enable': { approvals: 2 } });
    await setPolicy(shop, { 'flag.enable': { approvals: 3 } });
    const chain = await auditChain(shop);
    const without = chain.filter(({ seq }) => seq !== 2);
    expect(verifyChain(shop, without)).toMatchObject({ ok: false, seq: 2 });
    const forged = chain.map(
      (entry): AuditEntry => (entry.seq === 2 ? { ...entry, data: {} } : entry),
    );
    expect(verifyChain(shop, forged)).toMatchObject({ ok: false, seq: 2 });
    expect(verifyChain(await openShop(), chain)).toMatchObject({ ok: false, seq: 1 });
  });
});
