/** What is in the file of an export: every order that was there, once, in both formats. */
import { env } from 'cloudflare:workers';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ACTIONS } from '../../../src/actions/index.ts';
import { EVENT_DATA } from '../../../src/contract/events.ts';
import type { Json } from '../../../src/contract/json.ts';
import { embeddedCommerce } from '../../../src/ports/commerce.ts';
import { SLICE_LIMITS } from '../../../src/ports/export-slice.ts';
import { feedOrders } from '../../../src/ports/feed-orders.ts';
import { PART_BYTES } from '../../../src/ports/part-writer.ts';
import { watched } from './faults.ts';
import {
  addMany,
  addOrders,
  CSV,
  callOf,
  exportAll,
  NDJSON,
  newTenantId,
  onlyExport,
  ordersIn,
  STORES,
  slice,
  textOf,
  viewOfOrder,
} from './support.ts';

const idsIn = (text: string) => ordersIn(text).map(({ id }) => id);

async function created(tenantId: string, id: string, order: Record<string, Json> = {}) {
  const data = { order: { id, total: { amount: 10_000, currency: 'USD' }, ...order } };
  EVENT_DATA['order.created'].parse(data);
  const event = { type: 'order.created', time: '2026-03-01T12:00:00.000Z', data };
  await env.DB.batch(feedOrders(env.DB, tenantId, [event], Date.now()));
}

describe('rows', () => {
  test('12,345 orders are 12,345 rows in the order of their ids, in three slices', async () => {
    const tenantId = newTenantId();
    await addMany(newTenantId(), 100);
    const ids = await addMany(tenantId, 12_345);
    const { outcome, slices } = await exportAll(tenantId, NDJSON);
    expect(slices).toBe(3);
    const text = await textOf(tenantId);
    expect(idsIn(text)).toEqual(ids);
    const bytes = new TextEncoder().encode(text).byteLength;
    const row = await onlyExport(tenantId);
    const output = { exportId: row.id, rows: 12_345, bytes, format: 'ndjson' };
    expect(outcome).toMatchObject({
      output,
      events: [
        {
          id: 'k1',
          type: 'export.completed',
          data: {
            export: { id: row.id, kind: 'orders', format: 'ndjson', rows: 12_345, bytes },
          },
        },
      ],
    });
    expect(row).toMatchObject({ rows: 12_345, bytes, status: 'completed' });
  });

  test('as CSV they are the same, under one header row', async () => {
    const tenantId = newTenantId();
    const ids = await addMany(tenantId, 10_001, (n) => `#${n}, "x"\r\n`);
    await exportAll(tenantId, CSV);
    const text = await textOf(tenantId);
    const rows = [...text.matchAll(/^"(o-\d+)","#(\d+), ""x""\r\n","open",10000,0,"USD"/gm)];
    expect(rows.map(([, id]) => id)).toEqual(ids);
    expect(rows.map(([, , n]) => Number(n))).toEqual(ids.map((_, n) => n));
    expect(text.match(/total_amount/g)).toHaveLength(1);
    expect(text.match(/\r\n/g)).toHaveLength(10_001 * 2 + 1);
  });

  test('every field of an NDJSON line is what the API shows of the order', async () => {
    const tenantId = newTenantId();
    const texts = [
      '=1+1',
      ' "quoted", \\',
      'a\r\nb\u2028c',
      '😀 é e\u0301',
      '\u0001\u007f',
      '{}[]',
    ];
    for (const [n, name] of texts.entries())
      await created(tenantId, `id ${name}`, {
        name,
        total: { amount: n % 2 === 0 ? Number.MAX_SAFE_INTEGER - n : -n, currency: 'JPY' },
        customer: { id: name, email: name, name },
        tags: [name, 'b', 'a'],
      });
    const commerce = embeddedCommerce(env.DB);
    await commerce.tagOrder(callOf(tenantId, 't1'), 'not yet known', 'early');
    await commerce.cancelOrder(callOf(tenantId, 't2'), `id ${texts[0]}`, 'a reason');
    await exportAll(tenantId, NDJSON);
    const orders = ordersIn(await textOf(tenantId));
    expect(orders).toHaveLength(texts.length + 1);
    for (const order of orders) expect(order).toEqual(await viewOfOrder(tenantId, order.id));
  });

  test('of nothing are a header in CSV, and no byte in NDJSON', async () => {
    for (const request of [CSV, NDJSON]) {
      const tenantId = newTenantId();
      const { outcome } = await exportAll(tenantId, request);
      const text = await textOf(tenantId);
      expect(text).toMatch(request === CSV ? /^"id","name",.*"updated_at"\r\n$/ : /^$/);
      expect(outcome).toMatchObject({ output: { rows: 0, bytes: text.length } });
    }
  });

  test('are exact across parts, pages and slices of any sizes', async () => {
    const lengths = fc.array(fc.constantFrom(0, 10, 200_000, 520_000, 1_048_000), {
      maxLength: 8,
    });
    const limits = fc.record({
      pages: fc.integer({ min: 1, max: 4 }),
      parts: fc.integer({ min: 1, max: 2 }),
    });
    await fc.assert(
      fc.asyncProperty(lengths, limits, async (sizes, some) => {
        const tenantId = newTenantId();
        const ids = await addMany(tenantId, sizes.length, (n) => 'é'.repeat(sizes[n] ?? 0));
        await exportAll(tenantId, NDJSON, { limits: { ...SLICE_LIMITS, ...some } });
        const orders = ordersIn(await textOf(tenantId));
        expect(orders.map(({ id }) => id)).toEqual(ids);
        expect(orders.map(({ name }) => name?.length)).toEqual(sizes);
      }),
      { numRuns: 6 },
    );
  }, 60_000);

  test('fill parts of one size, of which the last is smaller', async () => {
    const tenantId = newTenantId();
    await addMany(tenantId, 36, () => '€'.repeat(105_000));
    await exportAll(tenantId, NDJSON, { limits: SLICE_LIMITS });
    const { objectKey, bytes, parts } = await onlyExport(tenantId);
    const file = await env.EXPORTS.head(objectKey);
    expect(file?.size).toBe(bytes);
    expect(parts).toHaveLength(Math.ceil(bytes / PART_BYTES));
    expect(file?.etag).toMatch(new RegExp(`-${parts.length}$`));
    expect(file?.httpMetadata).toMatchObject({ contentType: 'application/x-ndjson' });
  });
});

