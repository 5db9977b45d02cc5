/**
 * 2,000 runs of 20 tenants wait for approval, and nobody decides: all expire within some seconds. How
 * late each ends is counted from the end of its event's minute; beside it, pages of the runs that wait
 * are read.
 */
import { ask } from '../support/ask.ts';
import { until } from '../support/clock.ts';
import { runLoad } from '../support/processes.ts';
import { quantile, shown } from '../support/statistics.ts';
import { PRODUCT } from '../systems/index.ts';
import { createWorkflow, delivery, eventPosts } from '../systems/product.ts';
import { listOf, startProductServer, type Tenant } from '../systems/product-server.ts';
import { type Bench, type Measure, type Row, scaled } from './measure.ts';

const TENANTS = 20;
const RUNS_EACH = 100;
const PER_POST = 50;
const EXPIRES_MS = 60_000;
const LATE_MOST_MS = 60_000;
const LIST_MOST_MS = 200;
const READS_PER_SECOND = 10;
const WAIT = { waitMs: 240_000, everyMs: 1_000 };
const RUNS = '/api/admin/workflow-runs';

export const expiring: Measure = {
  name: 'expiring',
  async run(bench) {
    const server = await startProductServer();
    try {
      const tenants: Tenant[] = [];
      for (let n = 0; n < TENANTS; n++) tenants.push(await server.openTenant(`expiring-${n}`));
      return [await rowOf(bench, tenants)];
    } finally {
      await server.stop();
    }
  },
};

async function rowOf(bench: Bench, tenants: readonly Tenant[]): Promise<Row> {
  const each = scaled(bench, RUNS_EACH);
  const approval = { approvals: 1, expiresIn: `${EXPIRES_MS / 1_000}s` };
  for (const tenant of tenants) {
    const steps = [delivery(bench.sink.url, { approval })];
    await createWorkflow(tenant, { name: 'Waits', trigger: { event: 'custom.waits' }, steps });
  }
  for (const tenant of tenants) await begin(tenant, each);
  const reads = readPages(tenants);
  const late: number[] = [];
  for (const tenant of tenants) late.push(...(await lateness(tenant, each)));
  const { tookMs, refused } = await reads;
  if (refused.length > 0) throw new Error(`refused: ${refused.join('; ')}`);
  const [latest, list] = [Math.max(...late), quantile(tookMs, 0.99)];
  bench.say(
    `expiring: ${late.length} runs, p50 ${shown(quantile(late, 0.5))} ms late, at most ${shown(latest)}; lists p99 ${shown(list)} ms`,
  );
  return {
    what: `${(TENANTS * each).toLocaleString('en-US')} approvals of ${TENANTS} tenants expire within seconds: the latest, s; p99 of a page of what waits meanwhile, ms`,
    figures: { [PRODUCT]: `${shown(latest / 1_000)}; ${shown(list)}` },
    ratio: '',
    asked: {
      words: `${LATE_MOST_MS / 1_000}; ${LIST_MOST_MS}`,
      reached: latest <= LATE_MOST_MS && list <= LIST_MOST_MS,
    },
  };
}

async function begin(tenant: Tenant, count: number): Promise<void> {
  const events = Array.from({ length: count }, (_, n) => ({
    ...{ id: `waits-${n}`, source: 'bench', type: 'custom.waits', data: {} },
  }));
  for (const { path, headers = {}, body = '' } of eventPosts(tenant, 'waits', events, PER_POST))
    await ask(`${tenant.origin}${path}`, { headers, body: JSON.parse(body) });
}

/** Milliseconds from the end of each run's minute to its own end, once all of them have expired. */
async function lateness(tenant: Tenant, count: number): Promise<number[]> {
  const over = () => listOf(tenant, RUNS, 'status=expired');
  const runs = await until(over, ({ length }) => length === count, WAIT);
  if (runs.length !== count) throw new Error(`${runs.length} of ${count} runs have expired`);
  return runs.map(
    ({ createdAt, finishedAt }) => Date.parse(finishedAt) - Date.parse(createdAt) - EXPIRES_MS,
  );
}

/** As long as a minute and a half. */
function readPages(tenants: readonly Tenant[]) {
  const requests = Array.from({ length: 90 * READS_PER_SECOND }, (_, n) => ({
    method: 'GET' as const,
    path: `${RUNS}?status=pending_approval`,
    headers: { authorization: `Bearer ${tenants[n % tenants.length]?.keys.admin ?? ''}` },
    ids: [],
  }));
  const [first] = tenants;
  return runLoad({
    ...{ origin: first?.origin ?? '', headers: {}, senders: 4 },
    ...{ rate: READS_PER_SECOND, requests },
  });
}
