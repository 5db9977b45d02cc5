/**
 * Sends messages once more: the same webhook id and body, a new timestamp and signature. A stateless
 * Worker does it, after its caller has been answered, so that a slow destination keeps no object
 * awake; it may run on for 30 seconds, so what it has not begun by then is left for the next round.
 */
import type { Message } from '../db/deliveries.ts';
import type { Env } from '../env.ts';
import { inLanes, LANES_OUT } from '../in-lanes.ts';
import { logError } from '../log.ts';
import { openPorts, type PortEnv } from '../ports/open.ts';
import { tenantObject } from './index.ts';
import type { RedeliveryJob, RedeliveryResult } from './messages.ts';
import { type SentMessage, sentMessage } from './sent-message.ts';

/** Each reads its message from D1 first. */
const LANES = LANES_OUT - 1;
const TIMEOUT_MS = 15_000;
const BEGIN_MS = 12_000;
/** So many failures without one success: the destination is down, and the others would fail too. */
const FAILURES_MAX = 5;

/** Never throws: what is not reported is given out again. */
export async function redeliver(env: Env, job: RedeliveryJob): Promise<void> {
  const { tenantId, parcelId } = job;
  try {
    const results = await sendAll(env, job);
    await tenantObject(env, tenantId).redelivered(parcelId, results);
  } catch (error) {
    logError({ what: 'redelivery_failed', tenantId, count: job.messages.length }, error);
  }
}

async function sendAll(env: PortEnv, job: RedeliveryJob): Promise<RedeliveryResult[]> {
  const results: RedeliveryResult[] = [];
  const begun = Date.now();
  const isDown = () => results.length >= FAILURES_MAX && results.every(({ left }) => left);
  await inLanes([...job.messages], LANES, async (message) => {
    if (Date.now() - begun < BEGIN_MS && !isDown()) results.push(await sendOne(env, job, message));
  });
  return results;
}

async function sendOne(
  env: PortEnv,
  job: RedeliveryJob,
  { runId, stepId }: Message,
): Promise<RedeliveryResult> {
  const { tenantId, force } = job;
  const sent = await sentMessage(env.DB, tenantId, runId, stepId);
  const nothing = {
    runId,
    stepId,
    webhookId: '',
    left: false,
    retryAfterMs: null,
    delivery: null,
    code: null,
    output: null,
  };
  if (sent === null || (sent.delivered && !force)) return nothing;
  return { ...nothing, ...(await send(env, job, runId, sent)) };
}

async function send(
  env: PortEnv,
  { tenantId, connections }: RedeliveryJob,
  runId: string,
  { webhook, webhookId }: SentMessage,
): Promise<Omit<RedeliveryResult, keyof Message>> {
  const now = Date.now();
  const call = { tenantId, runId, idempotencyKey: webhookId, timeoutMs: TIMEOUT_MS, now };
  const outcome = await openPorts(env, tenantId, connections).webhook.send(call, webhook);
  const { output } = outcome;
  const told = { webhookId, output, retryAfterMs: null };
  if (outcome.kind === 'unknown')
    return { ...told, left: true, delivery: null, code: outcome.error.code };
  const delivery = outcome.delivery ?? null;
  if (outcome.kind === 'succeeded') return { ...told, left: false, delivery, code: null };
  const { error, retryable, retryAfterMs } = outcome;
  return { ...told, left: retryable, retryAfterMs, delivery, code: error.code };
}
