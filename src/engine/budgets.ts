/**
 * What a step costs of its action's budget, and when it has not used it. Whether there is enough left,
 * the tenant alone knows.
 */
import type { Budget } from '../contract/approvals.ts';
import { isJsonObject, type JsonObject, type Money, money } from '../contract/json.ts';
import type { Draft } from './draft.ts';
import type { RunState, StepState } from './state.ts';

export function askBudget(draft: Draft, stepId: string, budget: Budget, input: JsonObject): void {
  draft.add({ type: 'budget_asked', stepId, budget, amount: amountOf(input) });
}

/** An action whose inputs have an `amount` costs that much. Less than nothing is no cost. */
function amountOf({ amount }: JsonObject): Money | null {
  const cost = isJsonObject(amount) ? (money.safeParse(amount).data ?? null) : null;
  return cost !== null && cost.amount >= 0 ? cost : null;
}

/** Steps that are over without their action: whatever part of a budget they had, others may have. */
export function unusedBudgets({ steps, finishedAt }: RunState): string[] {
  const isOver = ({ status, startedAt }: StepState) =>
    status === 'failed' || (finishedAt !== null && startedAt !== null && status !== 'succeeded');
  const isCertain = ({ deadline, lost, inDoubt }: StepState) =>
    deadline === null && !lost && !inDoubt;
  return steps.flatMap((step) => (isOver(step) && isCertain(step) ? step.id : []));
}
