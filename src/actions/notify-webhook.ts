/** `notify.webhook`: posts JSON to an address, signed with the tenant's secret. */
import * as z from 'zod';
import { type Json, json, webUrl } from '../contract/json.ts';
import { later } from '../contract/later.ts';
import type { WebhookCall } from '../ports/index.ts';
import { headerFaults } from '../ports/webhook.ts';
import { defineAction } from './define.ts';

const [SECOND_MS, MINUTE_MS, HOUR_MS] = [1_000, 60_000, 3_600_000];
const SCHEDULE_MS = [
  5 * SECOND_MS,
  5 * MINUTE_MS,
  30 * MINUTE_MS,
  2 * HOUR_MS,
  5 * HOUR_MS,
  10 * HOUR_MS,
  10 * HOUR_MS,
];

const input = later(() =>
  z.strictObject({
    url: webUrl,
    method: z.enum(['POST', 'PUT', 'PATCH', 'DELETE']).optional().describe('Default: POST'),
    headers: z
      .record(z.string(), z.string().max(2_048))
      .superRefine((headers, ctx) => {
        for (const message of headerFaults(headers)) ctx.addIssue({ code: 'custom', message });
      })
      .optional(),
    body: json.optional().describe('Any JSON; default: the event'),
  }),
);

export const notifyWebhook = defineAction({
  name: 'notify.webhook',
  summary: 'Send a signed webhook (Standard Webhooks)',
  risk: 'safe',
  input,
  addressField: 'url',
  // As with Svix: eight attempts within 27 hours and 35 minutes.
  retry: { attempts: 8, delaysMs: SCHEDULE_MS },
  describe: ({ url, method = 'POST' }) => `Send a webhook (${method}) to ${url}`,
  complete: (input, event) => ({ body: event, ...input }),
  run: (input, { ports, call, event }) => ports.webhook.send(call, webhookOf(input, event)),
});

/** What an input sends: the body is the event unless the input has one. */
function webhookOf(
  { url, method = 'POST', headers = {}, body }: z.output<typeof input>,
  event: Json,
): WebhookCall {
  return { url, method, headers, body: body ?? event };
}

/** What a step once sent, told from its recorded input; null for what the action would not take. */
export function webhookAgain(recorded: Json, event: Json): WebhookCall | null {
  const parsed = input.safeParse(recorded);
  return parsed.success ? webhookOf(parsed.data, event) : null;
}
