/** How the tenant is doing, in numbers. */
import * as z from 'zod';
import { later } from '../contract/later.ts';
import { stats } from '../contract/stats.ts';
import { readStats } from '../db/stats.ts';
import { type Route, tenantRoute } from '../http/route.ts';

const WEEK_HOURS = 168;

export const statsRoutes: readonly Route[] = [
  tenantRoute({
    method: 'GET',
    path: '/api/admin/stats',
    tag: 'Stats',
    summary: 'Events, runs, approvals, workflows and destinations of the last hours, in numbers',
    description:
      'Counted when it is asked for, from indexes. In the whole period at most 24,000 rows are read ' +
      'for each status of runs and for each of 40 types of events: an hour with more is `estimated` ' +
      'from the beginning of it. At most 100 workflows with their latest 100 runs, the latest 10,000 ' +
      'attempts at destinations, and 1,000 pending approvals. Not a second old; ask once a minute.',
    role: 'viewer',
    query: later(() =>
      z.strictObject({ hours: z.coerce.number().int().min(1).max(WEEK_HOURS).default(24) }),
    ),
    answer: {
      status: 200,
      description: 'The numbers',
      schema: later(() => z.object({ stats, requestId: z.string() })),
    },
    async handle({ env, tenantId }, { query: { hours } }) {
      return { body: { stats: await readStats(env.DB, tenantId, hours, Date.now()) } };
    },
  }),
];
