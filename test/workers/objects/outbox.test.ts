/** The one way between two stores: in order, at least once, each address alone; taken once. */
import { runInDurableObject } from 'cloudflare:test';
import fc from 'fast-check';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { Drains } from '../../../src/objects/drains.ts';
import { Outbox } from '../../../src/objects/outbox.ts';
import { TenantObject } from '../../../src/objects/tenant.ts';
import { journalOf } from '../support/journal.ts';
import {
  auditActions,
  intakeRows,
  livePlace,
  quiet,
  reached,
  readRun,
  reportAgain,
} from './support/history.ts';
import { addWorkflow, flagOn, openShop, runOf, startOne, tenantOf } from './support/shop.ts';

afterEach(() => void vi.restoreAllMocks());

let boxes = 0;
/** An outbox of its own, in the storage of an object that nobody else uses, and what sends it. */
async function withOutbox<T>(
  use: (outbox: Outbox, way: ReturnType<typeof sender>, sql: SqlStorage) => Promise<T>,
): Promise<T> {
  boxes += 1;
  return await runInDurableObject(runOf('outbox', `run_${boxes}`), (_, { storage }) => {
    const outbox = new Outbox(storage.sql);
    return use(outbox, sender(outbox), storage.sql);
  });
}

/** As a tenant sends: take, deliver, acknowledge. */
function sender(outbox: Outbox) {
  const drains = new Drains();
  const drain = (address: string, deliver: (bodies: readonly string[]) => Promise<void>) =>
    drains.run(address, async () => {
      const waiting = outbox.take(address, 200, 1_000_000);
      if (waiting.length === 0) return 'nothing waits';
      await deliver(waiting.map(({ body }) => body));
      outbox.acknowledge(address, waiting);
      return 'sent';
    });
  return { drains, drain };
}

const numbered = (bodies: readonly string[]): number[] => bodies.map((body) => JSON.parse(body).n);

