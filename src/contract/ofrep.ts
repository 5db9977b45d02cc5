/**
 * The OpenFeature Remote Evaluation Protocol, as much of it as boolean flags without targeting need.
 * https://github.com/open-feature/protocol/blob/main/service/openapi.yaml (0.3.0)
 */
import * as z from 'zod';
import type { Json } from './json.ts';
import { isJsonObject } from './json.ts';
import { later } from './later.ts';

/** Every value is `STATIC`: nothing of the context counts. */
export const ofrepEvaluation = later(() =>
  z
    .object({
      key: z.string(),
      value: z.boolean(),
      variant: z.enum(['on', 'off']),
      reason: z.literal('STATIC'),
    })
    .meta({ id: 'OfrepEvaluation' }),
);
type Evaluation = z.infer<typeof ofrepEvaluation>;

export const ofrepFlags = later(() =>
  z.object({ flags: z.array(ofrepEvaluation) }).meta({ id: 'OfrepFlags' }),
);

export const OFREP_ERRORS = [
  'FLAG_NOT_FOUND',
  'PARSE_ERROR',
  'INVALID_CONTEXT',
  'GENERAL',
] as const;
export type OfrepError = (typeof OFREP_ERRORS)[number];

/** `key` is there where one flag was asked for. */
export const ofrepFailure = later(() =>
  z
    .object({
      key: z.string().optional(),
      errorCode: z.enum(OFREP_ERRORS),
      errorDetails: z.string(),
    })
    .meta({ id: 'OfrepFailure' }),
);

export function evaluationOf(key: string, enabled: boolean): Evaluation {
  return { key, value: enabled, variant: enabled ? 'on' : 'off', reason: 'STATIC' };
}

/** What is wrong with a request's body; null for nothing. A context that is left out is an empty one. */
export function ofrepFault(body: Json): string | null {
  if (!isJsonObject(body)) return 'The body is an object with a context.';
  const { context = null } = body;
  return context === null || isJsonObject(context) ? null : 'The context is an object.';
}
