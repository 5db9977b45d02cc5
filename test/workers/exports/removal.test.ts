/** What goes, and when: files whose time has come, exports without a run, and what lies around a file. */
import { env } from 'cloudflare:workers';
import { describe, expect, test } from 'vitest';
import { mentionsOf } from '../../../src/engine/mentions.ts';
import { sweepExports } from '../../../src/objects/export-sweep.ts';
import { sealConnection } from '../../../src/ports/connections.ts';
import { eraseNextExport } from '../../../src/ports/erase-exports.ts';
import { readableExport } from '../../../src/ports/export-files.ts';
import { embeddedExports } from '../../../src/ports/exports.ts';
import { watched } from './faults.ts';
import {
  addMany,
  addOrders,
  CSV,
  callOf,
  exportAll,
  NDJSON,
  newTenantId,
  ONE_PAGE,
  objectsOf,
  onlyExport,
  ordersIn,
  STORES,
  slice,
  textOf,
} from './support.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
const soon = (ms: number) => Date.now() + ms;

/** Three slices of a page: bytes that wait, an upload with a part, the end. */
async function beginInParts(slices: number): Promise<{ tenantId: string; ids: string[] }> {
  const tenantId = newTenantId();
  const ids = await addMany(tenantId, 21, () => '€'.repeat(105_000));
  for (let n = 0; n < slices; n += 1)
    expect(await slice(tenantId, NDJSON)).toMatchObject({ kind: 'progressed' });
  return { tenantId, ids };
}

describe('a finished file', () => {
  test('is kept for 30 days, then it is removed and its export says expired', async () => {
    const tenantId = newTenantId();
    await addMany(tenantId, 2);
    await exportAll(tenantId, CSV);
    const { id, finishedAt, expiresAt } = await onlyExport(tenantId);
    const end = Date.parse(expiresAt ?? '');
    expect(end - Date.parse(finishedAt ?? '')).toBe(30 * DAY_MS);
    await sweepExports(env, end - 1);
    expect(await objectsOf(tenantId)).toHaveLength(1);
    expect(await readableExport(STORES, tenantId, id, end - 1)).not.toBeNull();
    expect(await readableExport(STORES, tenantId, id, end)).toBeNull();
    await sweepExports(env, end);
    expect(await objectsOf(tenantId)).toEqual([]);
    expect(await onlyExport(tenantId)).toMatchObject({ status: 'expired', rows: 2 });
    expect(await slice(tenantId, CSV)).toMatchObject({ kind: 'succeeded', output: { rows: 2 } });
    await sweepExports(env, end + DAY_MS);
    expect(await onlyExport(tenantId)).toMatchObject({ status: 'expired' });
  });

  test('is kept as long as the connection says', async () => {
    const tenantId = newTenantId();
    const at = new Date().toISOString();
    const keep = { kind: 'exports', keepFor: '2h' } as const;
    const connection = await sealConnection(env, tenantId, keep, at);
    await embeddedExports(STORES, connection).exportOrders(callOf(tenantId), CSV);
    const { finishedAt, expiresAt } = await onlyExport(tenantId);
    expect(Date.parse(expiresAt ?? '') - Date.parse(finishedAt ?? '')).toBe(120 * MINUTE_MS);
  });

  test('that cannot be removed is tried again, and keeps no other from its turn', async () => {
    const [stuck, other] = [newTenantId(), newTenantId()];
    for (const tenantId of [stuck, other]) await exportAll(tenantId, CSV);
    const { bucket } = watched(STORES, async (name, work) => {
      if (name === 'list') throw new Error('not now');
      return await work();
    });
    await sweepExports({ DB: env.DB, EXPORTS: bucket }, soon(31 * DAY_MS));
    expect(await onlyExport(stuck)).toMatchObject({ status: 'completed', removedAt: null });
    await sweepExports(env, soon(31 * DAY_MS));
    for (const tenantId of [stuck, other])
      expect(await onlyExport(tenantId)).toMatchObject({ status: 'expired' });
  });
});

