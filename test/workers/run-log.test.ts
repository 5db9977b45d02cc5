/** The entries of runs in D1: in whatever parcels they come, in whatever order, they are all there once. */
import { env } from 'cloudflare:workers';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Entry } from '../../src/contract/entries.ts';
import type { RunItem } from '../../src/contract/runs.ts';
import { findRun } from '../../src/db/find-runs.ts';
import { type RunParcel, upsertRuns } from '../../src/db/runs.ts';

const TENANT = 'run-log';
let runs = 0;

function entryOf(seq: number, size: number): Entry {
  const actor = { type: 'system', id: 'x', name: 'x'.repeat(size) } as const;
  const at = '2026-03-01T12:00:00.000Z';
  return { seq, at, type: 'run_cancelled', actor, comment: null, requestId: 'r' };
}

/** A run in parcels of so many entries each. */
function parcelsOf(id: string, lengths: readonly number[], size: number): RunParcel[] {
  let seq = 0;
  return lengths.map((length) => {
    const entries = Array.from({ length }, () => {
      seq += 1;
      return entryOf(seq, size);
    });
    const item: RunItem = {
      id,
      workflowId: 'wf_1',
      workflowName: 'W',
      workflowVersion: 1,
      eventId: 'evt_1',
      eventType: 'custom.a',
      status: 'running',
      requestId: 'r',
      correlationId: 'c',
      createdAt: '2026-03-01T12:00:00.000Z',
      finishedAt: null,
      error: null,
    };
    return { item, seq, wakeAt: null, entries, origin: { path: [], authors: [], retryOf: null } };
  });
}

async function store(...batch: RunParcel[]): Promise<number> {
  const results = await env.DB.batch(upsertRuns(env.DB, TENANT, batch));
  return results.reduce((sum, { meta }) => sum + meta.rows_written, 0);
}

async function seqsOf(id: string): Promise<number[]> {
  const found = await findRun(env.DB, TENANT, id);
  return (found?.entries ?? []).map(({ seq }) => seq);
}

async function laterRows(id: string): Promise<number> {
  const sql = 'SELECT count(*) AS n FROM run_entries WHERE tenant_id = ?1 AND run_id = ?2';
  return (await env.DB.prepare(sql).bind(TENANT, id).first<{ n: number }>())?.n ?? -1;
}

test('entries go on in their run’s row, until it is large', async () => {
  const id = 'run_growing';
  const parcels = parcelsOf(id, [1, 2, 1, 1, 1], 6_000);
  for (const parcel of parcels) await store(parcel);
  expect(await seqsOf(id)).toEqual([1, 2, 3, 4, 5, 6]);
  expect(await laterRows(id)).toBe(3);
});

test('a run that is over when it is first told of is in its row alone, however large', async () => {
  const [parcel] = parcelsOf('run_whole', [7], 6_000);
  if (parcel === undefined) throw new Error('no parcel');
  const queued = { ...parcel, seq: 0, entries: [] };
  const whole = { ...parcel, item: { ...parcel.item, status: 'cancelled' as const } };
  await store(queued);
  await store(queued, whole);
  expect(await store(queued, whole)).toBe(0);
  expect(await seqsOf('run_whole')).toEqual([1, 2, 3, 4, 5, 6, 7]);
  expect(await laterRows('run_whole')).toBe(0);
});

test('a parcel that comes again writes nothing', async () => {
  const parcels = parcelsOf('run_again', [2, 2, 1], 10);
  for (const parcel of parcels) await store(parcel);
  for (const parcel of parcels) expect(await store(parcel)).toBe(0);
  expect(await store(...parcels)).toBe(0);
  expect(await laterRows('run_again')).toBe(0);
});

test('what came early is not there twice when all of it is told again', async () => {
  const early = parcelsOf('run_early', [4, 1, 4], 10);
  const [first, second] = early;
  if (first === undefined || second === undefined) throw new Error('no parcels');
  await store({ ...first, seq: 0, entries: [] });
  await store(second);
  await store(...early);
  expect(await seqsOf('run_early')).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);

  const late = parcelsOf('run_late', [4, 1, 4, 1], 10);
  for (const at of [0, 2]) await store(...late.slice(at, at + 1));
  await store(...late.slice(1));
  expect(await seqsOf('run_late')).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
});

test('a parcel that comes again with the next one is passed over', async () => {
  const [one, two, three, four] = parcelsOf('run_overlap', [4, 3, 3, 2], 10);
  if (!one || !two || !three || !four) throw new Error('four parcels');
  await store(one);
  await store(one, two);
  await store(two, three);
  await store(three, four);
  expect(await seqsOf('run_overlap')).toEqual(Array.from({ length: 12 }, (_, n) => n + 1));
  expect(await laterRows('run_overlap')).toBe(0);
});

test('as they leave a tenant, each perhaps again with those after it, all entries are there once', async () => {
  const lengths = fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 8 });
  const backs = fc.array(fc.tuple(fc.nat(2), fc.nat(2)), { minLength: 8, maxLength: 8 });
  const size = fc.constantFrom(1, 3_000);
  await fc.assert(
    fc.asyncProperty(lengths, size, backs, async (of, size, backs) => {
      runs += 1;
      const id = `run_left_${runs}`;
      const parcels = parcelsOf(id, of, size);
      for (const [n, [back, on]] of backs.entries())
        await store(...parcels.slice(Math.max(0, n - back), n + 1 + on));
      const count = of.reduce((sum, length) => sum + length, 0);
      expect(await seqsOf(id)).toEqual(Array.from({ length: count }, (_, n) => n + 1));
    }),
    { numRuns: 60 },
  );
});

test('in any order, in any batches, twice or cut in two, all entries are there once', async () => {
  const lengths = fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 6 });
  const cuts = fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 12, maxLength: 12 });
  const size = fc.constantFrom(1, 7_000);
  await fc.assert(
    fc.asyncProperty(
      lengths,
      size,
      cuts,
      fc.infiniteStream(fc.nat()),
      async (of, size, cuts, die) => {
        runs += 1;
        const id = `run_any_${runs}`;
        const parcels = parcelsOf(id, of, size);
        const ranked = [...parcels, ...parcels].map((parcel) => ({
          parcel,
          rank: die.next().value,
        }));
        const order = ranked.toSorted((a, b) => a.rank - b.rank).map(({ parcel }) => parcel);
        for (const cut of cuts) await store(...order.splice(0, cut));
        const count = of.reduce((sum, length) => sum + length, 0);
        expect(await seqsOf(id)).toEqual(Array.from({ length: count }, (_, n) => n + 1));
      },
    ),
    { numRuns: 150 },
  );
});
