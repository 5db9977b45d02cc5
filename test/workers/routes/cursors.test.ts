/** Cursors that somebody made: of the right form or not, they open nothing and break nothing. */
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { encodeCursor } from '../../../src/http/cursor.ts';
import { fieldsOf, textAt } from '../support/answers.ts';
import { eventually, newTenant, type Tenant } from '../support/api.ts';
import { createWorkflow, orderEvent, tagWorkflow } from '../support/samples.ts';

/** Paths of lists, with the names that their cursors carry. */
const LISTS = {
  events: 'events',
  workflows: 'workflows',
  'workflow-runs': 'runs',
  audit: 'audit',
  'api-keys': 'api-keys',
  orders: 'orders',
  flags: 'flags',
  exports: 'exports',
  mailbox: 'mailbox',
};

let tenant: Tenant;
beforeAll(async () => {
  tenant = await newTenant();
  await createWorkflow(tenant, tagWorkflow());
  await tenant.events([orderEvent('1'), orderEvent('2')]);
  await eventually(
    () => tenant.get('/api/admin/orders'),
    (page) => expect(fieldsOf(page, 'id')).toEqual(expect.arrayContaining(['1', '2'])),
  );
});

describe.each(Object.entries(LISTS))('the list %s', (path, name) => {
  const ask = (cursor: string) =>
    tenant.get(`/api/admin/${path}?cursor=${encodeURIComponent(cursor)}`, 'admin');

  test('answers a page or 400 to a made-up key, whatever it holds', async () => {
    const odd = ['0', '-1', '1e400', 'NaN', 'null', "' OR 1=1 --", '%', '_', '"', '2026', '~', ' '];
    for (const key of odd)
      expect([200, 400], key).toContain((await ask(encodeCursor(name, key))).status);
    const text = fc.string({ minLength: 1, maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(text, async (key) => {
        expect([200, 400]).toContain((await ask(encodeCursor(name, key))).status);
      }),
      { numRuns: 20 },
    );
  });

  test('answers 400 to text that was never a cursor', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ minLength: 1, maxLength: 60 }), async (text) => {
        expect((await ask(text)).status).toBe(400);
      }),
      { numRuns: 20 },
    );
  });

  test('answers 400 to a cursor with one letter changed or left out', async () => {
    const good = encodeCursor(name, '00000000');
    const other = Object.values(LISTS).find((list) => list !== name) ?? '';
    for (const cursor of [good.slice(1), `${good}A`, `A${good}`, encodeCursor(other, '00000000')])
      expect((await ask(cursor)).status, cursor).toBe(400);
  });
});

test('a cursor goes on exactly where the page ended', async () => {
  const first = await tenant.get('/api/admin/orders?limit=1');
  const second = await tenant.get(
    `/api/admin/orders?limit=1&cursor=${textAt(first, 'nextCursor')}`,
  );
  expect([...fieldsOf(first, 'id'), ...fieldsOf(second, 'id')].toSorted()).toEqual(['1', '2']);
  expect(second.body.nextCursor).toBeNull();
});
