/**
 * What a run costs after 10, 10,000 and 1,000,000 runs of history, and the lists of the longest one.
 * Three products at once, each with its own history, held still unless it is their turn.
 */
import { fillHistory } from '../support/history.ts';
import type { Model } from '../support/past-run.ts';
import { runLoad } from '../support/processes.ts';
import { newRound, whenShown } from '../support/rounds.ts';
import { createWorkflow, delivery, systemOf } from '../systems/product.ts';
import {
  listOf,
  newPlace,
  type ProductServer,
  startProductServer,
  type Tenant,
} from '../systems/product-server.ts';
import type { System } from '../systems/system.ts';
import { costRows } from './history-costs.ts';
import type { Bench, Measure } from './measure.ts';
import { listRows } from './run-log-lists.ts';

const SIZES = [10, 10_000, 1_000_000];
const QUICK_SIZES = [10, 1_000, 20_000];

/** A product with so many runs behind it. */
export interface Aged {
  readonly runs: number;
  readonly server: ProductServer;
  readonly tenant: Tenant;
  readonly system: System;
  readonly model: Model;
}

export const history: Measure = {
  name: 'history',
  async run(bench) {
    const aged: Aged[] = [];
    try {
      for (const runs of bench.part === 1 ? SIZES : QUICK_SIZES) {
        const product = await grown(bench, runs);
        product.server.running.hold();
        aged.push(product);
      }
      const longest = aged.slice(-1);
      return [...(await costRows(bench, aged)), ...(await listRows(bench, longest))];
    } finally {
      await Promise.all(aged.map(({ server }) => server.stop()));
    }
  },
};

async function grown(bench: Bench, runs: number): Promise<Aged> {
  const place = newPlace();
  const young = await startProductServer(place);
  const tenant = await young.openTenant('bench');
  const workflowIds = await createRules(tenant, bench.sink.url);
  const model = await modelRun(bench, young, tenant, workflowIds);
  await young.end();
  const begun = Date.now();
  const rows = fillHistory(place.stateDir, model, runs);
  const seconds = Math.round((Date.now() - begun) / 1_000);
  bench.say(`history: ${runs} runs, ${rows} rows in ${seconds} s`);
  const server = await startProductServer(place);
  const there = { ...tenant, origin: server.origin };
  return { runs, server, tenant: there, system: systemOf(server, there), model };
}

/** Three rules instead of W1's 20: an event keeps why each did not match, which would be gigabytes. */
async function createRules(tenant: Tenant, sinkUrl: string): Promise<string[]> {
  const ids = [];
  for (const least of [10_000, 10_000_000, 10_000_001])
    ids.push(
      await createWorkflow(tenant, {
        name: `Over ${least}`,
        trigger: { event: 'order.created', if: `event.data.order.total.amount > ${least}` },
        steps: [delivery(sinkUrl)],
      }),
    );
  return ids;
}

/** A run that the product makes itself, of which the others are copies. */
async function modelRun(
  { sink }: Bench,
  server: ProductServer,
  tenant: Tenant,
  workflowIds: readonly string[],
): Promise<Model> {
  const system = systemOf(server, tenant);
  const round = newRound('orders', 'model', 1);
  const requests = system.events(round, 1) ?? [];
  await runLoad({ origin: system.origin, headers: {}, senders: 1, rate: 0, requests });
  await sink.seen(round.name, 1, 60_000);
  await whenShown(system, round);
  const query = `correlationId=${round.name}`;
  const [event] = await listOf(tenant, '/api/admin/events', query);
  return { ids: [event.id, ...event.runs, ...round.ids], round: round.name, workflowIds };
}
