/** What the objects and the executor say to each other. Plain JSON values, so that they can be rows. */
import type { ApprovalPolicy } from '../contract/approvals.ts';
import type { DeliveryRecord } from '../contract/deliveries.ts';
import type { Entry } from '../contract/entries.ts';
import type { CloudEvent } from '../contract/events.ts';
import type { Json, JsonObject } from '../contract/json.ts';
import type { ApprovalItem, RunItem } from '../contract/runs.ts';
import type { Definition } from '../contract/workflows.ts';
import type { ApprovalParcel } from '../db/approvals.ts';
import type { Message } from '../db/deliveries.ts';
import type { StoredEvent } from '../db/triggers.ts';
import type { Binding } from '../engine/approval.ts';
import type { SealedConnection } from '../ports/connections.ts';
import type { Place } from './intake.ts';

/** What a run is pinned to, besides its event and its workflow's version, which stand elsewhere. */
export interface RunStart {
  readonly runId: string;
  readonly requestId: string;
  readonly workflow: { readonly id: string; readonly name: string; readonly version: number };
  /** Ids of the event's sender and the version's author, along the whole path. */
  readonly authors: readonly string[];
  /** The workflows that led here, oldest first, this one last. */
  readonly path: readonly string[];
  /** Not there for a run that its event has started. */
  readonly retry?: Retry;
}

/** A run that has ended is done again by another one. */
export interface Retry {
  readonly of: string;
  readonly at: string;
}

/** What a run starts from. Pinned: none of it changes afterwards. */
export interface Seed extends RunStart {
  readonly tenant: { readonly id: string; readonly name: string };
  readonly definition: Definition;
  readonly eventId: string;
  readonly event: CloudEvent;
  /** The tenant's row for it: its reports find it by that. */
  readonly place: Place;
}

/** A run that an executor has begun, or could not begin, with its entries so far. */
export interface BegunRun {
  readonly run: RunStart;
  readonly record: StoredEvent;
  readonly entries: readonly Entry[];
}

/** What a tenant knows now and a run needs: it may change while the run waits. */
export interface TenantContext {
  readonly tenantId: string;
  readonly policy: ApprovalPolicy;
  readonly connections: readonly SealedConnection[];
  /** Keys of destinations to which nothing may be sent without asking: see destinations.ts. */
  readonly disabled: readonly string[];
  /** When the tenant said so: milliseconds since 1970 by its clock. */
  readonly at: number;
}

const CONTEXT_FRESH_MS = 1_000;
/**
 * So long (milliseconds) after it was said, nobody goes by it any more: a change of the policy is
 * answered only then. The rest is for clocks that differ.
 */
export const CONTEXT_LENT_MS = CONTEXT_FRESH_MS + 500;

/** Whether a gate may open by it still. */
export function isCurrent({ at }: TenantContext, now: number): boolean {
  return now - at <= CONTEXT_FRESH_MS;
}

/** A run moves into an object of its own: its seed, and its history so far. */
export interface Handover {
  readonly seed: Seed;
  readonly entries: readonly Entry[];
}

/** What a transition of a run brings home to its tenant. */
export interface RunReport {
  readonly runId: string;
  readonly place: Place;
  readonly item: RunItem;
  readonly seq: number;
  readonly wakeAt: string | null;
  readonly entries: readonly Entry[];
  /** The approvals that the entries have touched, for the inbox. */
  readonly approvals: readonly ApprovalParcel[];
  /** Steps that have not used what they may have reserved of a budget, and will not. */
  readonly unused: readonly string[];
  /** Ended, and nothing in flight: no report will follow. */
  readonly settled: boolean;
  /** For events that the entries caused. */
  readonly cause: {
    readonly path: readonly string[];
    readonly authors: readonly string[];
    readonly retryOf: string | null;
    readonly correlationId: string;
    readonly requestId: string;
  };
}

/** One attempt at one step, as a stateless Worker performs it. */
export interface AttemptJob {
  readonly tenantId: string;
  readonly runId: string;
  readonly workflowId: string;
  readonly requestId: string;
  readonly stepId: string;
  readonly attempt: number;
  /** An earlier attempt may have been carried out without a word of it. */
  readonly lost: boolean;
  readonly action: string;
  readonly input: JsonObject;
  readonly idempotencyKey: string;
  readonly timeoutMs: number;
  readonly event: CloudEvent;
  readonly connections: readonly SealedConnection[];
  readonly disabled: readonly string[];
  /** Set behind a gate: what was approved. It is hashed again right before sending (I3). */
  readonly approved: { readonly binding: Binding; readonly inputHash: string } | null;
}

/** Messages of one destination that are to be sent once more. */
export interface RedeliveryJob {
  readonly tenantId: string;
  readonly parcelId: number;
  readonly messages: readonly Message[];
  /** Also those that were delivered already. */
  readonly force: boolean;
  readonly connections: readonly SealedConnection[];
}

/** What became of one of them. */
export interface RedeliveryResult extends Message {
  readonly webhookId: string;
  /** Has to be tried again. */
  readonly left: boolean;
  /** So long (milliseconds) the receiver wants to be left alone. */
  readonly retryAfterMs: number | null;
  /** Null when nothing was sent: it was delivered already, or what it was is no longer kept. */
  readonly delivery: DeliveryRecord | null;
  readonly code: string | null;
  readonly output: Json;
}

export const NOTICE_KINDS = ['requested', 'reminded', 'escalated', 'edited', 'overridden'] as const;
export type NoticeKind = (typeof NOTICE_KINDS)[number];

/** People are told of an approval. Made when it happened: who is told is who could decide then. */
export interface Notice {
  readonly kind: NoticeKind;
  /** The number of the run's entry that it tells of. */
  readonly seq: number;
  readonly at: string;
  readonly requestId: string;
  readonly tenant: { readonly id: string; readonly name: string };
  readonly item: ApprovalItem;
  /** Why an action that is free within a budget asks after all. */
  readonly overBudget: string | null;
  /** Who edited or overrode, and what they said. */
  readonly by: { readonly name: string; readonly comment: string | null } | null;
  readonly recipients: readonly NoticeRecipient[];
}

export interface NoticeRecipient {
  readonly memberId: string;
  readonly name: string;
  readonly email: string;
  /** After so many attempts nobody could say whether the mail came. */
  readonly unsure?: number;
  /** In whose place they may decide; not there: by their own right. */
  readonly onBehalfOf?: { readonly id: string; readonly name: string };
}
