/**
 * The webhook port: JSON out, signed with the tenant's keys; the idempotency key is the `webhook-id`.
 * Each request is measured here, where it is made: the delivery log is made of these records.
 */
import type { DeliveryRecord } from '../contract/deliveries.ts';
import { newId } from '../ids.ts';
import type { SealKeys } from '../sealed.ts';
import type { SealedConnection } from './connections.ts';
import { checkDestination, type DestinationRules, destinationAt } from './destination.ts';
import { type DestinationGate, failed, succeeded, type WebhookPort } from './index.ts';
import { sendWebhook, type WebhookResult } from './webhook.ts';
import { signingKeys } from './webhook-connection.ts';

const NO_SECRET = 'The webhook connection has no secret that opens.';
const DISABLED =
  'The destination is disabled, so nothing was sent. Enable it, then redeliver what it missed.';

export function signedWebhooks(
  env: SealKeys,
  tenantId: string,
  connection: SealedConnection | undefined,
  { gate, rules }: { readonly gate: DestinationGate; readonly rules: DestinationRules },
): WebhookPort {
  return {
    async send({ idempotencyKey, timeoutMs, now }, { url, method, headers, body }) {
      const secrets = await signingKeys(env, tenantId, connection, now);
      // An admin can mend it before the schedule ends, and then nothing was lost.
      if (secrets.length === 0) return failed('no_signing_secret', NO_SECRET, { retryable: true });
      const checked = checkDestination(url, rules);
      const destination = checked.ok ? destinationAt(checked.url) : null;
      const shut = destination === null ? null : await gate(destination);
      if (shut !== null && destination !== null) {
        const { retryAfterMs } = shut;
        const delivery = recordOf(destination, null, now, 0);
        const retryable = retryAfterMs !== null;
        return { ...failed('endpoint_disabled', DISABLED, { retryable, retryAfterMs }), delivery };
      }
      const text = JSON.stringify(body);
      const outgoing = { method, headers, body: text, id: idempotencyKey, secrets, timeoutMs };
      const begun = Date.now();
      const result = await sendWebhook(
        { ...outgoing, destination: checked, now: begun },
        { fetch },
      );
      const output = { status: result.status, body: result.body };
      const wasSent = destination !== null && (result.ok || result.sent);
      const measured = wasSent
        ? { delivery: recordOf(destination, result, begun, Date.now() - begun) }
        : {};
      if (result.ok) return { ...succeeded(output), ...measured };
      const { code, message, retryable, retryAfterMs } = result;
      return { ...failed(code, message, { retryable, retryAfterMs, output }), ...measured };
    },
  };
}

/** Its id is found by the time at which the request began, as the log's filters ask for it. */
function recordOf(
  destination: string,
  result: WebhookResult | null,
  startedAt: number,
  durationMs: number,
): DeliveryRecord {
  return {
    id: newId('dlv', startedAt),
    destination,
    responseStatus: result?.status ?? null,
    responseHeaders: { ...result?.headers },
    startedAt: new Date(startedAt).toISOString(),
    durationMs,
  };
}
