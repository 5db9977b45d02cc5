/** What the read model is told: in order, nothing left out, whatever comes in between; and cheaply. */
import { evictDurableObject, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import fc from 'fast-check';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { AuditLog } from '../../../src/objects/audit-log.ts';
import { Outbox } from '../../../src/objects/outbox.ts';
import { Parcels, type TakenParcels } from '../../../src/objects/parcels.ts';
import type { Stores } from '../../../src/objects/stores.ts';
import { auditActions, quiet, reached, tenantRows } from './support/history.ts';
import { addWorkflow, flagOn, openShop, runOf, startOne, tenantOf, vote } from './support/shop.ts';

afterEach(() => void vi.restoreAllMocks());

let opened = 0;
/** Parcels of their own, in the storage of an object that nobody else uses. */
async function withParcels(use: (open: () => Parcels, sql: SqlStorage) => void): Promise<void> {
  opened += 1;
  await runInDurableObject(runOf('parcels', `run_${opened}`), (_, { storage: { sql } }) => {
    const open = () => new Parcels(new Outbox(sql), new AuditLog(sql, 'parcels', () => undefined));
    use(open, sql);
  });
}

const NOTHING: TakenParcels = { bodies: [], waiting: [], last: null, more: false };
const parcel = (n: number) => ({ old: { runs: [`run_${n}`] } });
const numberOf = (body: string) => Number(/run_(\d+)/.exec(body)?.[1]);

/** All that waits, acknowledged. */
function sendAll(parcels: Parcels): number[] {
  const sent: number[] = [];
  for (;;) {
    const taken = parcels.take(200, 1_000_000);
    if (taken.bodies.length === 0) return sent;
    sent.push(...taken.bodies.map(numberOf));
    parcels.acknowledge(taken);
  }
}

describe('parcels', () => {
  test('one after the other is a row each, and nothing is deleted', async () => {
    await withParcels((open, sql) => {
      const parcels = open();
      const exec = vi.spyOn(Object.getPrototypeOf(sql), 'exec');
      for (let n = 0; n < 5; n += 1) {
        parcels.put(parcel(n));
        expect(sendAll(parcels)).toEqual([n]);
      }
      const written = exec.mock.results.map(({ value }) => value.rowsWritten);
      expect(written.reduce((sum, rows) => sum + rows, 0)).toBe(5);
    });
  });

  test('that wait are sent in their order, also after a sleep, and the last one again', async () => {
    await withParcels((open) => {
      const parcels = open();
      for (let n = 0; n < 450; n += 1) parcels.put(parcel(n));
      const all = Array.from({ length: 450 }, (_, n) => n);
      expect(sendAll(open())).toEqual(all);
      expect(sendAll(open())).toEqual([449]);
    });
  });

  test('whatever is cut off, each comes after the one before it, and none is lost', async () => {
    const act = fc.constantFrom('put', 'take', 'acknowledge', 'sleep');
    const length = fc.integer({ min: 1, max: 60 });
    await withParcels((open) => {
      let count = 0;
      const property = fc.property(fc.array(act, { maxLength: 40 }), length, (acts, characters) => {
        const first = count;
        const sent: number[] = [];
        let parcels = open();
        let taken = NOTHING;
        for (const deed of acts) {
          if (deed === 'put') parcels.put(parcel(count++));
          if (deed === 'take') {
            taken = parcels.take(3, characters);
            sent.push(...taken.bodies.map(numberOf));
            expect(taken.more).toBe(count > first && !sent.includes(count - 1));
          }
          if (deed === 'acknowledge') parcels.acknowledge(taken);
          if (deed === 'sleep') parcels = open();
          if (deed !== 'put' && deed !== 'take') taken = NOTHING;
        }
        sent.push(...sendAll(parcels));
        const firsts = [...new Set(sent)].filter((n) => n >= first);
        expect(firsts).toEqual(Array.from({ length: count - first }, (_, n) => first + n));
      });
      fc.assert(property, { numRuns: 200 });
    });
  });
});

describe('a tenant', () => {
  test('that slept tells its last parcel again, and the read model stays as it was', async () => {
    const shop = await openShop();
    await addWorkflow(shop, [flagOn('gate', 'beta')]);
    const runId = await startOne(shop);
    await reached(shop, runId, 'pending_approval');
    await vote(shop, runId, 'approved', 'ann');
    await reached(shop, runId, 'succeeded');
    await quiet(shop);
    const rows = async () =>
      await Promise.all(
        ['runs', 'run_entries', 'events', 'approvals', 'audit'].map(async (table) => {
          const all = env.DB.prepare(`SELECT * FROM ${table} WHERE tenant_id = ?1 ORDER BY 1, 2`);
          return (await all.bind(shop).all()).results;
        }),
      );
    const before = await rows();
    await evictDurableObject(tenantOf(shop));
    await tenantOf(shop).poke();
    await quiet(shop);
    expect(await rows()).toEqual(before);
    expect(await tenantRows(shop, 'SELECT id FROM outbox')).toEqual([]);
  });

  test('takes nothing into its audit chain that does not leave it', async () => {
    const shop = await openShop();
    const refused = await runInDurableObject(tenantOf(shop), (object) => {
      const transact: (work: (stores: Stores) => void) => void = Reflect.get(object, 'transact');
      const actor = { type: 'system', id: 'x', name: 'x' } as const;
      const target = { type: 'tenant', id: shop };
      const fact = { actor, action: 'tenant.created', target, requestId: 'r', data: {} } as const;
      try {
        transact.call(object, ({ audit }) => audit.append(fact, '2026-01-01T00:00:00.000Z'));
        return 'taken';
      } catch (error) {
        return String(error);
      }
    });
    expect(refused).toContain('has not left');
    await addWorkflow(shop, [flagOn('gate', 'beta')]);
    expect(await auditActions(shop)).toEqual(['tenant.created', 'workflow.created']);
  });
});
