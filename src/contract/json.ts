/**
 * The plain values that everything else is made of: JSON, money, times, durations, ids.
 * Json is recursive through interfaces because a recursive type alias turns RPC result types into
 * `never` (or exhausts the compiler), which would silently stop the type check of those calls.
 *
 * Schemas are made when they are first asked for, here and elsewhere: later.ts.
 */
import canonicalize from 'canonicalize';
import * as z from 'zod';
import { later } from './later.ts';

export type Json = string | number | boolean | null | JsonArray | JsonObject;
export interface JsonArray extends ReadonlyArray<Json> {}
export interface JsonObject {
  readonly [key: string]: Json;
}

/** Any JSON value. What reaches a schema came out of JSON.parse, so there is nothing to check. */
export const json: z.ZodType<Json> = later(() => z.any());
export const jsonObject: z.ZodType<JsonObject> = later(() => z.record(z.string(), z.any()));

export function isJsonObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** RFC 8785: the one text of a JSON value, so that equal values have equal hashes. */
export function canonicalJson(value: Json): string {
  const text = canonicalize(value);
  if (text === undefined) throw new TypeError('not a JSON value');
  return text;
}

/** Whether RFC 8785 can write the value: text with an unpaired surrogate has no UTF-8, so no hash. */
export function isCanonical(value: Json): boolean {
  try {
    canonicalJson(value);
    return true;
  } catch {
    return false;
  }
}

/** An amount in the currency's minor units (ISO 4217): 75.00 USD is 7500, 75 JPY is 75. */
export const money = later(() =>
  z
    .strictObject({
      amount: z.int().describe('Minor units of the currency'),
      currency: z.string().regex(/^[A-Z]{3}$/, 'an ISO 4217 code, such as USD'),
    })
    .meta({ id: 'Money' }),
);
export type Money = z.infer<typeof money>;

/** A time as we answer it: RFC 3339, UTC, milliseconds. */
export const utcTime = later(() =>
  z.string().meta({ format: 'date-time', example: '2026-01-31T12:00:00.000Z' }),
);

/** An RFC 3339 time with any offset; comes out as UTC with milliseconds, in a year of four digits. */
export const timestamp = later(() =>
  z.iso
    .datetime({ offset: true, error: 'an RFC 3339 time, such as 2026-01-31T12:00:00Z' })
    .transform((text) => new Date(text).toISOString())
    .refine((text) => /^\d{4}-/.test(text), 'a time in UTC between the years 0000 and 9999')
    .pipe(utcTime),
);

/**
 * A complete http or https URL, which stays the text that it was. (zod's own takes blanks and line breaks
 * out of it, after which it may name another host than whoever read it saw.)
 */
export const webUrl = later(() =>
  z
    .string()
    .max(2_048)
    .refine(isWebUrl, 'a complete http or https URL, without blanks')
    .meta({ format: 'uri' }),
);

function isWebUrl(text: string): boolean {
  return /^https?:\/\/[^\s\p{Cc}]+$/iu.test(text) && URL.canParse(text);
}

const UNIT_MS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const DURATION = /^([1-9]\d{0,5})([smhd])$/;
export const DURATION_MAX_MS = 366 * UNIT_MS.d;

/** '30s', '15m', '72h', '7d' → milliseconds; null for anything else. */
export function parseDuration(text: string): number | null {
  const [, count, unit] = DURATION.exec(text) ?? [];
  if (count === undefined || !isUnit(unit)) return null;
  return Number(count) * UNIT_MS[unit];
}

function isUnit(unit: string | undefined): unit is keyof typeof UNIT_MS {
  return unit !== undefined && unit in UNIT_MS;
}

/** Milliseconds of a duration that a schema has already accepted. */
export function durationMs(text: string): number {
  const ms = parseDuration(text);
  if (ms === null) throw new TypeError(`not a duration: ${text}`);
  return ms;
}

export const duration = later(() =>
  z
    .string()
    .refine(
      (text) => (parseDuration(text) ?? Number.POSITIVE_INFINITY) <= DURATION_MAX_MS,
      'a duration up to 366d, such as 30s, 15m, 72h or 7d',
    )
    .meta({ id: 'Duration', pattern: DURATION.source, examples: ['30s', '15m', '72h', '7d'] }),
);

export const ID_PREFIXES = [
  'evt',
  'run',
  'wf',
  'apr',
  'aud',
  'key',
  'exp',
  'msg',
  'mem',
  'dlv',
  'lnk',
  'flg',
] as const;
export type IdPrefix = (typeof ID_PREFIXES)[number];

/** An id of ours: a prefix and a UUIDv7 in hex, so ids sort by the time they were made. */
export function idOf(prefix: IdPrefix) {
  return z
    .string()
    .regex(new RegExp(`^${prefix}_[0-9a-f]{32}(-\\d+)?$`), `an id that begins with ${prefix}_`);
}

/** The smallest id text that could have been made at that time: turns a time filter into an id range. */
export function idAtTime(prefix: IdPrefix, time: string): string {
  return `${prefix}_${Date.parse(time).toString(16).padStart(12, '0')}`;
}

/** Roles, weakest first. `ingest` stands aside: it sends events and reads nothing. */
export const ROLES = ['ingest', 'viewer', 'approver', 'admin'] as const;
export const role = later(() => z.enum(ROLES).meta({ id: 'Role' }));
export type Role = z.infer<typeof role>;

/**
 * What an API key is for. `frontend` is no role of a caller: it reads flags where anyone can see it,
 * does nothing else, and speaks for nobody.
 */
export const KEY_ROLES = ['frontend', ...ROLES] as const;
export const keyRole = later(() => z.enum(KEY_ROLES).meta({ id: 'KeyRole' }));
export type KeyRole = z.infer<typeof keyRole>;

/** Who did something. `name` is kept with the record: people leave, the record stays readable. */
export const actor = later(() =>
  z
    .strictObject({
      type: z.enum(['api_key', 'member', 'vendor', 'platform', 'system']),
      id: z.string(),
      name: z.string(),
    })
    .meta({ id: 'Actor' }),
);
export type Actor = z.infer<typeof actor>;

export const tenantId = later(() =>
  z
    .string()
    .regex(/^[a-z0-9-]{2,40}$/, '2 to 40 of a-z, 0-9 and -')
    .meta({ id: 'TenantId' }),
);
