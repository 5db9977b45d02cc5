/** What a step costs of its action's budget. Whether there is enough left, the tenant alone knows. */
import type { Budget } from '../contract/approvals.ts';
import { isJsonObject, type JsonObject, type Money, money } from '../contract/json.ts';
import type { Draft } from './draft.ts';

export function askBudget(draft: Draft, stepId: string, budget: Budget, input: JsonObject): void {
  draft.add({ type: 'budget_asked', stepId, budget, amount: amountOf(input) });
}

/** An action whose inputs have an `amount` costs that much. */
function amountOf({ amount }: JsonObject): Money | null {
  return isJsonObject(amount) ? (money.safeParse(amount).data ?? null) : null;
}
