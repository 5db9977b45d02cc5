/**
 * Runs a Worker of the bench as scripts/support/runtime.mjs runs the product: straight on workerd. Its
 * script gets a port, a directory for its storage, and the address of the sink.
 */
import { join } from 'node:path';
import {
  convertV4MiniflareOptions,
  Log,
  LogLevel,
  Miniflare,
  type V4WorkerOptions,
} from 'miniflare';
import { giveRoom } from '../../scripts/support/heap.mjs';

/** @param folder of its worker.js, which is also its name @param bindings besides SINK */
export async function serveOnWorkerd(
  folder: string,
  bindings: Pick<V4WorkerOptions, 'workflows' | 'durableObjects' | 'd1Databases'>,
): Promise<void> {
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
          name: `${folder}-peer`,
          modules: true,
          scriptPath: join(import.meta.dirname, folder, 'worker.js'),
          compatibilityDate: '2026-10-20',
          bindings: { SINK: sink },
          ...bindings,
          unsafeDirectSockets: [{ host: '127.0.0.1', port: Number(port) }],
          stripCfConnectingIp: false,
        },
      ],
    }),
  );
  process.on('SIGTERM', () => void miniflare.dispose().then(() => process.exit(0)));
  await miniflare.ready;
  console.log('ready');
}
