/**
 * One tenant posts 5,000 events as fast as it can; another one's go on at 20 a second. Of these, those
 * count that were sent between the burst's first request and its last delivery.
 */
import { now, pause } from '../support/clock.ts';
import { runLoad } from '../support/processes.ts';
import { deliveries, newRound, whenShown } from '../support/rounds.ts';
import { quantile, shown } from '../support/statistics.ts';
import { PRODUCT } from '../systems/index.ts';
import { createW1, systemOf } from '../systems/product.ts';
import { startProductServer } from '../systems/product-server.ts';
import type { System } from '../systems/system.ts';
import { type Bench, type Measure, type Row, scaled } from './measure.ts';

const BURST = 5_000;
const PER_POST = 50;
const RATE = 20;
const QUIET_EVENTS = 200;
const BURST_AFTER_MS = 500;
const MOST = 1.5;

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
      const open = async (id: string) => {
        const tenant = await server.openTenant(id);
        await createW1(tenant, bench.sink.url);
        return systemOf(server, tenant, `tenant ${id}`);
      };
      const [loud, quiet] = [await open('loud'), await open('quiet')];
      const alone: number[] = [];
      const beside: number[] = [];
      for (let round = 0; round <= bench.rounds; round++) {
        const calm = await quietTimes(bench, quiet, null);
        const disturbed = await quietTimes(bench, quiet, () => burst(bench, loud));
        bench.say(
          `noisy-tenant ${round}: p99 alone ${shown(quantile(calm, 0.99))}, beside ${shown(quantile(disturbed, 0.99))} ms (${disturbed.length} events)`,
        );
        if (round === 0) continue; // To warm up.
        alone.push(...calm);
        beside.push(...disturbed);
      }
      return [rowOf(bench, quantile(alone, 0.99), quantile(beside, 0.99))];
    } finally {
      await server.stop();
    }
  },
};

function rowOf(bench: Bench, alone: number, beside: number): Row {
  const events = scaled(bench, BURST).toLocaleString('en-US');
  return {
    what: `event → delivery at ${RATE} events/s while another tenant bursts ${events} events: p99 of all rounds, ms`,
    figures: { [PRODUCT]: shown(beside) },
    ratio: `${shown(beside / alone)} × alone (${shown(alone)})`,
    asked: { words: `within ${MOST} ×`, reached: beside <= MOST * alone },
  };
}

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

async function burst(bench: Bench, system: System): Promise<Span> {
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
