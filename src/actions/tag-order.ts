/** `tag.order`: puts a tag on an order. Tagging twice is fine. */
import * as z from 'zod';
import { later } from '../contract/later.ts';
import { defineAction, OUTAGE_RETRY } from './define.ts';

export const tagOrder = defineAction({
  name: 'tag.order',
  summary: 'Put a tag on an order',
  risk: 'safe',
  retry: OUTAGE_RETRY,
  input: later(() =>
    z.strictObject({
      orderId: z.string().min(1).max(256),
      tag: z.string().min(1).max(255),
    }),
  ),
  describe: ({ orderId, tag }) => `Put the tag “${tag}” on order ${orderId}`,
  run: ({ orderId, tag }, { ports, call }) => ports.commerce.tagOrder(call, orderId, tag),
});
