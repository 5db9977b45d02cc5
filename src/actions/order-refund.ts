/** `order.refund`: gives money back, all that is left of the order or a part of it. */
import * as z from 'zod';
import { money } from '../contract/json.ts';
import { later } from '../contract/later.ts';
import { moneyText } from '../currency.ts';
import { defineAction, OUTAGE_RETRY } from './define.ts';

export const orderRefund = defineAction({
  name: 'order.refund',
  summary: 'Refund an order, or a part of it',
  risk: 'commerce',
  retry: OUTAGE_RETRY,
  input: later(() =>
    z.strictObject({
      orderId: z.string().min(1).max(256),
      amount: money
        .refine(({ amount }) => amount > 0, { path: ['amount'], error: 'above zero' })
        .optional()
        .describe('Default: all that is left'),
      reason: z.string().max(500).optional(),
    }),
  ),
  describe: ({ orderId, amount }) =>
    `Refund ${amount === undefined ? 'all that is left' : moneyText(amount)} of order ${orderId}`,
  run: (refund, { ports, call }) => ports.commerce.refundOrder(call, refund),
});
