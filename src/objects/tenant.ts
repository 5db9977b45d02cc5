/**
 * The only writer of its tenant: events and runs come in, workflows, keys, policy and connections
 * change, the audit chain grows. Every method decides and commits in one synchronous transaction
 * (an exception alone rolls nothing back on this platform); only then does anything leave.
 */
import { DurableObject } from 'cloudflare:workers';
import { ACTION_RULES } from '../actions/index.ts';
import type { ApprovalPolicy, RuleChanges } from '../contract/approvals.ts';
import type { AcceptedEvent, IncomingEvent } from '../contract/events.ts';
import type { Member, MemberCreate, MemberUpdate } from '../contract/members.ts';
import type { Page } from '../contract/pages.ts';
import { type Refusal, refusal } from '../contract/problems.ts';
import type { Run } from '../contract/runs.ts';
import type { ApiKey, Connection, ConnectionKind, Tenant } from '../contract/tenants.ts';
import type { Definition, Workflow, WorkflowItem } from '../contract/workflows.ts';
import type { Env } from '../env.ts';
import { newId } from '../ids.ts';
import { log } from '../log.ts';
import type { SealedConnection } from '../ports/connections.ts';
import { auditSigner } from './audit-keys.ts';
import type { BudgetAnswer, BudgetQuestion } from './budgets.ts';
import type { By, Change } from './change.ts';
import { type CheckpointAnswer, makeCheckpoint } from './checkpoints.ts';
import { Delivery } from './delivery.ts';
import type { Driven } from './executor.ts';
import type { Begun } from './idempotency.ts';
import { actorOf, type Identity, identityOfKey, type LinkHolder } from './identity.ts';
import type { MintedKey } from './keys.ts';
import { admitEvents, recordEntries, settleDriven, takeReport } from './ledger.ts';
import type { RunReport, TenantContext } from './messages.ts';
import { cancelUnstarted } from './plan.ts';
import { connectionView } from './settings.ts';
import { existingStores, openStores, type Stores } from './stores.ts';
import type { WorkflowFilter } from './workflows.ts';

type Answer<Name extends string, T> = Refusal | ({ ok: true } & Record<Name, T>);

