/** Events in, over CloudEvents' HTTP binding or as plain JSON; and the event log. */
import * as z from 'zod';
import {
  acceptedEvent,
  type EventRecord,
  eventRecord,
  type IncomingEvent,
  incomingEvent,
} from '../contract/events.ts';
import { isJsonObject, type Json, timestamp } from '../contract/json.ts';
import { later } from '../contract/later.ts';
import { type Fault, faultsOf, type Refusal, refusal } from '../contract/problems.ts';
import { findEvent, listEvents } from '../db/events.ts';
import type { Env } from '../env.ts';
import { encodedBody, parseJson, readBytes } from '../http/body.ts';
import { listAnswer, pageOf } from '../http/cursor.ts';
import { listOf, listQuery, type Route, senderRoute, tenantRoute } from '../http/route.ts';
import { refuseTo, takeFrom } from '../http/sender.ts';
import { call, tenantObject } from '../objects/index.ts';

export const EVENTS_PER_REQUEST_MAX = 1_000;
export const EVENT_BYTES_MAX = 256 * 1_024;
/** So many are checked before other requests have their turn. */
const EVENTS_AT_ONCE = 10;

const MEDIA_TYPES = [
  'application/json',
  'application/cloudevents+json',
  'application/cloudevents-batch+json',
] as const;

const accepted = later(() => z.object({ requestId: z.string(), events: z.array(acceptedEvent) }));

const listFilter = later(() =>
  z.strictObject({
    ...listQuery(),
    type: z.string().min(1).max(120).optional(),
    source: z.string().min(1).max(512).optional(),
    correlationId: z.string().min(1).max(256).optional(),
    from: timestamp.optional(),
    to: timestamp.optional(),
  }),
);

export const eventRoutes: readonly Route[] = [
  senderRoute({
    method: 'POST',
    path: '/api/events',
    tag: 'Events',
    summary: 'Send events',
    description:
      'CloudEvents 1.0: structured, batched or binary mode, or plain JSON (an object or an array). ' +
      'All of a request or none of it is taken. 202 means durable. A second event with the same ' +
      'source and id answers `duplicate: true` with the first one’s runs.',
    rawBody: MEDIA_TYPES,
    answer: { status: 202, description: 'Accepted, durably', schema: accepted },
    problems: [400, 413, 415, 422, 429],
    async handle(sending) {
      const read = await readEvents(sending.request);
      const taken =
        'ok' in read ? await refuseTo(sending, read) : await takeFrom(sending, read.events);
      return taken.ok ? { status: 202, body: { events: taken.events } } : taken;
    },
  }),
  tenantRoute({
    method: 'GET',
    path: '/api/admin/events',
    tag: 'Events',
    summary: 'List events, newest first',
    role: 'viewer',
    query: listFilter,
    answer: { status: 200, description: 'A page of events', schema: listOf(eventRecord) },
    async handle({ env, tenantId }, { query: { limit, cursor, ...filter } }) {
      const page = pageOf('events', { limit, cursor });
      if ('ok' in page) return page;
      return { body: listAnswer('events', await listEvents(env.DB, tenantId, filter, page)) };
    },
  }),
  tenantRoute({
    method: 'GET',
    path: '/api/admin/events/get',
    tag: 'Events',
    summary: 'One event, with why each enabled workflow did or did not start',
    role: 'viewer',
    query: later(() => z.strictObject({ id: z.string().min(1).max(100) })),
    answer: {
      status: 200,
      description: 'The event',
      schema: later(() => z.object({ event: eventRecord, requestId: z.string() })),
    },
    problems: [404],
    async handle({ env, tenantId }, { query }) {
      const event =
        (await findEvent(env.DB, tenantId, query.id)) ??
        (await findOnceTold(env, tenantId, query.id));
      return event === null ? refusal('not_found', 'There is no such event.') : { body: { event } };
    },
  }),
];

