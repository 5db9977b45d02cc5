/**
 * Which workflows an event starts, and why the others do not. An event that an action caused carries
 * the path of workflows that led to it: none of them starts again, and nothing does at eight hops.
 */
import type { EventMatch } from '../contract/events.ts';
import type { Json, JsonObject } from '../contract/json.ts';
import type { SharedWork } from './budget.ts';
import type { CompiledTrigger } from './definition.ts';
import { evaluateCondition } from './expressions.ts';

/** The workflows whose runs led to an event, oldest first; empty for an event from outside. */
export interface Causation {
  readonly path: readonly string[];
}

export const HOPS_MAX = 8;

/**
 * For the conditions of all workflows that an event may start, some quarter of a second of work. When it
 * is used up, costly conditions fail and small ones go on: a tenant's object does nothing else meanwhile.
 */
const EVENT_STEPS_MAX = 5_000_000;

export interface Candidate {
  readonly workflowId: string;
  readonly version: number;
  readonly trigger: CompiledTrigger;
}

export interface MatchScope {
  readonly event: Json;
  readonly tenant: JsonObject;
}

export interface Matched extends EventMatch {
  /** Set when only the loop guard kept the workflow from starting. */
  readonly loop: boolean;
}

/** One answer for each candidate, in their order. A condition that fails to evaluate never matches. */
export function matchEvent(
  scope: MatchScope,
  causation: Causation,
  candidates: readonly Candidate[],
): Matched[] {
  const shared: SharedWork = { steps: EVENT_STEPS_MAX };
  return candidates.map((candidate) => {
    const { workflowId, version, trigger } = candidate;
    const answer = (matched: boolean, reason: string, loop = false): Matched => ({
      workflowId,
      version,
      matched,
      reason,
      loop,
    });
    const verdict = conditionHolds(trigger, scope, shared);
    if (!verdict.holds) return answer(false, verdict.reason);
    if (causation.path.includes(workflowId))
      return answer(false, 'The workflow is among those that led to this event.', true);
    if (causation.path.length >= HOPS_MAX)
      return answer(false, `The event is ${HOPS_MAX} hops from its cause.`, true);
    return answer(true, verdict.reason);
  });
}

function conditionHolds(
  { event, condition }: CompiledTrigger,
  scope: MatchScope,
  shared: SharedWork,
): { holds: boolean; reason: string } {
  if (condition === null) return { holds: true, reason: `Every ${event} starts it.` };
  const { event: subject, tenant } = scope;
  const result = evaluateCondition(condition, { event: subject, tenant }, shared);
  if (!result.ok) return { holds: false, reason: `The condition failed: ${result.error.message}` };
  return result.value
    ? { holds: true, reason: 'The condition is true.' }
    : { holds: false, reason: `The condition is false: ${condition.source}` };
}
