/**
 * `GET /api/admin/workflow-runs` with each filter, on its first pages and far down, one request at a time.
 * The p99 is that of all rounds: of a hundred requests it would be the second worst.
 */
import { runLoad } from '../support/processes.ts';
import { inTurn } from '../support/rounds.ts';
import { median, quantile, shown } from '../support/statistics.ts';
import { PRODUCT } from '../systems/index.ts';
import { askTenant } from '../systems/product-server.ts';
import type { Aged } from './history.ts';
import { type Bench, type Row, scaled } from './measure.ts';

const RUNS = '/api/admin/workflow-runs';
const LEAST = 20;
const DAY_MS = 86_400_000;
const REQUESTS = 100;

interface Query {
  readonly group: 'first pages' | 'deep pages' | 'filters together';
  readonly words: string;
  readonly path: string;
}

interface Seen {
  readonly query: Query;
  /** Milliseconds of each request of a round. */
  readonly times: readonly number[];
}

export async function listRows(bench: Bench, [product]: readonly Aged[]): Promise<Row[]> {
  if (product === undefined) return [];
  return await inTurn(product.system, async () => {
    const queries = await queriesOf(product);
    const health: number[] = [];
    const seen: Seen[] = [];
    for (let round = 0; round <= bench.rounds; round++) {
      const healthy = await timesOf(bench, product, '/api/health');
      if (round > 0) health.push(median(healthy));
      for (const query of queries) {
        const times = await timesOf(bench, product, query.path);
        if (round > 0) seen.push({ query, times });
      }
    }
    const basis = median(health);
    bench.say(`run-log: GET /api/health p50 ${shown(basis)} ms`);
    return (['first pages', 'deep pages', 'filters together'] as const).map((group) =>
      rowOf(
        bench,
        group,
        product.runs,
        basis,
        seen.filter(({ query }) => query.group === group),
      ),
    );
  });
}

/** The slowest of a group's queries. */
function rowOf(
  bench: Bench,
  group: Query['group'],
  runs: number,
  basis: number,
  seen: readonly Seen[],
): Row {
  const byQuery = [...Map.groupBy(seen, ({ query }) => query.words)].map(([words, rounds]) => {
    const times = rounds.flatMap((round) => round.times);
    return { words, p50: median(times), p99: quantile(times, 0.99) };
  });
  for (const { words, p50, p99 } of byQuery)
    bench.say(`run-log, ${group}, ${words}: p50 ${shown(p50)}, p99 ${shown(p99)} ms`);
  const worst = byQuery.reduce((a, b) => (b.p99 > a.p99 ? b : a));
  return {
    what: `run log of ${runs.toLocaleString('en-US')} runs, ${group}, the slowest (${worst.words}): p99, ms`,
    figures: { [PRODUCT]: shown(worst.p99) },
    ratio: `${shown(worst.p99 / basis)} × the p50 of GET /api/health`,
    asked: { words: `under ${LEAST} ×`, reached: worst.p99 < LEAST * basis },
  };
}

async function queriesOf({ tenant, model }: Aged): Promise<Query[]> {
  const day = (ago: number) => new Date(Date.now() - ago * DAY_MS).toISOString();
  const [first = '', second = ''] = model.workflowIds;
  const filters: Readonly<Record<string, string>> = {
    none: '',
    'status=succeeded': 'status=succeeded',
    'status=failed, one in 100': 'status=failed',
    'status=denied, none': 'status=denied',
    'workflowId, two in three': `workflowId=${first}`,
    'workflowId, one in three': `workflowId=${second}`,
    eventType: 'eventType=order.created',
    correlationId: `correlationId=${model.round}`,
    'from and to': `from=${day(16)}&to=${day(15)}`,
  };
  const together: Readonly<Record<string, string>> = {
    'status and workflowId': `status=failed&workflowId=${second}`,
    'status and eventType, none of the type': 'status=failed&eventType=custom.nothing',
    'workflowId and eventType': `workflowId=${second}&eventType=custom.other`,
    'status, from and to': `status=failed&from=${day(16)}&to=${day(15)}`,
    'status and eventType, many of each and none of both': 'status=failed&eventType=order.created',
  };
  const { nextCursor } = await askTenant(tenant, `${RUNS}?limit=1&to=${day(29.5)}`);
  const deep = Object.entries(filters).filter(([words]) => !/correlationId|from/.test(words));
  const query =
    (group: Query['group'], more: string) =>
    ([words, filter]: [string, string]) => ({
      group,
      words,
      path: `${RUNS}?${filter}${more}`,
    });
  return [
    ...Object.entries(filters).map(query('first pages', '')),
    ...deep.map(query('deep pages', `&cursor=${nextCursor}`)),
    ...Object.entries(together).map(query('filters together', '')),
  ];
}

/** Without the first request, which opens the generator's connection. */
async function timesOf(bench: Bench, { server, tenant }: Aged, path: string) {
  const headers = { authorization: `Bearer ${tenant.keys.admin}` };
  const requests = Array.from({ length: scaled(bench, REQUESTS, 50) }, () => ({
    ...{ method: 'GET' as const, path, headers, ids: [] },
  }));
  const { refused, tookMs } = await runLoad({
    ...{ origin: server.origin, headers: {}, senders: 1, rate: 0, requests },
  });
  if (refused.length > 0) throw new Error(refused.join('; '));
  return tookMs.slice(1);
}
