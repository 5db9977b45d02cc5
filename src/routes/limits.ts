/** What a tenant may use: the operator sets it, the tenant sees it. */
import * as z from 'zod';
import { tenantId as tenantIdSchema } from '../contract/json.ts';
import { later } from '../contract/later.ts';
import { limitsView, tenantLimitsChange } from '../contract/limits.ts';
import { refusal } from '../contract/problems.ts';
import { platformRoute, type Route, tenantRoute } from '../http/route.ts';
import { tenantObject } from '../objects/index.ts';

const schema = later(() => limitsView.unwrap().extend({ requestId: z.string() }));

export const limitRoutes: readonly Route[] = [
  tenantRoute({
    method: 'GET',
    path: '/api/admin/limits',
    tag: 'Tenants',
    summary: 'What this tenant may use, and what it uses',
    role: 'viewer',
    answer: { status: 200, description: 'Limits and usage', schema },
    handle: async ({ env, tenantId }) => ({ body: await tenantObject(env, tenantId).limits() }),
  }),
  platformRoute({
    method: 'POST',
    path: '/api/platform/tenants/limits',
    tag: 'Tenants',
    summary: 'Change what a tenant may use; limits that are left out stay',
    body: later(() => z.strictObject({ id: tenantIdSchema, limits: tenantLimitsChange })),
    answer: { status: 200, description: 'Limits and usage', schema },
    problems: [404],
    async handle({ env, by }, { body: { id, limits } }) {
      const updated = await tenantObject(env, id).updateLimits(limits, by);
      if (updated === null) return refusal('not_found', 'There is no such tenant.');
      return updated.ok ? { body: updated.limits } : updated;
    },
  }),
];
