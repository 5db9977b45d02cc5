/** One entry of a tenant's audit chain. How `hash` is made: docs/audit-format.md. */
import * as z from 'zod';
import { actor, jsonObject, utcTime } from './json.ts';
import { later } from './later.ts';

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
  'approval.link_refused',
  'run.cancelled',
  'run.retried',
  'api_key.created',
  'api_key.revoked',
  'member.created',
  'member.updated',
  'member.removed',
  'member.delegated',
  'member.undelegated',
  'connection.set',
  'connection.removed',
  'connection.rotated',
  'connection.tested',
  'secrets.resealed',
  'policy.updated',
  'limits.updated',
  'retention.updated',
  'retention.removed',
  'export.completed',
  'export.link_created',
  'export.downloaded',
  'flag.set',
  'budget.exceeded',
  'loop.stopped',
  'destination.disabled',
  'destination.enabled',
  'delivery.redelivered',
  'privacy.erasure_requested',
  'privacy.erased',
] as const;
export type AuditAction = (typeof AUDIT_ACTIONS)[number];

export const auditTarget = later(() => z.object({ type: z.string(), id: z.string() }));

/** What shows that a private part is the one that was hashed. Without a salt it was erased. */
export const auditPart = later(() =>
  z
    .object({
      digest: z.string().describe('SHA-256 of the salt and the canonical JSON of the value'),
      salt: z.string().optional().describe('32 hex digits; not there once the part was erased'),
    })
    .meta({ id: 'AuditPart' }),
);
export type AuditPart = z.infer<typeof auditPart>;

export const auditEntry = later(() =>
  z
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
      private: z
        .record(z.string(), auditPart)
        .optional()
        .describe('By path (`actor.name`, `data.comment`): the parts that can be erased'),
    })
    .meta({ id: 'AuditEntry' }),
);
export type AuditEntry = z.infer<typeof auditEntry>;

/** What happened, before it is linked into the chain. */
export type AuditFact = Pick<AuditEntry, 'actor' | 'target' | 'requestId' | 'data'> & {
  action: AuditAction;
};
