/**
 * One tenant is loud, while another one's events go on at 20 a second; of these, those count that were sent
 * meanwhile. First it posts 5,000 events as fast as it can, and nothing keeps it from that: until the last
 * delivery. Then it sends ten times the rate that it has, and is refused nine times in ten. The burst comes
 * to the bare runtime too, and beside a tenant of another server on the machine: docs/self-hosting.md.
 */
import { now, pause } from '../support/clock.ts';
import { runLoad } from '../support/processes.ts';
import { deliveries, newRound, whenShown } from '../support/rounds.ts';
import { bareTenant, startBare } from '../systems/bare.ts';
import { BARE } from '../systems/index.ts';
import { createW1, eventPosts, systemOf } from '../systems/product.ts';
import { type ProductServer, startProductServer, type Tenant } from '../systems/product-server.ts';
import { orderCreated, type System } from '../systems/system.ts';
import { RATE, rowBeside, shownP99, steadyEvents } from './beside.ts';
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

/** Two tenants of one server. */
interface Neighbours {
  readonly quiet: System;
  readonly loud: System;
}

/** Of a round: how long the quiet tenant's events took, in milliseconds. */
interface Times {
  readonly alone: readonly number[];
  readonly burst: readonly number[];
  readonly over: readonly number[];
  readonly apartAlone: readonly number[];
  readonly apartBurst: readonly number[];
  readonly bareAlone: readonly number[];
  readonly bareBurst: readonly number[];
}

export const noisyTenant: Measure = {
  name: 'noisy-tenant',
  async run(bench) {
    const server = await startProductServer();
    const another = await startProductServer();
    const bare = await startBare(bench.sink.url);
    try {
      const open = async (on: ProductServer, id: string, rate?: number) => {
        const tenant = await on.openTenant(id, rate);
        await createW1(tenant, bench.sink.url);
        return { tenant, system: systemOf(on, tenant, `tenant ${id}`) };
      };
      const [loud, greedy, quiet, apart] = [
        await open(server, 'loud'),
        await open(server, 'greedy', QUOTA),
        await open(server, 'quiet'),
        await open(another, 'apart'),
      ];
      const ours = { quiet: quiet.system, loud: loud.system };
      const oursApart = { quiet: apart.system, loud: loud.system };
      const theirs = { quiet: bareTenant(bare, 'quiet'), loud: bareTenant(bare, 'loud') };
      const rounds: Times[] = [];
      for (let round = 0; round <= bench.rounds; round++) {
        const { alone, burst } = await aloneAndBesideBurst(bench, ours);
        const over = await quietTimes(bench, quiet.system, () => sendTooMuch(greedy.tenant));
        const aside = await aloneAndBesideBurst(bench, oursApart);
        const bared = await aloneAndBesideBurst(bench, theirs);
        bench.say(
          `noisy-tenant ${round}: p99 alone ${shownP99(alone)}, beside a burst ${shownP99(burst)}, beside one over its rate ${shownP99(over)} ms; ` +
            `on another server ${shownP99(aside.alone)}, ${shownP99(aside.burst)} ms; ` +
            `${BARE} ${shownP99(bared.alone)}, ${shownP99(bared.burst)} ms`,
        );
        if (round === 0) continue; // To warm up.
        rounds.push({
          ...{ alone, burst, over },
          ...{ apartAlone: aside.alone, apartBurst: aside.burst },
          ...{ bareAlone: bared.alone, bareBurst: bared.burst },
        });
      }
      const each = (figure: keyof Times) => rounds.map((round) => round[figure]);
      const alone = each('alone');
      const burst = `bursts ${scaled(bench, BURST).toLocaleString('en-US')} events`;
      return [
        rowBeside(
          `another tenant ${burst}`,
          { alone, beside: each('burst') },
          { alone: each('bareAlone'), beside: each('bareBurst') },
        ),
        rowBeside(`a tenant of another server on the machine ${burst}`, {
          alone: each('apartAlone'),
          beside: each('apartBurst'),
        }),
        rowBeside(`another tenant sends ${OVER} times its rate of ${QUOTA} a second`, {
          alone,
          beside: each('over'),
        }),
      ];
    } finally {
      await Promise.all([server.stop(), another.stop(), bare.stop()]);
    }
  },
};

async function aloneAndBesideBurst(
  bench: Bench,
  { quiet, loud }: Neighbours,
): Promise<Pick<Times, 'alone' | 'burst'>> {
  const alone = await quietTimes(bench, quiet, null);
  return { alone, burst: await quietTimes(bench, quiet, () => sendBurst(bench, loud)) };
}

/** Milliseconds to delivery of the events that were sent during the disturbance, or of all without one. */
async function quietTimes(
  bench: Bench,
  system: System,
  disturb: (() => Promise<Span>) | null,
): Promise<number[]> {
  const [events, span] = await Promise.all([
    steadyEvents(bench, system, QUIET_EVENTS),
    disturb === null ? null : pause(BURST_AFTER_MS).then(disturb),
  ]);
  return events.flatMap(({ sentAt, ms }) =>
    span === null || (sentAt >= span.from && sentAt <= span.to) ? [ms] : [],
  );
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
