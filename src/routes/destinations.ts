/** How well destinations of webhooks take them, and switching one off or on by hand. */
import * as z from 'zod';
import { destination, destinationBody } from '../contract/deliveries.ts';
import { later } from '../contract/later.ts';
import { paged } from '../contract/pages.ts';
import { listAnswer, pageOf } from '../http/cursor.ts';
import { listOf, listQuery, type Route, tenantRoute } from '../http/route.ts';
import { tenantObject } from '../objects/index.ts';
import { destinationOf } from '../ports/destination.ts';

export const destinationRoutes: readonly Route[] = [
  tenantRoute({
    method: 'GET',
    path: '/api/admin/destinations',
    tag: 'Deliveries',
    summary: 'Destinations whose last request failed or that are disabled, the latest first',
    description: 'A destination that is not here takes what it is sent.',
    role: 'viewer',
    query: later(() => z.strictObject(listQuery())),
    answer: { status: 200, description: 'A page of destinations', schema: listOf(destination) },
    async handle({ env, tenantId }, { query }) {
      const page = pageOf('destinations', query);
      if ('ok' in page) return page;
      const { limit, after } = page;
      const rows = await tenantObject(env, tenantId).listDestinations({ limit: limit + 1, after });
      const found = paged(
        rows,
        limit,
        ({ key }) => key,
        ({ item }) => item,
      );
      return { body: listAnswer('destinations', found) };
    },
  }),
  tenantRoute({
    method: 'POST',
    path: '/api/admin/destinations/disable',
    tag: 'Deliveries',
    summary: 'Send nothing there until an admin enables it',
    description: 'Steps that would send there fail at once with `endpoint_disabled`.',
    role: 'admin',
    body: destinationBody,
    answer: {
      status: 200,
      description: 'The destination',
      schema: later(() => z.object({ destination, requestId: z.string() })),
    },
    async handle({ env, tenantId, by }, { body: { url } }) {
      const set = await tenantObject(env, tenantId).disableDestination(keyOf(url), by);
      return set.ok ? { body: { destination: set.destination } } : set;
    },
  }),
  tenantRoute({
    method: 'POST',
    path: '/api/admin/destinations/enable',
    tag: 'Deliveries',
    summary: 'Send there again, and forget its failures; saying it twice is fine',
    role: 'admin',
    body: destinationBody,
    answer: {
      status: 200,
      description: 'It is enabled',
      schema: later(() => z.object({ enabled: z.string(), requestId: z.string() })),
    },
    async handle({ env, tenantId, by }, { body: { url } }) {
      const set = await tenantObject(env, tenantId).enableDestination(keyOf(url), by);
      return set.ok ? { body: { enabled: keyOf(url) } } : set;
    },
  }),
];

function keyOf(url: string): string {
  return destinationOf(url) ?? url;
}
