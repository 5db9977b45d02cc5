/**
 * `npm start`: everything on one machine, with nothing but Node and npm. Installs what is missing,
 * makes secrets, prepares the database, runs the Worker and a demo tenant, and ends all of it with
 * Ctrl-C. The Worker is rebuilt when its source changes. Settings: PORT, PLATFORM_TOKEN, STATE_DIR,
 * ALLOWED_ORIGINS, and `--no-demo`.
 */
import { runMain } from './support/complaint.mjs';
import { ensureConsole } from './support/console.mjs';
import { launch } from './support/launch.mjs';
import { startWorker, sweepRegularly } from './support/worker.mjs';

await runMain(() =>
  launch({
    command: 'npm start',
    host: '127.0.0.1',
    async start(state, { port }) {
      await ensureConsole();
      return startWorker(state, port);
    },
    whenHealthy: ({ origin }) => sweepRegularly(origin),
  }),
);
