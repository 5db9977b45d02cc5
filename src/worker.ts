/** What the platform calls: requests, the sweep, and the classes by name. Nothing else. */
import type { Env } from './env.ts';
import { serveRoutes } from './http/router.ts';
import { sweep } from './objects/sweep.ts';
import { ROUTES } from './routes/index.ts';

export { Executor } from './objects/executor.ts';
export { RunObject } from './objects/run.ts';
export { TenantObject } from './objects/tenant.ts';

export default {
  fetch: serveRoutes(ROUTES),
  scheduled: async ({ scheduledTime }, env) => await sweep(env, scheduledTime),
} satisfies ExportedHandler<Env>;
