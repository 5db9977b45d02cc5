/** Whether everything that was begun has ended. */
import { setTimeout as pause } from 'node:timers/promises';
import * as z from 'zod';
import { runItem } from '../../src/contract/runs.ts';
import type { Server } from '../e2e/support/server.ts';
import type { Shop } from './shop.ts';

/** The bar is a minute; on a machine that does other things as well, some more. */
const SETTLE_MAX_MS = 300_000;
const OPEN = ['queued', 'running', 'waiting', 'pending_approval'];
const page = z.object({ items: z.array(runItem) });

/** Whether no run of any tenant waits for anything any more. */
export async function untilSettled(server: Server, shops: readonly Shop[]): Promise<boolean> {
  const deadline = Date.now() + SETTLE_MAX_MS;
  let quiet = 0;
  while (Date.now() < deadline) {
    const open = await Promise.all(shops.map((shop) => countOpen(server, shop)));
    quiet = open.every((count) => count === 0) ? quiet + 1 : 0;
    // What a run has caused may not be in the log yet.
    if (quiet === 5) return true;
    await pause(400);
  }
  return false;
}

async function countOpen(server: Server, { keys }: Shop): Promise<number> {
  let count = 0;
  for (const status of OPEN) {
    const path = `/api/admin/workflow-runs?limit=1&status=${status}`;
    count += (await server.as(keys.viewer).get(path, page)).items.length;
  }
  return count;
}
