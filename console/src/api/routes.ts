/** The routes that the console calls, each with what it takes and answers. Types are the contract's. */
import type { ApprovalPolicy, ApprovalPolicyUpdate } from '../../../src/contract/approvals.ts';
import type { AuditEntry } from '../../../src/contract/audit.ts';
import type { AuditKey } from '../../../src/contract/audit-keys.ts';
import type { InclusionProof } from '../../../src/contract/checkpoints.ts';
import type { Connection, ConnectionCheck } from '../../../src/contract/connections.ts';
import type { Delivery, DeliveryDetail, Destination } from '../../../src/contract/deliveries.ts';
import type { EventRecord } from '../../../src/contract/events.ts';
import type { JsonObject, KeyRole } from '../../../src/contract/json.ts';
import type { LimitsView } from '../../../src/contract/limits.ts';
import type { Member } from '../../../src/contract/members.ts';
import type { ErasedCounts, Remains } from '../../../src/contract/privacy.ts';
import type { InboxItem, Run, RunItem } from '../../../src/contract/runs.ts';
import type { Stats } from '../../../src/contract/stats.ts';
import type { ApiKey } from '../../../src/contract/tenants.ts';
import type { Workflow, WorkflowItem } from '../../../src/contract/workflows.ts';
import { get, getFile, post, type Query } from './client.ts';

export interface List<Item> {
  readonly items: Item[];
  readonly nextCursor: string | null;
}

/** A list's filter, as its route takes it. */
export type Filter = Query;

/** JSON Schema, as much of it as the catalog uses. */
export interface Schema {
  readonly type?: string;
  readonly description?: string;
  readonly enum?: readonly string[];
  readonly const?: string;
  readonly pattern?: string;
  readonly format?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly additionalProperties?: boolean | Schema;
}

export interface CatalogAction {
  readonly name: string;
  readonly summary: string;
  readonly risk: string;
  readonly schema: Schema;
}
export interface Catalog {
  readonly events: readonly { readonly type: string; readonly schema: Schema }[];
  readonly actions: readonly CatalogAction[];
}

export interface Policy {
  readonly actions: ApprovalPolicy;
  readonly notifyUrl: string | null;
}

export interface Checkpoint {
  readonly size: number;
  readonly root: string;
  readonly at: string;
  readonly note: string;
}

export interface Erasure {
  readonly subject: string;
  readonly nextCursor: string | null;
  readonly erased: ErasedCounts;
  readonly remaining: readonly Remains[];
}

export interface Claim {
  readonly runId: string;
  readonly approvalId: string;
  readonly inputHash: string;
  readonly comment?: string;
}

const ADMIN = '/api/admin';
type OneRun = { readonly run: Run };
type OneWorkflow = { readonly workflow: Workflow };

const list =
  <Item>(path: string) =>
  (query: Query, signal?: AbortSignal) =>
    get<List<Item>>(`${ADMIN}/${path}`, query, signal);

export const lists = {
  approvals: list<InboxItem>('approvals'),
  runs: list<RunItem>('workflow-runs'),
  workflows: list<WorkflowItem>('workflows'),
  events: list<EventRecord>('events'),
  audit: list<AuditEntry>('audit'),
  checkpoints: list<Checkpoint>('audit/checkpoints'),
  keys: list<ApiKey>('api-keys'),
  members: list<Member>('members'),
  connections: list<Connection>('connections'),
  deliveries: list<Delivery>('deliveries'),
  destinations: list<Destination>('destinations'),
};

export const one = {
  run: async (id: string) => (await get<OneRun>(`${ADMIN}/workflow-runs/get`, { id })).run,
  event: async (id: string) =>
    (await get<{ event: EventRecord }>(`${ADMIN}/events/get`, { id })).event,
  workflow: async (id: string, version?: number) =>
    (await get<OneWorkflow>(`${ADMIN}/workflows/get`, { id, version })).workflow,
  auditEntry: async (seq: number) =>
    (await get<{ entry: AuditEntry }>(`${ADMIN}/audit/get`, { seq })).entry,
  auditProof: (seq: number, size: number) =>
    get<InclusionProof>(`${ADMIN}/audit/proof`, { seq, size }),
  delivery: async (id: string) =>
    (await get<{ delivery: DeliveryDetail }>(`${ADMIN}/deliveries/get`, { id })).delivery,
  catalog: () => get<Catalog>(`${ADMIN}/catalog`),
  policy: () => get<Policy>(`${ADMIN}/approval-policy`),
  limits: () => get<LimitsView>(`${ADMIN}/limits`),
  stats: async (hours: number, signal?: AbortSignal) =>
    (await get<{ stats: Stats }>(`${ADMIN}/stats`, { hours }, signal)).stats,
  auditKeys: () => get<{ keys: AuditKey[] }>('/.well-known/signalbox-audit-keys.json'),
};

