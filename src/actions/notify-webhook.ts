/** `notify.webhook`: posts JSON to an address, signed with the tenant's secret. */
import * as z from 'zod';
import { json } from '../contract/json.ts';
import { headerFaults } from '../ports/webhook.ts';
import { defineAction } from './define.ts';

export const notifyWebhook = defineAction({
  name: 'notify.webhook',
  summary: 'Send a signed webhook (Standard Webhooks)',
  risk: 'safe',
  input: z.strictObject({
    url: z.url({ protocol: /^https?$/ }).max(2_048),
    method: z.enum(['POST', 'PUT', 'PATCH', 'DELETE']).optional().describe('Default: POST'),
    headers: z
      .record(z.string(), z.string().max(2_048))
      .superRefine((headers, ctx) => {
        for (const message of headerFaults(headers)) ctx.addIssue({ code: 'custom', message });
      })
      .optional(),
    body: json.optional().describe('Any JSON; default: the event'),
  }),
  describe: ({ url, method = 'POST' }) => `Send a webhook (${method}) to ${url}`,
  complete: (input, event) => ({ body: event, ...input }),
  run: ({ url, method = 'POST', headers = {}, body }, { ports, call, event }) =>
    ports.webhook.send(call, { url, method, headers, body: body ?? event }),
});
