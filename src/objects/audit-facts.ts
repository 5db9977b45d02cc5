/** Which entries of a run belong into the audit chain, and how they read there. */
import type { AuditAction, AuditFact } from '../contract/audit.ts';
import type { Entry } from '../contract/entries.ts';
import type { Actor, JsonObject } from '../contract/json.ts';
import type { RunReport } from './messages.ts';

export const SYSTEM: Actor = { type: 'system', id: 'signalbox', name: 'Signalbox' };

/** In the order of the entries, with the time that each was decided. */
export function auditFacts(report: RunReport): { fact: AuditFact; at: string }[] {
  return report.entries.flatMap((entry) => {
    const fact = factOf(entry, report);
    return fact === null ? [] : [{ fact, at: entry.at }];
  });
}

function factOf(entry: Entry, report: RunReport): AuditFact | null {
  const target = { type: 'run', id: report.runId };
  const { workflowId, workflowVersion } = report.item;
  const { requestId } = report.cause;
  const bySystem = (action: AuditAction, data: JsonObject): AuditFact => ({
    actor: SYSTEM,
    action,
    target,
    requestId,
    data: { workflowId, workflowVersion, ...data },
  });
  switch (entry.type) {
    case 'approval_requested': {
      const { stepId, approvalId, kind, inputHash, expiresAt, rule } = entry;
      const data = { stepId, approvalId, kind, inputHash, expiresAt, rule };
      return bySystem('approval.requested', data);
    }
    case 'approval_approved':
    case 'approval_denied': {
      const { actor, stepId, approvalId, comment } = entry;
      const denied = entry.type === 'approval_denied';
      const resolved: JsonObject =
        denied || entry.resolution === undefined ? {} : { resolution: entry.resolution };
      const outcome = denied ? 'denied' : isGranted(approvalId, report) ? 'granted' : 'counted';
      const whose: JsonObject =
        entry.onBehalfOf === undefined ? {} : { onBehalfOf: entry.onBehalfOf.id };
      const decision = { stepId, approvalId, comment, outcome, ...whose, ...resolved };
      return {
        actor,
        action: denied ? 'approval.denied' : 'approval.approved',
        target,
        requestId: entry.requestId,
        data: { workflowId, workflowVersion, ...decision },
      };
    }
    case 'approval_viewed': {
      const { actor, stepId, approvalId } = entry;
      const data = { workflowId, workflowVersion, stepId, approvalId };
      return { actor, action: 'approval.viewed', target, requestId: entry.requestId, data };
    }
    case 'approval_edited':
    case 'approval_overridden': {
      const { actor, stepId, approvalId, comment } = entry;
      const data = { workflowId, workflowVersion, stepId, approvalId, comment };
      const told = { actor, target, requestId: entry.requestId };
      if (entry.type === 'approval_overridden')
        return { ...told, action: 'approval.overridden', data };
      const { changes, inputHash } = entry;
      return { ...told, action: 'approval.edited', data: { ...data, changes, inputHash } };
    }
    case 'approval_reminded': {
      const { stepId, approvalId } = entry;
      return bySystem('approval.reminded', { stepId, approvalId });
    }
    case 'approval_escalated': {
      const { stepId, approvalId, roles, members, expiresAt } = entry;
      return bySystem('approval.escalated', { stepId, approvalId, roles, members, expiresAt });
    }
    case 'approval_expired':
    case 'approval_cancelled': {
      const { stepId, approvalId } = entry;
      const expired = entry.type === 'approval_expired';
      return bySystem(expired ? 'approval.expired' : 'approval.cancelled', { stepId, approvalId });
    }
    case 'run_cancelled': {
      const { actor, comment } = entry;
      const data = { workflowId, workflowVersion, comment };
      return { actor, action: 'run.cancelled', target, requestId: entry.requestId, data };
    }
    case 'budget_exceeded':
      return bySystem('budget.exceeded', { stepId: entry.stepId, detail: entry.detail });
    case 'attempt_succeeded': {
      const done = entry.events.find(({ type }) => type === 'export.completed');
      return done === undefined
        ? null
        : bySystem('export.completed', { stepId: entry.stepId, ...done.data });
    }
    case 'attempt_failed':
      return entry.error.code === 'approval_mismatch'
        ? bySystem('approval.mismatched', { stepId: entry.stepId })
        : null;
    default:
      return null;
  }
}

function isGranted(approvalId: string, { entries }: RunReport): boolean {
  return entries.some(
    (entry) => entry.type === 'approval_granted' && entry.approvalId === approvalId,
  );
}
