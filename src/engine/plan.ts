/** What a run is driven by: the plan that it is pinned to, what can happen to it, what follows. */
import type { ApprovalPolicy } from '../contract/approvals.ts';
import type { DeliveryRecord } from '../contract/deliveries.ts';
import type { CausedEvent, Entry, Failure } from '../contract/entries.ts';
import type { CloudEvent } from '../contract/events.ts';
import type { Actor, Json, JsonObject } from '../contract/json.ts';
import type { Binding, Claim, Refused, Vote } from './approval.ts';
import type { ApprovalState } from './approval-state.ts';
import type { CompiledAction, CompiledDefinition } from './definition.ts';
import type { RunState } from './state.ts';

/** What a run is pinned to. All of it is stored with the run; nothing of it changes, but the policy. */
export interface Plan {
  readonly runId: string;
  readonly requestId: string;
  readonly tenant: { readonly id: string; readonly name: string };
  readonly workflow: { readonly id: string; readonly name: string; readonly version: number };
  readonly eventId: string;
  readonly event: CloudEvent;
  readonly definition: CompiledDefinition;
  /** Ids of the event's sender and of the workflow version's author. */
  readonly authors: readonly string[];
  /** The run that is done again by this one; null for one that its event has started. */
  readonly retryOf: string | null;
  /** The tenant's policy now: it is frozen into each request when its gate opens. */
  readonly policy: ApprovalPolicy;
  /** Not when the tenant is out of reach: then no action begins, and no gate opens, until it is back. */
  readonly policyIsCurrent: boolean;
}

export type Outcome =
  | {
      readonly kind: 'succeeded';
      readonly output: Json;
      readonly events: readonly CausedEvent[];
      readonly delivery?: DeliveryRecord | undefined;
    }
  | {
      readonly kind: 'failed';
      readonly error: Failure;
      readonly output: Json;
      readonly retryable: boolean;
      readonly retryAfterMs: number | null;
      /** Worth so many attempts in all, should the step be more patient: such as "not there yet". */
      readonly attemptsMax?: number | undefined;
      /**
       * The request had left, so what was asked may have been done. Another attempt is harmless and
       * finds out; when there is none left, a person is asked.
       */
      readonly inDoubt?: true | undefined;
      readonly delivery?: DeliveryRecord | undefined;
    }
  /**
   * The request left, and nobody can say whether it was carried out: the port honours no key that
   * would make another attempt harmless.
   */
  | { readonly kind: 'unknown'; readonly error: Failure; readonly output: Json };

/**
 * A slice of work that is too long for one attempt is done and kept: the next attempt goes on from
 * there, at once. `progress` is for people; where to go on is the port's own affair.
 */
export interface Progressed {
  readonly kind: 'progressed';
  readonly progress: JsonObject;
}

/** What became of one attempt: the step's outcome, or a part of the work on the way to one. */
export type AttemptOutcome = Outcome | Progressed;

export type RunInput =
  | { readonly type: 'tick' }
  | {
      readonly type: 'attempt_ended';
      readonly stepId: string;
      readonly attempt: number;
      readonly outcome: AttemptOutcome;
    }
  | {
      readonly type: 'budget_answered';
      readonly stepId: string;
      readonly granted: boolean;
      readonly detail: string;
    }
  | { readonly type: 'vote'; readonly vote: Vote }
  | { readonly type: 'override' | 'view'; readonly claim: Claim }
  | { readonly type: 'edit'; readonly claim: Claim; readonly input: JsonObject }
  | {
      readonly type: 'cancel';
      readonly actor: Actor;
      readonly comment: string | null;
      readonly requestId: string;
    };

export interface Decision {
  readonly run: RunState;
  readonly entries: readonly Entry[];
  readonly refused?: Refused;
}

/** What an approval of this step is bound to, made from what is about to be done. */
export function bindingOf(
  plan: Pick<Plan, 'tenant' | 'runId' | 'workflow'>,
  step: Pick<CompiledAction, 'id' | 'action'>,
  input: JsonObject,
  rule: ApprovalState['rule'],
  expiresAt: string,
): Binding {
  return {
    tenant: plan.tenant.id,
    run: plan.runId,
    step: step.id,
    action: step.action,
    input,
    workflow: { id: plan.workflow.id, version: plan.workflow.version },
    rule,
    expiresAt,
  };
}
