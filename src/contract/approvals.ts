/** Approval rules: a tenant's policy per action, and the rule as it is frozen into a request. */
import * as z from 'zod';
import { duration, role } from './json.ts';

export const approverRole = role.exclude(['ingest', 'viewer']);

/** What one action needs before it may run. Frozen into the request when the gate opens. */
export const approvalRule = z
  .strictObject({
    required: z.boolean(),
    approvals: z.int().min(1).max(20).describe('How many different people'),
    roles: z.array(approverRole).min(1).describe('Who may decide'),
    expiresIn: duration,
    onExpire: z.enum(['deny']).describe('Silence never approves'),
    selfApproval: z
      .boolean()
      .describe('Whether the sender of the event or the author of the workflow may decide'),
  })
  .meta({ id: 'ApprovalRule' });
export type ApprovalRule = z.infer<typeof approvalRule>;

/** Rules by action name, each with every field. Actions without an entry follow their risk. */
export const approvalPolicy = z.record(z.string(), approvalRule).meta({ id: 'ApprovalPolicy' });
export type ApprovalPolicy = z.infer<typeof approvalPolicy>;

/** An update names only what differs from the action's default; `null` goes back to the default. */
export const approvalPolicyUpdate = z
  .strictObject({ actions: z.record(z.string(), approvalRule.partial().nullable()) })
  .meta({ id: 'ApprovalPolicyUpdate' });
export type ApprovalPolicyUpdate = z.infer<typeof approvalPolicyUpdate>;
