/**
 * One decision in the making: the facts so far, and the run as they leave it. The first failure,
 * denial, expiry or cancel ends the run at once; what was in flight then is recorded when it comes
 * back, and changes nothing.
 */
import { durationMs, isCanonical, type Json, type JsonObject } from '../contract/json.ts';
import type { ProblemCode } from '../contract/problems.ts';
import type { Entry, Fact } from '../contract/runs.ts';
import {
  checkVote,
  completesQuorum,
  defaultRule,
  inputHash,
  stricterRule,
  type Vote,
  votedApproval,
} from './approval.ts';
import type { CompiledAction, CompiledStep } from './definition.ts';
import { evaluateCondition } from './expressions.ts';
import { bindingOf, type Decision, type Outcome, type Plan, type RunInput } from './plan.ts';
import { retryDelayMs } from './retry.ts';
import { type ApprovalState, evolve, type RunState, type StepState } from './state.ts';

/** How long past its timeout an attempt may be silent before it counts as lost. */
const ATTEMPT_GRACE_MS = 30_000;

export class Turn {
  readonly #plan: Plan;
  readonly #now: number;
  readonly #jitter: number;
  readonly #entries: Entry[];
  #run: RunState;

  constructor(plan: Plan, run: RunState, now: number, jitter: number, entries: Entry[]) {
    this.#plan = plan;
    this.#run = run;
    this.#now = now;
    this.#jitter = jitter;
    this.#entries = entries;
  }

  decision(): Decision {
    return { run: this.#run, entries: this.#entries };
  }

  #add(fact: Fact): void {
    const entry: Entry = { ...fact, seq: this.#run.seq + 1, at: this.#time(0) };
    this.#entries.push(entry);
    this.#run = evolve(this.#run, entry);
  }

  #time(inMs: number): string {
    return new Date(this.#now + inMs).toISOString();
  }

  #isDue(time: string | null): boolean {
    return time !== null && Date.parse(time) <= this.#now;
  }

