/** The approvals of a run: like the run itself, a fold of its entries. */
import type { ApprovalRule } from '../contract/approvals.ts';
import type { Entry } from '../contract/entries.ts';
import { durationMs } from '../contract/json.ts';
import type { ApprovalView } from '../contract/runs.ts';

export interface ApprovalState extends ApprovalView {
  readonly rule: ApprovalRule;
  /** Ids of actors who may not decide this approval. */
  readonly excluded: readonly string[];
  /** Who has looked: each person is told of once. */
  readonly viewers: readonly string[];
  readonly remindAt: string | null;
  /** The expiry that the hash is bound to; an escalation moves the other one. */
  readonly boundUntil: string;
}

/** An approval without what only decisions need. */
export function viewApproval({
  rule: _rule,
  excluded: _excluded,
  viewers: _viewers,
  remindAt: _remindAt,
  boundUntil: _boundUntil,
  ...approval
}: ApprovalState): ApprovalView {
  return approval;
}

type OnApproval = Extract<Entry, { approvalId: string }>;

/** The approvals after an entry about one of them. */
export function evolveApprovals(
  approvals: readonly ApprovalState[],
  entry: OnApproval,
): readonly ApprovalState[] {
  if (entry.type === 'approval_requested')
    return [
      ...approvals,
      {
        id: entry.approvalId,
        stepId: entry.stepId,
        kind: entry.kind,
        status: 'pending',
        required: entry.rule.approvals,
        roles: entry.rule.roles,
        members: entry.rule.members,
        reasonRequired: entry.rule.reasonRequired,
        edits: 0,
        escalated: false,
        overridden: false,
        inputHash: entry.inputHash,
        requestedAt: entry.at,
        expiresAt: entry.expiresAt,
        decisions: [],
        rule: entry.rule,
        excluded: entry.excluded,
        viewers: [],
        remindAt: nextReminder(entry.rule, entry.at),
        boundUntil: entry.expiresAt,
      },
    ];
  return approvals.map((approval) =>
    approval.id === entry.approvalId
      ? { ...approval, ...approvalChange(approval, entry) }
      : approval,
  );
}

function approvalChange(
  approval: ApprovalState,
  entry: Exclude<OnApproval, { type: 'approval_requested' }>,
): Partial<ApprovalState> {
  switch (entry.type) {
    case 'approval_approved':
      return { decisions: [...approval.decisions, decisionOf(entry, 'approved')] };
    case 'approval_denied':
      return { status: 'denied', decisions: [...approval.decisions, decisionOf(entry, 'denied')] };
    case 'approval_viewed':
      return { viewers: [...approval.viewers, entry.actor.id] };
    case 'approval_reminded':
      return { remindAt: nextReminder(approval.rule, entry.at) };
    case 'approval_escalated': {
      const { roles, members, expiresAt } = entry;
      return { roles, members, expiresAt, escalated: true };
    }
    case 'approval_edited':
      return {
        inputHash: entry.inputHash,
        edits: approval.edits + 1,
        decisions: [],
        excluded: approval.rule.selfApproval
          ? approval.excluded
          : [...approval.excluded, entry.actor.id],
      };
    case 'approval_overridden':
      return {
        overridden: true,
        decisions: [...approval.decisions, decisionOf(entry, 'approved')],
      };
    case 'approval_granted':
      return { status: 'approved' };
    case 'approval_expired':
      return { status: 'expired' };
    case 'approval_cancelled':
      return { status: 'cancelled' };
  }
}

function nextReminder({ remindEvery }: ApprovalRule, after: string): string | null {
  return remindEvery === null
    ? null
    : new Date(Date.parse(after) + durationMs(remindEvery)).toISOString();
}

function decisionOf(
  entry: Extract<Entry, { type: 'approval_approved' | 'approval_denied' | 'approval_overridden' }>,
  decision: 'approved' | 'denied',
): ApprovalView['decisions'][number] {
  const { actor, comment, at } = entry;
  const said = 'resolution' in entry ? { resolution: entry.resolution } : {};
  const whose =
    'onBehalfOf' in entry && entry.onBehalfOf !== undefined ? { onBehalfOf: entry.onBehalfOf } : {};
  return { actor, ...whose, decision, ...said, comment, at };
}
