/** What a tenant's object still has to send. */
import { runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { expect } from 'vitest';
import { tenantObject } from '../../../src/objects/index.ts';
import type { Stores } from '../../../src/objects/stores.ts';

/** Nothing waits in its outbox, nor for the read model. */
export async function expectNothingWaits(tenantId: string): Promise<void> {
  const waiting = await runInDurableObject(tenantObject(env, tenantId), (object, { storage }) => {
    const { parcels }: Stores = Reflect.get(object, 'stores');
    const rows = storage.sql.exec('SELECT address FROM outbox').toArray();
    return [...rows, ...parcels.take(1, 1).bodies];
  });
  expect(waiting).toEqual([]);
}