/** The answer to an event tells its id before the log has it. */
async function findOnceTold(env: Env, tenantId: string, id: string): Promise<EventRecord | null> {
  await call(() => tenantObject(env, tenantId).deliverEvent(id));
  return await findEvent(env.DB, tenantId, id);
}

/** The events of a request, in whichever of the content modes they came. */
async function readEvents(request: Request): Promise<{ events: IncomingEvent[] } | Refusal> {
  const type = (request.headers.get('content-type') ?? '').split(';')[0]?.trim().toLowerCase();
  const mediaType = MEDIA_TYPES.find((known) => known === type);
  if (mediaType === undefined)
    return refusal('unsupported_media_type', `Send one of ${MEDIA_TYPES.join(', ')}.`);
  const bytes = encodedBody(request) ?? (await readBytes(request));
  if ('ok' in bytes) return bytes;
  const parsed = parseJson(bytes);
  if (!parsed.ok) return parsed;
  const isBinary = mediaType === 'application/json' && request.headers.has('ce-type');
  const body = isBinary ? binaryEvent(request.headers, parsed.value) : parsed.value;
  const isBatch = mediaType === 'application/cloudevents-batch+json';
  if (isBatch && !Array.isArray(body))
    return refusal('validation_failed', 'A batch is an array of events.');
  if (mediaType === 'application/cloudevents+json' && !isJsonObject(body))
    return refusal('validation_failed', 'Structured mode takes one event, an object.');
  return await parseEvents(body, mediaType !== 'application/json');
}

/** Binary mode: attributes in `ce-` headers, the data is the body. */
function binaryEvent(headers: Headers, data: Json): Json {
  const attributes: Record<string, Json> = {};
  for (const [name, value] of headers)
    if (name.startsWith('ce-')) attributes[name.slice('ce-'.length)] = percentDecoded(value);
  return { ...attributes, data };
}

/** The HTTP binding percent-encodes what a header cannot hold. */
function percentDecoded(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}

/** `strict`: the CloudEvents formats ask for `specversion`; plain JSON may leave it out. */
async function parseEvents(
  body: Json,
  strict: boolean,
): Promise<{ events: IncomingEvent[] } | Refusal> {
  const items: readonly Json[] = isArray(body) ? body : [body];
  if (items.length === 0) return refusal('validation_failed', 'There is no event in the request.');
  if (items.length > EVENTS_PER_REQUEST_MAX)
    return refusal('payload_too_large', `At most ${EVENTS_PER_REQUEST_MAX} events in a request.`);
  const faults: Fault[] = [];
  const events: IncomingEvent[] = [];
  for (const [index, item] of items.entries()) {
    if (index > 0 && index % EVENTS_AT_ONCE === 0) await scheduler.wait(0);
    const prefix = isArray(body) ? String(index) : '';
    if (isTooLarge(JSON.stringify(item)))
      return refusal('payload_too_large', `An event is at most ${EVENT_BYTES_MAX} bytes.`, [
        { path: prefix, message: 'too large' },
      ]);
    const parsed = incomingEvent.safeParse(item);
    if (!parsed.success) faults.push(...faultsOf(parsed.error, prefix));
    else events.push(parsed.data);
    if (strict && isJsonObject(item) && item.specversion === undefined)
      faults.push({ path: join(prefix, 'specversion'), message: 'required: "1.0"' });
  }
  return faults.length === 0
    ? { events }
    : refusal('validation_failed', 'No event was taken. See errors for what is wrong.', faults);
}

/** In UTF-8, of which a UTF-16 unit takes three bytes at the most. */
function isTooLarge(text: string): boolean {
  if (text.length * 3 <= EVENT_BYTES_MAX) return false;
  return new TextEncoder().encode(text).length > EVENT_BYTES_MAX;
}

function join(prefix: string, name: string): string {
  return prefix === '' ? name : `${prefix}.${name}`;
}

function isArray(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}
