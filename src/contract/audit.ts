/** One entry of a tenant's audit chain. How `hash` is made: docs/audit-format.md. */
import * as z from 'zod';
import { actor, jsonObject, utcTime } from './json.ts';

export const AUDIT_ACTIONS = [
  'tenant.created',
  'workflow.created',
  'workflow.updated',
  'workflow.enabled',
  'workflow.disabled',
  'approval.requested',
  'approval.approved',
  'approval.denied',
  'approval.expired',
  'approval.viewed',
  'approval.reminded',
  'approval.escalated',
  'approval.edited',
  'approval.overridden',
  'approval.cancelled',
  'approval.mismatched',
  'run.cancelled',
  'api_key.created',
  'api_key.revoked',
  'member.created',
  'member.updated',
  'member.removed',
  'connection.set',
  'connection.removed',
  'connection.rotated',
  'policy.updated',
  'limits.updated',
  'export.completed',
  'budget.exceeded',
  'loop.stopped',
] as const;
export type AuditAction = (typeof AUDIT_ACTIONS)[number];

export const auditTarget = z.object({ type: z.string(), id: z.string() });

export const auditEntry = z
  .object({
    seq: z.int().min(1),
    id: z.string(),
    at: utcTime,
    actor,
    action: z.string(),
    target: auditTarget,
    requestId: z.string(),
    data: jsonObject,
    prevHash: z.string(),
    hash: z.string(),
  })
  .meta({ id: 'AuditEntry' });
export type AuditEntry = z.infer<typeof auditEntry>;

/** What happened, before it is linked into the chain. */
export type AuditFact = Pick<AuditEntry, 'actor' | 'target' | 'requestId' | 'data'> & {
  action: AuditAction;
};
