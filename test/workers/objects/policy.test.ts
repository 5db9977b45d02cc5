import { env } from 'cloudflare:workers';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { performAttempt } from '../../../src/actions/attempt.ts';
import type { CloudEvent } from '../../../src/contract/events.ts';
import { TenantObject } from '../../../src/objects/tenant.ts';
import { openPorts } from '../../../src/ports/open.ts';
import { type JournalPart, tamperWith } from '../support/journal.ts';
import { passTime, ring } from './support/disturb.ts';
import { auditActions, ended, reached, readRun, types } from './support/history.ts';
import { Receiver } from './support/receiver.ts';
import {
  addWorkflow,
  FREELY,
  flagOn,
  flagsOf,
  hook,
  openShop,
  pause,
  setPolicy,
  startOne,
  tenantOf,
  vote,
} from './support/shop.ts';

const HOUR_MS = 3_600_000;
const receiver = new Receiver();
beforeEach(() => receiver.listen());
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

describe('a gate goes by the policy of the moment in which it opens', () => {
  test('stricter than when the run began', async () => {
    const shop = await openShop();
    await setPolicy(shop, { 'flag.enable': FREELY });
    await addWorkflow(shop, [pause('nap', '1h'), flagOn('gate', 'beta')]);
    const runId = await startOne(shop);
    await reached(shop, runId, 'waiting');
    await setPolicy(shop, { 'flag.enable': { required: true, approvals: 2, expiresIn: '5h' } });
    passTime(2 * HOUR_MS);
    await ring(shop, runId);
    const run = await reached(shop, runId, 'pending_approval');
    expect(run.approvals[0]?.required).toBe(2);
    expect(await flagsOf(shop)).toEqual([]);
  });

  test('laxer than when the run began', async () => {
    const shop = await openShop();
    await addWorkflow(shop, [pause('nap', '1h'), flagOn('gate', 'beta')]);
    const runId = await startOne(shop);
    await reached(shop, runId, 'waiting');
    await setPolicy(shop, { 'flag.enable': FREELY });
    passTime(2 * HOUR_MS);
    await ring(shop, runId);
    const run = await ended(shop, runId);
    expect(run.status).toBe('succeeded');
    expect(run.approvals).toEqual([]);
  });

  test('not one that was long on its way from the tenant', async () => {
    const shop = await openShop();
    await setPolicy(shop, { 'flag.enable': FREELY });
    await addWorkflow(shop, [pause('nap', '1h'), flagOn('gate', 'beta')]);
    const runId = await startOne(shop);
    await reached(shop, runId, 'waiting');
    const former = await tenantOf(shop).context();
    await setPolicy(shop, { 'flag.enable': { required: true } });
    vi.spyOn(TenantObject.prototype, 'context').mockImplementationOnce(async () => former);
    passTime(2 * HOUR_MS);
    await ring(shop, runId);
    expect(await flagsOf(shop)).toEqual([]);
    await ring(shop, runId);
    await reached(shop, runId, 'pending_approval');
    expect(await flagsOf(shop)).toEqual([]);
  });

  test('frozen from then on', async () => {
    const shop = await openShop();
    await setPolicy(shop, { 'flag.enable': { approvals: 2 } });
    await addWorkflow(shop, [flagOn('gate', 'beta')]);
    const runId = await startOne(shop);
    await reached(shop, runId, 'pending_approval');
    await setPolicy(shop, { 'flag.enable': { approvals: 1, roles: ['admin'], expiresIn: '1s' } });
    await vote(shop, runId, 'approved', 'ann');
    expect((await readRun(shop, runId))?.status).toBe('pending_approval');
    await vote(shop, runId, 'approved', 'bob');
    expect((await ended(shop, runId)).status).toBe('succeeded');
  });

  test('a workflow may ask for more than the policy, never for less', async () => {
    const shop = await openShop();
    await setPolicy(shop, { 'flag.enable': { approvals: 2 } });
    const url = receiver.address();
    await addWorkflow(shop, [
      flagOn('less', 'beta', { approval: { approvals: 1 }, needs: [] }),
      hook('more', url, { approval: { approvals: 3 }, needs: [] }),
    ]);
    const run = await reached(shop, await startOne(shop), 'pending_approval');
    expect(run.approvals.map(({ stepId, required }) => [stepId, required])).toEqual([
      ['less', 2],
      ['more', 3],
    ]);
    expect(receiver.at(url)).toEqual([]);
  });
});

/** A run that waits for approval, whose stored rows are then changed behind its back. */
async function tampered(
  change: (part: JournalPart) => JournalPart,
): Promise<{ shop: string; runId: string }> {
  const shop = await openShop();
  await addWorkflow(shop, [flagOn('gate', 'harmless')]);
  const runId = await startOne(shop);
  await reached(shop, runId, 'pending_approval');
  await tamperWith(shop, runId, change);
  return { shop, runId };
}

describe('what is sent is what was approved', () => {
  test.each([
    ['the input', 'entries', 'harmless', 'dangerous'],
    ['the version', 'seed', '"version":1', '"version":2'],
    ['the rule', 'entries', '"approvals":1', '"approvals":2'],
  ] as const)(
    '%s changed in the store: nothing is sent, and the audit says so',
    async (what, where, from, to) => {
      const { shop, runId } = await tampered((part) => ({
        ...part,
        [where]: part[where]?.replaceAll(from, to),
      }));
      expect((await vote(shop, runId, 'approved', 'ann')).ok).toBe(true);
      if (what === 'the rule') await vote(shop, runId, 'approved', 'bob');
      const run = await ended(shop, runId);
      expect(run).toMatchObject({ status: 'failed', error: { code: 'approval_mismatch' } });
      expect(types(run).filter((type) => type === 'attempt_started')).toHaveLength(1);
      expect(await flagsOf(shop)).toEqual([]);
      expect((await auditActions(shop, runId)).at(-1)).toBe('approval.mismatched');
    },
  );

  test('an attempt with other inputs than the approved ones does nothing', async () => {
    const shop = await openShop();
    const workflow = await addWorkflow(shop, [flagOn('gate', 'harmless')]);
    const run = await reached(shop, await startOne(shop), 'pending_approval');
    const gate = run.timeline.find((entry) => entry.type === 'approval_requested');
    if (gate === undefined) throw new Error('there is no gate');
    const { connections } = await tenantOf(shop).context();
    const event: CloudEvent = {
      specversion: '1.0',
      id: 'e',
      source: 's',
      type: 'custom.go',
      time: '2026-01-01T00:00:00.000Z',
      correlationid: 'c',
      data: {},
    };
    const binding = {
      tenant: shop,
      run: run.id,
      step: 'gate',
      action: 'flag.enable',
      input: { key: 'harmless' },
      workflow: { id: workflow.id, version: 1 },
      rule: gate.rule,
      expiresAt: gate.expiresAt,
    };
    const approved = { binding, inputHash: gate.inputHash };
    const call = {
      tenantId: shop,
      runId: run.id,
      stepId: 'gate',
      idempotencyKey: `${run.id}_gate`,
      timeoutMs: 1_000,
      now: Date.now(),
    };
    const perform = async (key: string) =>
      await performAttempt(
        { action: 'flag.enable', input: { key }, event, call, approved },
        openPorts(env, shop, connections),
      );
    expect(await perform('dangerous')).toMatchObject({
      kind: 'failed',
      error: { code: 'approval_mismatch' },
      retryable: false,
    });
    expect(await flagsOf(shop)).toEqual([]);
    expect(await perform('harmless')).toMatchObject({ kind: 'succeeded' });
  });
});
