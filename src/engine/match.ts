/**
 * Which workflows an event starts, and why others do not. An event that an action caused carries the
 * path of workflows that led to it: none of them starts again, and nothing does at eight hops.
 */
import type { Json, JsonObject } from '../contract/json.ts';
import type { SharedWork } from './budget.ts';
import type { CompiledTrigger } from './definition.ts';
import { evaluateCondition } from './expressions.ts';
import type { Candidate, TriggerIndex } from './trigger-index.ts';

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

export interface MatchScope {
  readonly event: Json;
  readonly tenant: JsonObject;
}

/** A workflow that starts, or would but for something else than that its condition is false. */
export interface Matched<C> {
  readonly candidate: C;
  readonly matched: boolean;
  readonly reason: string;
  /** Set when only the loop guard kept the workflow from starting. */
  readonly loop: boolean;
}

/**
 * In the order of the candidates; of each that is left out, the condition is false (`reasonOfFalse`). A
 * condition that fails to evaluate never matches.
 */
export function matchEvent<C extends Candidate>(
  scope: MatchScope,
  { path }: Causation,
  triggers: TriggerIndex<C>,
): Matched<C>[] {
  const shared: SharedWork = { steps: EVENT_STEPS_MAX };
  return triggers.possible(scope.event).flatMap((candidate) => {
    const verdict = verdictOn(candidate.trigger, scope, shared);
    if (verdict === null) return [];
    const { holds, reason } = verdict;
    const stopped = holds ? loopGuard(candidate.workflowId, path) : null;
    return [
      {
        candidate,
        matched: holds && stopped === null,
        reason: stopped ?? reason,
        loop: stopped !== null,
      },
    ];
  });
}

/** Why a workflow did not start of which `matchEvent` says nothing. */
export function reasonOfFalse(condition: string): string {
  return `The condition is false: ${condition}`;
}

/** Null: the condition is false. */
function verdictOn(
  { event, condition }: CompiledTrigger,
  scope: MatchScope,
  shared: SharedWork,
): { holds: boolean; reason: string } | null {
  if (condition === null) return { holds: true, reason: `Every ${event} starts it.` };
  const { event: subject, tenant } = scope;
  const result = evaluateCondition(condition, { event: subject, tenant }, shared);
  if (!result.ok) return { holds: false, reason: `The condition failed: ${result.error.message}` };
  return result.value ? { holds: true, reason: 'The condition is true.' } : null;
}

function loopGuard(workflowId: string, path: readonly string[]): string | null {
  if (path.includes(workflowId)) return 'The workflow is among those that led to this event.';
  return path.length >= HOPS_MAX ? `The event is ${HOPS_MAX} hops from its cause.` : null;
}