export const runs = {
  approve: (claim: Claim & { resolution?: 'happened' | 'retry'; onBehalfOf?: string }) =>
    post<OneRun>(`${ADMIN}/workflow-runs/approve`, claim),
  deny: (claim: Claim & { onBehalfOf?: string }) =>
    post<OneRun>(`${ADMIN}/workflow-runs/deny`, claim),
  edit: (claim: Claim & { input: JsonObject }) =>
    post<OneRun>(`${ADMIN}/workflow-runs/edit`, claim),
  override: (claim: Claim) => post<OneRun>(`${ADMIN}/workflow-runs/override`, claim),
  cancel: (runId: string, comment?: string) =>
    post<OneRun>(`${ADMIN}/workflow-runs/cancel`, { runId, comment }),
  retry: (body: { runId: string; latest: boolean; comment?: string }) =>
    post<OneRun>(`${ADMIN}/workflow-runs/retry`, body),
  noteView: (runId: string, approvalId: string) =>
    post<OneRun>(`${ADMIN}/approvals/view`, { runId, approvalId }),
};

export const workflows = {
  check: (definition: object) => post<object>(`${ADMIN}/workflows/check`, definition),
  create: (definition: object) => post<OneWorkflow>(`${ADMIN}/workflows/create`, definition),
  update: (id: string, version: number, definition: object) =>
    post<OneWorkflow>(`${ADMIN}/workflows/update`, { id, version, ...definition }),
  setEnabled: (id: string, enabled: boolean) =>
    post<OneWorkflow>(`${ADMIN}/workflows/${enabled ? 'enable' : 'disable'}`, { id }),
};

export const settings = {
  createKey: (body: { name: string; role: KeyRole; memberId?: string }) =>
    post<{ apiKey: { id: string; secret: string } }>(`${ADMIN}/api-keys/create`, body),
  revokeKey: (id: string) => post<object>(`${ADMIN}/api-keys/revoke`, { id }),
  createMember: (body: object) => post<object>(`${ADMIN}/members/create`, body),
  updateMember: (body: object) => post<object>(`${ADMIN}/members/update`, body),
  removeMember: (id: string) => post<object>(`${ADMIN}/members/remove`, { id }),
  delegate: (body: object) => post<object>(`${ADMIN}/members/delegate`, body),
  undelegate: (memberId: string) => post<object>(`${ADMIN}/members/undelegate`, { memberId }),
  setConnection: (body: object) => post<object>(`${ADMIN}/connections/set`, body),
  removeConnection: (kind: string) => post<object>(`${ADMIN}/connections/remove`, { kind }),
  testConnection: (kind: string, url?: string) =>
    post<{ ok: boolean; checks: ConnectionCheck[] }>(`${ADMIN}/connections/test`, { kind, url }),
  rotateSecret: () =>
    post<{ signingSecret?: string }>(`${ADMIN}/connections/rotate`, { kind: 'webhook' }),
  updatePolicy: (body: ApprovalPolicyUpdate) =>
    post<Policy>(`${ADMIN}/approval-policy/update`, body),
  switchDestination: (url: string, enabled: boolean) =>
    post<object>(`${ADMIN}/destinations/${enabled ? 'enable' : 'disable'}`, { url }),
  redeliver: (id: string) => post<object>(`${ADMIN}/deliveries/redeliver`, { id }),
  redeliverSince: (destination: string, since: string) =>
    post<{ queued: number; more: boolean }>(`${ADMIN}/deliveries/redeliver-since`, {
      destination,
      since,
    }),
  erase: (body: object) => post<Erasure>(`${ADMIN}/privacy/erase`, body),
  checkpoint: () => post<{ checkpoint: Checkpoint }>(`${ADMIN}/audit/checkpoint`, {}),
  exportAudit: (query: Query) => getFile(`${ADMIN}/audit/export`, query),
};
