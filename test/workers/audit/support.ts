/** A tenant's audit log as an auditor sees it: the export, checkpoints, published keys. */
import { evictDurableObject, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { expect } from 'vitest';
import { chunksOf } from '../../../scripts/verify-audit/lines.ts';
import { checkedHere, verifyLog } from '../../../scripts/verify-audit/log.ts';
import { type AuditEntry, auditEntry } from '../../../src/contract/audit.ts';
import { auditKeys } from '../../../src/contract/audit-keys.ts';
import { type AuditCheckpoint, auditCheckpoint } from '../../../src/contract/checkpoints.ts';
import {
  type Checkpoint,
  type PublishedKey,
  publishedKey,
  verifyCheckpoint,
} from '../../../src/engine/checkpoint.ts';
import { leafHash, rootOf } from '../../../src/engine/merkle.ts';
import { tenantObject } from '../../../src/objects/index.ts';
import { tenantRows } from '../objects/support/history.ts';
import { at } from '../support/answers.ts';
import { fetchApi, type Tenant } from '../support/api.ts';

export const KEYS_PATH = '/.well-known/signalbox-audit-keys.json';
export const CHECKPOINT_PATH = '/api/admin/audit/checkpoint';
export const HOUR_MS = 3_600_000;

export async function publishedKeys(): Promise<PublishedKey[]> {
  const response = await fetchApi('GET', KEYS_PATH);
  return auditKeys.parse(await response.json()).keys.map(publishedKey);
}

/** The export's lines. */
export async function exportLines(tenant: Tenant, query = ''): Promise<string[]> {
  const token = await tenant.key('admin');
  const response = await fetchApi('GET', `/api/admin/audit/export${query}`, { token });
  expect(response.status).toBe(200);
  const text = await response.text();
  return text.split('\n').slice(0, -1);
}

export async function exported(tenant: Tenant): Promise<AuditEntry[]> {
  return (await exportLines(tenant)).map((line) => auditEntry.parse(JSON.parse(line)));
}

/** Asks for a checkpoint; verified with the published keys, and against the exported entries. */
export async function signed(tenant: Tenant): Promise<AuditCheckpoint> {
  const answer = await tenant.post(CHECKPOINT_PATH, {});
  expect(answer.status, answer.text).toBe(200);
  const checkpoint = auditCheckpoint.parse(at(answer, 'checkpoint'));
  await check(tenant, checkpoint, await publishedKeys());
  return checkpoint;
}

export async function check(
  tenant: Tenant,
  { note, size, root }: AuditCheckpoint,
  keys: readonly PublishedKey[],
): Promise<Checkpoint> {
  const verdict = await verifyCheckpoint(note, keys);
  if (!verdict.ok) throw new Error(verdict.reason);
  expect(verdict.tenantId).toBe(tenant.id);
  expect(verdict.checkpoint).toEqual({ origin: `signalbox/${tenant.id}`, size, root });
  const entries = (await exported(tenant)).slice(0, size);
  expect(rootOf(entries.map(({ hash }) => leafHash(hash)))).toBe(root);
  return verdict.checkpoint;
}

/** What the offline verifier says of these lines, and of checkpoints as if they had been verified. */
export async function verdictOn(
  tenant: Tenant,
  lines: readonly string[],
  checkpoints: readonly Pick<AuditCheckpoint, 'size' | 'root'>[],
) {
  const trusted = checkpoints.map(({ size, root }) => {
    const checkpoint = { origin: `signalbox/${tenant.id}`, size, root };
    return { label: 'kept', checkpoint, until: null };
  });
  const text = lines.map((line) => `${line}\n`).join('');
  const bytes = new Blob([text]).stream();
  return await verifyLog(checkedHere(chunksOf(bytes), true), tenant.id, trusted);
}

/** Makes so many audit entries, by a change and its undoing. */
export async function happen(tenant: Tenant, times: number): Promise<void> {
  const by = { actor: { type: 'system', id: 'test', name: 'Test' }, requestId: 'r' } as const;
  for (let n = 0; n < times; n += 1)
    await tenantObject(env, tenant.id).updatePolicy(
      { 'flag.enable': n % 2 === 0 ? { approvals: 2 } : null },
      by,
    );
}

/** Every checkpoint that D1 has, newest first. */
export async function listed(tenant: Tenant): Promise<AuditCheckpoint[]> {
  const list = await tenant.get('/api/admin/audit/checkpoints?limit=200');
  const items = at(list, 'items');
  return Array.isArray(items) ? items.map((item) => auditCheckpoint.parse(item)) : [];
}

/** The object comes back with other secrets, as after a deployment. */
export async function withSecrets(tenant: Tenant, secrets: object): Promise<void> {
  await evictDurableObject(tenantObject(env, tenant.id));
  await runInDurableObject(tenantObject(env, tenant.id), (object) => {
    Reflect.set(object, 'env', { ...env, ...secrets });
  });
}

export async function rowsOf(tenant: Tenant, sql: string, ...bindings: (string | number)[]) {
  return await tenantRows(tenant.id, sql, ...bindings);
}
