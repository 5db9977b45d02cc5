/** What a tenant may use. The operator sets it; the tenant's own object keeps to it. */
import * as z from 'zod';
import { later } from './later.ts';

const fields = () => ({
  eventsPerSecond: z
    .int()
    .min(1)
    .max(1_000_000)
    .describe('Events taken in a second, in the long run; beyond it: 429 with Retry-After'),
  eventsBurst: z.int().min(1).max(10_000_000).describe('Events taken at once after a quiet time'),
  runsInFlight: z
    .int()
    .min(1)
    .max(1_000_000)
    .describe('Runs that have not ended; while there are more, no event is taken: 429'),
  storageBytes: z
    .int()
    .min(1_000_000)
    .max(10_000_000_000)
    .describe("Size of the tenant's own object; beyond it no event is taken: 422"),
});

export const tenantLimits = later(() => z.strictObject(fields()).meta({ id: 'TenantLimits' }));
export type TenantLimits = z.infer<typeof tenantLimits>;

/** Only what changes. */
export const tenantLimitsChange = later(() =>
  z
    .strictObject(fields())
    .partial()
    .refine((change) => Object.keys(change).length > 0, 'at least one limit')
    .meta({ id: 'TenantLimitsChange' }),
);
export type TenantLimitsChange = z.infer<typeof tenantLimitsChange>;

/**
 * An object that writes storage takes some hundreds of requests a second, a request up to 1,000
 * events; SQLite behind an object holds 10 GB
 * (https://developers.cloudflare.com/durable-objects/platform/limits/).
 */
export const DEFAULT_LIMITS: TenantLimits = {
  eventsPerSecond: 1_000,
  eventsBurst: 20_000,
  runsInFlight: 100_000,
  storageBytes: 5_000_000_000,
};

export const tenantUsage = later(() =>
  z
    .object({
      runsInFlight: z.int().describe('As counted within the last seconds'),
      storageBytes: z.int(),
    })
    .meta({ id: 'TenantUsage' }),
);

export const limitsView = later(() =>
  z.object({ limits: tenantLimits, usage: tenantUsage }).meta({ id: 'TenantLimitsView' }),
);
export type LimitsView = z.infer<typeof limitsView>;
