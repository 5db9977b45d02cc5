/**
 * What every vendor's translator answers, and the pieces they share. A body is read with a schema
 * of the fields that are used, then the event made of them passes the same check as any sender's.
 */
import * as z from 'zod';
import { type IncomingEvent, incomingEvent } from '../contract/events.ts';
import { type Json, type JsonObject, type Money, timestamp } from '../contract/json.ts';
import { later } from '../contract/later.ts';
import { type Fault, faultsOf } from '../contract/problems.ts';

export type Translation =
  | { kind: 'event'; event: IncomingEvent }
  | { kind: 'ignored'; topic: string }
  | { kind: 'invalid'; faults: Fault[] };

type Fields = Readonly<Record<string, Json | undefined>>;

/** An id as a string with every digit. An unsafe number has lost some already and is refused. */
export const vendorId = later(() =>
  z.union(
    [
      z.string().trim().min(1).max(256),
      z
        .int()
        .min(0)
        .transform((id) => String(id)),
    ],
    'an id',
  ),
);

/** A describing text: trimmed, left out when empty. A wrong type loses the text, not the event. */
export const optionalText = later(() =>
  z
    .string()
    .trim()
    .nullish()
    .catch(null)
    .transform((text) => text || undefined),
);

/** A describing flag, left out when it is not one. */
export const optionalFlag = later(() => z.boolean().optional().catch(undefined));

/** The object without its undefined fields. */
export function present(fields: Fields): JsonObject {
  const kept: Record<string, Json> = {};
  for (const [name, value] of Object.entries(fields)) if (value !== undefined) kept[name] = value;
  return kept;
}

/** The same, and undefined when nothing is left. */
export function presentOrNone(fields: Fields): JsonObject | undefined {
  const kept = present(fields);
  return Object.keys(kept).length === 0 ? undefined : kept;
}

/** The first of the texts that is an RFC 3339 time, else undefined. */
export function firstTime(...texts: (string | null | undefined)[]): string | undefined {
  return texts.find((text) => timestamp.safeParse(text).success) ?? undefined;
}

/** Money of a converted amount; where there is none (null), a fault at the path. */
export function moneyAt(
  ctx: z.RefinementCtx,
  path: (string | number)[],
  amount: number | null,
  currency: string,
): Money {
  if (amount !== null) return { amount, currency };
  ctx.addIssue({ code: 'custom', path, message: `not an amount of ${currency}` });
  return z.NEVER;
}

/**
 * Reads a body and makes an event of it. `build` answers the attributes of a plain JSON event.
 * Faults have paths in the vendor's body; those of the finished event have paths in the event.
 */
export function translate<T>(
  schema: z.ZodType<T>,
  body: Json,
  build: (fields: T) => Fields,
): Translation {
  const read = schema.safeParse(body);
  if (!read.success) return { kind: 'invalid', faults: faultsOf(read.error) };
  const event = incomingEvent.safeParse(present(build(read.data)));
  if (!event.success) return { kind: 'invalid', faults: faultsOf(event.error) };
  return { kind: 'event', event: event.data };
}
