/**
 * The approval gate: which rule holds, what a request is bound to, and whether a vote counts (I3).
 * Everything is decided here, at the state change, so that no route can forget a rule.
 */
import type { ApprovalRule } from '../contract/approvals.ts';
import { type Actor, durationMs, type Json, ROLES, type Role } from '../contract/json.ts';
import type { ProblemCode } from '../contract/problems.ts';
import type { StepApproval } from '../contract/workflows.ts';
import { hashJson } from './chain.ts';
import type { ApprovalState, RunState } from './state.ts';

export type Risk = 'safe' | 'commerce' | 'bulk' | 'config';

/** What a risk asks for when the tenant's policy says nothing about the action. */
export function defaultRule(risk: Risk): ApprovalRule {
  return {
    required: risk !== 'safe',
    approvals: 1,
    roles: ['approver', 'admin'],
    expiresIn: '72h',
    onExpire: 'deny',
    selfApproval: false,
  };
}

/** The stricter of the tenant's rule and what the workflow asks for: never less than the policy. */
export function stricterRule(policy: ApprovalRule, asked: StepApproval | undefined): ApprovalRule {
  if (asked === undefined) return policy;
  const roles = policy.roles.filter((role) => asked.roles?.includes(role) ?? true);
  const expiresIn = asked.expiresIn ?? policy.expiresIn;
  return {
    ...policy,
    required: true,
    approvals: Math.max(policy.approvals, asked.approvals ?? 1),
    roles: roles.length > 0 ? roles : ['admin'],
    expiresIn:
      policy.required && durationMs(expiresIn) > durationMs(policy.expiresIn)
        ? policy.expiresIn
        : expiresIn,
  };
}

/** What an approval is bound to. Its canonical JSON is hashed when the gate opens and before sending. */
export interface Binding {
  readonly tenant: string;
  readonly run: string;
  readonly step: string;
  readonly action: string;
  readonly input: Json;
  readonly workflow: { readonly id: string; readonly version: number };
  readonly rule: ApprovalRule;
  readonly expiresAt: string;
}

export function inputHash(binding: Binding): string {
  return hashJson({
    ...binding,
    workflow: { ...binding.workflow },
    rule: { ...binding.rule, roles: [...binding.rule.roles] },
  });
}

export interface Vote {
  readonly decision: 'approved' | 'denied';
  readonly approvalId: string | undefined;
  readonly inputHash: string | undefined;
  readonly actor: Actor;
  readonly role: Role;
  readonly comment: string | null;
  readonly requestId: string;
}

export interface RefusedVote {
  readonly refused: ProblemCode;
  readonly detail: string;
}

/** The approval that a vote is about, or why there is none. */
export function votedApproval(run: RunState, vote: Vote): ApprovalState | RefusedVote {
  if (vote.approvalId !== undefined)
    return (
      run.approvals.find((approval) => approval.id === vote.approvalId) ?? {
        refused: 'not_found',
        detail: 'The run has no such approval.',
      }
    );
  const pending = run.approvals.filter((approval) => approval.status === 'pending');
  const [only] = pending;
  if (only !== undefined && pending.length === 1) return only;
  if (pending.length > 1)
    return {
      refused: 'approval_ambiguous',
      detail: `Name one with approvalId: ${pending.map(({ id }) => id).join(', ')}.`,
    };
  const last = run.approvals.at(-1);
  if (last !== undefined) return closedApproval(last);
  return run.finishedAt === null
    ? { refused: 'conflict', detail: 'Nothing in this run waits for a decision.' }
    : { refused: 'run_finished', detail: `The run is ${run.status}.` };
}

function closedApproval({ status }: ApprovalState): RefusedVote {
  if (status === 'expired')
    return { refused: 'approval_expired', detail: 'Nobody decided in time.' };
  if (status === 'cancelled')
    return { refused: 'run_finished', detail: 'The run ended before anyone decided.' };
  return { refused: 'approval_decided', detail: `The approval is already ${status}.` };
}

/** Whether a vote counts. The order of the checks is the precedence of the answers. */
export function checkVote(approval: ApprovalState, vote: Vote): RefusedVote | null {
  if (approval.status !== 'pending') return closedApproval(approval);
  if (vote.inputHash !== undefined && vote.inputHash !== approval.inputHash)
    return {
      refused: 'approval_mismatch',
      detail: 'The inputs are not the ones that were shown. Read the run again.',
    };
  if (!approval.rule.roles.some((least) => isAtLeast(vote.role, least)))
    return {
      refused: 'forbidden',
      detail: `Deciding takes the role ${approval.rule.roles.join(' or ')}.`,
    };
  if (approval.excluded.includes(vote.actor.id))
    return {
      refused: 'self_approval',
      detail: 'Whoever sent the event or wrote the workflow may not decide.',
    };
  if (approval.decisions.some((decision) => decision.actor.id === vote.actor.id))
    return { refused: 'self_approval', detail: 'You have decided already; another person has to.' };
  return null;
}

/** Roles are ordered: who may do more may do this too. `ingest` decides nothing. */
function isAtLeast(role: Role, least: Role): boolean {
  return role !== 'ingest' && ROLES.indexOf(role) >= ROLES.indexOf(least);
}

/** Whether one more approval opens the gate. People are counted, not calls. */
export function completesQuorum(approval: ApprovalState, vote: Vote): boolean {
  const people = new Set(approval.decisions.map((decision) => decision.actor.id));
  return people.add(vote.actor.id).size >= approval.required;
}
