/**
 * One tenant is loud, while another one's events go on at 20 a second; of these, those count that were sent
 * meanwhile. First it posts 5,000 events as fast as it can, and nothing keeps it from that: until the last
 * delivery. Then it sends ten times the rate that it has, and is refused nine times in ten.
 */
import { now, pause } from '../support/clock.ts';
import { runLoad } from '../support/processes.ts';
import { deliveries, newRound, whenShown } from '../support/rounds.ts';
import { quantile, shown } from '../support/statistics.ts';
import { createW1, eventPosts, systemOf } from '../systems/product.ts';
import { startProductServer, type Tenant } from '../systems/product-server.ts';
import { orderCreated, type System } from '../systems/system.ts';
import { RATE, rowBeside } from './beside.ts';
import { type Bench, type Measure, scaled } from './measure.ts';

const BURST = 5_000;
const PER_POST = 50;
const QUIET_EVENTS = 200;
const BURST_AFTER_MS = 500;
/** Of the tenant that sends more than it may. */
const QUOTA = 20;
const OVER = 10;

/** When something was under way. */
interface Span {
  readonly from: number;
  readonly to: number;
}

export const noisyTenant: Measure = {
  name: 'noisy-tenant',
  async run(bench) {
    const server = await startProductServer();
    try {
      const open = async (id: string, rate?: number) => {
        const tenant = await server.openTenant(id, rate);
        await createW1(tenant, bench.sink.url);
        return { tenant, system: systemOf(server, tenant, `tenant ${id}`) };
      };
      const [loud, greedy, quiet] = [
        await open('loud'),
        await open('greedy', QUOTA),
        await open('quiet'),
      ];
      const p99 = async (disturb: (() => Promise<Span>) | null) =>
        quantile(await quietTimes(bench, quiet.system, disturb), 0.99);
      const rounds: { alone: number; burst: number; over: number }[] = [];
      for (let round = 0; round <= bench.rounds; round++) {
        const alone = await p99(null);
        const burst = await p99(() => sendBurst(bench, loud.system));
        const over = await p99(() => sendTooMuch(greedy.tenant));
        bench.say(
          `noisy-tenant ${round}: p99 alone ${shown(alone)}, beside a burst ${shown(burst)}, beside one over its rate ${shown(over)} ms`,
        );
        if (round > 0) rounds.push({ alone, burst, over }); // The first one is to warm up.
      }
      const events = scaled(bench, BURST).toLocaleString('en-US');
      const alone = rounds.map((round) => round.alone);
      return [
        rowBeside(
          `another tenant bursts ${events} events`,
          alone,
          rounds.map(({ burst }) => burst),
        ),
        rowBeside(
          `another tenant sends ${OVER} times its rate of ${QUOTA} a second`,
          alone,
          rounds.map(({ over }) => over),
        ),
      ];
    } finally {
      await server.stop();
    }
  },
};

/** Milliseconds to delivery of the events that were sent during the disturbance, or of all without one. */
async function quietTimes(
  bench: Bench,
  system: System,
  disturb: (() => Promise<Span>) | null,
): Promise<number[]> {
  const round = newRound('orders', 'quiet', QUIET_EVENTS);
  const requests = system.events(round, 1) ?? [];
  const [report, span] = await Promise.all([
    runLoad({ origin: system.origin, headers: {}, senders: 16, rate: RATE, requests }),
    disturb === null ? null : pause(BURST_AFTER_MS).then(disturb),
  ]);
  const times = await deliveries(system, bench.sink, round, report);
  await whenShown(system, round);
  return times.filter((_, index) => {
    const sent = report.sentAt[round.ids[index] ?? ''] ?? Number.NaN;
    return span === null || (sent >= span.from && sent <= span.to);
  });
}

async function sendBurst(bench: Bench, system: System): Promise<Span> {
  const round = newRound('orders', 'burst', scaled(bench, BURST));
  const requests = system.events(round, PER_POST) ?? [];
  const from = now();
  const report = await runLoad({
    ...{ origin: system.origin, headers: {}, senders: 4, rate: 0, requests },
  });
  await deliveries(system, bench.sink, round, report);
  const to = now();
  await whenShown(system, round);
  return { from, to };
}

/** As long as the quiet one's events go on. @throws Error when it is refused otherwise than for its rate */
async function sendTooMuch(tenant: Tenant): Promise<Span> {
  const rate = OVER * QUOTA;
  const { name, ids } = newRound('orders', 'over', (rate * QUIET_EVENTS) / RATE);
  const requests = eventPosts(tenant, name, ids.map(orderCreated), 1);
  const from = now();
  const { refused } = await runLoad({
    ...{ origin: tenant.origin, headers: {}, senders: 16, rate, requests },
  });
  if (refused.length === 0 || refused.some((answer) => !answer.startsWith('/api/events: 429')))
    throw new Error(`not refused for its rate: ${refused.join('; ')}`);
  return { from, to: now() };
}
