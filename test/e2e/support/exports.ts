/** Orders that can be told from each other, the file that they have to become, and what making it takes. */
import { setTimeout as pause } from 'node:timers/promises';
import * as z from 'zod';
import type { OrderView } from '../../../src/ports/orders.ts';
import { killNow, residentMiB, workerdOf } from './processes.ts';
import type { Server } from './server.ts';
import { approve, postEvents, runIn, type Tenant } from './tenant.ts';
import { until } from './wait.ts';

const AT = '2026-03-01T12:00:00.000Z';
const CUSTOMERS = 50_000;
const SAMPLE_MS = 50;

const exported = z.object({
  id: z.string(),
  status: z.string(),
  rows: z.number(),
  bytes: z.number(),
});
export type Exported = z.infer<typeof exported>;
const listed = z.object({ items: z.array(exported) });
const newest = z.object({ items: z.array(z.object({ id: z.string() })) });

/** The n-th order. Everything about it follows from n, in SQL too (`ORDER_COLUMNS`). */
export function orderOf(n: number, padding = 0): OrderView {
  const customer = n % CUSTOMERS;
  return {
    id: `o-${String(n).padStart(7, '0')}`,
    name: `Order #${n}, "Ünal"\n${'x'.repeat(padding)}`,
    status: 'open',
    total: { amount: (n * 7) % 1_000_003, currency: 'EUR' },
    refunded: { amount: 0, currency: 'EUR' },
    customer: { id: `c-${customer}`, email: `c${customer}@example.com`, name: `=Name ${n % 97}` },
    tags: ['plain', `t${n % 7}`],
    createdAt: AT,
    updatedAt: AT,
  };
}

/** `n` has to be a column. */
export const ORDER_COLUMNS = `'o-' || printf('%07d', n) AS id,
  'Order #' || n || ', "Ünal"' || char(10) AS name, 'open' AS status,
  (n * 7) % 1000003 AS total_amount, 'EUR' AS currency, 0 AS refunded_amount,
  'c-' || (n % ${CUSTOMERS}) AS customer_id,
  'c' || (n % ${CUSTOMERS}) || '@example.com' AS customer_email,
  '=Name ' || (n % 97) AS customer_name, json_array('plain', 't' || (n % 7)) AS tags,
  '${AT}' AS created_at, '${AT}' AS updated_at`;

/** So many orders by the tenant's own feed, until the shop has them. */
export async function feedOrders(
  server: Server,
  tenant: Tenant,
  count: number,
  padding: number,
): Promise<void> {
  const perPost = 500;
  for (let from = 0; from < count; from += perPost) {
    const events = Array.from({ length: Math.min(perPost, count - from) }, (_, at) => {
      const {
        status: _s,
        refunded: _r,
        createdAt: time,
        updatedAt: _u,
        ...order
      } = orderOf(from + at, padding);
      return { id: order.id, source: 'feed', time, type: 'order.created', data: { order } };
    });
    await postEvents(server, tenant, events);
  }
  await until('the last order to be in the shop', async () => {
    const path = '/api/admin/orders?limit=1';
    const { items } = await server.as(tenant.keys.viewer).get(path, newest);
    return items[0]?.id === orderOf(count - 1).id;
  });
}

/** Starts the export of a workflow that goes off at an event, and has it approved where it has to be. */
export async function startExport(
  server: Server,
  tenant: Tenant,
  event: string,
  isGated: boolean,
): Promise<string> {
  const [accepted] = await postEvents(server, tenant, { type: event, data: {} });
  const runId = accepted?.runs[0] ?? '';
  if (!isGated) return runId;
  await runIn(server, tenant, runId, 'pending_approval');
  await approve(server, tenant.keys.approver, { runId });
  return runId;
}

/** The tenant's newest export, once it is as wanted. */
export async function exportWhen(
  server: Server,
  { keys }: Tenant,
  what: string,
  isWanted: (newest: Exported) => boolean,
  timeoutMs = 60_000,
): Promise<Exported> {
  const ask = async () => {
    const { items } = await server.as(keys.viewer).get('/api/admin/exports?limit=1', listed);
    return items.find(isWanted);
  };
  return await until(what, ask, timeoutMs);
}

/** `kill -9` of the runtime alone; resolves when another one answers in its place. */
export async function killRuntime(server: Server): Promise<void> {
  const before = workerdOf(server.pid);
  killNow(before);
  await until('another workerd to run', () => {
    const now = workerdOf(server.pid);
    return now.length === 1 && !before.includes(now[0] ?? 0);
  });
  await until('it to answer', async () => (await fetch(`${server.origin}/api/health`)).ok);
}

/** Reads a file line by line; the first line that is not the one that it has to be is thrown. */
export async function checkLines(
  file: Response,
  count: number,
  lineOf: (at: number) => string,
): Promise<number> {
  let [at, bytes, rest] = [0, 0, ''];
  const take = (line: string) => {
    if (at >= count || line !== lineOf(at))
      throw new Error(`line ${at} of ${count} is ${line.slice(0, 300)}`);
    at += 1;
  };
  const decoder = new TextDecoder();
  for await (const chunk of file.body ?? []) {
    bytes += chunk.byteLength;
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) take(line);
  }
  if (rest !== '' || at !== count) throw new Error(`${at} lines instead of ${count}: ${rest}`);
  return bytes;
}

export interface Memory {
  /** The runtime's resident memory at the beginning, in MiB. */
  readonly before: number;
  /** Its largest since then, of any process that was the runtime. */
  peak(): number;
  stop(): Promise<void>;
}

/** Looks at the resident memory of the runtime again and again. */
export function watchMemory(server: Server): Memory {
  const resident = () => Math.max(0, ...workerdOf(server.pid).map(residentMiB));
  const before = resident();
  let peak = before;
  const stopped = new AbortController();
  const watching = (async () => {
    while (!stopped.signal.aborted) {
      peak = Math.max(peak, resident());
      await pause(SAMPLE_MS);
    }
  })();
  return {
    before,
    peak: () => peak,
    async stop() {
      stopped.abort();
      await watching;
    },
  };
}
