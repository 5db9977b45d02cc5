/**
 * What an event costs when a tenant has many workflows: CPU time of workerd for events that no
 * workflow wants, so that nothing but admission and the event's own row is in it.
 */

import { until } from '../support/clock.ts';
import { runLoad } from '../support/processes.ts';
import { median, shown, spread } from '../support/statistics.ts';
import { PRODUCT } from '../systems/index.ts';
import { createWorkflow, delivery, eventPosts } from '../systems/product.ts';
import {
  listOf,
  type ProductServer,
  startProductServer,
  type Tenant,
} from '../systems/product-server.ts';
import { type Measure, type Row, scaled } from './measure.ts';

const EVENTS = 300;
const CREATORS = 8;
const WORKERD = /workerd/;

interface Case {
  readonly id: string;
  readonly ofType: number;
  readonly ofOthers: number;
}

export const manyWorkflows: Measure = {
  name: 'many-workflows',
  async run(bench) {
    const others = scaled(bench, 10_000, 1_000);
    const cases: Case[] = [
      { id: 'one', ofType: 1, ofOthers: 0 },
      { id: 'thousand', ofType: 1_000, ofOthers: 0 },
      { id: 'others', ofType: 1, ofOthers: others },
    ];
    const server = await startProductServer();
    try {
      const tenants = [];
      for (const one of cases) tenants.push({ ...one, tenant: await fill(server, one) });
      const costs = new Map<string, number[]>();
      for (let round = 0; round <= bench.rounds; round++)
        for (const { id, tenant } of tenants) {
          const cost = await cpuOfEvent(server, tenant, `${id}-${round}`);
          bench.say(`many-workflows ${round} ${id}: ${shown(cost)} ms of CPU for an event`);
          // The first one compiles the workflows.
          if (round > 0) costs.set(id, [...(costs.get(id) ?? []), cost]);
        }
      return rowsOf(costs, others);
    } finally {
      await server.stop();
    }
  },
};

function rowsOf(costs: ReadonlyMap<string, readonly number[]>, others: number): Row[] {
  const of = (id: string) => costs.get(id) ?? [];
  const one = median(of('one'));
  const row = (what: string, id: string, words: string, reached: boolean): Row => ({
    what: `an event that nothing wants, ${what}: CPU, ms`,
    figures: { [PRODUCT]: spread(of(id)) },
    ratio: `${shown(median(of(id)) / one)} × with 1 workflow`,
    asked: { words, reached },
  });
  return [
    {
      what: 'an event that nothing wants, 1 workflow of its type: CPU, ms',
      figures: { [PRODUCT]: spread(of('one')) },
      ratio: '',
      asked: null,
    },
    row('1,000 of its type', 'thousand', 'under 1 ms more', median(of('thousand')) - one < 1),
    row(
      `1 of its type and ${others.toLocaleString('en-US')} of others`,
      'others',
      'unchanged (within 10 %)',
      median(of('others')) < one * 1.1,
    ),
  ];
}

async function fill(server: ProductServer, { id, ofType, ofOthers }: Case): Promise<Tenant> {
  const tenant = await server.openTenant(id);
  const step = delivery('http://127.0.0.1:1/nobody');
  const definitions = Array.from({ length: ofType + ofOthers }, (_, n) => ({
    name: `Rule ${n}`,
    trigger: {
      event: n < ofType ? 'order.created' : `custom.other.n${n}`,
      if: `event.data.order.total.amount > ${10_000_000 + n} && event.data.order.id != 'x${n}'`,
    },
    steps: [step],
  })).values();
  const create = async () => {
    for (const definition of definitions) await createWorkflow(tenant, definition);
  };
  await Promise.all(Array.from({ length: CREATORS }, create));
  return tenant;
}

/** Until the events are shown, so that the CPU that writing them takes is in it. */
async function cpuOfEvent(server: ProductServer, tenant: Tenant, round: string): Promise<number> {
  const events = Array.from({ length: EVENTS }, (_, n) => ({
    id: `${round}-${n}`,
    source: 'bench',
    type: 'order.created',
    data: { order: { id: `${n}`, total: { amount: 25_000, currency: 'USD' } } },
  }));
  const before = server.running.cpuMs(WORKERD);
  const requests = eventPosts(tenant, round, events, 1);
  const { refused } = await runLoad({
    ...{ origin: server.origin, headers: {}, senders: 1, rate: 0, requests },
  });
  if (refused.length > 0) throw new Error(refused.join('; '));
  await until(
    () => listOf(tenant, '/api/admin/events', `correlationId=${round}`, 1),
    ([newest]) => newest?.eventId === `${round}-${EVENTS - 1}`,
    { waitMs: 60_000, everyMs: 100 },
  );
  return (server.running.cpuMs(WORKERD) - before) / EVENTS;
}
