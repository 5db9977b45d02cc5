/** Exports without their runs: orders by the thousand, slices one by one, and the file that comes of them. */
import { env } from 'cloudflare:workers';
import { expect } from 'vitest';
import type { Outcome } from '../../../src/engine/plan.ts';
import { newId } from '../../../src/ids.ts';
import type { ExportRow } from '../../../src/ports/export-rows.ts';
import { findExport, listExports } from '../../../src/ports/export-rows.ts';
import { type ExportStores, SLICE_LIMITS } from '../../../src/ports/export-slice.ts';
import { embeddedExports } from '../../../src/ports/exports.ts';
import type { ExportRequest, PortCall } from '../../../src/ports/index.ts';
import { getOrder, type OrderView } from '../../../src/ports/orders.ts';

export const STORES: ExportStores = { db: env.DB, bucket: env.EXPORTS };
export const NDJSON: ExportRequest = { format: 'ndjson' };
export const CSV: ExportRequest = { format: 'csv' };
/** Slices of one page, so that a few thousand orders make several. */
export const ONE_PAGE = { ...SLICE_LIMITS, pages: 1 };
const SLICES_MAX = 200;

/** A tenant's name that no other test has. */
export function newTenantId(): string {
  return `exports-${newId('evt').slice(-12)}`;
}

export function callOf(tenantId: string, key = 'k1', runId = 'run_1'): PortCall {
  return { tenantId, runId, idempotencyKey: key, timeoutMs: 15_000, now: Date.now() };
}

/** One slice. */
export async function slice(
  tenantId: string,
  request: ExportRequest,
  { stores = STORES, limits = ONE_PAGE, key = 'k1', runId = 'run_1' } = {},
) {
  const port = embeddedExports(stores, undefined, limits);
  return await port.exportOrders(callOf(tenantId, key, runId), request);
}

/** Slice by slice to the end; how many it took. */
export async function exportAll(
  tenantId: string,
  request: ExportRequest,
  options: Parameters<typeof slice>[2] = {},
): Promise<{ outcome: Outcome; slices: number }> {
  for (let slices = 1; slices <= SLICES_MAX; slices += 1) {
    const outcome = await slice(tenantId, request, options);
    if (outcome.kind !== 'progressed') return { outcome, slices };
  }
  throw new Error(`no end after ${SLICES_MAX} slices`);
}

/** The tenant's only export. */
export async function onlyExport(tenantId: string): Promise<ExportRow> {
  const { items } = await listExports(env.DB, tenantId, { limit: 2, after: null });
  expect(items).toHaveLength(1);
  const row = await findExport(env.DB, tenantId, items[0]?.id ?? '');
  if (row === null) throw new Error('the export has no row');
  return row;
}

/** The text of the only export's file. */
export async function textOf(tenantId: string): Promise<string> {
  const { objectKey, status } = await onlyExport(tenantId);
  expect(status).toBe('completed');
  const file = await env.EXPORTS.get(objectKey);
  if (file === null) throw new Error('the file is not there');
  return await file.text();
}

/** What came, whatever its type says. */
export async function read(file: Response): Promise<{ bytes: number; text: string }> {
  const body = await file.arrayBuffer();
  return { bytes: body.byteLength, text: new TextDecoder().decode(body) };
}

/** The orders of an NDJSON file. */
export function ordersIn(text: string): OrderView[] {
  return text === ''
    ? []
    : text
        .replace(/\n$/, '')
        .split('\n')
        .map((line) => JSON.parse(line));
}

/** Keys of all objects of the tenant's exports. */
export async function objectsOf(tenantId: string): Promise<string[]> {
  const { objects } = await env.EXPORTS.list({ prefix: `exports/${tenantId}/` });
  return objects.map(({ key }) => key);
}

export interface Row {
  readonly id: string;
  readonly name?: string;
  readonly createdAt?: string;
  readonly tags?: readonly string[];
  readonly customerId?: string;
  readonly customerEmail?: string;
  readonly customerName?: string;
  readonly amount?: number;
}

const ROWS_AT_ONCE = 1_000_000;

/** Orders as they stand in the embedded shop. */
export async function addOrders(tenantId: string, rows: readonly Row[]): Promise<void> {
  let at = 0;
  while (at < rows.length) {
    const texts: string[] = [];
    for (let size = 0; at < rows.length && size < ROWS_AT_ONCE; at += 1) {
      const text = JSON.stringify({ createdAt: '2026-03-01T12:00:00.000Z', ...rows[at] });
      texts.push(text);
      size += text.length * 3;
    }
    await env.DB.prepare(
      `INSERT INTO orders (tenant_id, id, name, status, total_amount, currency, customer_id,
         customer_email, customer_name, tags, created_at, updated_at, seen_at)
       SELECT ?1, r->>'id', r->>'name', 'open', coalesce(r->>'amount', 10000), 'USD',
         r->>'customerId', r->>'customerEmail', r->>'customerName', coalesce(r->'tags', '[]'),
         r->>'createdAt', r->>'createdAt', ?3
       FROM (SELECT value AS r FROM json_each(?2))`,
    )
      .bind(tenantId, `[${texts.join(',')}]`, Date.now())
      .run();
  }
}

/** So many orders with names of a length; their ids in the order in which a file has them. */
export async function addMany(
  tenantId: string,
  count: number,
  name: (n: number) => string = (n) => `#${n}`,
): Promise<string[]> {
  const rows = Array.from({ length: count }, (_, n) => ({
    id: `o-${String(n).padStart(7, '0')}`,
    name: name(n),
  }));
  await addOrders(tenantId, rows);
  return rows.map(({ id }) => id);
}

export async function viewOfOrder(tenantId: string, id: string): Promise<OrderView> {
  const order = await getOrder(env.DB, tenantId, id);
  if (order === null) throw new Error(`no order ${id}`);
  return order;
}

export const RANGE = { from: '2026-03-01T00:00:00.000Z', to: '2026-03-02T00:00:00.000Z' };

/** Very many orders, of which every fiftieth is within RANGE. */
export async function addBulk(tenantId: string, count: number): Promise<void> {
  await env.DB.prepare(
    `INSERT INTO orders (tenant_id, id, status, total_amount, currency, created_at, updated_at)
     WITH RECURSIVE numbers (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?2 - 1)
     SELECT ?1, printf('o-%07d', n), 'open', n, 'USD', at, at FROM (
       SELECT n, iif(n % 50 = 0, ?3, '2026-04-01T00:00:00.000Z') AS at FROM numbers)`,
  )
    .bind(tenantId, count, RANGE.from)
    .run();
}
