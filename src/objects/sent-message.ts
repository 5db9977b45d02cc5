/** What a step sent, told from the run log: for the delivery log's details, and to send it again. */
import { webhookAgain } from '../actions/notify-webhook.ts';
import { findStoredEvent } from '../db/events.ts';
import { findRun } from '../db/find-runs.ts';
import { replay } from '../engine/state.ts';
import type { WebhookCall } from '../ports/index.ts';
import { eventOf } from './admission.ts';

export interface SentMessage {
  readonly webhook: WebhookCall;
  readonly webhookId: string;
  /** The run itself has delivered it. */
  readonly delivered: boolean;
}

/** Null when the run, or the event that was its body, is no longer kept. */
export async function sentMessage(
  db: D1Database,
  tenantId: string,
  runId: string,
  stepId: string,
): Promise<SentMessage | null> {
  const found = await findRun(db, tenantId, runId);
  const run = replay(runId, found?.entries ?? []);
  const step = run?.steps.find(({ id }) => id === stepId);
  const begun = found?.entries.find(
    (entry) => entry.type === 'attempt_started' && entry.stepId === stepId,
  );
  if (run === undefined || step === undefined || begun?.type !== 'attempt_started') return null;
  const event = await findStoredEvent(db, tenantId, run.eventId);
  if (event === null) return null;
  const webhook = webhookAgain(step.input, eventOf(event));
  const delivered = step.status === 'succeeded';
  return webhook === null ? null : { webhook, webhookId: begun.idempotencyKey, delivered };
}
