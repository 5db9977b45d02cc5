/** One attempt at a step: check what was approved, perform, classify. The only place that catches. */
import type { CloudEvent } from '../contract/events.ts';
import type { JsonObject } from '../contract/json.ts';
import { type Binding, inputHash } from '../engine/approval.ts';
import type { AttemptOutcome } from '../engine/plan.ts';
import { logError } from '../log.ts';
import { failed, type PortCall, type Ports } from '../ports/index.ts';
import { ACTIONS } from './index.ts';

export interface Attempt {
  readonly action: string;
  readonly input: JsonObject;
  readonly event: CloudEvent;
  readonly call: PortCall;
  readonly approved: { readonly binding: Binding; readonly inputHash: string } | null;
}

/** Never throws. What was approved is compared with what is about to be sent, here and now (I3). */
export async function performAttempt(attempt: Attempt, ports: Ports): Promise<AttemptOutcome> {
  const { action: name, input, event, call, approved } = attempt;
  if (approved !== null && !isAsApproved(attempt, approved))
    return failed('approval_mismatch', 'The inputs are not the ones that were approved.');
  const action = Object.hasOwn(ACTIONS, name) ? ACTIONS[name] : undefined;
  if (action === undefined) return failed('unknown_action', `There is no action ${name}.`);
  try {
    return await action.perform(input, { ports, call, event });
  } catch (error) {
    const { tenantId, runId } = call;
    logError({ what: 'attempt_failed', code: 'internal', tenantId, runId }, error);
    return failed('internal', 'Something went wrong on our side.', { retryable: true });
  }
}

/** Whether a crash may repeat the attempt; if not, it has to be written down before it is made. */
export function isRepeatable(name: string, ports: Ports): boolean {
  return !Object.hasOwn(ACTIONS, name) || (ACTIONS[name]?.isRepeatable(ports) ?? true);
}

/** Both what was bound, and what is about to be done in its place, have the hash that was approved. */
function isAsApproved(
  { action, input, call }: Attempt,
  { binding, inputHash: approved }: NonNullable<Attempt['approved']>,
): boolean {
  const { tenantId: tenant, runId: run, stepId: step = '' } = call;
  const now = { ...binding, tenant, run, step, action, input };
  return inputHash(binding) === approved && inputHash(now) === approved;
}