export class TenantObject extends DurableObject<Env> {
  #stores: Stores | null;
  #context: TenantContext | null = null;
  readonly #delivery: Delivery;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#stores = existingStores(ctx.storage.sql);
    this.#delivery = new Delivery({
      ctx,
      env,
      stores: () => this.#open(),
      context: () => this.#contextNow(),
      settle: (driven) => this.settle(driven),
      signCheckpoint: () => this.#signCheckpoint(),
    });
    if (this.#stores !== null) this.#delivery.flush();
  }

  // Tenant and credentials

  async create(
    tenant: Tenant,
    key: MintedKey,
    connection: SealedConnection,
    { actor, requestId }: By,
  ): Promise<Answer<'apiKey', ApiKey>> {
    if (this.#stores !== null)
      return refusal('conflict', `There is a tenant ${tenant.id} already.`);
    const { stores, apiKey } = this.ctx.storage.transactionSync(() => {
      const stores = openStores(this.ctx.storage.sql, tenant);
      stores.settings.setTenant(tenant);
      stores.settings.setConnection(connection, 'connection.set');
      const apiKey = stores.keys.add(key, tenant.createdAt);
      const target = { type: 'tenant', id: tenant.id };
      const data = { name: tenant.name, firstKey: key.id };
      const fact = { actor, action: 'tenant.created', target, requestId, data } as const;
      const audit = [stores.audit.append(fact, tenant.createdAt)];
      stores.outbox.put('d1', { tenant, audit });
      return { stores, apiKey };
    });
    this.#stores = stores;
    await this.#delivery.afterCommit(true);
    return { ok: true, apiKey };
  }

  /** Who a live key speaks for, or null: also for a tenant that does not exist. */
  async authenticate(digest: string): Promise<Identity | null> {
    const key = this.#stores?.keys.use(digest, Date.now()) ?? null;
    if (key === null || this.#stores === null) return null;
    return identityOfKey(key, this.#stores.members);
  }

  /** The member who signed in with an email, or null: also for a tenant that does not exist. */
  async authenticateMember(email: string): Promise<Identity | null> {
    const member = this.#stores?.members.findLive(email) ?? null;
    return member === null ? null : { actor: actorOf(member), role: member.role };
  }

  /** The member to whom an approval link was sent, with the role of now; null once removed. */
  async liveMember(id: string): Promise<LinkHolder | null> {
    const { members, tenant } = this.#stores ?? {};
    const member = members?.find(id) ?? null;
    if (tenant === undefined || member === null || member.removedAt !== null) return null;
    const { role, email } = member;
    return { actor: actorOf(member), role, email, tenantName: tenant.name };
  }

  async listMembers(page: Page): Promise<Member[]> {
    return this.#open().members.list(page);
  }

  async createMember(member: MemberCreate, by: By): Promise<Answer<'member', Member>> {
    const id = newId('mem');
    return this.#changeMember(by, ({ members }, at) => members.create(id, member, at));
  }

  async updateMember(update: MemberUpdate, by: By): Promise<Answer<'member', Member>> {
    return this.#changeMember(by, ({ members }, at) => members.update(update, at));
  }

  async removeMember(id: string, by: By): Promise<Answer<'member', Member>> {
    return this.#changeMember(by, ({ members }, at) => members.remove(id, at));
  }

  async listKeys(page: Page): Promise<ApiKey[]> {
    return this.#open().keys.list(page);
  }

  async createKey(key: MintedKey, by: By): Promise<Answer<'apiKey', ApiKey>> {
    const made = await this.#change(by, ({ keys, members }, at) => {
      const owner = key.memberId === null ? undefined : members.find(key.memberId);
      return owner === undefined || (owner !== null && owner.removedAt === null)
        ? keys.create(key, at)
        : refusal('not_found', 'There is no such member.');
    });
    return made.ok ? { ok: true, apiKey: made.answer } : made;
  }

  async revokeKey(id: string, by: By): Promise<Answer<'apiKey', ApiKey>> {
    const revoked = await this.#change(by, ({ keys }, at) => keys.revoke(id, at));
    return revoked.ok ? { ok: true, apiKey: revoked.answer } : revoked;
  }

  // Workflows

  async listWorkflows(filter: WorkflowFilter, page: Page): Promise<WorkflowItem[]> {
    return this.#open().workflows.list(filter, page);
  }

  async getWorkflow(id: string, version?: number): Promise<Workflow | null> {
    return this.#open().workflows.find(id, version);
  }

  async createWorkflow(
    definition: Definition,
    enabled: boolean,
    by: By,
  ): Promise<Answer<'workflow', Workflow>> {
    const id = newId('wf');
    const made = await this.#change(by, ({ workflows }, at) =>
      workflows.create(id, definition, enabled, by.actor, at),
    );
    return made.ok ? { ok: true, workflow: made.answer } : made;
  }

  async updateWorkflow(
    id: string,
    read: number,
    definition: Definition,
    by: By,
  ): Promise<Answer<'workflow', Workflow>> {
    const updated = await this.#change(by, ({ workflows }, at) =>
      workflows.update(id, read, definition, by.actor, at),
    );
    return updated.ok ? { ok: true, workflow: updated.answer } : updated;
  }

  async setWorkflowEnabled(
    id: string,
    enabled: boolean,
    by: By,
  ): Promise<Answer<'workflow', Workflow>> {
    const set = await this.#change(by, ({ workflows }) => workflows.setEnabled(id, enabled));
    return set.ok ? { ok: true, workflow: set.answer } : set;
  }

  // Policy, connections, idempotency

  async getPolicy(): Promise<ApprovalPolicy> {
    return this.#contextNow().policy;
  }

  async getNotifyUrl(): Promise<string | null> {
    return this.#open().settings.notifyUrl();
  }

  /** `notifyUrl` stays as it is when it is left out. */
  async updatePolicy(
    changes: RuleChanges,
    by: By,
    notifyUrl?: string | null,
  ): Promise<Answer<'policy', ApprovalPolicy>> {
    const updated = await this.#change(by, ({ settings }) =>
      settings.updatePolicy(changes, ACTION_RULES, notifyUrl),
    );
    return updated.ok ? { ok: true, policy: updated.answer } : updated;
  }

  async listConnections(): Promise<Connection[]> {
    const { settings, ignoredTopics } = this.#open();
    return settings.connections().map((connection) => ({
      ...connectionView(connection),
      ignored: ignoredTopics.list(connection.kind),
    }));
  }

  /** A vendor's topic that is not translated. */
  async countIgnored(kind: ConnectionKind, topic: string): Promise<void> {
    this.#open().ignoredTopics.count(kind, topic, new Date().toISOString());
  }

  /** With its secrets, sealed; null also for a tenant that does not exist. */
  async sealedConnection(kind: ConnectionKind): Promise<SealedConnection | null> {
    return this.#stores?.settings.connection(kind) ?? null;
  }

  async setConnection(
    connection: SealedConnection,
    action: 'connection.set' | 'connection.rotated',
    by: By,
  ): Promise<Answer<'connection', Connection>> {
    const set = await this.#change(by, ({ settings }) =>
      settings.setConnection(connection, action),
    );
    return set.ok ? { ok: true, connection: set.answer } : set;
  }

  async removeConnection(kind: ConnectionKind, by: By): Promise<Refusal | { ok: true }> {
    const removed = await this.#change(by, ({ settings }) => settings.removeConnection(kind));
    return removed.ok ? { ok: true } : removed;
  }

  async beginIdempotent(key: string, request: string): Promise<Begun> {
    const { idempotency } = this.#open();
    return this.ctx.storage.transactionSync(() => idempotency.begin(key, request, Date.now()));
  }

  /** Null: nothing happened, the key is free again. */
  async finishIdempotent(key: string, outcome: { status: number; answer: string } | null) {
    const { idempotency } = this.#open();
    if (outcome === null) idempotency.forget(key);
    else idempotency.finish(key, outcome.status, outcome.answer);
  }

  // Events and runs

  /** All of them or none: the caller has checked them. When this returns, they are on disk (I1). */
  async intake(
    events: readonly IncomingEvent[],
    { actor, requestId }: By,
  ): Promise<AcceptedEvent[]> {
    const origin = { sender: actor, requestId, path: [], authors: [] };
    return await this.#commit(false, (stores, { policy }) =>
      admitEvents(stores, policy, events, origin),
    );
  }

  /** Runs that an executor has driven. */
  async settle(driven: readonly Driven[]): Promise<void> {
    await this.#commit(false, (stores, { policy }) => settleDriven(stores, policy, driven));
  }

  /** Entries of runs in objects of their own. Answers what a run needs to know of its tenant. */
  async report(reports: readonly RunReport[], projected: boolean): Promise<TenantContext> {
    await this.#commit(projected, (stores, { policy }) => {
      for (const report of reports) takeReport(stores, policy, report);
    });
    return this.#contextNow();
  }

  /** Whether a step is within its action's budget; if so, its part is reserved. */
  async reserveBudget(question: BudgetQuestion): Promise<BudgetAnswer> {
    const { budgets } = this.#open();
    return this.ctx.storage.transactionSync(() => budgets.reserve(question, Date.now()));
  }

  async context(): Promise<TenantContext> {
    return this.#contextNow();
  }

  /** For a caller who wants to act on a run: if it is on its way into its own object, it arrives. */
  async deliverRun(runId: string): Promise<void> {
    await this.#delivery.drain(`run:${runId}`);
  }

  /** Cancels a run that is queued here still; null when it is not. */
  async cancelQueued(runId: string, by: By, comment: string | null): Promise<Run | null> {
    return await this.#commit(true, (stores, { policy }) => {
      const seed = stores.dispatch.find(runId);
      if (seed === null) return null;
      stores.dispatch.remove(runId);
      const { report, view } = cancelUnstarted(seed, policy, by, comment, Date.now());
      recordEntries(stores, policy, report);
      return view;
    });
  }

  /** A signed checkpoint over the audit chain of now; the last one when nothing was appended since. */
  async checkpoint(): Promise<CheckpointAnswer> {
    const answer = await this.#signCheckpoint();
    await this.#delivery.afterCommit(answer.ok);
    return answer;
  }

  /** Whatever is overdue is looked after now: for the sweep. */
  async poke(): Promise<void> {
    if (this.#stores !== null) await this.#delivery.drainAll();
  }

  override async alarm(): Promise<void> {
    if (this.#stores !== null) await this.#delivery.onAlarm();
  }

  // Inside

  #open(): Stores {
    if (this.#stores === null) throw new Error('there is no such tenant');
    return this.#stores;
  }

  #contextNow(): TenantContext {
    const { settings } = this.#open();
    this.#context ??= {
      policy: settings.policy(ACTION_RULES),
      connections: settings.connections(),
    };
    return this.#context;
  }

  /** Signing takes a moment, in which the chain must stand still. Never throws. */
  async #signCheckpoint(): Promise<CheckpointAnswer> {
    const stores = this.#open();
    const signer = await auditSigner(this.env);
    if (signer === null) {
      log({ what: 'checkpoint_skipped', tenantId: stores.tenant.id, code: 'no_audit_key' });
      return refusal('unavailable', 'The operator has set no key to sign checkpoints with.');
    }
    return await this.ctx.blockConcurrencyWhile(() =>
      makeCheckpoint(stores, signer, (work) => this.ctx.storage.transactionSync(work)),
    );
  }

  #transact<T>(decide: (stores: Stores, context: TenantContext) => T): T {
    const stores = this.#open();
    const context = this.#contextNow();
    return this.ctx.storage.transactionSync(() => decide(stores, context));
  }

  async #commit<T>(
    projected: boolean,
    decide: (stores: Stores, context: TenantContext) => T,
  ): Promise<T> {
    const answer = this.#transact(decide);
    await this.#delivery.afterCommit(projected);
    return answer;
  }

  /** The read model learns of members too: it is asked which tenants an email belongs to. */
  async #changeMember(
    by: By,
    apply: (stores: Stores, at: string) => Change<Member>,
  ): Promise<Answer<'member', Member>> {
    const made = await this.#change(by, (stores, at) => {
      const change = apply(stores, at);
      if (change.ok) stores.outbox.put('d1', { members: [change.answer] });
      return change;
    });
    return made.ok ? { ok: true, member: made.answer } : made;
  }

  /**
   * A change, its audit entry and its projection: one transaction. It holds for whoever comes next,
   * while the caller waits for the read model to follow.
   */
  async #change<T>(
    { actor, requestId }: By,
    apply: (stores: Stores, at: string) => Change<T>,
  ): Promise<Change<T>> {
    const at = new Date().toISOString();
    const change = this.#transact((stores) => {
      const made = apply(stores, at);
      if (!made.ok || made.fact === null) return made;
      const entry = stores.audit.append({ actor, requestId, ...made.fact }, at);
      stores.outbox.put('d1', { audit: [entry] });
      return made;
    });
    this.#context = null;
    this.#open().admission.forgetWorkflows();
    await this.#delivery.afterCommit(true);
    return change;
  }
}
