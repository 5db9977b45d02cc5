/** Flags in an erasure: keys that name a person, and who set flags by hand and said what. */
import { expect, test } from 'vitest';
import type { Json } from '../../../src/contract/json.ts';
import { exported } from '../audit/support.ts';
import { addPerson } from '../notices/support.ts';
import { listAt } from '../support/answers.ts';
import { newTenant, send, type Tenant } from '../support/api.ts';
import { allQuiet, eraseWhole, hitsOf } from './support.ts';

const EMAIL = 'canary.customer@shop.example';
const NAMING = 'beta.cust-7781-canary';

async function set(token: string, key: string, enabled: boolean, comment: string): Promise<void> {
  const body = { key, enabled, comment };
  const { status, text } = await send('POST', '/api/admin/flags/set', { token, body });
  expect(status, text).toBe(200);
}

async function historyOf(tenant: Tenant): Promise<readonly Json[]> {
  return listAt(await tenant.get('/api/admin/flags/history'));
}

test('a customer goes with the flags that are named after them, and with what was said of them', async () => {
  const tenant = await newTenant();
  const admin = await tenant.key('admin');
  await set(admin, NAMING, true, 'for one customer');
  await set(admin, 'sale', true, `asked for by ${EMAIL}`);
  await set(admin, 'other', true, 'for all');
  await allQuiet(tenant);
  const chain = (await exported(tenant)).map(({ hash }) => hash);
  const customer = { id: 'cust-7781-canary', email: EMAIL };
  const [first] = await eraseWhole(tenant, { customer }, 'asked');
  expect(first?.erased).toMatchObject({ flags: 1, flagChanges: 2, events: 1 });
  await allQuiet(tenant);
  expect(await hitsOf(tenant, [], ['canary'])).toEqual([]);
  expect(await historyOf(tenant)).toMatchObject([
    { key: 'other', comment: 'for all' },
    { key: 'sale', comment: '[erased]', actor: { name: 'First admin key' } },
  ]);
  const after = (await exported(tenant)).map(({ hash }) => hash);
  expect(after.slice(0, chain.length)).toEqual(chain);
  const [again] = await eraseWhole(tenant, { customer }, 'to be sure');
  expect(again?.erased).toMatchObject({ flags: 0, flagChanges: 0 });
});

test('a member goes with their name and their words, and the change stays', async () => {
  const tenant = await newTenant();
  const dora = await addPerson(tenant, 'Dora-Dodo', 'admin');
  await set(dora.key, 'sale', true, 'the boss wants it');
  await tenant.post('/api/admin/members/remove', { id: dora.id });
  await allQuiet(tenant);
  const [answer] = await eraseWhole(tenant, { memberId: dora.id }, 'left');
  expect(answer?.erased).toMatchObject({ flagChanges: 1, members: 1 });
  await allQuiet(tenant);
  expect(await hitsOf(tenant, [], ['dodo', 'the boss'])).toEqual([]);
  expect(await historyOf(tenant)).toMatchObject([
    {
      key: 'sale',
      from: false,
      to: true,
      comment: '[erased]',
      actor: { type: 'member', id: dora.id, name: '[erased]' },
    },
  ]);
});
