/**
 * Events that nothing wants, one in a request, as fast as they are answered, from 32 senders: to one
 * tenant, and to 200 of them in turn. What is measured is the request, which is answered when its event
 * is on disk.
 */
import type { LoadRequest } from '../support/load-job.ts';
import { runLoad } from '../support/processes.ts';
import { newRound } from '../support/rounds.ts';
import { median, quantile, shown } from '../support/statistics.ts';
import { PRODUCT } from '../systems/index.ts';
import { createW1, eventPosts } from '../systems/product.ts';
import { type ProductServer, startProductServer, type Tenant } from '../systems/product-server.ts';
import { type Bench, type Measure, type Row, scaled } from './measure.ts';

const SENDERS = 32;
const EVENTS = 6_000;
const LEAST = 100;

interface Asked {
  readonly tenants: number;
  readonly perSecond: number;
  readonly p99: number;
}
const ASKED: readonly Asked[] = [
  { tenants: 1, perSecond: 300, p99: 150 },
  { tenants: 200, perSecond: 250, p99: 250 },
];

export const intake: Measure = {
  name: 'intake',
  async run(bench) {
    const server = await startProductServer();
    try {
      const rows: Row[] = [];
      for (const asked of ASKED) rows.push(await rowOf(bench, server, asked));
      return rows;
    } finally {
      await server.stop();
    }
  },
};

async function rowOf(bench: Bench, server: ProductServer, asked: Asked): Promise<Row> {
  const tenants: Tenant[] = [];
  for (let n = 0; n < asked.tenants; n++) {
    const tenant = await server.openTenant(`intake-${asked.tenants}-${n}`);
    if (asked.tenants === 1) await createW1(tenant, bench.sink.url);
    tenants.push(tenant);
  }
  const rates: number[] = [];
  const slowest: number[] = [];
  for (let round = 0; round <= bench.rounds; round++) {
    const { perSecond, p99 } = await post(server, tenants, scaled(bench, EVENTS, LEAST));
    bench.say(
      `intake ${round}, ${asked.tenants} tenants: ${shown(perSecond)} events/s, p99 ${shown(p99)} ms`,
    );
    if (round === 0) continue; // To warm up.
    rates.push(perSecond);
    slowest.push(p99);
  }
  const [perSecond, p99] = [median(rates), median(slowest)];
  return {
    what: `events of ${asked.tenants === 1 ? 'one tenant' : `${asked.tenants} tenants`} taken, ${SENDERS} senders: events/s; p99 of the answer, ms`,
    figures: { [PRODUCT]: `${shown(perSecond)}; ${shown(p99)}` },
    ratio: '',
    asked: {
      words: `${asked.perSecond}; ${asked.p99}`,
      reached: perSecond >= asked.perSecond && p99 <= asked.p99,
    },
  };
}

async function post(server: ProductServer, tenants: readonly Tenant[], count: number) {
  const { name, ids } = newRound('orders', 'intake', count);
  const requests = ids.flatMap((id, n): LoadRequest[] => {
    const tenant = tenants[n % tenants.length];
    const event = { id, source: 'bench', type: 'order.created', data: small(id) };
    return tenant === undefined ? [] : eventPosts(tenant, name, [event], 1);
  });
  const load = { origin: server.origin, headers: {}, senders: SENDERS, rate: 0, requests };
  const begun = performance.now();
  const { tookMs, refused } = await runLoad(load);
  const seconds = (performance.now() - begun) / 1_000;
  if (refused.length > 0) throw new Error(`refused: ${refused.join('; ')}`);
  return { perSecond: count / seconds, p99: quantile(tookMs, 0.99) };
}

/** An order that no workflow of W1 is about. */
function small(id: string) {
  return { order: { id, total: { amount: 5_000, currency: 'USD' } } };
}
