/**
 * A slice that dies, or is not heard, between any two of its calls: the next attempt goes on, no row
 * is missing or doubled, and once the sweep has come nothing is left but the file.
 */
import { env } from 'cloudflare:workers';
import { describe, expect, test } from 'vitest';
import { sweepExports } from '../../../src/objects/export-sweep.ts';
import { SLICE_LIMITS } from '../../../src/ports/export-slice.ts';
import { FAULTS, type Fault, FaultyStores } from './faults.ts';
import {
  addMany,
  exportAll,
  NDJSON,
  newTenantId,
  ONE_PAGE,
  objectsOf,
  onlyExport,
  ordersIn,
  STORES,
  textOf,
} from './support.ts';

const LATER_MS = 10 * 60_000;

/** Two slices each, the second of which takes over what the first has left. */
const SHAPES = [
  {
    name: 'that fits into one object',
    orders: 9,
    text: 'x'.repeat(131_000),
    limits: ONE_PAGE,
    points: 10,
  },
  {
    name: 'in parts',
    orders: 21,
    text: '€'.repeat(105_000),
    limits: { ...SLICE_LIMITS, pages: 2 },
    points: 15,
  },
];

/** The n-th call of an export fails; whatever is left of it is done by attempts that work. */
async function exportWithFault(
  tenantId: string,
  limits: typeof SLICE_LIMITS,
  failAt: number,
  fault: Fault,
): Promise<FaultyStores> {
  const faulty = new FaultyStores(STORES, failAt, fault);
  await exportAll(tenantId, NDJSON, { stores: faulty.stores, limits }).catch(() => null);
  const { outcome } = await exportAll(tenantId, NDJSON, { limits });
  expect(outcome).toMatchObject({ kind: 'succeeded' });
  return faulty;
}

describe.each(SHAPES)('of an export $name', ({ orders, text, limits, points }) => {
  test.each(FAULTS)(
    'any call may be %s',
    async (fault) => {
      const tenantId = newTenantId();
      const ids = await addMany(tenantId, orders, () => text);
      let failAt = 0;
      for (let failed = 'none'; failed !== ''; ) {
        failAt += 1;
        ({ failed } = await exportWithFault(tenantId, limits, failAt, fault));
        const file = await textOf(tenantId);
        expect(
          ordersIn(file).map(({ id }) => id),
          failed,
        ).toEqual(ids);
        const row = await onlyExport(tenantId);
        const bytes = new TextEncoder().encode(file).byteLength;
        expect(row, failed).toMatchObject({ rows: orders, bytes });
        await sweepExports(env, Date.now() + LATER_MS);
        expect(await objectsOf(tenantId), failed).toEqual([row.objectKey]);
        await env.EXPORTS.delete(row.objectKey);
        await env.DB.prepare('DELETE FROM exports WHERE tenant_id = ?').bind(tenantId).run();
      }
      expect(failAt).toBeGreaterThan(points);
    },
    120_000,
  );
});
