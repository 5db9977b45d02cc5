/**
 * An attempt of which nobody can say whether it was carried out, at a port that honours no key: it is
 * not tried again by itself. A person finds out and says so: it happened, try again, or give up.
 */
import type { ApprovalRule } from '../contract/approvals.ts';
import type { JsonObject } from '../contract/json.ts';
import type { CompiledAction } from './definition.ts';
import type { Draft } from './draft.ts';
import { openGate } from './gate.ts';

/**
 * Whoever may decide on the action may say what became of it. One of them is enough: what was to be
 * done was approved before, and two people who say different things would lead nowhere. The inputs
 * stay as they are, since it is these of which it is asked.
 */
export function askWhatHappened(
  draft: Draft,
  step: CompiledAction,
  input: JsonObject,
  rule: ApprovalRule,
): void {
  const asked = { required: true, approvals: 1, edit: 'nobody', breakGlass: false } as const;
  openGate(draft, step, input, { ...rule, ...asked }, 'resolve');
}
