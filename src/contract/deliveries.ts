/**
 * Deliveries: what became of each request that `notify.webhook` made, and how well destinations take
 * them. A destination is a URL without its query and fragment: queries often hold credentials, and
 * whoever answers at a path answers for all of its queries.
 */
import * as z from 'zod';
import { timestamp, utcTime, webUrl } from './json.ts';
import { later } from './later.ts';

/** What is measured where a request is made. It travels in the attempt's entry. */
export const deliveryRecord = later(() =>
  z
    .object({
      id: z.string().describe('dlv_…'),
      destination: z.string(),
      responseStatus: z.int().nullable().describe('null: there was no answer'),
      responseHeaders: z.record(z.string(), z.string()).describe('Those that explain the answer'),
      startedAt: utcTime,
      durationMs: z.int().describe('Until the answer was read, or given up'),
    })
    .meta({ id: 'DeliveryRecord' }),
);
export type DeliveryRecord = z.infer<typeof deliveryRecord>;

export const deliveryStatus = later(() =>
  z.enum(['delivered', 'failed']).meta({ id: 'DeliveryStatus' }),
);
export type DeliveryStatus = z.infer<typeof deliveryStatus>;

/** One attempt in the delivery log. */
export const delivery = later(() =>
  z
    .object({
      id: z.string(),
      destination: z.string(),
      status: deliveryStatus,
      code: z
        .string()
        .nullable()
        .describe(
          'Why it failed; null when it was delivered. `endpoint_disabled`: nothing was sent',
        ),
      responseStatus: z.int().nullable(),
      startedAt: utcTime,
      durationMs: z.int(),
      runId: z.string(),
      stepId: z.string(),
      webhookId: z.string().describe('The same for every attempt at one message'),
      attempt: z.int().describe('The number in the run; 0 for a redelivery'),
      redelivery: z.boolean(),
    })
    .meta({ id: 'Delivery' }),
);
export type Delivery = z.infer<typeof delivery>;

/** With what was sent and answered. Signatures are left out: they are of use to a forger alone. */
export const deliveryDetail = later(() =>
  delivery
    .unwrap()
    .extend({
      request: z
        .object({
          method: z.string(),
          url: z.string(),
          headers: z.record(z.string(), z.string()),
          body: z.string(),
        })
        .nullable()
        .describe('null when the run or its event is no longer kept'),
      response: z
        .object({
          status: z.int(),
          headers: z.record(z.string(), z.string()),
          body: z.string().describe('The first 4 KiB, as the receiver wrote it: untrusted'),
        })
        .nullable()
        .describe('null when there was no answer'),
    })
    .meta({ id: 'DeliveryDetail' }),
);
export type DeliveryDetail = z.infer<typeof deliveryDetail>;

/** A destination whose last request failed, or that is disabled. The others have no record. */
export const destination = later(() =>
  z
    .object({
      url: z.string(),
      state: z.enum(['failing', 'disabled']),
      failingSince: utcTime.nullable().describe('The first failure since the last success'),
      failures: z.int().describe('Since the last success'),
      lastFailureAt: utcTime.nullable(),
      lastCode: z.string().nullable(),
      lastStatus: z.int().nullable(),
      disabledAt: utcTime.nullable(),
      reason: z
        .enum(['failing', 'gone', 'by_hand'])
        .nullable()
        .describe('Why it is disabled: five days of failure, a 410, or an admin'),
      nextProbeAt: utcTime
        .nullable()
        .describe('When one request is let through; null: an admin has to enable it'),
    })
    .meta({ id: 'Destination' }),
);
export type Destination = z.infer<typeof destination>;

const destinationUrl = later(() =>
  webUrl.refine((url) => !/[?#]/.test(url), 'without a query and a fragment'),
);

export const destinationBody = later(() =>
  z.strictObject({ url: destinationUrl }).meta({ id: 'DestinationUrl' }),
);
export const redeliverBody = later(() =>
  z.strictObject({ id: z.string().min(1).max(100) }).meta({ id: 'Redeliver' }),
);
export const redeliverSinceBody = later(() =>
  z.strictObject({ destination: destinationUrl, since: timestamp }).meta({ id: 'RedeliverSince' }),
);
