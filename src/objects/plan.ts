/** From a seed to a plan, and from what came of it to a report. */
import type { ApprovalPolicy } from '../contract/approvals.ts';
import type { Entry } from '../contract/entries.ts';
import { isJsonObject } from '../contract/json.ts';
import type { ApprovalItem, Run } from '../contract/runs.ts';
import type { Tenant } from '../contract/tenants.ts';
import type { Definition } from '../contract/workflows.ts';
import type { ApprovalParcel } from '../db/approvals.ts';
import { decidedBy } from '../engine/approval.ts';
import { type ApprovalState, viewApproval } from '../engine/approval-state.ts';
import { unusedBudgets } from '../engine/budgets.ts';
import { bindingOf, type Plan } from '../engine/plan.ts';
import { cancelBeforeStart, isSettled, nextWake } from '../engine/run.ts';
import { type RunState, viewRun } from '../engine/state.ts';
import { eventOf } from './admission.ts';
import type { BudgetQuestion } from './budgets.ts';
import type { By } from './change.ts';
import { compiledVersion } from './compiled.ts';
import type { Place } from './intake.ts';
import type { AttemptJob, RunReport, Seed, TenantContext } from './messages.ts';
import type { GivenRun } from './open-runs.ts';

/** @param policyIsCurrent whether gates may open by it */
export function planOf(seed: Seed, policy: ApprovalPolicy, policyIsCurrent = true): Plan {
  const { runId, requestId, tenant, workflow, eventId, event, authors } = seed;
  const result = compiledVersion(tenant.id, { ...workflow, definition: seed.definition });
  if (!result.ok) throw new Error(result.reason);
  const definition = result.compiled;
  const retryOf = seed.retry?.of ?? null;
  const pinned = {
    runId,
    requestId,
    tenant,
    workflow,
    eventId,
    event,
    definition,
    authors,
    retryOf,
  };
  return { ...pinned, policy, policyIsCurrent };
}

/** What an executor, or the run's own object, starts from. */
export function seedOf(
  { id, name }: Tenant,
  { run, record, place }: Pick<GivenRun, 'run' | 'record' | 'place'>,
  definition: Definition,
): Seed {
  const event = eventOf(record);
  return { ...run, tenant: { id, name }, definition, eventId: record.id, event, place };
}

/** What a run's new entries bring home. */
export function reportOf(seed: Seed, run: RunState, entries: readonly Entry[]): RunReport {
  const { seq, steps: _steps, approvals: _approvals, ...item } = run;
  const wake = nextWake(run);
  return {
    runId: seed.runId,
    place: seed.place,
    item,
    seq,
    wakeAt: wake === null ? null : new Date(wake).toISOString(),
    entries,
    approvals: touchedApprovals(run, entries),
    unused: unusedBudgets(run),
    settled: isSettled(run),
    cause: {
      path: seed.path,
      authors: seed.authors,
      retryOf: seed.retry?.of ?? null,
      correlationId: seed.event.correlationid,
      requestId: seed.requestId,
    },
  };
}

function touchedApprovals(run: RunState, entries: readonly Entry[]): ApprovalParcel[] {
  const touched = new Set(
    entries.flatMap((entry) => ('approvalId' in entry ? entry.approvalId : [])),
  );
  return run.approvals.flatMap((approval) => {
    if (!touched.has(approval.id)) return [];
    return [
      {
        item: approvalItemOf(run, approval),
        seq: run.seq,
        barred: [...approval.excluded, ...decidedBy(approval)],
        among: approval.rule.among,
      },
    ];
  });
}

/** An approval with all that a person needs to decide it. */
export function approvalItemOf(run: RunState, approval: ApprovalState): ApprovalItem {
  const { id: runId, workflowId, workflowName, workflowVersion, eventType } = run;
  const step = run.steps.find(({ id }) => id === approval.stepId);
  const of = { runId, workflowId, workflowName, workflowVersion, eventType };
  const error = approval.kind === 'resolve' ? (step?.error ?? null) : null;
  const what = { action: step?.action ?? '', input: step?.input ?? null, error };
  return { ...viewApproval(approval), ...of, ...what };
}

/** The questions that a run has for its tenant, by step. */
export function budgetQuestions(
  run: RunState,
  entries: readonly Entry[],
  place: Place,
): Map<string, BudgetQuestion> {
  const open = new Set(run.steps.flatMap((step) => (step.budgetAskedAt === null ? [] : step.id)));
  return new Map(
    entries.flatMap((entry) => {
      if (entry.type !== 'budget_asked' || !open.has(entry.stepId)) return [];
      const { stepId, budget, amount } = entry;
      const action = run.steps.find(({ id }) => id === stepId)?.action ?? '';
      const { id: runId } = run;
      return [[stepId, { runId, place, stepId, action, budget, amount }] as const];
    }),
  );
}

/** The attempts that entries started, ready to be performed. */
export function jobsOf(
  plan: Plan,
  run: RunState,
  entries: readonly Entry[],
  { connections, disabled }: Pick<TenantContext, 'connections' | 'disabled'>,
): AttemptJob[] {
  return entries.flatMap((entry) => {
    if (entry.type !== 'attempt_started') return [];
    const step = plan.definition.steps.find(({ id }) => id === entry.stepId);
    const state = run.steps.find(({ id }) => id === entry.stepId);
    const inFlight = state?.attempts === entry.attempt && state.deadline !== null;
    if (step?.kind !== 'action' || !inFlight || !isJsonObject(state.input)) return [];
    const { input } = state;
    // The last one, if somebody has said since that the step is to be tried again.
    const approval = run.approvals.findLast(
      ({ stepId, status }) => stepId === step.id && status === 'approved',
    );
    return [
      {
        tenantId: plan.tenant.id,
        runId: plan.runId,
        workflowId: plan.workflow.id,
        requestId: plan.requestId,
        stepId: step.id,
        attempt: entry.attempt,
        lost: state.lost,
        action: step.action,
        input,
        idempotencyKey: entry.idempotencyKey,
        timeoutMs: step.timeoutMs,
        event: plan.event,
        connections,
        disabled,
        approved:
          approval === undefined
            ? null
            : {
                binding: bindingOf(plan, step, input, approval.rule, approval.boundUntil),
                inputHash: approval.inputHash,
              },
      },
    ];
  });
}

/** What becomes of a run that is cancelled before anything of it has started. */
export function cancelUnstarted(
  seed: Seed,
  policy: ApprovalPolicy,
  { actor, requestId }: By,
  comment: string | null,
  now: number,
): { report: RunReport; view: Run } {
  const plan = planOf(seed, policy);
  const input = { type: 'cancel', actor, comment, requestId } as const;
  const { run, entries } = cancelBeforeStart(plan, now, input);
  return { report: reportOf(seed, run, entries), view: viewRun(run, [...entries]) };
}
