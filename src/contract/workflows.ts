/** Workflow definitions as a tenant writes them, and the views of them that the routes answer. */
import * as z from 'zod';
import { approverRole } from './approvals.ts';
import { eventType } from './events.ts';
import { actor, duration, jsonObject, utcTime } from './json.ts';
import { later } from './later.ts';

/** No hyphen: a step's name stands in expressions as `steps.<id>.output`. */
export const stepId = later(() =>
  z
    .string()
    .regex(/^[A-Za-z_][A-Za-z0-9_]{0,63}$/, 'letters, digits and _, not beginning with a digit'),
);

const expression = later(() => z.string().min(1).max(4_096));

/** Attempts at a step: the first one counts. Delays grow from `delay` by doubling, up to `maxDelay`. */
export const retry = later(() =>
  z
    .strictObject({
      attempts: z.int().min(1).max(20).optional(),
      delay: duration.optional(),
      maxDelay: duration.optional(),
    })
    .meta({ id: 'Retry' }),
);

/** What a workflow may ask for beyond the tenant's policy. The stricter of the two holds. */
export const stepApproval = later(() =>
  z
    .strictObject({
      approvals: z.int().min(1).max(20).optional(),
      roles: z.array(approverRole).min(1).optional(),
      expiresIn: duration.optional(),
      onExpire: z.enum(['deny']).optional(),
      members: z.array(z.string().min(1).max(100)).min(1).max(50).optional(),
      reasonRequired: z.literal(true).optional(),
    })
    .meta({ id: 'StepApproval' }),
);
export type StepApproval = z.infer<typeof stepApproval>;

const stepCommon = () => ({
  id: stepId,
  needs: z.array(stepId).max(50).optional(),
  if: expression.optional(),
});

export const actionStep = later(() =>
  z.strictObject({
    ...stepCommon(),
    action: z.string().min(1).max(64),
    with: jsonObject.optional(),
    retry: retry.optional(),
    timeout: duration.optional(),
    approval: stepApproval.optional(),
  }),
);
export const waitStep = later(() => z.strictObject({ ...stepCommon(), wait: duration }));
export type ActionStep = z.infer<typeof actionStep>;
export type WaitStep = z.infer<typeof waitStep>;

/** A step either does an action or waits; which one is told by its field, so faults name that shape. */
export const step: z.ZodType<ActionStep | WaitStep> = later(() =>
  z.union([actionStep, waitStep], 'a step has either an action or a wait').meta({ id: 'Step' }),
);
export type Step = ActionStep | WaitStep;

export const trigger = later(() =>
  z.strictObject({ event: eventType, if: expression.optional() }).meta({ id: 'Trigger' }),
);

export const STEPS_MAX = 50;

const definitionFields = () => ({
  name: z.string().trim().min(1).max(120),
  description: z.string().max(2_000).optional(),
  trigger,
  steps: z.array(step).min(1).max(STEPS_MAX),
});
export const definition = later(() => z.strictObject(definitionFields()));
export type Definition = z.infer<typeof definition>;

export const workflowCreate = later(() =>
  z
    .strictObject({ ...definitionFields(), enabled: z.boolean().default(false) })
    .meta({ id: 'WorkflowCreate' }),
);
export const workflowUpdate = later(() =>
  z
    .strictObject({
      id: z.string(),
      version: z.int().describe('The version that was read'),
      ...definitionFields(),
    })
    .meta({ id: 'WorkflowUpdate' }),
);

/** A list's item: a workflow without its definition. */
export const workflowItem = later(() =>
  z
    .object({
      id: z.string(),
      name: z.string(),
      description: z.string().nullable(),
      enabled: z.boolean(),
      version: z.int(),
      event: z.string(),
      createdAt: utcTime,
      updatedAt: utcTime,
      createdBy: actor,
      updatedBy: actor,
    })
    .meta({ id: 'WorkflowItem' }),
);
export type WorkflowItem = z.infer<typeof workflowItem>;

export const workflow = later(() =>
  workflowItem
    .unwrap()
    .omit({ event: true })
    .extend({ trigger, steps: z.array(step) })
    .meta({ id: 'Workflow' }),
);
export type Workflow = z.infer<typeof workflow>;
