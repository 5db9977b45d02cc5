/**
 * What happens at an approval gate: it opens, people vote, edit, override or look, time passes. Each
 * function adds the entries of one such thing to a draft, or says why it may not happen.
 */
import type { ApprovalRule } from '../contract/approvals.ts';
import type { ApprovalKind } from '../contract/entries.ts';
import { durationMs, isCanonical, type JsonObject } from '../contract/json.ts';
import {
  type Claim,
  checkEdit,
  checkOpen,
  checkOverride,
  checkVote,
  claimedApproval,
  completesQuorum,
  inputHash,
  type Refused,
  rightOf,
  rightsOf,
  type Vote,
} from './approval.ts';
import type { ApprovalState } from './approval-state.ts';
import type { CompiledAction } from './definition.ts';
import { differences } from './difference.ts';
import type { Draft } from './draft.ts';
import { bindingOf } from './plan.ts';

/** The rule is frozen into the request: editing the policy changes no pending one. */
export function openGate(
  draft: Draft,
  step: CompiledAction,
  input: JsonObject,
  rule: ApprovalRule,
  kind: ApprovalKind = 'gate',
): void {
  const { plan, run } = draft;
  const expiresAt = draft.time(durationMs(rule.expiresIn));
  draft.add({
    type: 'approval_requested',
    stepId: step.id,
    approvalId: `apr_${plan.runId.slice('run_'.length)}-${run.approvals.length + 1}`,
    kind,
    rule,
    inputHash: inputHash(bindingOf(plan, step, input, rule, expiresAt)),
    expiresAt,
    excluded: rule.selfApproval ? [] : [...plan.authors],
  });
}

/** Answers the step to attempt now, null when there is none, or why the vote does not count. */
export function takeVote(draft: Draft, vote: Vote): { granted: string | null } | Refused {
  const claimed = claimedApproval(draft.run, vote);
  if ('refused' in claimed) return claimed.refused;
  const { approval } = claimed;
  const refused = checkVote(approval, vote);
  if (refused !== null) return refused;
  const onBehalfOf = vote.onBehalfOf === undefined ? undefined : rightOf(vote)?.actor;
  const decision = {
    ...decisionFacts(approval, vote),
    ...(onBehalfOf === undefined ? {} : { onBehalfOf }),
  };
  if (vote.decision === 'approved') {
    const { resolution } = vote;
    const resolved = resolution === undefined ? {} : { resolution };
    draft.add({ type: 'approval_approved', ...decision, ...resolved });
    if (!completesQuorum(approval, vote)) return { granted: null };
    const granted = grant(draft, approval);
    if (resolution !== 'happened') return granted;
    const { stepId } = approval;
    draft.add({ type: 'step_resolved', stepId, output: draft.step(stepId)?.output ?? null });
    return { granted: null };
  }
  draft.add({ type: 'approval_denied', ...decision });
  closeApprovals(draft);
  const did = approval.kind === 'gate' ? 'denied it' : 'gave up, whether it happened or not';
  const who = `${vote.actor.name}${onBehalfOf === undefined ? '' : ` for ${onBehalfOf.name}`}`;
  const message = `${who} ${did}: ${vote.comment ?? 'no reason given'}`;
  const error = { code: 'approval_denied', message, stepId: approval.stepId };
  draft.add({ type: 'run_denied', error });
  return { granted: null };
}

/** An admin decides alone, against the quorum, where the policy allows it. */
export function override(draft: Draft, claim: Claim): { granted: string | null } | Refused {
  const claimed = claimedApproval(draft.run, claim);
  if ('refused' in claimed) return claimed.refused;
  const refused = checkOverride(claimed.approval, claim);
  if (refused !== null) return refused;
  draft.add({ type: 'approval_overridden', ...decisionFacts(claimed.approval, claim) });
  return grant(draft, claimed.approval);
}

