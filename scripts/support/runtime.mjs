/**
 * Holds workerd: the Worker that was built into the state directory, with the bindings of
 * wrangler.toml, on a socket that leads straight into it. (The socket that local tools usually open
 * leads through a Worker of theirs, which costs two thirds of a small request.) Should workerd
 * crash, it is started again on the same port and storage. Where that fails, such as when it crashes
 * while it starts, this process ends, and workerd.mjs starts another. Runs by the project's Node.
 */
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from 'miniflare';
import { unstable_getMiniflareWorkerOptions } from 'wrangler';
import { runMain } from './complaint.mjs';
import { PUBLIC_ONLY } from './egress.mjs';
import { giveRoom } from './heap.mjs';
import { ROOT } from './project.mjs';
import { readSecrets, stateAt } from './state.mjs';
import { SWEEP_EVERY_MS } from './worker.mjs';

/** As in wrangler.toml: the objects' storage is kept under it. */
const NAME = 'signalbox';
const WATCH_MS = 500;
/** At the socket of the local tools, which is not the one that is served. */
const SWEEP_URL = `http://localhost/cdn-cgi/local/scheduled?cron=${encodeURIComponent('*/2 * * * *')}`;
const CONSOLE = 'console';

const text = /** @type {const} */ ({ type: 'string', default: '' });

await runMain(async () => {
  const { values } = parseArgs({
    options: {
      ...{ state: text, host: text, port: text, 'public-url': text, environment: text },
      ...{ 'allowed-origins': text, 'inspector-port': text },
    },
  });
  giveRoom();
  const miniflare = new Miniflare(convertV4MiniflareOptions(optionsFor(values)));
  const end = () => void miniflare.dispose().then(() => process.exit(0));
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, end);
  await miniflare.ready;
  sweepRegularly(miniflare);
  for (;;) {
    await pause(WATCH_MS);
    // Rejects once a workerd that crashed could not be started again: no other will be.
    await miniflare.ready;
  }
});

/** @typedef {'state' | 'host' | 'port' | 'public-url' | 'environment'} Needed */
/** @typedef {Needed | 'allowed-origins' | 'inspector-port'} Name */

/**
 * The storage is laid out as `wrangler dev` does it, so that `npm start` opens it too.
 * @param {Record<Name, string>} values
 * @returns {Parameters<typeof convertV4MiniflareOptions>[0]}
 */
function optionsFor(values) {
  const { host, port, environment, 'allowed-origins': allowedOrigins } = values;
  const state = stateAt(values.state);
  const { workerOptions } = unstable_getMiniflareWorkerOptions(join(ROOT, 'wrangler.toml'));
  // The email binding's stand-in would take mail and send none: left out, the Worker says so.
  const {
    modulesRules: _unbundled,
    bindings,
    email: _email,
    assets: _before,
    ...rest
  } = workerOptions;
  // Development lets tenants send to this machine.
  const egress = environment === 'development' ? null : PUBLIC_ONLY;
  return {
    host: '127.0.0.1',
    port: 0,
    cf: false,
    log: new Log(LogLevel.WARN),
    logRequests: false,
    unsafeTriggerHandlers: true,
    handleStructuredLogs: show,
    resourcePersistencePath: join(state.data, 'v3'),
    ...inspector(values['inspector-port']),
    workers: [
      {
        ...rest,
        name: NAME,
        modules: true,
        rootPath: state.build,
        modulesRoot: state.build,
        scriptPath: join(state.build, 'worker.js'),
        bindings: {
          ...Object(bindings),
          ...readSecrets(state),
          ENVIRONMENT: environment,
          PUBLIC_URL: values['public-url'],
          ...(allowedOrigins === '' ? {} : { ALLOWED_ORIGINS: allowedOrigins }),
        },
        // Beside the Worker and not before it, which would cost every request of the API a third.
        serviceBindings: { CONSOLE },
        unsafeDirectSockets: [{ host, port: Number(port) }],
        // Nothing of ours sends that header, and to take it out costs each request that leaves a copy.
        stripCfConnectingIp: false,
        ...(egress === null ? {} : { outboundService: egress.outboundService }),
      },
      ...(egress === null ? [] : [egress.worker]),
      consoleWorker(),
    ],
  };
}

/** The worker that has the console's files. @returns {import('miniflare').V4WorkerOptions} */
function consoleWorker() {
  return {
    name: CONSOLE,
    modules: true,
    script: 'export default { fetch: () => new Response(null, { status: 404 }) };',
    assets: {
      directory: join(ROOT, 'console', 'dist'),
      routerConfig: { has_user_worker: false },
      assetConfig: { not_found_handling: 'single-page-application' },
    },
  };
}

/** For debuggers and profilers, on this machine alone. @param {string} port '' for none */
function inspector(port) {
  return port === '' ? {} : { inspectorHost: '127.0.0.1', inspectorPort: Number(port) };
}

/** The Worker's own JSON lines as they are, and what workerd complains about. */
function show(/** @type {{ level: string, message: string }} */ { level, message }) {
  if (message.startsWith('{')) process.stdout.write(`${message}\n`);
  else if (level === 'error' || level === 'warn') process.stderr.write(`${message}\n`);
}

/**
 * The cron of wrangler.toml. The first sweep wakes what a crash left lying. By a request: Miniflare's
 * stand-in for the Worker stops this process until workerd answers, which it never does while it waits
 * for its log to be read by this process.
 * @param {Miniflare} miniflare
 */
function sweepRegularly(miniflare) {
  const sweep = async () => {
    try {
      const answer = await miniflare.dispatchFetch(SWEEP_URL);
      await answer.arrayBuffer();
      if (!answer.ok) throw new Error(`it was answered ${answer.status}`);
    } catch (error) {
      process.stderr.write(`The sweep failed: ${error instanceof Error ? error.message : error}\n`);
    }
  };
  void sweep();
  setInterval(sweep, SWEEP_EVERY_MS).unref();
}
