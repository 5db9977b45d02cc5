/** The table of all routes; and those that anyone may call. */
import * as z from 'zod';
import { later } from '../contract/later.ts';
import { docsPage } from '../http/docs-page.ts';
import { openApiDocument } from '../http/openapi.ts';
import { openRoute, type Route } from '../http/route.ts';
import { approvalLinkRoutes } from './approval-links.ts';
import { approvalRoutes } from './approvals.ts';
import { auditRoutes } from './audit.ts';
import { connectionRoutes } from './connections.ts';
import { deliveryRoutes } from './deliveries.ts';
import { destinationRoutes } from './destinations.ts';
import { eventRoutes } from './events.ts';
import { exportRoutes } from './exports.ts';
import { flagRoutes } from './flags.ts';
import { hookRoutes } from './hooks.ts';
import { limitRoutes } from './limits.ts';
import { liveRoutes } from './live.ts';
import { memberRoutes } from './members.ts';
import { ofrepRoutes } from './ofrep.ts';
import { outputRoutes } from './outputs.ts';
import { privacyRoutes } from './privacy.ts';
import { retentionRoutes } from './retention.ts';
import { runRoutes } from './runs.ts';
import { sealingKeyRoutes } from './sealing-keys.ts';
import { sessionRoutes } from './session.ts';
import { statsRoutes } from './stats.ts';
import { tenantRoutes } from './tenants.ts';
import { wellKnownRoutes } from './well-known.ts';
import { workflowRoutes } from './workflows.ts';

const aboutRoutes: readonly Route[] = [
  openRoute({
    method: 'GET',
    path: '/api/health',
    tag: 'About',
    summary: 'Whether the Worker answers',
    access: { tier: 'anyone' },
    answer: {
      status: 200,
      description: 'It does',
      schema: later(() => z.object({ status: z.literal('ok'), requestId: z.string() })),
    },
    handle: async () => ({ body: { status: 'ok' } }),
  }),
  openRoute({
    method: 'GET',
    path: '/api/openapi.json',
    tag: 'About',
    summary: 'This API as OpenAPI 3.1',
    access: { tier: 'anyone' },
    answer: { status: 200, description: 'The document', schema: later(() => z.object({})) },
    async handle() {
      const headers = {
        'content-type': 'application/json',
        'cache-control': 'public, max-age=300',
      };
      return new Response(JSON.stringify(document()), { headers });
    },
  }),
  openRoute({
    method: 'GET',
    path: '/api/docs',
    tag: 'About',
    summary: 'This API as a page to read',
    access: { tier: 'anyone' },
    answer: { status: 200, description: 'The page', contentType: 'text/html' },
    handle: async () => docsPage(document()),
  }),
];

export const ROUTES: readonly Route[] = [
  ...aboutRoutes,
  ...sessionRoutes,
  ...eventRoutes,
  ...hookRoutes,
  ...workflowRoutes,
  ...runRoutes,
  ...approvalRoutes,
  ...approvalLinkRoutes,
  ...liveRoutes,
  ...statsRoutes,
  ...auditRoutes,
  ...privacyRoutes,
  ...retentionRoutes,
  ...tenantRoutes,
  ...limitRoutes,
  ...sealingKeyRoutes,
  ...connectionRoutes,
  ...deliveryRoutes,
  ...destinationRoutes,
  ...memberRoutes,
  ...flagRoutes,
  ...ofrepRoutes,
  ...outputRoutes,
  ...exportRoutes,
  ...wellKnownRoutes,
];

let documentOnce: ReturnType<typeof openApiDocument> | undefined;

/** Made at the first request that asks for it, not at start-up. */
function document(): ReturnType<typeof openApiDocument> {
  documentOnce ??= openApiDocument(ROUTES);
  return documentOnce;
}
