/** What a tenant's object still has to send. */
import { runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { expect } from 'vitest';
import type { Stores } from '../../../src/objects/stores.ts';

/** Nothing waits in its outbox, nor for the read model. */
export async function expectNothingWaits(tenantId: string): Promise<void> {
  // A stub of its own: the meter puts something else in the place of the others.
  const stub = env.TENANTS.get(env.TENANTS.idFromName(`t:${tenantId}`));
  const waiting = await runInDurableObject(stub, (object, { storage }) => {
    const { parcels }: Stores = Reflect.get(object, 'stores');
    const rows = storage.sql.exec('SELECT address FROM outbox').toArray();
    return [...rows, ...parcels.take(1, 1).bodies];
  });
  expect(waiting).toEqual([]);
}
