/** `order.cancel`: cancels an order; money is not given back by this. */
import * as z from 'zod';
import { later } from '../contract/later.ts';
import { defineAction, OUTAGE_RETRY } from './define.ts';

export const orderCancel = defineAction({
  name: 'order.cancel',
  summary: 'Cancel an order',
  risk: 'commerce',
  retry: OUTAGE_RETRY,
  input: later(() =>
    z.strictObject({
      orderId: z.string().min(1).max(256),
      reason: z.string().max(500).optional(),
    }),
  ),
  describe: ({ orderId }) => `Cancel order ${orderId}`,
  run: ({ orderId, reason }, { ports, call }) => ports.commerce.cancelOrder(call, orderId, reason),
});
