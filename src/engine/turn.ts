/**
 * One turn of a run: time passes, an input is taken, whatever can start starts. The first failure,
 * denial, expiry or cancel ends the run at once; what was in flight then is recorded when it comes
 * back, and changes nothing.
 */
import type { ActionPolicy, ApprovalRule } from '../contract/approvals.ts';
import { isCanonical, isJsonObject, type JsonObject } from '../contract/json.ts';
import type { Refused } from './approval.ts';
import { endAttempt, LOST, startAttempt } from './attempts.ts';
import { askBudget } from './budgets.ts';
import type { CompiledAction, CompiledStep } from './definition.ts';
import type { Draft } from './draft.ts';
import { evaluateCondition, type Scope } from './expressions.ts';
import {
  closeApprovals,
  editInput,
  noteView,
  openGate,
  override,
  passApprovalTime,
  takeVote,
} from './gate.ts';
import type { AttemptOutcome, Decision, RunInput } from './plan.ts';
import { defaultPolicy, resolvePolicy, stricterRule } from './policy.ts';
import { askWhatHappened } from './resolve.ts';
import type { StepState } from './state.ts';

export class Turn {
  readonly #draft: Draft;

  constructor(draft: Draft) {
    this.#draft = draft;
  }

  decision(): Decision {
    return { run: this.#draft.run, entries: this.#draft.entries };
  }

  /**
   * Whatever was due before the input arrived happens before it; but an outcome that does arrive is
   * not lost, however late.
   */
  passTime(input: RunInput): void {
    passApprovalTime(this.#draft);
    for (const { id } of this.#draft.run.steps) {
      const step = this.#draft.step(id);
      if (step === undefined) continue;
      const arrives =
        input.type === 'attempt_ended' && input.stepId === id && input.attempt === step.attempts;
      if (this.#draft.isDue(step.deadline) && !arrives) this.#endAttempt(id, step.attempts, LOST);
      else if (this.#draft.isDue(step.nextAttemptAt)) this.#resume(step);
    }
  }

  /** What the input brings, or why it is refused. */
  take(input: RunInput): Refused | null {
    switch (input.type) {
      case 'tick':
        return null;
      case 'attempt_ended':
        this.#endAttempt(input.stepId, input.attempt, input.outcome);
        return null;
      case 'budget_answered':
        this.#takeBudget(input);
        return null;
      case 'vote':
        return this.#goOn(takeVote(this.#draft, input.vote));
      case 'override':
        return this.#goOn(override(this.#draft, input.claim));
      case 'edit':
        return editInput(
          this.#draft,
          input.claim,
          input.input,
          (id) => this.#action(id),
          (step, inputs) => this.#ruleFor(step, inputs),
        );
      case 'view':
        return noteView(this.#draft, input.claim);
      case 'cancel':
        return this.#cancel(input);
    }
  }

  #goOn(answer: { granted: string | null } | Refused): Refused | null {
    if ('code' in answer) return answer;
    const step = answer.granted === null ? undefined : this.#draft.step(answer.granted);
    if (step !== undefined) this.#resume(step);
    return null;
  }

  /** Starts every step whose needs are met, until nothing moves; ends the run when all have ended. */
  advance(): void {
    for (let moved = true; moved && !this.#draft.hasEnded(); ) {
      const ready = this.#draft.plan.definition.steps.find((step) => this.#isReady(step));
      moved = ready !== undefined;
      if (ready !== undefined) this.#startStep(ready);
    }
    if (!this.#draft.hasEnded() && this.#draft.run.steps.every((step) => step.finishedAt !== null))
      this.#draft.add({ type: 'run_succeeded' });
  }

  /** A skipped step counts as done: what needs it can ask with has() whether it has an output. */
  #isReady(step: CompiledStep): boolean {
    const status = (id: string) => this.#draft.step(id)?.status;
    return (
      status(step.id) === 'pending' &&
      (step.kind === 'wait' || this.#draft.plan.policyIsCurrent) &&
      step.needs.every((need) => status(need) === 'succeeded' || status(need) === 'skipped')
    );
  }

  #startStep(step: CompiledStep): void {
    const stepId = step.id;
    const holds = step.condition === null ? null : evaluateCondition(step.condition, this.#scope());
    if (holds !== null && !holds.ok)
      this.#failStep(stepId, 'condition_failed', holds.error.message);
    else if (holds !== null && !holds.value)
      this.#draft.add({ type: 'step_skipped', stepId, reason: 'Its condition is false.' });
    else if (step.kind === 'wait')
      this.#draft.add({ type: 'delay_started', stepId, until: this.#draft.time(step.waitMs) });
    else this.#startAction(step);
  }

  #startAction(step: CompiledAction): void {
    const stepId = step.id;
    const rendered = step.input.render(this.#scope());
    if (!rendered.ok) {
      this.#failStep(stepId, 'input_failed', `${rendered.path}: ${rendered.error.message}`);
      return;
    }
    const checked = step.rule.check(rendered.value);
    if (!checked.ok) {
      const faults = checked.faults.map(({ path, message }) => `${path}: ${message}`).join('; ');
      this.#failStep(stepId, 'input_invalid', faults);
      return;
    }
    if (!isCanonical(checked.input)) {
      this.#failStep(stepId, 'input_invalid', 'The input holds text that is not Unicode.');
      return;
    }
    this.#passGate(step, checked.input);
  }

  #begin({ id: stepId, action }: CompiledAction, input: JsonObject): void {
    this.#draft.add({ type: 'step_started', stepId, action, input });
  }

  #scope(): Scope {
    const steps: Record<string, JsonObject> = {};
    for (const step of this.#draft.run.steps)
      steps[step.id] = step.status === 'succeeded' ? { output: step.output } : {};
    const { runId: id, requestId, event, tenant } = this.#draft.plan;
    return {
      event,
      steps,
      run: { id, requestId, correlationId: event.correlationid },
      tenant: { ...tenant },
    };
  }

  #policyFor(step: CompiledAction, input: JsonObject): ReturnType<typeof resolvePolicy> {
    const { event, tenant } = this.#draft.plan;
    return resolvePolicy(this.#ownPolicy(step), { input, event, tenant: { ...tenant } });
  }

  /** Null when a condition of the policy cannot be told for these inputs. */
  #ruleFor(step: CompiledAction, input: JsonObject): ApprovalRule | null {
    const resolved = this.#policyFor(step, input);
    return resolved.ok ? stricterRule(resolved.rule, step.approval) : null;
  }

  #ownPolicy(step: CompiledAction): ActionPolicy {
    return this.#draft.plan.policy[step.action] ?? defaultPolicy(step.rule.risk);
  }

  /** The policy of this moment, and what the workflow asks for beyond it. */
  #passGate(step: CompiledAction, input: JsonObject): void {
    const own = this.#ownPolicy(step);
    const resolved = this.#policyFor(step, input);
    if (!resolved.ok) {
      this.#failStep(step.id, 'policy_failed', `The approval policy: ${resolved.message}`);
      return;
    }
    const rule = stricterRule(resolved.rule, step.approval);
    if (!rule.required && own.budget === null) {
      this.#begin(step, input);
      startAttempt(this.#draft, step, 1);
      return;
    }
    const whole = step.rule.complete(input, this.#draft.plan.event);
    this.#begin(step, whole);
    if (rule.required) openGate(this.#draft, step, whole, rule);
    else if (own.budget !== null) askBudget(this.#draft, step.id, own.budget, whole);
  }

  /** Over the budget, what needed no approval needs one. */
  #takeBudget({ stepId, granted, detail }: Extract<RunInput, { type: 'budget_answered' }>): void {
    const step = this.#action(stepId);
    const state = this.#draft.step(stepId);
    if (step === undefined || !isJsonObject(state?.input) || state.budgetAskedAt === null) return;
    if (granted) {
      this.#draft.add({ type: 'budget_reserved', stepId });
      startAttempt(this.#draft, step, 1);
      return;
    }
    // It is asked again, and answered when the rule of then is known.
    if (!this.#draft.plan.policyIsCurrent) return;
    this.#draft.add({ type: 'budget_exceeded', stepId, detail });
    const resolved = this.#policyFor(step, state.input);
    if (resolved.ok)
      openGate(this.#draft, step, state.input, {
        ...stricterRule(resolved.rule, step.approval),
        required: true,
      });
    else this.#failStep(stepId, 'policy_failed', `The approval policy: ${resolved.message}`);
  }

  #action(stepId: string): CompiledAction | undefined {
    const step = this.#draft.plan.definition.steps.find(({ id }) => id === stepId);
    return step?.kind === 'action' ? step : undefined;
  }

  #resume(step: StepState): void {
    const action = this.#action(step.id);
    if (action === undefined) this.#draft.add({ type: 'delay_ended', stepId: step.id });
    else startAttempt(this.#draft, action, step.attempts + 1);
  }

  #endAttempt(stepId: string, attempt: number, outcome: AttemptOutcome): void {
    const step = this.#draft.step(stepId);
    const action = this.#action(stepId);
    if (step === undefined || action === undefined) return;
    const ended = endAttempt(this.#draft, action, step, attempt, outcome);
    if (ended === null) return;
    const { code, message } = ended.error;
    const { input } = step;
    const rule = isJsonObject(input) ? this.#ruleFor(action, input) : null;
    if (ended.kind === 'unknown' && isJsonObject(input) && rule !== null)
      askWhatHappened(this.#draft, action, input, rule);
    else this.#failStep(stepId, code, message);
  }

  #failStep(stepId: string, code: string, message: string): void {
    const error = { code, message, stepId };
    this.#draft.add({ type: 'step_failed', stepId, error });
    closeApprovals(this.#draft);
    this.#draft.add({ type: 'run_failed', error });
  }

  #cancel({ actor, comment, requestId }: Extract<RunInput, { type: 'cancel' }>): Refused | null {
    if (this.#draft.hasEnded())
      return { code: 'run_finished', detail: `The run is ${this.#draft.run.status}.` };
    closeApprovals(this.#draft);
    this.#draft.add({ type: 'run_cancelled', actor, comment, requestId });
    return null;
  }
}
