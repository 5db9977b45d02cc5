/** Runs the Workflows peer as scripts/support/runtime.mjs runs the product: straight on workerd. */
import { join } from 'node:path';
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from 'miniflare';
import { giveRoom } from '../../../scripts/support/heap.mjs';

const [port = '', stateDir = '', sink = ''] = process.argv.slice(2);

giveRoom();
const miniflare = new Miniflare(
  convertV4MiniflareOptions({
    host: '127.0.0.1',
    port: 0,
    cf: false,
    log: new Log(LogLevel.WARN),
    logRequests: false,
    resourcePersistencePath: stateDir,
    workers: [
      {
        name: 'workflows-peer',
        modules: true,
        scriptPath: join(import.meta.dirname, 'worker.js'),
        compatibilityDate: '2026-10-20',
        bindings: { SINK: sink },
        workflows: {
          DELIVER: { name: 'deliver', className: 'Deliver' },
          GATED: { name: 'gated', className: 'Gated' },
        },
        unsafeDirectSockets: [{ host: '127.0.0.1', port: Number(port) }],
        stripCfConnectingIp: false,
      },
    ],
  }),
);
process.on('SIGTERM', () => void miniflare.dispose().then(() => process.exit(0)));
await miniflare.ready;
console.log('ready');
