/** The audit trail: what is on it, how it is filtered, that it is one chain, that nobody can change it. */
import { env } from 'cloudflare:workers';
import { beforeAll, describe, expect, test } from 'vitest';
import * as z from 'zod';
import { type AuditEntry, auditEntry } from '../../../src/contract/audit.ts';
import { verifyChain } from '../../../src/engine/chain.ts';
import { at, faultPaths, fieldsOf, textAt } from '../support/answers.ts';
import { newTenant, runWithStatus, type Tenant } from '../support/api.ts';
import { createWorkflow, flagWorkflow, startRun } from '../support/samples.ts';

let tenant: Tenant;
let workflow: string;
let run: string;
beforeAll(async () => {
  tenant = await newTenant();
  workflow = await createWorkflow(tenant, flagWorkflow());
  run = await startRun(tenant);
  await runWithStatus(tenant, run, 'pending_approval');
  await tenant.post('/api/admin/workflow-runs/approve', { runId: run }, { role: 'approver' });
  await runWithStatus(tenant, run, 'succeeded');
  await tenant.post('/api/admin/workflows/disable', { id: workflow });
  await tenant.post('/api/admin/approval-policy/update', { actions: { 'order.refund': null } });
});

/** The whole chain, oldest entry first, as it is read over the API. */
async function chain(filter = ''): Promise<AuditEntry[]> {
  const entries: AuditEntry[] = [];
  let cursor = '';
  do {
    const page = await tenant.get(`/api/admin/audit?limit=3${filter}${cursor}`);
    entries.push(...z.array(auditEntry).parse(page.body.items));
    const next = at(page, 'nextCursor');
    cursor = typeof next === 'string' ? `&cursor=${next}` : '';
  } while (cursor !== '');
  return entries.toReversed();
}

describe('the chain', () => {
  test('verifies from the first entry to the last, over all its pages', async () => {
    const entries = await chain();
    expect(verifyChain(tenant.id, entries)).toMatchObject({ ok: true, entries: entries.length });
    expect(entries[0]?.action).toBe('tenant.created');
    expect(entries[0]?.actor.type).toBe('platform');
  });

  test('does not verify for another tenant, nor with an entry changed, left out or moved', async () => {
    const entries = await chain();
    expect(verifyChain('another', entries).ok).toBe(false);
    expect(verifyChain(tenant.id, entries.slice(1)).ok).toBe(false);
    expect(verifyChain(tenant.id, entries.toSpliced(2, 1)).ok).toBe(false);
    const changed = entries.map((entry) =>
      entry.seq === 2 ? { ...entry, at: `${entry.at}x` } : entry,
    );
    expect(verifyChain(tenant.id, changed)).toMatchObject({ ok: false, seq: 2 });
  });

  test('tells the story of an approval in order, with who did it and in which request', async () => {
    const actions = (await chain()).filter(({ target }) => target.id === run);
    expect(actions.map(({ action }) => action)).toEqual([
      'approval.requested',
      'approval.approved',
    ]);
    expect(actions[1]?.data).toMatchObject({ outcome: 'granted' });
    expect(actions[1]?.actor.type).toBe('api_key');
  });
});

test('one entry is found by its number, and only in its own tenant', async () => {
  const [first, second] = await chain();
  const answer = await tenant.get('/api/admin/audit/get?seq=2');
  expect(answer.body.entry).toEqual(second);
  expect(second?.prevHash).toBe(first?.hash);
  expect((await tenant.get('/api/admin/audit/get?seq=1000000')).status).toBe(404);
  const theirs = await (await newTenant()).get('/api/admin/audit/get?seq=1');
  expect(at(theirs, 'entry.hash')).not.toBe(first?.hash);
  expect(faultPaths(await tenant.get('/api/admin/audit/get?seq=-1'))).toEqual(['query.seq']);
});

