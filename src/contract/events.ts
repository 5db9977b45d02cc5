/**
 * Platform events: CloudEvents 1.0 with our types. The envelope is checked here; which headers and
 * content types carry it (structured, batched, binary, plain JSON) is the route's affair.
 * https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md
 */
import * as z from 'zod';
import { type Json, type JsonObject, json, jsonObject, money, timestamp, utcTime } from './json.ts';
import { later } from './later.ts';
import { faultsOf } from './problems.ts';

const vendorId = later(() => z.string().min(1).max(256));

export const orderData = later(() =>
  z.looseObject({
    order: z.looseObject({
      id: vendorId,
      total: money,
      name: z.string().optional(),
      customer: z
        .looseObject({
          id: vendorId.optional(),
          email: z.string().optional(),
          name: z.string().optional(),
        })
        .optional(),
      tags: z.array(z.string()).optional(),
    }),
  }),
);

/** Why it is disabled, or was: `failing`, `gone` or `by_hand`. */
const destinationData = later(() =>
  z.looseObject({
    destination: z.looseObject({ url: z.string(), reason: z.string() }),
  }),
);

/** What `data` must hold for each type; more fields are kept. */
export const EVENT_DATA = {
  'order.created': orderData,
  'order.refunded': later(() =>
    z.looseObject({
      order: z.looseObject({ id: vendorId }),
      refund: z.looseObject({ id: vendorId, amount: money, reason: z.string().optional() }),
    }),
  ),
  'customer.created': later(() =>
    z.looseObject({
      customer: z.looseObject({
        id: vendorId,
        email: z.string().optional(),
        name: z.string().optional(),
      }),
    }),
  ),
  'content.section.updated': later(() =>
    z.looseObject({
      section: z.looseObject({
        id: vendorId,
        page: z.string().optional(),
        locale: z.string().optional(),
      }),
    }),
  ),
  'export.completed': later(() =>
    z.looseObject({
      export: z.looseObject({
        id: vendorId,
        kind: z.string(),
        format: z.string(),
        rows: z.int().min(0),
        bytes: z.int().min(0),
      }),
    }),
  ),
  'flags.changed': later(() =>
    z.looseObject({
      flag: z.looseObject({ key: z.string().min(1), enabled: z.boolean() }),
      previous: z.boolean().optional(),
    }),
  ),
  'authz.denied': later(() =>
    z.looseObject({
      actor: z.looseObject({ type: z.string(), id: z.string() }),
      action: z.string(),
      resource: z.string().optional(),
    }),
  ),
  'destination.disabled': destinationData,
  'destination.enabled': destinationData,
} as const;

export type PlatformEventType = keyof typeof EVENT_DATA;
export const EVENT_TYPES = Object.keys(EVENT_DATA).filter(isPlatformType);

export function isPlatformType(type: string): type is PlatformEventType {
  return Object.hasOwn(EVENT_DATA, type);
}

export const CUSTOM_TYPE = /^custom\.[a-z0-9][a-z0-9._-]{0,99}$/;

export const eventType = later(() =>
  z
    .string()
    .refine(
      (type) => isPlatformType(type) || CUSTOM_TYPE.test(type),
      `one of ${EVENT_TYPES.join(', ')} or custom.<name>`,
    )
    .meta({ id: 'EventType', examples: ['order.created', 'custom.stock.low'] }),
);

/** CloudEvents attribute names: lower-case letters and digits. */
const EXTENSION_NAME = /^[a-z0-9]{1,20}$/;
const extensionValue = later(() => z.union([z.string().max(1_024), z.boolean(), z.int()]));
const uriReference = later(() =>
  z
    .string()
    .min(1)
    .max(512)
    .refine(
      (text) => URL.canParse(text, 'https://base.invalid/') && !/\s/.test(text),
      'a URI-reference',
    ),
);

const envelope = later(() =>
  z.object({
    id: z.string().min(1).max(256).optional(),
    source: uriReference.default('api'),
    type: eventType,
    time: timestamp.optional(),
    subject: z.string().min(1).max(512).optional(),
    specversion: z.literal('1.0').optional(),
    datacontenttype: z
      .string()
      .regex(/^application\/([a-z0-9.+-]+\+)?json\s*(;|$)/i, 'a JSON content type')
      .optional(),
    dataschema: uriReference.optional(),
    correlationid: z.string().min(1).max(256).optional(),
    data: json,
  }),
);

/** An event as a sender gives it. Extension attributes (lower-case letters and digits) are kept. */
export const incomingEvent = later(() =>
  envelope
    .unwrap()
    .catchall(json)
    .transform(
      ({ id, source, type, time, subject, specversion, correlationid, data, ...rest }, ctx) => {
        const { datacontenttype: _type, dataschema: _schema, ...attributes } = rest;
        const extensions: Record<string, string | number | boolean> = {};
        for (const [name, value] of Object.entries(attributes)) {
          const parsed = extensionValue.safeParse(value);
          if (EXTENSION_NAME.test(name) && parsed.success) extensions[name] = parsed.data;
          else
            ctx.addIssue({
              code: 'custom',
              path: [name],
              message: EXTENSION_NAME.test(name)
                ? 'an extension attribute is a string, an integer or a boolean'
                : 'unknown field; an extension attribute has lower-case letters and digits only',
            });
        }
        const schema = isPlatformType(type) ? EVENT_DATA[type] : jsonObject;
        const checked = schema.safeParse(data);
        if (!checked.success)
          for (const { path, message } of faultsOf(checked.error, 'data'))
            ctx.addIssue({ code: 'custom', message, path: path.split('.') });
        return { id, source, type, time, subject, correlationId: correlationid, extensions, data };
      },
    ),
);
export type IncomingEvent = z.output<typeof incomingEvent>;

/** The event as conditions, templates and receivers see it: a CloudEvent, `id` the sender's. */
export interface CloudEvent extends JsonObject {
  readonly specversion: '1.0';
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly time: string;
  readonly correlationid: string;
  readonly data: Json;
}

export const acceptedEvent = later(() =>
  z
    .object({
      id: z.string().describe('Ours, evt_…'),
      eventId: z.string().describe("The sender's"),
      duplicate: z.boolean(),
      runs: z.array(z.string()),
    })
    .meta({ id: 'AcceptedEvent' }),
);
export type AcceptedEvent = z.infer<typeof acceptedEvent>;

/** Why an enabled workflow of the event's type did or did not start. */
export const eventMatch = later(() =>
  z
    .object({ workflowId: z.string(), version: z.int(), matched: z.boolean(), reason: z.string() })
    .meta({ id: 'EventMatch' }),
);
export type EventMatch = z.infer<typeof eventMatch>;

export const eventRecord = later(() =>
  z
    .object({
      id: z.string(),
      eventId: z.string(),
      source: z.string(),
      type: z.string(),
      time: utcTime,
      subject: z.string().nullable(),
      data: json,
      correlationId: z.string(),
      requestId: z.string(),
      receivedAt: utcTime,
      extensions: z
        .record(z.string(), extensionValue)
        .describe('Extension attributes other than correlationid'),
      runs: z.array(z.string()),
      matches: z.array(eventMatch),
    })
    .meta({ id: 'Event' }),
);
export type EventRecord = z.infer<typeof eventRecord>;