  /** The step as it is now: an entry just added may have ended it. */
  #step(stepId: string): StepState | undefined {
    return this.#run.steps.find(({ id }) => id === stepId);
  }

  #ended(): boolean {
    return this.#run.finishedAt !== null;
  }

  /**
   * Whatever was due before the input arrived happens before it; but an outcome that does arrive is
   * not lost, however late.
   */
  passTime(input: RunInput): void {
    for (const approval of this.#run.approvals)
      if (!this.#ended() && approval.status === 'pending' && this.#isDue(approval.expiresAt))
        this.#expire(approval);
    for (const { id } of this.#run.steps) {
      const step = this.#step(id);
      if (step === undefined) continue;
      const arrives =
        input.type === 'attempt_ended' && input.stepId === id && input.attempt === step.attempts;
      if (this.#isDue(step.deadline) && !arrives) this.#loseAttempt(step);
      else if (this.#isDue(step.nextAttemptAt)) this.#resume(step);
    }
  }

  take(input: RunInput): { code: ProblemCode; detail: string } | null {
    switch (input.type) {
      case 'tick':
        return null;
      case 'attempt_ended':
        return this.#endAttempt(input.stepId, input.attempt, input.outcome);
      case 'vote':
        return this.#vote(input.vote);
      case 'cancel':
        return this.#cancel(input);
    }
  }

  /** Starts every step whose needs are met, until nothing moves; ends the run when all have ended. */
  advance(): void {
    for (let moved = true; moved && !this.#ended(); ) {
      const ready = this.#plan.definition.steps.find((step) => this.#isReady(step));
      moved = ready !== undefined;
      if (ready !== undefined) this.#startStep(ready);
    }
    if (!this.#ended() && this.#run.steps.every((step) => step.finishedAt !== null))
      this.#add({ type: 'run_succeeded' });
  }

  /** A skipped step counts as done: what needs it can ask with has() whether it has an output. */
  #isReady(step: CompiledStep): boolean {
    const status = (id: string) => this.#step(id)?.status;
    return (
      status(step.id) === 'pending' &&
      step.needs.every((need) => status(need) === 'succeeded' || status(need) === 'skipped')
    );
  }

  #startStep(step: CompiledStep): void {
    const stepId = step.id;
    const holds = step.condition === null ? null : evaluateCondition(step.condition, this.#scope());
    if (holds !== null && !holds.ok)
      this.#failStep(stepId, 'condition_failed', holds.error.message);
    else if (holds !== null && !holds.value)
      this.#add({ type: 'step_skipped', stepId, reason: 'Its condition is false.' });
    else if (step.kind === 'wait')
      this.#add({ type: 'delay_started', stepId, until: this.#time(step.waitMs) });
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
    this.#add({ type: 'step_started', stepId, action: step.action, input: checked.input });
    this.#openGate(step, checked.input);
  }

  #scope(): Record<string, Json> {
    const steps: Record<string, JsonObject> = {};
    for (const step of this.#run.steps)
      steps[step.id] = step.status === 'succeeded' ? { output: step.output } : {};
    const { runId: id, requestId, event, tenant } = this.#plan;
    return {
      event,
      steps,
      run: { id, requestId, correlationId: event.correlationid },
      tenant: { ...tenant },
    };
  }

  #openGate(step: CompiledAction, input: JsonObject): void {
    const policy = this.#plan.policy[step.action] ?? defaultRule(step.rule.risk);
    const rule = stricterRule(policy, step.approval);
    if (!rule.required) {
      this.#startAttempt(step, 1);
      return;
    }
    const expiresAt = this.#time(durationMs(rule.expiresIn));
    this.#add({
      type: 'approval_requested',
      stepId: step.id,
      approvalId: `apr_${this.#plan.runId.slice('run_'.length)}-${this.#run.approvals.length + 1}`,
      rule,
      inputHash: inputHash(bindingOf(this.#plan, step, input, rule, expiresAt)),
      expiresAt,
      excluded: rule.selfApproval ? [] : [...this.#plan.authors],
    });
  }

  /** The key is the same for every attempt at this step of this run: receivers tell repeats by it. */
  #startAttempt(step: CompiledAction, attempt: number): void {
    this.#add({
      type: 'attempt_started',
      stepId: step.id,
      attempt,
      idempotencyKey: `${this.#plan.runId}_${step.id}`,
      deadline: this.#time(step.timeoutMs + ATTEMPT_GRACE_MS),
    });
  }

  #action(stepId: string): CompiledAction | undefined {
    const step = this.#plan.definition.steps.find(({ id }) => id === stepId);
    return step?.kind === 'action' ? step : undefined;
  }

  #resume(step: StepState): void {
    const action = this.#action(step.id);
    if (action === undefined) this.#add({ type: 'delay_ended', stepId: step.id });
    else this.#startAttempt(action, step.attempts + 1);
  }

  #loseAttempt(step: StepState): void {
    this.#endAttempt(step.id, step.attempts, {
      kind: 'failed',
      error: { code: 'attempt_lost', message: 'The attempt never reported back.' },
      output: null,
      retryable: true,
      retryAfterMs: null,
    });
  }

  /** Only the attempt that is in flight can end; a repeat or a stale one changes nothing. */
  #endAttempt(stepId: string, attempt: number, outcome: Outcome): null {
    const step = this.#step(stepId);
    const action = this.#action(stepId);
    if (step === undefined || action === undefined) return null;
    if (step.deadline === null || step.attempts !== attempt) return null;
    if (outcome.kind === 'succeeded') {
      const { output, events } = outcome;
      this.#add({ type: 'attempt_succeeded', stepId, attempt, output, events: [...events] });
      return null;
    }
    const { error, output, retryable, retryAfterMs } = outcome;
    const delay =
      retryable && !this.#ended()
        ? retryDelayMs(action.retry, attempt, this.#jitter, retryAfterMs)
        : null;
    const retryAt = delay === null ? null : this.#time(delay);
    this.#add({ type: 'attempt_failed', stepId, attempt, error, output, retryAt });
    if (retryAt === null && !this.#ended()) this.#failStep(stepId, error.code, error.message);
    return null;
  }

  #failStep(stepId: string, code: string, message: string): void {
    const error = { code, message, stepId };
    this.#add({ type: 'step_failed', stepId, error });
    this.#closeApprovals();
    this.#add({ type: 'run_failed', error });
  }

  #closeApprovals(): void {
    for (const { id, stepId, status } of this.#run.approvals)
      if (status === 'pending') this.#add({ type: 'approval_cancelled', stepId, approvalId: id });
  }

  #expire({ id, stepId }: ApprovalState): void {
    this.#add({ type: 'approval_expired', stepId, approvalId: id });
    this.#closeApprovals();
    const message = 'Nobody decided in time; silence denies.';
    this.#add({ type: 'run_expired', error: { code: 'approval_expired', message, stepId } });
  }

  #vote(vote: Vote): { code: ProblemCode; detail: string } | null {
    const approval = votedApproval(this.#run, vote);
    const refused = 'refused' in approval ? approval : checkVote(approval, vote);
    if (refused !== null) return { code: refused.refused, detail: refused.detail };
    if ('refused' in approval) return null;
    const { id: approvalId, stepId } = approval;
    const { actor, comment, requestId } = vote;
    const decision = { stepId, approvalId, actor, comment, requestId };
    if (vote.decision === 'approved') {
      this.#add({ type: 'approval_approved', ...decision });
      const action = this.#action(stepId);
      if (action === undefined || !completesQuorum(approval, vote)) return null;
      this.#add({ type: 'approval_granted', stepId, approvalId });
      this.#startAttempt(action, 1);
      return null;
    }
    this.#add({ type: 'approval_denied', ...decision });
    this.#closeApprovals();
    const message = `${actor.name} denied it: ${comment ?? 'no reason given'}`;
    this.#add({ type: 'run_denied', error: { code: 'approval_denied', message, stepId } });
    return null;
  }

  #cancel({ actor, comment, requestId }: Extract<RunInput, { type: 'cancel' }>): {
    code: ProblemCode;
    detail: string;
  } | null {
    if (this.#ended()) return { code: 'run_finished', detail: `The run is ${this.#run.status}.` };
    this.#closeApprovals();
    this.#add({ type: 'run_cancelled', actor, comment, requestId });
    return null;
  }
}
