/** Every action there is. The catalog, the save-time checks and the runs all read this list. */
import type { Json } from '../contract/json.ts';
import type { ActionRules } from '../engine/definition.ts';
import type { Action } from './define.ts';
import { exportOrders } from './export-orders.ts';
import { flagDisable, flagEnable } from './flag.ts';
import { notifyEmail } from './notify-email.ts';
import { notifyWebhook } from './notify-webhook.ts';
import { orderCancel } from './order-cancel.ts';
import { orderRefund } from './order-refund.ts';
import { tagOrder } from './tag-order.ts';

const ALL: readonly Action[] = [
  notifyEmail,
  notifyWebhook,
  tagOrder,
  orderRefund,
  orderCancel,
  exportOrders,
  flagEnable,
  flagDisable,
];

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
