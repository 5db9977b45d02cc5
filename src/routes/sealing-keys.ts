/** The sealing key, for the operator: everything that is sealed goes under the one in use. */
import * as z from 'zod';
import { later } from '../contract/later.ts';
import { listTenants } from '../db/tenants.ts';
import { listAnswer, pageOf } from '../http/cursor.ts';
import { platformRoute, type Route } from '../http/route.ts';
import { resealTenants } from '../objects/resealing.ts';
import { retiredKeyIds } from '../sealed.ts';

/** Each takes a call or a few, and one request may make a thousand. */
const TENANTS_MAX = 100;

export const sealingKeyRoutes: readonly Route[] = [
  platformRoute({
    method: 'POST',
    path: '/api/platform/keys/rotate',
    tag: 'Tenants',
    summary: 'Seal what is sealed under former keys anew, a page of tenants at a time',
    description:
      'After SEAL_KEY was replaced and the former one put into SEAL_KEYS_RETIRED. Go on with nextCursor until it is null; repeating any of it changes nothing. A former key may go when a whole pass has left none under it and failed is empty: docs/connections.md. `npx signalbox keys rotate` does all of it.',
    body: later(() =>
      z.strictObject({
        cursor: z.string().min(1).max(1_024).optional().describe('nextCursor of the page before'),
        limit: z.int().min(1).max(TENANTS_MAX).default(TENANTS_MAX),
      }),
    ),
    answer: {
      status: 200,
      description: 'What became of these tenants',
      schema: later(() =>
        z.object({
          keyId: z.string().describe('The key in use'),
          retiredKeyIds: z.array(z.string()).describe('Former keys that open still'),
          tenants: z.int().describe('How many were gone through'),
          resealed: z.int().describe('Texts that were sealed anew'),
          left: z
            .array(z.object({ keyId: z.string(), count: z.int() }))
            .describe('Texts that do not open, by the key that they need'),
          failed: z.array(z.string()).describe('Tenants that could not be gone through: ask again'),
          nextCursor: z.string().nullable(),
          requestId: z.string(),
        }),
      ),
    },
    async handle({ env, by }, { body }) {
      const page = pageOf('sealing-keys', body);
      if ('ok' in page) return page;
      const { items, next } = await listTenants(env.DB, page);
      const ids = items.map(({ id }) => id);
      const { keyId, resealed, left, failed } = await resealTenants(env, ids, by);
      const { nextCursor } = listAnswer('sealing-keys', { items, next });
      const counts = Object.entries(left).map(([id, count]) => ({ keyId: id, count }));
      const told = { keyId, retiredKeyIds: await retiredKeyIds(env), tenants: ids.length };
      return { body: { ...told, resealed, left: counts, failed, nextCursor } };
    },
  }),
];
