/** 200 runs talk to a destination that answers after 10 s; meanwhile others go to one that is well. */
import { until } from '../support/clock.ts';
import { runLoad } from '../support/processes.ts';
import { newRound } from '../support/rounds.ts';
import { createW1, createWorkflow, delivery, eventPosts, systemOf } from '../systems/product.ts';
import { listOf, startProductServer, type Tenant } from '../systems/product-server.ts';
import { RATE, rowBeside, shownP99, steadyEvents } from './beside.ts';
import { type Measure, scaled } from './measure.ts';

const SLOW_RUNS = 200;
const SLOW_MS = 10_000;

export const slowDestination: Measure = {
  name: 'slow-destination',
  async run(bench) {
    const server = await startProductServer();
    try {
      const tenant = await server.openTenant('bench');
      await createW1(tenant, bench.sink.url);
      await createWorkflow(tenant, {
        name: 'Slow',
        trigger: { event: 'custom.slow' },
        steps: [delivery(bench.sink.slowUrl(SLOW_MS), { timeout: '20s' })],
      });
      const system = systemOf(server, tenant);
      // For less time than the slow ones take, so that all of them are under way.
      const count = scaled(bench, (RATE * SLOW_MS * 0.8) / 1_000);
      const steady = async () => (await steadyEvents(bench, system, count)).map(({ ms }) => ms);
      const alone: number[][] = [];
      const beside: number[][] = [];
      for (let round = 0; round <= bench.rounds; round++) {
        const quiet = await steady();
        const slow = newRound('orders', 'slow', SLOW_RUNS);
        const events = slow.ids.map((id) => ({
          id,
          source: 'bench',
          type: 'custom.slow',
          data: {},
        }));
        const requests = eventPosts(tenant, slow.name, events, 50);
        await runLoad({ origin: server.origin, headers: {}, senders: 4, rate: 0, requests });
        const disturbed = await steady();
        await untilAllEnded(tenant, slow.name);
        bench.say(
          `slow-destination ${round}: p99 alone ${shownP99(quiet)}, beside ${shownP99(disturbed)} ms`,
        );
        if (round === 0) continue; // To warm up.
        alone.push(quiet);
        beside.push(disturbed);
      }
      const meanwhile = `${SLOW_RUNS} runs wait for a destination of 10 s`;
      return [rowBeside(meanwhile, { alone, beside })];
    } finally {
      await server.stop();
    }
  },
};

async function untilAllEnded(tenant: Tenant, round: string): Promise<void> {
  const path = '/api/admin/workflow-runs';
  const succeeded = await until(
    () => listOf(tenant, path, `correlationId=${round}&status=succeeded`),
    (runs) => runs.length >= SLOW_RUNS,
    { waitMs: 180_000, everyMs: 500 },
  );
  if (succeeded.length !== SLOW_RUNS)
    throw new Error(`${succeeded.length} of ${SLOW_RUNS} slow runs succeeded`);
}
