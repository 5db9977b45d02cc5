/**
 * Looks for a text wherever the product keeps anything: every table of D1, every object, R2. Tests of one
 * file share a database, so rows are the tenant's alone.
 */
import { runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { expect, vi } from 'vitest';
import type * as z from 'zod';
import type { Json } from '../../../src/contract/json.ts';
import { erasureAnswer } from '../../../src/contract/privacy.ts';
import { runObject, tenantObject } from '../../../src/objects/index.ts';
import type { Tenant } from '../support/api.ts';
import { rowsOf, tablesOf } from '../support/tables.ts';
import { expectNothingWaits } from '../support/untold.ts';

export const ERASE = '/api/admin/privacy/erase';
export type Erased = z.infer<typeof erasureAnswer>;

/** Asks until everything was looked through; all answers, the last one last. */
export async function eraseWhole(
  tenant: Tenant,
  subject: object,
  reason: string,
): Promise<Erased[]> {
  const answers: Erased[] = [];
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const body: Json = JSON.parse(JSON.stringify({ ...subject, reason, cursor }));
    const answer = await tenant.post(ERASE, body);
    expect(answer.status, answer.text).toBe(200);
    const erased = erasureAnswer.parse(answer.body);
    answers.push(erased);
    cursor = erased.nextCursor;
  }
  return answers;
}

/** `<store>.<table>` of every row that holds one of the texts, whatever the column or the case. */
export async function hitsOf(
  tenant: Tenant,
  runIds: readonly string[],
  texts: readonly string[],
): Promise<string[]> {
  const wanted = texts.map((text) => text.toLowerCase());
  const isHit = (row: unknown) => {
    const text = JSON.stringify(row).toLowerCase();
    return wanted.some((one) => text.includes(one));
  };
  const hits: string[] = [];
  for (const name of await tablesOf(env.DB)) {
    const rows = await env.DB.prepare(`SELECT * FROM "${name}" WHERE tenant_id = ?`)
      .bind(tenant.id)
      .all();
    hits.push(...rows.results.filter(isHit).map(() => `d1.${name}`));
  }
  const inObject =
    (store: string) =>
    (_: object, { storage }: DurableObjectState) => {
      for (const [name, rows] of rowsOf(storage))
        hits.push(...rows.filter(isHit).map(() => `${store}.${name}`));
    };
  await runInDurableObject(tenantObject(env, tenant.id), inObject('tenant'));
  for (const runId of runIds)
    await runInDurableObject(runObject(env, tenant.id, runId), inObject('run'));
  for (const { key } of (await env.EXPORTS.list()).objects)
    if (key.includes(tenant.id) && isHit(await (await env.EXPORTS.get(key))?.text()))
      hits.push('r2');
  return hits.toSorted();
}

/** Every place where anything is kept, as `<store>.<table>`; files by the beginning of their names. */
export async function placesOf(tenant: Tenant, runId: string): Promise<string[]> {
  const places = (await tablesOf(env.DB)).map((name) => `d1.${name}`);
  const ofObject =
    (store: string) =>
    (_: object, { storage }: DurableObjectState) => {
      for (const [name] of rowsOf(storage)) places.push(`${store}.${name}`);
    };
  await runInDurableObject(tenantObject(env, tenant.id), ofObject('tenant'));
  await runInDurableObject(runObject(env, tenant.id, runId), ofObject('run'));
  for (const { key } of (await env.EXPORTS.list()).objects) places.push(`r2.${key.split('/')[0]}`);
  return [...new Set(places)].toSorted();
}

/** Waits until the tenant has nothing left to send. */
export async function allQuiet(tenant: Tenant): Promise<void> {
  const isEmpty = (_: object, { storage }: DurableObjectState) =>
    expect([...storage.sql.exec('SELECT 1 FROM intake WHERE state IN (0, 1, 2)')]).toEqual([]);
  await vi.waitFor(
    async () => {
      await expectNothingWaits(tenant.id);
      await runInDurableObject(tenantObject(env, tenant.id), isEmpty);
    },
    { timeout: 12_000, interval: 25 },
  );
}
