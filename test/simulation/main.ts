/**
 * `npm run simulate -- --seed 7 --steps 400`: one history, with its trace when something is wrong.
 * `--schedules 1000`: so many of them, with the seeds from that one on. `--plant NAME`: with a fault in
 * the product. `--trace`: the trace in any case.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { loadWith } from './hooks.ts';
import { PLANTS } from './plants.ts';
import { install, print } from './platform/globals.ts';
import type { Product } from './platform/house.ts';
import type { Tally } from './platform/world.ts';
import type { Stage } from './schedule.ts';

const SOURCES = new URL('../../src/worker.ts', import.meta.url);
const MIGRATIONS = new URL('../../drizzle/', import.meta.url);
const TRACE_LINES = 200;
/** So few schedules are each told of. */
const DIGESTS_MAX = 10;

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    steps: { type: 'string', default: '300' },
    schedules: { type: 'string', default: '1' },
    plant: { type: 'string' },
    trace: { type: 'boolean', default: false },
  },
});
const plant = PLANTS.find(({ name }) => name === values.plant) ?? null;
if (values.plant !== undefined && plant === null) throw new Error(`no plant ${values.plant}`);
const [first, steps, count] = [Number(values.seed), Number(values.steps), Number(values.schedules)];

loadWith(plant);
let stage: Stage | null = null;
install((line) => stage?.logged(String(line)));
const product: Product = await import(SOURCES.href);
const { begin } = await import('./shop.ts');
const schedule = await import('./schedule.ts');
stage = new schedule.Stage(product, await begin(product, migrations()));

const since = process.hrtime.bigint();
const total: Tally = new Map();
let [played, taken] = [0, 0];
for (let seed = first; seed < first + count; seed++) {
  const history = await stage.play(seed, steps);
  played += 1;
  taken += history.steps;
  for (const [what, times] of history.tally) total.set(what, (total.get(what) ?? 0) + times);
  if (history.faults.length > 0) {
    print(history.trace.slice(values.trace ? 0 : -TRACE_LINES).join('\n'));
    print(`\nseed ${seed}, steps ${steps}: ${history.faults.join('\n')}`);
    process.exitCode = 1;
    break;
  }
  if (values.trace) print(history.trace.join('\n'));
  if (count <= DIGESTS_MAX) print(`seed ${seed}, digest ${history.digest}`);
}
const seconds = Number(process.hrtime.bigint() - since) / 1e9;
print(`${played} schedules, ${taken} steps, ${seconds.toFixed(1)} s`);
for (const [what, times] of [...total].toSorted()) print(`  ${what}: ${times}`);

function migrations(): string[] {
  return readdirSync(MIGRATIONS)
    .filter((name) => name.endsWith('.sql'))
    .toSorted()
    .map((name) => readFileSync(new URL(name, MIGRATIONS), 'utf8'));
}
