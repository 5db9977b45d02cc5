/**
 * `npm run bench`: the product and its peers, one after another in each round, under the same load
 * against the same sink. `-- --quick` runs one short round, `-- --only w1-single,latency` some of the
 * measures, `-- --rounds 3` so many rounds. Only a whole run is kept, in bench/results.md.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { MEASURES } from './measures/index.ts';
import type { Bench, Measure, Row } from './measures/measure.ts';
import { ROOT } from './support/processes.ts';
import { circumstances, tableOf } from './support/report.ts';
import { startSink } from './support/sink-process.ts';
import { NAMES, PRODUCT, SharedSystems } from './systems/index.ts';

const ROUNDS = 5;
const QUICK_PART = 0.2;

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    rounds: { type: 'string', default: String(ROUNDS) },
  },
});
const begun = new Date();
const sink = await startSink();
const bench: Bench = {
  sink,
  rounds: values.quick ? 1 : Number(values.rounds),
  part: values.quick ? QUICK_PART : 1,
  systems: new SharedSystems(sink.url),
  say: (line) => console.log(`${new Date().toISOString().slice(11, 19)} ${line}`),
};

const rows: Row[] = [];
try {
  for (const measure of measuresOf(values.only)) rows.push(...(await rowsOf(measure)));
} finally {
  const table = tableOf(rows, NAMES);
  const about = circumstances({ ...bench, begun });
  console.log(`\n${about}\n\n${table}`);
  if (!values.quick && values.only === undefined && bench.rounds >= ROUNDS)
    writeFileSync(join(ROOT, 'bench', 'results.md'), `# Results\n\n${about}\n\n${table}\n`);
  await bench.systems.endAll();
  await sink.stop();
}

function measuresOf(only: string | undefined): readonly Measure[] {
  if (only === undefined) return MEASURES;
  return only.split(',').map((wanted) => {
    const found = MEASURES.find(({ name }) => name === wanted);
    if (found !== undefined) return found;
    throw new Error(`--only takes ${MEASURES.map(({ name }) => name).join(', ')}`);
  });
}

/** A measure that fails is a line of the table, and the bench's exit code. */
async function rowsOf(measure: Measure): Promise<Row[]> {
  try {
    return await measure.run(bench);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    console.error(`${measure.name} failed: ${reason}`);
    process.exitCode = 1;
    const [first = ''] = reason.split('\n');
    return [
      {
        what: measure.name,
        figures: { [PRODUCT]: `failed: ${first}` },
        ratio: '',
        asked: { words: 'to end', reached: false },
      },
    ];
  }
}