describe('what lies around a file', () => {
  test('goes once no slice can be at work, and the file stays', async () => {
    const tenantId = newTenantId();
    await exportAll(tenantId, CSV);
    const { objectKey } = await onlyExport(tenantId);
    const left = objectKey.replace(/\d+\.csv$/, '9999.rest');
    await env.EXPORTS.put(left, 'left by a slice that died');
    await sweepExports(env, soon(4 * MINUTE_MS));
    expect(await objectsOf(tenantId)).toHaveLength(2);
    await sweepExports(env, soon(6 * MINUTE_MS));
    expect(await objectsOf(tenantId)).toEqual([objectKey]);
    expect(await textOf(tenantId)).toContain('total_amount');
  });

  test('goes at once with a person, and so does the file that holds them', async () => {
    const [mine, other] = [newTenantId(), newTenantId()];
    const marks = {
      ...{ emails: ['ann@example.com'], customerIds: ['-17'], names: ['Ann "A" Hill'] },
      actorIds: [],
    };
    const mentions = mentionsOf(marks);
    await addOrders(other, [{ id: '1', customerEmail: 'bo@example.com' }]);
    for (const [format, row] of [
      ['csv', { customerName: 'Ann "A" Hill' }],
      ['ndjson', { customerName: 'Ann "A" Hill' }],
      ['csv', { customerId: '-17' }],
      ['ndjson', { customerId: '-17' }],
      ['csv', { customerEmail: 'ann@example.com' }],
    ] as const) {
      const tenantId = newTenantId();
      await addOrders(tenantId, [{ id: '1', ...row }]);
      await exportAll(tenantId, { format });
      const verdict = await eraseNextExport(STORES, tenantId, '', marks, mentions);
      expect(verdict, JSON.stringify(row)).toMatchObject({ verdict: 'removed' });
      expect(await objectsOf(tenantId)).toEqual([]);
      expect(await onlyExport(tenantId)).toMatchObject({ status: 'expired' });
    }
    await exportAll(other, CSV);
    const { objectKey } = await onlyExport(other);
    await env.EXPORTS.put(objectKey.replace('.csv', '.rest'), 'ann@example.com');
    expect(await eraseNextExport(STORES, other, '', marks, mentions)).toMatchObject({
      verdict: 'kept',
    });
    expect(await objectsOf(other)).toEqual([objectKey]);
    expect(await eraseNextExport(STORES, mine, '', marks, mentions)).toBeNull();
  });
});

describe('an export without a run', () => {
  test('is given up after a day when the log knows no run, but not while slices come', async () => {
    const { tenantId } = await beginInParts(1);
    await sweepExports(env, soon(23 * 60 * MINUTE_MS));
    expect(await onlyExport(tenantId)).toMatchObject({ status: 'running' });
    await sweepExports(env, soon(25 * 60 * MINUTE_MS));
    expect(await onlyExport(tenantId)).toMatchObject({ status: 'abandoned' });
    expect(await objectsOf(tenantId)).toEqual([]);
    expect(await slice(tenantId, NDJSON)).toMatchObject({
      kind: 'failed',
      retryable: false,
      error: { code: 'export_abandoned' },
    });
    expect(await objectsOf(tenantId)).toEqual([]);
  });

  test('takes its upload with it', async () => {
    const { tenantId } = await beginInParts(2);
    const { objectKey, uploadId } = await onlyExport(tenantId);
    await sweepExports(env, soon(2 * DAY_MS));
    const upload = env.EXPORTS.resumeMultipartUpload(objectKey, uploadId ?? '');
    await expect(upload.uploadPart(99, 'x')).rejects.toThrow('(10024)');
    expect(await objectsOf(tenantId)).toEqual([]);
  });

  test('leaves nothing when it is given up under a slice that is at work', async () => {
    const { tenantId } = await beginInParts(1);
    const stores = watched(STORES, async (name, work) => {
      if (name === 'createMultipartUpload') await sweepExports(env, soon(2 * DAY_MS));
      return await work();
    });
    expect(await slice(tenantId, NDJSON, { stores })).toMatchObject({
      kind: 'failed',
      error: { code: 'export_abandoned' },
    });
    expect(await objectsOf(tenantId)).toEqual([]);
  });
});

