/** CPU of workerd for a run from its event to the log, for a page of the run log, and for one run of it. */
import type { LoadRequest } from '../support/load-job.ts';
import { runLoad } from '../support/processes.ts';
import { inTurn, measureRound, newRound } from '../support/rounds.ts';
import { median, shown } from '../support/statistics.ts';
import { PRODUCT } from '../systems/index.ts';
import { listOf } from '../systems/product-server.ts';
import type { Aged } from './history.ts';
import { type Bench, type Row, scaled } from './measure.ts';

const RUNS = '/api/admin/workflow-runs';
const WORKERD = /workerd/;
const FLAT = 1.2;
/** Rounds for each of the others': the CPU time of a process is told in steps of 10 ms, and swings. */
const TIMES_AS_MANY = 3;
const READ_FROM_DAYS_AGO = [1, 8, 15, 22, 29];

const COSTS = {
  admission: 'a run, from its event to the log',
  list: 'a page of the run log',
  get: 'one run of it',
} as const;
type Cost = keyof typeof COSTS;
const NAMES = ['admission', 'list', 'get'] as const;

export async function costRows(bench: Bench, aged: readonly Aged[]): Promise<Row[]> {
  const costs = new Map<string, number[]>();
  for (let round = 0; round <= TIMES_AS_MANY * bench.rounds; round++)
    for (const product of aged) {
      const one = await inTurn(product.system, () => costsOf(bench, product));
      bench.say(
        `history ${round}, after ${product.runs} runs: ${NAMES.map((name) => `${name} ${shown(one[name])}`).join(', ')} ms of CPU`,
      );
      if (round === 0) continue; // To warm up.
      for (const name of NAMES) {
        const key = `${name} ${product.runs}`;
        costs.set(key, [...(costs.get(key) ?? []), one[name]]);
      }
    }
  return NAMES.map((name) => rowOf(name, aged, costs));
}

function rowOf(name: Cost, aged: readonly Aged[], costs: ReadonlyMap<string, number[]>): Row {
  const medians = aged.map(({ runs }) => median(costs.get(`${name} ${runs}`) ?? []));
  const sizes = aged.map(({ runs }) => runs.toLocaleString('en-US')).join(' / ');
  const least = Math.min(...medians);
  const times = Math.max(...medians) / least;
  return {
    what: `${COSTS[name]}, after ${sizes} runs: CPU, ms`,
    figures: { [PRODUCT]: medians.map(shown).join(' / ') },
    ratio: `${shown(times)} × between them`,
    asked: { words: 'flat within 20 %', reached: times <= FLAT },
  };
}

async function costsOf(bench: Bench, product: Aged): Promise<Record<Cost, number>> {
  const { system, tenant, server } = product;
  const count = scaled(bench, 400, 200);
  const round = newRound('orders', 'aged', count);
  const posts = system.events(round, 1) ?? [];
  const admission = await cpuOf(product, count, () =>
    measureRound(system, bench.sink, round, posts, { senders: 4, rate: 0 }),
  );
  const headers = { authorization: `Bearer ${tenant.keys.admin}` };
  const read = async (paths: readonly string[]) => {
    const requests: LoadRequest[] = Array.from({ length: count }, (_, n) => ({
      method: 'GET',
      path: paths[n % paths.length] ?? '',
      headers,
      ids: [],
    }));
    return await cpuOf(product, count, () =>
      runLoad({ origin: server.origin, headers: {}, senders: 1, rate: 0, requests }),
    );
  };
  const ids = await idsOf(product);
  return {
    admission,
    list: await read([RUNS]),
    get: await read(ids.map((id) => `${RUNS}/get?id=${id}`)),
  };
}

/** Some of the newest, and some from all over the history. */
async function idsOf({ tenant }: Aged): Promise<string[]> {
  const ids = [];
  for (const days of READ_FROM_DAYS_AGO) {
    const to = new Date(Date.now() - days * 86_400_000).toISOString();
    for (const { id } of await listOf(tenant, RUNS, `to=${to}`, 10)) ids.push(id);
  }
  return ids;
}

async function cpuOf(
  { server }: Aged,
  count: number,
  act: () => Promise<unknown>,
): Promise<number> {
  const before = server.running.cpuMs(WORKERD);
  await act();
  return (server.running.cpuMs(WORKERD) - before) / count;
}
