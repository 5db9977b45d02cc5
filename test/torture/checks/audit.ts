/** I5: every decision and change is in the trail, once; nothing is that nobody did; none is missing. */
import type { AuditEntry } from '../../../src/contract/audit.ts';
import { outcomeOf } from '../story.ts';
import { type Case, type Finding, finder } from './finding.ts';

const lost = finder('audit lost');
const twice = finder('audit doubled');
const madeUp = finder('audit made up');
const chain = finder('audit chain');

/** What a run's entries are told as. */
const TOLD = {
  approval_requested: 'approval.requested',
  approval_approved: 'approval.approved',
  approval_denied: 'approval.denied',
  approval_viewed: 'approval.viewed',
  approval_edited: 'approval.edited',
  approval_expired: 'approval.expired',
  approval_cancelled: 'approval.cancelled',
  run_cancelled: 'run.cancelled',
} as const;

export function checkAudit(of: Case): Finding[] {
  return [...checkNumbers(of), ...checkOperations(of), ...checkTold(of)];
}

function checkNumbers({ recorded }: Case): Finding[] {
  const { audit, auditSize, tenantId } = recorded;
  const gap = audit.findIndex(({ seq }, index) => seq !== index + 1);
  return [
    ...(gap < 0 ? [] : [chain(tenantId, `entry ${gap + 1} is not where it should be`)]),
    ...(audit.length >= auditSize
      ? []
      : [chain(tenantId, `the object has ${auditSize} entries, the log ${audit.length}`)]),
  ];
}

/** By the request that asked for it. */
function checkOperations({ recorded, operations }: Case): Finding[] {
  const byRequest = Map.groupBy(recorded.audit, ({ requestId }) => requestId);
  const findings: Finding[] = [];
  for (const operation of operations) {
    const { requestId, kind, audit, subject } = operation;
    if (audit === null) continue;
    const entries = (byRequest.get(requestId) ?? []).filter(
      ({ action }) => action === audit.action,
    );
    const outcome = outcomeOf(operation);
    const what = `${audit.action} of ${subject} (${kind}, ${outcome})`;
    if (outcome === 'ok' && entries.length < audit.least) findings.push(lost(requestId, what));
    if (outcome === 'fail' && entries.length > 0) findings.push(madeUp(requestId, what));
    if (entries.length > 1) findings.push(twice(requestId, `${what}: ${entries.length} entries`));
  }
  return findings;
}

/** What the runs' timelines say, the trail says, as often. */
function checkTold({ recorded }: Case): Finding[] {
  const wanted = recorded.runs.flatMap(({ id, timeline }) =>
    timeline.flatMap((entry) => {
      const action = Object.entries(TOLD).find(([type]) => type === entry.type)?.[1];
      return action === undefined ? [] : [`${id} ${action}`];
    }),
  );
  const actions: readonly string[] = Object.values(TOLD);
  const told = recorded.audit
    .filter(({ action }) => actions.includes(action))
    .map(({ target, action }: AuditEntry) => `${target.id} ${action}`);
  const [want, have] = [counted(wanted), counted(told)];
  return [...new Set([...want.keys(), ...have.keys()])].flatMap((what) => {
    const [due, is] = [want.get(what) ?? 0, have.get(what) ?? 0];
    if (due === is) return [];
    return [(is < due ? lost : twice)(what, `${is} entries, the timeline says ${due}`)];
  });
}

function counted(values: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return counts;
}