describe('an export begins again', () => {
  const restarted = { kind: 'failed', retryable: true, error: { code: 'export_restarted' } };

  test('when R2 has forgotten its upload', async () => {
    const { tenantId, ids } = await beginInParts(2);
    const { objectKey, uploadId } = await onlyExport(tenantId);
    await env.EXPORTS.resumeMultipartUpload(objectKey, uploadId ?? '').abort();
    expect(await exportAll(tenantId, NDJSON)).toMatchObject({ outcome: restarted });
    expect(await onlyExport(tenantId)).toMatchObject({ rows: 0, status: 'running' });
    await exportAll(tenantId, NDJSON);
    expect(ordersIn(await textOf(tenantId)).map(({ id }) => id)).toEqual(ids);
    await sweepExports(env, soon(6 * MINUTE_MS));
    expect(await objectsOf(tenantId)).toHaveLength(1);
  });

  test('when the bytes that waited are gone, and takes back its upload', async () => {
    const { tenantId, ids } = await beginInParts(2);
    const { objectKey, uploadId, rest } = await onlyExport(tenantId);
    await env.EXPORTS.delete(rest ?? '');
    expect(await slice(tenantId, NDJSON)).toMatchObject(restarted);
    const upload = env.EXPORTS.resumeMultipartUpload(objectKey, uploadId ?? '');
    await expect(upload.uploadPart(99, 'x')).rejects.toThrow('(10024)');
    await exportAll(tenantId, NDJSON);
    expect(ordersIn(await textOf(tenantId)).map(({ id }) => id)).toEqual(ids);
  });

  test('with the orders that were there at its first beginning', async () => {
    const { tenantId, ids } = await beginInParts(1);
    await addOrders(tenantId, [{ id: 'a' }, { id: 'z' }]);
    await env.EXPORTS.delete((await onlyExport(tenantId)).rest ?? '');
    expect(await slice(tenantId, NDJSON)).toMatchObject(restarted);
    await exportAll(tenantId, NDJSON);
    expect(ordersIn(await textOf(tenantId)).map(({ id }) => id)).toEqual(ids);
  });

  test('when the file that was put together is not as long as what was written', async () => {
    const { tenantId, ids } = await beginInParts(2);
    let cut = false;
    const stores = watched(STORES, async (name, work) => {
      const made = await work();
      if (name !== 'complete' || cut) return made;
      cut = true;
      return Object.create(Object(made), { size: { value: 1 } });
    });
    expect(await slice(tenantId, NDJSON, { stores })).toMatchObject({ kind: 'progressed' });
    expect(await exportAll(tenantId, NDJSON, { stores })).toMatchObject({
      outcome: { kind: 'succeeded' },
    });
    expect(ordersIn(await textOf(tenantId)).map(({ id }) => id)).toEqual(ids);
  });

  test('but not when it was another slice that has ended the upload', async () => {
    const { tenantId, ids } = await beginInParts(2);
    const stores = watched(STORES, async (name, work) => {
      if (name === 'uploadPart') await exportAll(tenantId, NDJSON, { limits: ONE_PAGE });
      return await work();
    });
    expect(await slice(tenantId, NDJSON, { stores })).toMatchObject({
      kind: 'succeeded',
      output: { rows: 21 },
    });
    expect(ordersIn(await textOf(tenantId)).map(({ id }) => id)).toEqual(ids);
  });
});
