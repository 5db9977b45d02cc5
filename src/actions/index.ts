/** The actions by name. The catalog, the save-time checks, the policy and the runs all read this. */
import type { Json } from '../contract/json.ts';
import type { ActionRules } from '../engine/definition.ts';
import * as all from './all.ts';
import type { Action } from './define.ts';

const ALL: readonly Action[] = Object.values(all).toSorted((a, b) => (a.name < b.name ? -1 : 1));

export const ACTIONS: Readonly<Record<string, Action>> = Object.fromEntries(
  ALL.map((action) => [action.name, action]),
);

export const ACTION_RULES: ActionRules = Object.fromEntries(
  ALL.map((action) => [action.name, action.rule]),
);

/** What an action will do with an input, in plain words; also for an action that is gone. */
export function describeAction(name: string, input: Json): string {
  const action = Object.hasOwn(ACTIONS, name) ? ACTIONS[name] : undefined;
  return action?.describe(input) ?? `Run the action ${name}`;
}
