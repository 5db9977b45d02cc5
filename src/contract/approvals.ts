/** Approval rules: a tenant's policy per action, and the rule as it is frozen into a request. */
import * as z from 'zod';
import { duration, money, ROLES, webUrl } from './json.ts';
import { later } from './later.ts';

export const approverRole = later(() => z.enum(ROLES).exclude(['ingest', 'viewer']));
const roles = later(() =>
  z.array(approverRole).max(2).describe('Whoever has one of these roles, or more, may decide'),
);
const memberIds = later(() => z.array(z.string().min(1).max(100)).max(50));

const escalation = later(() =>
  z
    .strictObject({ roles, members: memberIds, expiresIn: duration })
    .describe('Who decides instead, and until when, once nobody has in time'),
);

const ruleFields = () => ({
  required: z.boolean(),
  approvals: z.int().min(1).max(20).describe('How many different people'),
  roles,
  members: memberIds.describe('Members who may decide besides'),
  expiresIn: duration,
  onExpire: z.enum(['deny', 'escalate']).describe('Silence never approves'),
  escalateTo: escalation.nullable(),
  remindEvery: duration.nullable(),
  selfApproval: z
    .boolean()
    .describe(
      'Whether the sender of the event, the author of the workflow or of the inputs may decide',
    ),
  reasonRequired: z.boolean().describe('For approvals too; a denial always needs one'),
  edit: z
    .enum(['nobody', 'approver', 'admin'])
    .describe('Who may change the inputs while they wait'),
  breakGlass: z.boolean().describe('Whether an admin may override, with a reason, loudly'),
});

/** What one action needs before it may run. Frozen into the request when the gate opens. */
export const approvalRule = later(() =>
  z
    .strictObject({
      ...ruleFields(),
      among: memberIds.describe('Of those, only these; empty: all of them'),
    })
    .meta({ id: 'ApprovalRule' }),
);
export type ApprovalRule = z.infer<typeof approvalRule>;

const partialRule = later(() => z.strictObject(ruleFields()).partial());

/** A rule that holds where its condition is true; the last one that does wins, field by field. */
const conditional = later(() =>
  partialRule.unwrap().extend({
    if: z
      .string()
      .min(1)
      .max(4_096)
      .describe('CEL over input, event and tenant: `input.amount.amount > 50000`'),
  }),
);

/** How much may be done without a human in a window that slides; beyond it, an approval is needed. */
export const budget = later(() =>
  z
    .strictObject({
      count: z.int().min(0).optional(),
      amount: money.optional().describe('For inputs with an amount: the sum of them'),
      window: duration,
    })
    .refine(
      ({ count, amount }) => count !== undefined || amount !== undefined,
      'a count or an amount',
    )
    .meta({ id: 'Budget' }),
);
export type Budget = z.infer<typeof budget>;

export const actionPolicy = later(() =>
  z
    .strictObject({
      ...ruleFields(),
      when: z.array(conditional).max(20),
      budget: budget.nullable().describe('For what needs no approval'),
    })
    .meta({ id: 'ActionPolicy' }),
);
export type ActionPolicy = z.infer<typeof actionPolicy>;

/** Policies by action name, each with every field. */
export const approvalPolicy = later(() =>
  z.record(z.string(), actionPolicy).meta({ id: 'ApprovalPolicy' }),
);
export type ApprovalPolicy = z.infer<typeof approvalPolicy>;

export const notifyUrl = later(() =>
  webUrl.nullable().describe('Where a chat hears of approvals, by signed webhooks; null: nowhere'),
);

/** An update names only what differs from the action's default; `null` goes back to the default. */
export const approvalPolicyUpdate = later(() =>
  z
    .strictObject({
      actions: z
        .record(
          z.string(),
          partialRule
            .unwrap()
            .extend({
              when: z.array(conditional).max(20).optional(),
              budget: budget.nullable().optional(),
            })
            .nullable(),
        )
        .optional(),
      notifyUrl: notifyUrl.optional(),
    })
    .refine(
      ({ actions, notifyUrl }) => actions !== undefined || notifyUrl !== undefined,
      'actions, notifyUrl or both',
    )
    .meta({ id: 'ApprovalPolicyUpdate' }),
);
export type ApprovalPolicyUpdate = z.infer<typeof approvalPolicyUpdate>;
/** Changes of rules by action name. */
export type RuleChanges = NonNullable<ApprovalPolicyUpdate['actions']>;
