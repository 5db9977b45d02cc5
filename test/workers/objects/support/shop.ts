/**
 * A tenant of its own for each test, spoken to as the routes do: through the objects' stubs. Tests
 * of one file share their storage, so nothing here may be named the same twice.
 */
import { env } from 'cloudflare:workers';
import type { RuleChanges } from '../../../../src/contract/approvals.ts';
import type { AcceptedEvent, IncomingEvent } from '../../../../src/contract/events.ts';
import type { Actor, JsonObject, Role } from '../../../../src/contract/json.ts';
import type { Step, Workflow } from '../../../../src/contract/workflows.ts';
import type { Vote } from '../../../../src/engine/approval.ts';
import { mintKey } from '../../../../src/http/api-key.ts';
import { newId } from '../../../../src/ids.ts';
import type { By } from '../../../../src/objects/change.ts';
import { runObject, tenantObject } from '../../../../src/objects/index.ts';
import type { RunAnswer } from '../../../../src/objects/run.ts';
import { sealConnection } from '../../../../src/ports/connections.ts';
import { listFlags } from '../../../../src/ports/flags.ts';
import { newSigningSecret } from '../../../../src/ports/webhook-keys.ts';
import { askRun } from '../../../../src/routes/on-run.ts';

export function person(name: string): Actor {
  return { type: 'api_key', id: `key_${name}`, name };
}
export function by(name: string): By {
  return { actor: person(name), requestId: `req-${name}` };
}
export const AUTHOR = by('author');
export const SENDER = by('sender');

export function tenantOf(tenantId: string) {
  return tenantObject(env, tenantId);
}
export function runOf(tenantId: string, runId: string) {
  return runObject(env, tenantId, runId);
}

/** A new tenant, with a webhook connection as every tenant has one. */
export async function openShop(): Promise<string> {
  const tenantId = `shop-${newId('evt').slice(-12)}`;
  const createdAt = new Date().toISOString();
  const { key } = await mintKey(env.KEY_SECRET, tenantId, {
    name: 'First admin key',
    role: 'admin',
  });
  const webhook = { kind: 'webhook', signingSecret: newSigningSecret() } as const;
  const connection = await sealConnection(env, tenantId, webhook, createdAt);
  const tenant = { id: tenantId, name: 'A shop', createdAt };
  const made = await tenantOf(tenantId).create(tenant, key, connection, by('operator'));
  if (!made.ok) throw new Error(made.detail);
  return tenantId;
}

/** An enabled workflow on an event type (default: `custom.go`). */
export async function addWorkflow(
  tenantId: string,
  steps: readonly Step[],
  event = 'custom.go',
  condition?: string,
): Promise<Workflow> {
  const trigger = condition === undefined ? { event } : { event, if: condition };
  const definition = { name: `On ${event}`, trigger, steps: [...steps] };
  const made = await tenantOf(tenantId).createWorkflow(definition, true, AUTHOR);
  if (!made.ok) throw new Error(made.detail);
  return made.workflow;
}

export async function setPolicy(tenantId: string, actions: RuleChanges): Promise<void> {
  const updated = await tenantOf(tenantId).updatePolicy(actions, by('owner'));
  if (!updated.ok) throw new Error(updated.detail);
}

export function incoming(event: Partial<IncomingEvent> = {}): IncomingEvent {
  return {
    id: undefined,
    source: 'tests',
    type: 'custom.go',
    time: undefined,
    subject: undefined,
    correlationId: undefined,
    extensions: {},
    data: {},
    ...event,
  };
}

export async function send(
  tenantId: string,
  event: Partial<IncomingEvent> = {},
): Promise<AcceptedEvent> {
  const [accepted] = await tenantOf(tenantId).intake([incoming(event)], SENDER);
  if (accepted === undefined) throw new Error('nothing was accepted');
  return accepted;
}

/** Sends an event that starts exactly one workflow; the id of its run. */
export async function startOne(
  tenantId: string,
  event: Partial<IncomingEvent> = {},
): Promise<string> {
  const { runs } = await send(tenantId, event);
  const [runId] = runs;
  if (runId === undefined || runs.length > 1) throw new Error(`${runs.length} runs started`);
  return runId;
}

/** The keys of the flags that are on. */
export async function flagsOf(shop: string): Promise<string[]> {
  const { items } = await listFlags(env.DB, shop, { limit: 50, after: null });
  return items.flatMap(({ key, enabled }) => (enabled ? [key] : []));
}

export interface VoteOptions {
  readonly role?: Role;
  readonly approvalId?: string;
  readonly inputHash?: string;
}

/** As the route does it. */
export async function vote(
  tenantId: string,
  runId: string,
  decision: Vote['decision'],
  who: string,
  { role = 'approver', approvalId, inputHash }: VoteOptions = {},
): Promise<RunAnswer> {
  const actor = person(who);
  const comment = decision === 'denied' ? 'not now' : null;
  const requestId = `req-${who}`;
  const vote = { decision, approvalId, inputHash, actor, role, comment, requestId };
  const ask = async () => await runOf(tenantId, runId).vote(vote);
  return await askRun(env, tenantId, runId, vote, ask);
}

export async function cancel(tenantId: string, runId: string): Promise<RunAnswer> {
  const ask = async () => await runOf(tenantId, runId).cancel(person('owner'), null, 'req-cancel');
  return await askRun(env, tenantId, runId, null, ask);
}

// Steps

export function hook(id: string, url: string, more: Partial<Step> = {}): Step {
  const body: JsonObject = { step: id };
  return { id, action: 'notify.webhook', with: { url, body }, ...more };
}
export function flagOn(id: string, key: string, more: Partial<Step> = {}): Step {
  return { id, action: 'flag.enable', with: { key }, ...more };
}
export function pause(id: string, wait = '1s'): Step {
  return { id, wait };
}

/** Lets `config` actions run without anyone being asked. */
export const FREELY = { required: false } as const;