describe('orders that', () => {
  test('are added while it runs are not in it, wherever their ids stand', async () => {
    const tenantId = newTenantId();
    const ids = await addMany(tenantId, 6_000);
    await slice(tenantId, NDJSON);
    for (const id of ['a', 'o-0000003b', 'o-0005500b', 'z']) await created(tenantId, id);
    await exportAll(tenantId, NDJSON);
    expect(idsIn(await textOf(tenantId))).toEqual(ids);
  });

  test('change while it runs are in it once, as they were when they were read', async () => {
    const tenantId = newTenantId();
    const ids = await addMany(tenantId, 6_000);
    const [read = '', unread = ''] = [ids[10], ids[5_990]];
    const commerce = embeddedCommerce(env.DB);
    await slice(tenantId, NDJSON);
    for (const id of [read, unread]) {
      await commerce.tagOrder(callOf(tenantId, `t-${id}`), id, 'late');
      await commerce.cancelOrder(callOf(tenantId, `c-${id}`), id, undefined);
    }
    await exportAll(tenantId, NDJSON);
    const orders = ordersIn(await textOf(tenantId));
    expect(orders.map(({ id }) => id)).toEqual(ids);
    expect(orders[10]).toMatchObject({ tags: [], status: 'open' });
    expect(orders[5_990]).toMatchObject({ tags: ['late'], status: 'cancelled' });
  });

  test('were known by a tag alone, and whose event comes while it runs, are in it once', async () => {
    const tenantId = newTenantId();
    await addMany(tenantId, 6_000);
    await embeddedCommerce(env.DB).tagOrder(callOf(tenantId, 't'), 'z', 'early');
    await slice(tenantId, NDJSON);
    await created(tenantId, 'z', { name: 'late' });
    await exportAll(tenantId, NDJSON);
    const orders = ordersIn(await textOf(tenantId));
    expect(orders).toHaveLength(6_001);
    expect(orders.at(-1)).toMatchObject({ id: 'z', name: 'late', tags: ['early'] });
  });
});