/** New inputs are a new hash: the votes start again, and who wrote them may not decide. */
export function editInput(
  draft: Draft,
  claim: Claim,
  input: JsonObject,
  actionOf: (stepId: string) => CompiledAction | undefined,
  ruleFor: (step: CompiledAction, input: JsonObject) => ApprovalRule | null,
): Refused | null {
  const claimed = claimedApproval(draft.run, claim);
  if ('refused' in claimed) return claimed.refused;
  const { approval } = claimed;
  const refused = checkEdit(approval, claim);
  if (refused !== null) return refused;
  if (!draft.plan.policyIsCurrent)
    return { code: 'unavailable', detail: 'The policy cannot be read right now. Try again.' };
  const action = actionOf(approval.stepId);
  const before = draft.step(approval.stepId)?.input ?? null;
  if (action === undefined) return { code: 'not_found', detail: 'The step is not an action.' };
  const checked = action.rule.check(input);
  if (!checked.ok)
    return {
      code: 'validation_failed',
      detail: 'These are not inputs that the action takes.',
      errors: checked.faults.map(({ path, message }) => ({
        path: path === '' ? 'input' : `input.${path}`,
        message,
      })),
    };
  if (!isCanonical(checked.input))
    return {
      code: 'validation_failed',
      detail: 'These are not inputs that the action takes.',
      errors: [{ path: 'input', message: 'holds text that is not Unicode' }],
    };
  const after = action.rule.complete(checked.input, draft.plan.event);
  const changes = differences(before, after);
  if (changes.length === 0)
    return { code: 'conflict', detail: 'These are the inputs as they are.' };
  const { rule, boundUntil } = approval;
  const needed = ruleFor(action, after);
  if (needed === null || asksForMore(needed, rule))
    return {
      code: 'conflict',
      detail: 'The policy asks for more with these inputs. Deny it, and let it be asked for anew.',
    };
  draft.add({
    type: 'approval_edited',
    ...decisionFacts(approval, claim),
    input: after,
    inputHash: inputHash(bindingOf(draft.plan, action, after, rule, boundUntil)),
    changes,
  });
  return null;
}

/** Inputs must not be edited past a condition of the policy under an approval that asks for less. */
function asksForMore(needed: ApprovalRule, frozen: ApprovalRule): boolean {
  const deciders = ({ roles, members, among }: ApprovalRule) =>
    JSON.stringify([roles, members, among]);
  return (
    needed.approvals > frozen.approvals ||
    (needed.reasonRequired && !frozen.reasonRequired) ||
    (!needed.selfApproval && frozen.selfApproval) ||
    (needed.required && deciders(needed) !== deciders(frozen))
  );
}

/** That a person has looked is told once for each of them; it changes nothing else. */
export function noteView(draft: Draft, claim: Claim): Refused | null {
  const claimed = claimedApproval(draft.run, claim);
  if ('refused' in claimed) return claimed.refused;
  const { approval } = claimed;
  const { actor, requestId } = claim;
  const isNews = checkOpen(approval, claim) === null && !approval.viewers.includes(actor.id);
  const decides = rightsOf(approval, approval.excluded, claim).length > 0;
  if (!isNews || !decides) return null;
  const { id: approvalId, stepId } = approval;
  draft.add({ type: 'approval_viewed', stepId, approvalId, actor, requestId });
  return null;
}

/** Expiry, escalation and reminders, as far as they are due. */
export function passApprovalTime(draft: Draft): void {
  for (const { id } of draft.run.approvals) {
    const approval = draft.run.approvals.find((current) => current.id === id);
    if (approval?.status !== 'pending') continue;
    const { stepId, rule } = approval;
    const { escalateTo } = rule;
    if (draft.isDue(approval.expiresAt)) {
      if (rule.onExpire === 'deny' || escalateTo === null || approval.escalated)
        expire(draft, approval);
      else {
        const { roles, members, expiresIn } = escalateTo;
        const expiresAt = draft.time(durationMs(expiresIn));
        draft.add({
          type: 'approval_escalated',
          stepId,
          approvalId: id,
          roles,
          members,
          expiresAt,
        });
      }
    } else if (draft.isDue(approval.remindAt))
      draft.add({ type: 'approval_reminded', stepId, approvalId: id });
  }
}

function expire(draft: Draft, { id, stepId, kind }: ApprovalState): void {
  draft.add({ type: 'approval_expired', stepId, approvalId: id });
  closeApprovals(draft);
  const message =
    kind === 'gate'
      ? 'Nobody decided in time; silence denies.'
      : 'Nobody said in time whether it happened.';
  draft.add({ type: 'run_expired', error: { code: 'approval_expired', message, stepId } });
}

/** When a run ends, nothing waits for a decision any more. */
export function closeApprovals(draft: Draft): void {
  for (const { id, stepId, status } of draft.run.approvals)
    if (status === 'pending') draft.add({ type: 'approval_cancelled', stepId, approvalId: id });
}

function grant(draft: Draft, { id, stepId }: ApprovalState): { granted: string } {
  draft.add({ type: 'approval_granted', stepId, approvalId: id });
  return { granted: stepId };
}

function decisionFacts({ id, stepId }: ApprovalState, { actor, comment, requestId }: Claim) {
  return { stepId, approvalId: id, actor, comment, requestId };
}
