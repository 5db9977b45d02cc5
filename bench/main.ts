/**
 * `npm run bench`: the product and its peers, one after another in each round, under the same load
 * against the same sink. `-- --quick` runs one round; `-- --only w1-single` one measure.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ROOT, startScript } from './support/processes.ts';
import { startProduct } from './support/product.ts';
import { type Figures, MEASURES, measureRound, median } from './support/rounds.ts';
import { startWorkflows } from './support/workflows.ts';

const ROUNDS = 5;

const { values } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, only: { type: 'string' } },
});
const rounds = values.quick ? 1 : ROUNDS;
const measures = MEASURES.filter(({ name }) => values.only === undefined || name === values.only);
if (measures.length === 0) throw new Error(`--only is one of ${MEASURES.map(({ name }) => name)}`);

const sink = await startScript(['bench/sink.ts'], /port (\d+)/);
const sinkUrl = `http://127.0.0.1:${sink.found[1]}`;
const sent = new Map<string, readonly string[]>();
const systems = [
  await startProduct(`${sinkUrl}/hook`),
  await startWorkflows(`${sinkUrl}/hook`, (prefix) => sent.get(prefix) ?? []),
];
const rows: string[] = [];
try {
  for (const measure of measures) {
    const figures = new Map<string, Figures[]>();
    for (const system of systems)
      await measureRound(
        { ...measure, events: Math.ceil(measure.events / 5) },
        system,
        sinkUrl,
        sent,
      );
    for (let round = 1; round <= rounds; round++)
      for (const system of systems) {
        const got = await measureRound(measure, system, sinkUrl, sent);
        figures.set(system.name, [...(figures.get(system.name) ?? []), got]);
        console.log(`${measure.name} ${round}/${rounds} ${system.name}: ${shown(got)}`);
      }
    for (const { name } of systems) rows.push(row(measure.name, name, figures.get(name) ?? []));
  }
} finally {
  await Promise.all([...systems, sink].map((running) => running.stop()));
}
const table = [
  '| measure | system | runs/s | event → delivery p50, ms | p99, ms |',
  '|---|---|---|---|---|',
  ...rows,
].join('\n');
console.log(`\n${table}`);
// A part of the measures, or too few rounds, is no result to keep.
if (!values.quick && values.only === undefined)
  writeFileSync(join(ROOT, 'bench', 'results.md'), `# Results\n\n${about()}\n\n${table}\n`);

function shown({ perSecond, p50, p99 }: Figures): string {
  return `${perSecond.toFixed(0)} runs/s, p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms`;
}

function row(measure: string, system: string, all: readonly Figures[]): string {
  const of = (pick: (figures: Figures) => number) => median(all.map(pick));
  const cells = [
    of((f) => f.perSecond).toFixed(0),
    of((f) => f.p50).toFixed(1),
    of((f) => f.p99).toFixed(1),
  ];
  return `| ${[measure, system, ...cells].join(' | ')} |`;
}

function about(): string {
  const { devDependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  return [
    `- Date: ${new Date().toISOString().slice(0, 10)}, commit ${commit.trim()}, medians of ${rounds} interleaved rounds`,
    `- Machine: ${cpus().length} × ${cpus()[0]?.model}, ${Math.round(totalmem() / 2 ** 30)} GiB`,
    `- Node ${process.version}, wrangler ${devDependencies.wrangler}, Miniflare ${devDependencies.miniflare}`,
  ].join('\n');
}
