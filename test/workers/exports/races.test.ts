/** Two attempts at one export at once, in any order of their calls: one file, each row once. */
import { env } from 'cloudflare:workers';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { AttemptOutcome } from '../../../src/engine/plan.ts';
import { sweepExports } from '../../../src/objects/export-sweep.ts';
import { SLICE_LIMITS } from '../../../src/ports/export-slice.ts';
import { watched } from './faults.ts';
import {
  addMany,
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

const LATER_MS = 10 * 60_000;

/** Both go on as long as there is something to do, their calls in the order that the scheduler says. */
async function exportByTwo(
  tenantId: string,
  scheduler: fc.Scheduler,
  limits: typeof SLICE_LIMITS,
): Promise<AttemptOutcome[]> {
  const stores = watched(STORES, async (name, work) => {
    await scheduler.schedule(Promise.resolve(), name);
    return await work();
  });
  const one = async () => {
    for (;;) {
      const outcome = await slice(tenantId, NDJSON, { stores, limits });
      const goesOn =
        outcome.kind === 'progressed' || (outcome.kind === 'failed' && outcome.retryable);
      if (!goesOn) return outcome;
    }
  };
  return await scheduler.waitFor(Promise.all([one(), one()]));
}

/** Which of the two is first is known to nobody: so every file, whatever the order, is looked at. */
async function expectOneFile(
  orders: number,
  text: string,
  limits: typeof SLICE_LIMITS,
  runs: number,
) {
  const tenantId = newTenantId();
  const ids = await addMany(tenantId, orders, () => text);
  const property = fc.asyncProperty(fc.scheduler(), async (scheduler) => {
    const [first, second] = await exportByTwo(tenantId, scheduler, limits);
    expect(first).toMatchObject({ kind: 'succeeded', output: { rows: orders } });
    expect(second).toEqual(first);
    expect(ordersIn(await textOf(tenantId)).map(({ id }) => id)).toEqual(ids);
    await sweepExports(env, Date.now() + LATER_MS);
    const { objectKey } = await onlyExport(tenantId);
    expect(await objectsOf(tenantId)).toEqual([objectKey]);
    await env.EXPORTS.delete(objectKey);
    await env.DB.prepare('DELETE FROM exports WHERE tenant_id = ?').bind(tenantId).run();
  });
  await fc.assert(property, { numRuns: runs });
}

test('of an export in three slices that fits into one object', async () => {
  await expectOneFile(3, 'x'.repeat(700_000), ONE_PAGE, 10);
}, 120_000);

test('of an export in parts', async () => {
  await expectOneFile(21, '€'.repeat(105_000), { ...SLICE_LIMITS, pages: 2 }, 4);
}, 120_000);
