/** The records of destinations: how many there may be, and which give way. */
import { runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { expect, test } from 'vitest';
import { Destinations } from '../../../src/objects/destinations.ts';
import { tenantObject } from '../../../src/objects/index.ts';
import { newTenant } from '../support/api.ts';

const MOST = 1_000;
const T0 = Date.parse('2026-03-01T12:00:00.000Z');

const urlOf = (n: number) => `https://example.com/hook/${n}`;
const refused = (at: number) => ({ at, code: 'endpoint_failed', status: 500 });
const gone = (at: number) => ({ at, code: 'endpoint_gone', status: 410 });

/** The records of a new tenant, and those that are left of `https://example.com/hook/<n>`. */
async function records(work: (destinations: Destinations) => void): Promise<number[]> {
  const tenant = await newTenant();
  return await runInDurableObject(tenantObject(env, tenant.id), (_, { storage }) => {
    const destinations = new Destinations(storage.sql);
    work(destinations);
    return destinations
      .list({ limit: 2 * MOST, after: null })
      .map(({ item }) => Number(item.url.split('/').at(-1)))
      .toSorted((a, b) => a - b);
  });
}

test('the one that has failed longest ago gives way; a disabled one stays', async () => {
  const left = await records((destinations) => {
    destinations.disable(urlOf(0), T0);
    destinations.note(urlOf(1), gone(T0));
    for (let n = 2; n < MOST + 2; n += 1) destinations.note(urlOf(n), refused(T0 + n));
  });
  expect(left).toHaveLength(MOST);
  expect(left.slice(0, 4)).toEqual([0, 1, 4, 5]);
});

test('when all are disabled, the one whose receiver was gone first gives way: addresses can be made of data', async () => {
  const left = await records((destinations) => {
    destinations.disable(urlOf(0), T0);
    for (let n = 1; n < MOST + 50; n += 1) destinations.note(urlOf(n), gone(T0 + n));
    expect(destinations.disabledKeys()).toHaveLength(MOST);
  });
  expect(left).toHaveLength(MOST);
  expect(left.slice(0, 3)).toEqual([0, 51, 52]);
});