describe('a range of time', () => {
  const at = (minute: number) => `2026-03-01T12:0${minute}:00.000Z`;

  /** As a step does it: the action's own check comes first. */
  async function exportRange(tenantId: string, input: Record<string, Json>): Promise<string[]> {
    const action = ACTIONS['export.orders'];
    const checked = action?.input.parse({ format: 'ndjson', ...input });
    await exportAll(tenantId, Object(checked));
    return idsIn(await textOf(tenantId));
  }

  test.each([
    [{ from: at(1), to: at(2) }, ['1']],
    [{ from: '2026-03-01T14:01:00+02:00', to: '2026-03-01T06:32:00-05:30' }, ['1']],
    [{ from: '2026-03-01T12:01:00Z' }, ['1', '2']],
    [{ to: '2026-03-01T12:01:00.001Z' }, ['0', '1']],
    [{ from: '0001-01-01T00:00:00Z', to: '9999-12-31T23:59:59.999Z' }, ['0', '1', '2']],
    [{ from: at(3) }, []],
  ])('%j includes its beginning and not its end, whatever the offsets', async (range, ids) => {
    const tenantId = newTenantId();
    await addOrders(
      tenantId,
      [0, 1, 2].map((n) => ({ id: `${n}`, createdAt: at(n) })),
    );
    expect(await exportRange(tenantId, range)).toEqual(ids);
  });

  test.each([
    [{ from: at(2), to: at(1) }, 'to', 'later than from'],
    [{ from: at(1), to: '2026-03-01T14:01:00+02:00' }, 'to', 'later than from'],
    [{ to: '9999-12-31T23:59:59-01:00' }, 'to', 'between the years'],
    [{ from: '2026-03-01' }, 'from', 'RFC 3339'],
    [{ until: at(1) }, 'until', 'unknown field'],
  ])('%j is refused: %s has to be %s', (range, path, message) => {
    const checked = ACTIONS['export.orders']?.rule.check({ format: 'csv', ...range });
    expect(checked).toMatchObject({
      ok: false,
      faults: [{ path, message: expect.stringContaining(message) }],
    });
  });

  test('finds few orders among many in several slices, and counts those alone', async () => {
    const tenantId = newTenantId();
    const rows = Array.from({ length: 15_001 }, (_, n) => ({
      id: String(n).padStart(6, '0'),
      createdAt: n % 5_000 === 0 ? at(1) : at(2),
    }));
    await addOrders(tenantId, rows);
    const { slices, outcome } = await exportAll(tenantId, { ...NDJSON, from: at(1), to: at(2) });
    expect(slices).toBe(4);
    expect(outcome).toMatchObject({ output: { rows: 4 } });
    expect(idsIn(await textOf(tenantId))).toEqual(['000000', '005000', '010000', '015000']);
  });
});

test('a repeat under the same key writes nothing and answers the same', async () => {
  const tenantId = newTenantId();
  await addMany(tenantId, 3);
  const { outcome } = await exportAll(tenantId, CSV);
  const before = await onlyExport(tenantId);
  await created(tenantId, 'later');
  expect(await slice(tenantId, CSV)).toEqual(outcome);
  expect(await onlyExport(tenantId)).toEqual(before);
});

test('a slice makes fewer requests than a Worker may on the free plan', async () => {
  const tenantId = newTenantId();
  await addMany(tenantId, 2_000, (n) => `${n} ${'x'.repeat(16_000)}`);
  let requests = 0;
  const stores = watched(STORES, async (_, work) => {
    requests += 1;
    return await work();
  });
  const outcome = await slice(tenantId, NDJSON, { stores, limits: SLICE_LIMITS });
  expect(outcome.kind).toBe('progressed');
  expect(requests).toBeGreaterThan(25);
  expect(requests).toBeLessThan(45);
});

test('a file that R2 could not number the parts of is refused in words', async () => {
  const tenantId = newTenantId();
  await addMany(tenantId, 6_000);
  await slice(tenantId, CSV);
  await env.DB.prepare('UPDATE exports SET numbers = 9990 WHERE tenant_id = ?')
    .bind(tenantId)
    .run();
  expect(await slice(tenantId, CSV)).toMatchObject({
    kind: 'failed',
    retryable: false,
    error: { code: 'export_too_large' },
  });
});