describe('the filters', () => {
  test('by time go over all pages, each entry once, and end where they say', async () => {
    const all = await chain();
    const [from = '', to = ''] = [all[1]?.at, all.at(-1)?.at];
    const wanted = all.filter((entry) => entry.at >= from && entry.at < to).map(({ seq }) => seq);
    const numbers = async (query: string) => (await chain(query)).map(({ seq }) => seq).toSorted();
    expect(wanted.length).toBeGreaterThan(3);
    expect(await numbers(`&from=${from}&to=${to}`)).toEqual(wanted.toSorted());
    expect(await numbers('&from=2000-01-01T00:00:00Z')).toEqual(
      all.map(({ seq }) => seq).toSorted(),
    );
    const path = `/api/admin/audit/export?from=${from}&to=${to}`;
    const { text } = await tenant.get(path, 'admin');
    const lines = text
      .trim()
      .split('\n')
      .map((line) => auditEntry.parse(JSON.parse(line)).seq);
    expect(lines).toEqual(wanted);
  });

  test('by action, by target, by actor, by time', async () => {
    const actions = async (query: string) =>
      fieldsOf(await tenant.get(`/api/admin/audit?${query}`), 'action');
    expect(await actions('action=workflow.created')).toEqual(['workflow.created']);
    expect(await actions(`target=${workflow}`)).toEqual(['workflow.disabled', 'workflow.created']);
    expect(await actions('actor=platform')).toEqual(['tenant.created']);
    const approved = await tenant.get('/api/admin/audit?action=approval.approved');
    const approver = textAt(approved, 'items.0.actor.id');
    expect(await actions(`actor=${approver}`)).toEqual(['approval.approved']);
    expect(await actions(`actor=${approver}&target=${workflow}`)).toEqual([]);
    expect(await actions('from=2999-01-01T00:00:00Z')).toEqual([]);
    expect(await actions('to=2000-01-01T00:00:00Z')).toEqual([]);
    expect((await actions('from=2000-01-01T00:00:00Z')).length).toBeGreaterThan(5);
    expect(await actions('action=no.such')).toEqual([]);
  });

  test('carry the request id of what was done', async () => {
    const headers = { 'x-request-id': 'traced-1' };
    await tenant.post('/api/admin/workflows/enable', { id: workflow }, { headers });
    const page = await tenant.get(`/api/admin/audit?target=${workflow}&limit=1`);
    expect(at(page, 'items.0.requestId')).toBe('traced-1');
    expect(at(page, 'items.0.actor.type')).toBe('api_key');
  });

  test('a time that is none is refused', async () => {
    expect(faultPaths(await tenant.get('/api/admin/audit?from=1'))).toEqual(['query.from']);
  });
});

describe('in the database', () => {
  const statements = {
    'UPDATE audit': "UPDATE audit SET action = 'nothing.happened'",
    'DELETE audit': 'DELETE FROM audit',
    'UPDATE audit parts': `UPDATE audit SET parts = '{"actor.name":{"salt":"x","value":"Somebody else"}}'`,
    'DELETE audit parts': 'UPDATE audit SET parts = NULL',
    'REPLACE audit': `REPLACE INTO audit SELECT tenant_id, seq, id, at, actor_type, actor_id,
      'Somebody else', action, target_type, target_id, request_id, data, prev_hash, 'x', parts
      FROM audit`,
    'UPSERT audit': `INSERT INTO audit SELECT * FROM audit WHERE true
      ON CONFLICT (tenant_id, seq) DO UPDATE SET hash = 'x'`,
    'UPDATE run_entries': "UPDATE run_entries SET entries = '[]'",
    'DELETE run_entries': 'DELETE FROM run_entries',
    'REPLACE run_entries': `REPLACE INTO run_entries SELECT tenant_id, run_id, first_seq, '[]'
      FROM run_entries`,
  };

  beforeAll(async () => {
    // A run of this size has all of its entries in its own row.
    await env.DB.prepare('INSERT INTO run_entries VALUES (?, ?, 100, ?)')
      .bind(tenant.id, run, '[{"seq":100}]')
      .run();
  });

  test.each(Object.entries(statements))('%s changes no row', async (_name, statement) => {
    const rows = async () => [
      (await env.DB.prepare('SELECT * FROM audit ORDER BY tenant_id, seq').all()).results,
      (await env.DB.prepare('SELECT * FROM run_entries ORDER BY 1, 2, 3').all()).results,
    ];
    const before = await rows();
    expect(before.every((table) => table.length > 0)).toBe(true);
    const outcome = await env.DB.prepare(statement)
      .run()
      .then(() => 'ran', String);
    if (/^(UPDATE|DELETE)/.test(statement)) expect(outcome).toMatch(/append-only/);
    expect(await rows()).toEqual(before);
  });

  test('REPLACE of an audit entry by another is refused aloud', async () => {
    await expect(env.DB.prepare(statements['REPLACE audit']).run()).rejects.toThrow(/append-only/);
  });
});
