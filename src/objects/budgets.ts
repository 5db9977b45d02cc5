/**
 * How much of an action was done without a human, in a window that slides. A reservation is made
 * before the effect, under the step's own key (asking twice reserves once), and given back when it is
 * certain that there will be none. The tenant is the only writer, so two runs cannot both take the
 * last of a budget.
 */
import type { Budget } from '../contract/approvals.ts';
import { durationMs, type Money } from '../contract/json.ts';
import { moneyText } from '../currency.ts';
import type { Place } from './intake.ts';

const SCHEMA = [
  `CREATE TABLE IF NOT EXISTS budget_uses (
    key TEXT PRIMARY KEY, action TEXT NOT NULL, at INTEGER NOT NULL, amount INTEGER,
    currency TEXT) WITHOUT ROWID`,
  'CREATE INDEX IF NOT EXISTS budget_uses_by_action ON budget_uses (action, at)',
];
type Sums = { uses: number; amount: number };

/** So long a use is remembered, so that a window that is made longer finds it. */
const KEPT_MS = 31 * 86_400_000;

export interface BudgetQuestion {
  readonly runId: string;
  /** The run's row at its tenant. */
  readonly place: Place;
  readonly stepId: string;
  readonly action: string;
  readonly budget: Budget;
  readonly amount: Money | null;
}

export type BudgetAnswer = { granted: true } | { granted: false; detail: string };

export class Budgets {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    for (const statement of SCHEMA) sql.exec(statement);
  }

  /** Inside a transaction. `now` in milliseconds. */
  reserve(question: BudgetQuestion, now: number): BudgetAnswer {
    const { action, budget, amount } = question;
    const key = keyOf(question.runId, question.stepId);
    const known = this.#sql.exec('SELECT 1 FROM budget_uses WHERE key = ?', key).toArray();
    if (known.length > 0) return { granted: true };
    const since = now - durationMs(budget.window);
    const forgotten = Math.min(since, now - KEPT_MS);
    this.#sql.exec('DELETE FROM budget_uses WHERE action = ? AND at <= ?', action, forgotten);
    const detail = this.#excess(action, budget, amount, since);
    if (detail !== null) return { granted: false, detail };
    this.#sql.exec(
      'INSERT INTO budget_uses (key, action, at, amount, currency) VALUES (?, ?, ?, ?, ?)',
      key,
      action,
      now,
      amount?.amount ?? null,
      amount?.currency ?? null,
    );
    return { granted: true };
  }

  release(runId: string, stepId: string): void {
    this.#sql.exec('DELETE FROM budget_uses WHERE key = ?', keyOf(runId, stepId));
  }

  /**
   * Why it does not fit, or null. What cannot be told in the budget's currency never fits; what was
   * used in another counts as a use, and as no amount.
   */
  #excess(
    action: string,
    { count, amount: limit, window }: Budget,
    amount: Money | null,
    since: number,
  ): string | null {
    const sums = this.#sql
      .exec<Sums>(
        `SELECT count(*) AS uses, ifnull(sum(amount) FILTER (WHERE currency = ?3), 0) AS amount
         FROM budget_uses WHERE action = ?1 AND at > ?2`,
        action,
        since,
        limit?.currency ?? null,
      )
      .one();
    if (count !== undefined && sums.uses + 1 > count)
      return `More than ${count} of ${action} within ${window}.`;
    if (limit === undefined) return null;
    if (amount === null) return `The amount is not known, and ${action} has a budget.`;
    if (amount.currency !== limit.currency)
      return `The budget of ${action} is in ${limit.currency}, not ${amount.currency}.`;
    return sums.amount + amount.amount > limit.amount
      ? `More than ${moneyText(limit)} of ${action} within ${window}.`
      : null;
  }
}

function keyOf(runId: string, stepId: string): string {
  return `${runId}_${stepId}`;
}
