/**
 * `npm run serve`: the Worker as it is deployed, on workerd, for self-hosting on one machine. Takes
 * the settings of `npm start` and opens the same state; leaves out what development needs: the proxy
 * before the Worker and the watching of its source. Settings besides: HOST (127.0.0.1), PUBLIC_URL,
 * ENVIRONMENT, ALLOWED_ORIGINS, INSPECTOR_PORT (for a debugger or profiler on this machine).
 */
import { runMain } from './support/complaint.mjs';
import { ensureConsole } from './support/console.mjs';
import { launch } from './support/launch.mjs';
import { buildWorker } from './support/worker.mjs';
import { serveBuilt, serveSettings } from './support/workerd.mjs';

await runMain(() => {
  const settings = serveSettings(process.env);
  return launch({
    command: 'npm run serve',
    host: settings.host,
    async start(state, address) {
      await ensureConsole();
      await buildWorker(state);
      return serveBuilt(state, address, settings);
    },
  });
});
