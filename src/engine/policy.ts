/** Which approval rule holds for an action, now: the tenant's policy, and what the workflow adds. */
import type { ActionPolicy, ApprovalRule } from '../contract/approvals.ts';
import { durationMs, type Json } from '../contract/json.ts';
import type { Fault } from '../contract/problems.ts';
import type { StepApproval } from '../contract/workflows.ts';
import { compileExpression, evaluateCondition } from './expressions.ts';

export type Risk = 'safe' | 'commerce' | 'bulk' | 'config';

const NAMES = ['input', 'event', 'tenant'] as const;

/** What a risk asks for when the tenant's policy says nothing about the action. */
export function defaultPolicy(risk: Risk): ActionPolicy {
  return {
    required: risk !== 'safe',
    approvals: 1,
    roles: ['approver'],
    members: [],
    expiresIn: '72h',
    onExpire: 'deny',
    escalateTo: null,
    remindEvery: null,
    selfApproval: false,
    reasonRequired: false,
    edit: 'admin',
    breakGlass: false,
    when: [],
    budget: null,
  };
}

/** The policy's rule for these inputs; conditions in order, the last that is true wins by field. */
export function resolvePolicy(
  { when, budget: _budget, ...base }: ActionPolicy,
  scope: Record<string, Json>,
): { ok: true; rule: ApprovalRule } | { ok: false; message: string } {
  let rule: ApprovalRule = { ...base, among: [] };
  for (const { if: source, ...fields } of when) {
    const compiled = compileExpression(source, NAMES);
    if (!compiled.ok) return { ok: false, message: compiled.fault.message };
    const holds = evaluateCondition(compiled.expression, scope);
    if (!holds.ok) return { ok: false, message: holds.error.message };
    if (holds.value) rule = { ...rule, ...fields };
  }
  return { ok: true, rule };
}

/** The stricter of the tenant's rule and what the workflow asks for: never less than the policy. */
export function stricterRule(policy: ApprovalRule, asked: StepApproval | undefined): ApprovalRule {
  if (asked === undefined) return policy;
  const roles = policy.roles.filter((role) => asked.roles?.includes(role) ?? true);
  const expiresIn = asked.expiresIn ?? policy.expiresIn;
  const isLonger = durationMs(expiresIn) > durationMs(policy.expiresIn);
  return {
    ...policy,
    required: true,
    approvals: Math.max(policy.approvals, asked.approvals ?? 1),
    roles: roles.length > 0 || policy.roles.length === 0 ? roles : ['admin'],
    expiresIn: policy.required && isLonger ? policy.expiresIn : expiresIn,
    onExpire: asked.onExpire ?? policy.onExpire,
    among: asked.members ?? policy.among,
    reasonRequired: asked.reasonRequired ?? policy.reasonRequired,
  };
}

const REMINDERS_APART_MS = 60_000;

/** Why nobody could ever decide under a policy, or would be told without end: when it is saved. */
export function deadlockFaults({ when, ...base }: ActionPolicy, path: string): Fault[] {
  return [{}, ...when].flatMap((change, index) => {
    const at = index === 0 ? path : `${path}.when.${index - 1}`;
    return ruleFaults({ ...base, ...change }).map((fault) => ({
      ...fault,
      path: `${at}.${fault.path}`,
    }));
  });
}

type Checked = Omit<ActionPolicy, 'when' | 'budget'>;

function ruleFaults(rule: Checked): Fault[] {
  const { approvals, onExpire, escalateTo, remindEvery } = rule;
  const faults: Fault[] = [];
  const seats = (deciders: Pick<Checked, 'roles' | 'members'>) =>
    deciders.roles.length > 0 ? Number.POSITIVE_INFINITY : new Set(deciders.members).size;
  if (seats(rule) === 0) faults.push({ path: 'roles', message: 'nobody is left' });
  else if (seats(rule) < approvals)
    faults.push({ path: 'approvals', message: `only ${seats(rule)} members may decide` });
  if (onExpire === 'escalate' && escalateTo === null)
    faults.push({ path: 'escalateTo', message: 'say to whom' });
  else if (escalateTo !== null && seats(escalateTo) < approvals)
    faults.push({ path: 'escalateTo', message: 'too few are named to decide' });
  if (remindEvery !== null && durationMs(remindEvery) < REMINDERS_APART_MS)
    faults.push({ path: 'remindEvery', message: 'at least 1m' });
  return faults;
}

/** What is wrong with a policy's conditions, when it is saved. */
export function policyFaults(policy: Pick<ActionPolicy, 'when'>, path: string): Fault[] {
  return policy.when.flatMap(({ if: source }, index) => {
    const compiled = compileExpression(source, NAMES);
    return compiled.ok
      ? []
      : [{ path: `${path}.when.${index}.if`, message: compiled.fault.message }];
  });
}
