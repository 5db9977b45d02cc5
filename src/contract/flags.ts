/** Flags as callers see them: setting one by hand, its history, and what a frontend evaluates. */
import * as z from 'zod';
import { actor, utcTime } from './json.ts';
import { later } from './later.ts';

export const flagKey = later(() =>
  z
    .string()
    .regex(/^[A-Za-z0-9._-]{1,100}$/, '1 to 100 of A-Z, a-z, 0-9, dot, _ and -')
    // It would be a field of an answer, and means something else to careless readers.
    .refine((key) => key !== '__proto__', 'not __proto__'),
);

export const flag = later(() =>
  z.object({ key: z.string(), enabled: z.boolean(), updatedAt: utcTime }).meta({ id: 'Flag' }),
);

export const flagSet = later(() =>
  z
    .strictObject({
      key: flagKey,
      enabled: z.boolean(),
      comment: z.string().trim().min(1).max(2_000).optional(),
    })
    .meta({ id: 'FlagSet' }),
);
export type FlagSet = z.infer<typeof flagSet>;

/** What setting a flag by hand came to. */
export const flagState = later(() =>
  z
    .object({
      key: z.string(),
      enabled: z.boolean(),
      previous: z.boolean(),
      changed: z.boolean().describe('False when it was that way already: nothing is told then'),
    })
    .meta({ id: 'FlagState' }),
);
export type FlagState = z.infer<typeof flagState>;

export const flagChange = later(() =>
  z
    .object({
      key: z.string(),
      from: z.boolean(),
      to: z.boolean(),
      at: utcTime,
      service: z.string().describe('Who kept the flag then: signalbox, or a connected service'),
      run: z
        .object({
          id: z.string(),
          stepId: z.string().nullable(),
          workflowId: z.string().nullable(),
          workflowName: z.string().nullable(),
          workflowVersion: z.int().nullable(),
        })
        .nullable()
        .describe('What made the change; null when a person did by hand'),
      actor: actor.nullable().describe('Who set it by hand; null when a run did'),
      comment: z.string().nullable(),
    })
    .meta({ id: 'FlagChange' }),
);
export type FlagChangeView = z.infer<typeof flagChange>;

/** Without a request id, so that the same flags are the same bytes. */
export const evaluatedFlags = later(() =>
  z
    .object({
      flags: z.record(z.string(), z.boolean()).describe('By key; a flag that is not there is off'),
    })
    .meta({ id: 'EvaluatedFlags' }),
);
