/** What the product says in the end, read over its API: the log of each tenant, all of it. */
import * as z from 'zod';
import type { AuditEntry } from '../../src/contract/audit.ts';
import { type Delivery, delivery } from '../../src/contract/deliveries.ts';
import type { EventRecord } from '../../src/contract/events.ts';
import { money } from '../../src/contract/json.ts';
import {
  type ApprovalItem,
  approvalItem,
  type Run,
  type RunItem,
} from '../../src/contract/runs.ts';
import type { Server } from '../e2e/support/server.ts';
import { listAll, listAudit, listEvents, listRuns, readRun } from '../e2e/support/tenant.ts';
import type { Shop } from './shop.ts';

const READERS = 6;

const mail = z.object({ id: z.string(), subject: z.string(), to: z.array(z.string()) });
const order = z.object({ id: z.string(), refunded: money.nullable(), tags: z.array(z.string()) });
const exported = z.object({ id: z.string(), status: z.string(), rows: z.number() });
const flagChange = z.object({
  key: z.string(),
  from: z.boolean(),
  to: z.boolean(),
  run: z.object({ id: z.string(), stepId: z.string().nullable() }).nullable(),
});
const signed = z.object({ checkpoint: z.object({ size: z.number() }) });

export interface Recorded {
  readonly tenantId: string;
  readonly events: readonly EventRecord[];
  /** As the list has them. */
  readonly items: readonly RunItem[];
  /** Each as it is read by itself. */
  readonly runs: readonly Run[];
  readonly approvals: readonly ApprovalItem[];
  readonly deliveries: readonly Delivery[];
  readonly audit: readonly AuditEntry[];
  /** How many entries the tenant's own object has. */
  readonly auditSize: number;
  readonly mails: readonly z.infer<typeof mail>[];
  readonly orders: readonly z.infer<typeof order>[];
  readonly exports: readonly z.infer<typeof exported>[];
  /** Oldest first. */
  readonly flagChanges: readonly z.infer<typeof flagChange>[];
}

export async function readRecord(server: Server, shop: Shop): Promise<Recorded> {
  const { id: tenantId, keys } = shop;
  const admin = server.as(keys.admin);
  // Asked first: what the object has by then, the log has to show.
  const { checkpoint } = await admin.post('/api/admin/audit/checkpoint', {}, signed);
  const list = <Item extends z.ZodType>(path: string, item: Item, query = '') =>
    listAll(admin, `/api/admin/${path}`, query, item);
  const items = await listRuns(server, shop);
  const approvals: ApprovalItem[] = [];
  for (const status of ['pending', 'approved', 'denied', 'expired', 'cancelled'])
    approvals.push(...(await list('approvals', approvalItem, `status=${status}`)));
  return {
    tenantId,
    events: await listEvents(server, shop),
    items,
    runs: await readRuns(server, shop, items),
    approvals,
    deliveries: await list('deliveries', delivery),
    audit: await listAudit(server, shop),
    auditSize: checkpoint.size,
    mails: await list('mailbox', mail),
    orders: await list('orders', order),
    exports: await list('exports', exported),
    flagChanges: (await list('flags/history', flagChange)).toReversed(),
  };
}

async function readRuns(server: Server, shop: Shop, items: readonly RunItem[]): Promise<Run[]> {
  const waiting = items.map(({ id }) => id).values();
  const runs: Run[] = [];
  const work = async () => {
    for (const id of waiting) runs.push(await readRun(server, shop, id));
  };
  await Promise.all(Array.from({ length: READERS }, work));
  return runs;
}
