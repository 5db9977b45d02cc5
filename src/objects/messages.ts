/** What the objects and the executor say to each other. Plain JSON values, so that they can be rows. */
import type { ApprovalPolicy } from '../contract/approvals.ts';
import type { CloudEvent } from '../contract/events.ts';
import type { JsonObject } from '../contract/json.ts';
import type { ApprovalItem, Entry, RunItem } from '../contract/runs.ts';
import type { Definition } from '../contract/workflows.ts';
import type { ApprovalParcel } from '../db/approvals.ts';
import type { Binding } from '../engine/approval.ts';
import type { SealedConnection } from '../ports/connections.ts';

/** What a run starts from. Pinned: none of it changes afterwards. */
export interface Seed {
  readonly runId: string;
  readonly requestId: string;
  readonly tenant: { readonly id: string; readonly name: string };
  readonly workflow: { readonly id: string; readonly name: string; readonly version: number };
  readonly definition: Definition;
  readonly eventId: string;
  readonly event: CloudEvent;
  /** Ids of the event's sender and the version's author, along the whole path. */
  readonly authors: readonly string[];
  /** The workflows that led here, oldest first, this one last. */
  readonly path: readonly string[];
}

/** What a tenant knows now and a run needs: it may change while the run waits. */
export interface TenantContext {
  readonly policy: ApprovalPolicy;
  readonly connections: readonly SealedConnection[];
}

/** How old (milliseconds) it may be when a gate opens or an attempt starts. */
export const CONTEXT_FRESH_MS = 1_000;

/** A run moves into an object of its own: its seed, and its history so far. */
export interface Handover {
  readonly seed: Seed;
  readonly entries: readonly Entry[];
}

/** What a transition of a run brings home to its tenant. */
export interface RunReport {
  readonly runId: string;
  readonly item: RunItem;
  readonly seq: number;
  readonly wakeAt: string | null;
  readonly entries: readonly Entry[];
  /** The approvals that the entries have touched, for the inbox. */
  readonly approvals: readonly ApprovalParcel[];
  /** Ended, and nothing in flight: no report will follow. */
  readonly settled: boolean;
  /** For events that the entries caused. */
  readonly cause: {
    readonly path: readonly string[];
    readonly authors: readonly string[];
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
  readonly action: string;
  readonly input: JsonObject;
  readonly idempotencyKey: string;
  readonly timeoutMs: number;
  readonly event: CloudEvent;
  readonly connections: readonly SealedConnection[];
  /** Set behind a gate: what was approved. It is hashed again right before sending (I3). */
  readonly approved: { readonly binding: Binding; readonly inputHash: string } | null;
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
}
