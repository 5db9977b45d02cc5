/** The Worker as `wrangler deploy` uploads it: its size, and the CPU time that its start takes. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from 'miniflare';
import { unstable_getMiniflareWorkerOptions } from 'wrangler';
import { stateAt } from '../../scripts/support/state.mjs';
import { buildWorker } from '../../scripts/support/worker.mjs';
import { cpuMsOf } from '../support/process-tree.ts';
import { freePort, ROOT } from '../support/processes.ts';
import { mean, shown } from '../support/statistics.ts';
import { PRODUCT } from '../systems/index.ts';
import type { Measure } from './measure.ts';

const KIB = 1_024;
const SIZE_MOST = 250;
const START_MOST_MS = 50;
const STARTS = 10;
const WORKERD = /bin\/workerd/;

/** The classes that the bindings ask for, and nothing behind them. */
const EMPTY = `import { DurableObject, WorkerEntrypoint } from 'cloudflare:workers';
export class TenantObject extends DurableObject {}
export class RunObject extends DurableObject {}
export class Executor extends WorkerEntrypoint {}
export default { fetch: () => new Response('ok') };`;

export const bundle: Measure = {
  name: 'bundle',
  async run(bench) {
    const dir = mkdtempSync(join(tmpdir(), 'bench-bundle-'));
    try {
      const state = stateAt(dir);
      await buildWorker(state);
      const worker = join(state.build, 'worker.js');
      const empty = join(dir, 'worker.js');
      writeFileSync(empty, EMPTY);
      const code = readFileSync(worker);
      const size = gzipSync(code).length / KIB;
      const starts = { worker: [0], empty: [0] };
      for (let n = 0; n < STARTS; n++) {
        starts.empty[n] = await startMs(empty);
        starts.worker[n] = await startMs(worker);
      }
      const start = mean(starts.worker) - mean(starts.empty);
      bench.say(
        `bundle: ${shown(code.length / KIB)} KiB, gzipped ${shown(size)}; ${shown(start)} ms`,
      );
      return [
        {
          what: 'the Worker as it is uploaded, gzipped: KiB',
          figures: { [PRODUCT]: size.toFixed(1) },
          ratio: '',
          asked: { words: `under ${SIZE_MOST}`, reached: size < SIZE_MOST },
        },
        {
          what: 'start until the first answer, more than an empty Worker takes: CPU, ms',
          figures: { [PRODUCT]: shown(start) },
          ratio: '',
          asked: { words: `under ${START_MOST_MS}`, reached: start < START_MOST_MS },
        },
      ];
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  },
};

/** CPU time of a new workerd until the Worker has answered. */
async function startMs(worker: string): Promise<number> {
  const { workerOptions } = unstable_getMiniflareWorkerOptions(join(ROOT, 'wrangler.toml'));
  const { modulesRules: _unbundled, ...rest } = workerOptions;
  const port = await freePort();
  // Whatever else we have started is held still.
  const before = cpuMsOf(process.pid, WORKERD);
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      cf: false,
      log: new Log(LogLevel.WARN),
      handleStructuredLogs: () => {},
      workers: [
        {
          ...rest,
          name: 'started',
          modules: true,
          rootPath: dirname(worker),
          modulesRoot: dirname(worker),
          scriptPath: worker,
          unsafeDirectSockets: [{ host: '127.0.0.1', port }],
        },
      ],
    }),
  );
  try {
    await miniflare.ready;
    const answer = await fetch(`http://127.0.0.1:${port}/api/health`);
    await answer.arrayBuffer();
    return cpuMsOf(process.pid, WORKERD) - before;
  } finally {
    await miniflare.dispose();
  }
}