describe('an outbox', () => {
  test('sends what was put, oldest first, and forgets what was acknowledged', async () => {
    await withOutbox(async (outbox, { drains, drain }, sql) => {
      const sent: number[] = [];
      for (let n = 0; n < 450; n += 1) outbox.put('d1', { n });
      await drain('d1', async (bodies) => void sent.push(...numbered(bodies)));
      expect(sent).toEqual(Array.from({ length: 450 }, (_, n) => n));
      expect(sql.exec('SELECT * FROM outbox').toArray()).toEqual([]);
      expect(drains.nextTry()).toBeNull();
      expect([...outbox.addresses()]).toEqual([]);
    });
  });

  test('takes along what is put while it drains', async () => {
    await withOutbox(async (outbox, { drain }) => {
      const sent: number[] = [];
      outbox.put('d1', { n: 0 });
      const deliver = async (bodies: readonly string[]) => {
        sent.push(...numbered(bodies));
        if (sent.length < 3) outbox.put('d1', { n: sent.length });
      };
      const first = drain('d1', deliver);
      expect(drain('d1', deliver)).toBe(first);
      await first;
      expect(sent).toEqual([0, 1, 2]);
    });
  });

  test('keeps a batch that failed, and what comes after it, until it goes', async () => {
    vi.spyOn(console, 'error').mockReturnValue();
    await withOutbox(async (outbox, { drains, drain }) => {
      outbox.put('d1', { n: 1 });
      const failing = async () => Promise.reject(new Error('down'));
      await drain('d1', failing);
      expect(drains.isBackingOff('d1', Date.now())).toBe(true);
      outbox.put('d1', { n: 2 });
      await drain('d1', failing);
      const sent: number[] = [];
      await drain('d1', async (bodies) => void sent.push(...numbered(bodies)));
      expect(sent).toEqual([1, 2]);
      expect(drains.isBackingOff('d1', Date.now())).toBe(false);
    });
  });

  test('waits longer after each failure, up to half a minute', async () => {
    vi.spyOn(console, 'error').mockReturnValue();
    await withOutbox(async (outbox, { drains, drain }) => {
      outbox.put('d1', { n: 1 });
      const waits: number[] = [];
      for (let failure = 0; failure < 10; failure += 1) {
        await drain('d1', () => Promise.reject(new Error('down')));
        waits.push((drains.nextTry() ?? 0) - Date.now());
      }
      expect(waits.map((wait) => Math.round(wait / 500)).slice(0, 4)).toEqual([1, 2, 4, 8]);
      expect(Math.round((waits.at(-1) ?? 0) / 1_000)).toBe(30);
    });
  });

  test('one address that fails delays no other', async () => {
    vi.spyOn(console, 'error').mockReturnValue();
    await withOutbox(async (outbox, { drains, drain }) => {
      outbox.put('bad', { n: 1 });
      outbox.put('slow', { n: 2 });
      outbox.put('good', { n: 3 });
      let release = () => {};
      const held = new Promise<void>((resolve) => {
        release = resolve;
      });
      const slow = drain('slow', () => held);
      await drain('bad', () => Promise.reject(new Error('down')));
      const sent: number[] = [];
      await drain('good', async (bodies) => void sent.push(...numbered(bodies)));
      expect(sent).toEqual([3]);
      expect([...outbox.addresses()].toSorted()).toEqual(['bad', 'slow']);
      expect(drains.isBackingOff('slow', Date.now())).toBe(false);
      release();
      await slow;
      expect([...outbox.addresses()]).toEqual(['bad']);
    });
  });

  test('cuts what is large into deliveries, and sends alone what is larger still', async () => {
    await withOutbox(async (outbox, { drain }) => {
      for (const size of [400_000, 500_000, 300_000, 1_200_000, 10])
        outbox.put('d1', { text: 'x'.repeat(size) });
      const sizes: number[] = [];
      await drain('d1', async (bodies) => void sizes.push(bodies.length));
      expect(sizes).toEqual([2, 1, 1, 1]);
    });
  });

  test('finds what waits in a storage that it opens', async () => {
    await withOutbox(async (outbox, _way, sql) => {
      outbox.put('d1', { n: 1 });
      const again = new Outbox(sql);
      expect([...again.addresses()]).toEqual(['d1']);
      again.put('d1', { n: 2 });
      const sent: number[] = [];
      await sender(again).drain('d1', async (bodies) => void sent.push(...numbered(bodies)));
      expect(sent).toEqual([1, 2]);
    });
  });

  test('whatever fails and however often, everything arrives in the order of its address', async () => {
    vi.spyOn(console, 'error').mockReturnValue();
    const puts = fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(puts, fc.infiniteStream(fc.boolean()), async (addresses, luck) => {
        await withOutbox(async (outbox, { drain }) => {
          const arrived = new Map<string, number[]>();
          const send = (address: string) =>
            drain(address, async (bodies) => {
              if (luck.next().value) throw new Error('down');
              arrived.set(address, [...(arrived.get(address) ?? []), ...numbered(bodies)]);
            });
          for (const [n, address] of addresses.entries()) {
            outbox.put(address, { n });
            await send(address);
          }
          while (outbox.addresses().size > 0) await Promise.all([...outbox.addresses()].map(send));
          for (const address of ['a', 'b', 'c'])
            expect(arrived.get(address) ?? []).toEqual(
              addresses.flatMap((to, n) => (to === address ? [n] : [])),
            );
        });
      }),
      { numRuns: 30 },
    );
  });
});

describe('a report of a run', () => {
  test('that comes twice is taken once', async () => {
    const shop = await openShop();
    await addWorkflow(shop, [flagOn('gate', 'beta')]);
    const runId = await startOne(shop);
    const run = await reached(shop, runId, 'pending_approval');
    await quiet(shop);
    const report = reportAgain(run, await livePlace(shop), false);
    await tenantOf(shop).report([report, report], true);
    await tenantOf(shop).report([report], true);
    expect(await auditActions(shop, runId)).toEqual(['approval.requested']);
    expect(await readRun(shop, runId)).toEqual(run);
    const [live] = await intakeRows(shop, 'live');
    expect(live?.body).toBe(String(run.timeline.length));
  });

  test('waits in the run until the tenant has it', async () => {
    const shop = await openShop();
    await addWorkflow(shop, [flagOn('gate', 'beta')]);
    const runId = await startOne(shop);
    await reached(shop, runId, 'pending_approval');
    await quiet(shop);
    vi.spyOn(console, 'error').mockReturnValue();
    const report = vi.spyOn(TenantObject.prototype, 'report');
    report.mockRejectedValue(new Error('not now'));
    const actor = { type: 'api_key', id: 'key_ann', name: 'ann' } as const;
    const answer = await runOf(shop, runId).cancel(actor, null, 'req-cancel');
    expect(answer).toMatchObject({ ok: true, run: { status: 'cancelled' } });
    expect(await journalOf(shop, runId)).toHaveLength(1);
    expect((await readRun(shop, runId))?.status).toBe('pending_approval');
    report.mockRestore();
    await runOf(shop, runId).poke();
    expect((await reached(shop, runId, 'cancelled')).finishedAt).not.toBeNull();
    await vi.waitFor(async () => expect(await journalOf(shop, runId)).toEqual([]));
  });
});
