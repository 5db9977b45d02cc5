/** What a tenant's admins set: members, keys, workflows, policy, connections. */
import { ACTION_RULES } from '../actions/index.ts';
import type { ApprovalPolicy, RuleChanges } from '../contract/approvals.ts';
import type { Connection, ConnectionCheck, ConnectionKind } from '../contract/connections.ts';
import type {
  Member,
  MemberCreate,
  MemberDelegate,
  MemberUndelegate,
  MemberUpdate,
} from '../contract/members.ts';
import type { Page } from '../contract/pages.ts';
import { type Refusal, refusal } from '../contract/problems.ts';
import type { ApiKey } from '../contract/tenants.ts';
import type { Definition, Workflow, WorkflowItem } from '../contract/workflows.ts';
import type { Right } from '../engine/approval.ts';
import { newId } from '../ids.ts';
import type { SealedConnection } from '../ports/connections.ts';
import { type By, type Change, changed } from './change.ts';
import { delegate, undelegate } from './delegating.ts';
import type { MintedKey } from './keys.ts';
import type { Members } from './members.ts';
import { connectionView } from './settings.ts';
import type { Stores } from './stores.ts';
import type { Answer } from './tenant-base.ts';
import { TenantSecrets } from './tenant-secrets.ts';
import type { WorkflowFilter } from './workflows.ts';

/** Who tests a connection and has not told by then has died. */
const TEST_MS = 30_000;

export abstract class TenantSettings extends TenantSecrets {
  #testingUntil = 0;

  async listMembers(page: Page): Promise<Member[]> {
    return this.open().members.list(page);
  }

  async createMember(member: MemberCreate, by: By): Promise<Answer<'member', Member>> {
    const id = newId('mem');
    return this.#changeMember(by, ({ members }, at) => members.create(id, member, at));
  }

  async updateMember(update: MemberUpdate, by: By): Promise<Answer<'member', Member>> {
    return this.#changeMember(by, ({ members }, at) => members.update(update, at));
  }

  async removeMember(id: string, by: By): Promise<Answer<'member', Member>> {
    return this.#changeMember(by, ({ members, delegations }, at) => {
      const removed = members.remove(id, at);
      if (removed.ok) delegations.forget(id);
      return removed;
    });
  }

  /** Whom the asker lets decide in their place; an admin says it for anybody. */
  async delegate(
    delegation: MemberDelegate,
    asker: Right,
    requestId: string,
  ): Promise<Answer<'member', Member>> {
    return this.#changeMember({ actor: asker.actor, requestId }, (stores, at) =>
      delegate(stores, delegation, asker, at),
    );
  }

  async undelegate(
    whose: MemberUndelegate,
    asker: Right,
    requestId: string,
  ): Promise<Answer<'member', Member>> {
    return this.#changeMember({ actor: asker.actor, requestId }, (stores) =>
      undelegate(stores, whose, asker),
    );
  }

  async listKeys(page: Page): Promise<ApiKey[]> {
    return this.open().keys.list(page);
  }

  async createKey(key: MintedKey, by: By): Promise<Answer<'apiKey', ApiKey>> {
    const made = await this.change(by, ({ keys, members, parcels }, at) => {
      const owner = key.memberId === null ? undefined : members.find(key.memberId);
      if (owner === null || (owner !== undefined && owner.removedAt !== null))
        return refusal('not_found', 'There is no such member.');
      const { role, digest } = key;
      const change = keys.create(key, at);
      if (change.ok && role === 'frontend')
        parcels.put({ frontendKeys: [{ digest, revokedAt: null }] });
      return change;
    });
    return made.ok ? { ok: true, apiKey: made.answer } : made;
  }

  async revokeKey(id: string, by: By): Promise<Answer<'apiKey', ApiKey>> {
    const revoked = await this.change(by, ({ keys, parcels }, at) => {
      const digest = keys.frontendDigestOf(id);
      const change = keys.revoke(id, at);
      if (change.ok && digest !== null)
        parcels.put({ frontendKeys: [{ digest, revokedAt: change.answer.revokedAt }] });
      return change;
    });
    return revoked.ok ? { ok: true, apiKey: revoked.answer } : revoked;
  }

  // Workflows

  async listWorkflows(filter: WorkflowFilter, page: Page): Promise<WorkflowItem[]> {
    return this.open().workflows.list(filter, page);
  }

  async getWorkflow(id: string, version?: number): Promise<Workflow | null> {
    return this.open().workflows.find(id, version);
  }

  async createWorkflow(
    definition: Definition,
    enabled: boolean,
    by: By,
  ): Promise<Answer<'workflow', Workflow>> {
    const id = newId('wf');
    const made = await this.change(
      by,
      ({ workflows, members }, at) =>
        undecidable(definition, members) ?? workflows.create(id, definition, enabled, by.actor, at),
    );
    return made.ok ? { ok: true, workflow: made.answer } : made;
  }

  async updateWorkflow(
    id: string,
    read: number,
    definition: Definition,
    by: By,
  ): Promise<Answer<'workflow', Workflow>> {
    const updated = await this.change(
      by,
      ({ workflows, members }, at) =>
        undecidable(definition, members) ?? workflows.update(id, read, definition, by.actor, at),
    );
    return updated.ok ? { ok: true, workflow: updated.answer } : updated;
  }

  async setWorkflowEnabled(
    id: string,
    enabled: boolean,
    by: By,
  ): Promise<Answer<'workflow', Workflow>> {
    const set = await this.change(by, ({ workflows }) => workflows.setEnabled(id, enabled));
    return set.ok ? { ok: true, workflow: set.answer } : set;
  }

  // Policy and connections

  async getPolicy(): Promise<ApprovalPolicy> {
    return this.contextNow().policy;
  }

  async getNotifyUrl(): Promise<string | null> {
    return this.open().settings.notifyUrl();
  }

  /** `notifyUrl` stays as it is when it is left out. Answered once no gate opens by the former rules. */
  async updatePolicy(
    changes: RuleChanges,
    by: By,
    notifyUrl?: string | null,
  ): Promise<Answer<'policy', ApprovalPolicy>> {
    const updated = await this.changeContext(by, ({ settings }) =>
      settings.updatePolicy(changes, ACTION_RULES, notifyUrl),
    );
    return updated.ok ? { ok: true, policy: updated.answer } : updated;
  }

  async listConnections(): Promise<Connection[]> {
    const { settings, ignoredTopics } = this.open();
    return settings.connections().map((connection) => ({
      ...connectionView(connection),
      ignored: ignoredTopics.list(connection.kind),
    }));
  }

  /** A vendor's topic that is not translated. */
  async countIgnored(kind: ConnectionKind, topic: string): Promise<void> {
    this.open().ignoredTopics.count(kind, topic, new Date().toISOString());
  }

  /** With its secrets, sealed; null also for a tenant that does not exist. */
  async sealedConnection(kind: ConnectionKind): Promise<SealedConnection | null> {
    return this.stores?.settings.connection(kind) ?? null;
  }

  /** `read`: what it was made from. Of two rotations at once, one would show a key that signs nothing. */
  async setConnection(
    connection: SealedConnection,
    action: 'connection.set' | 'connection.rotated',
    by: By,
    read?: SealedConnection | null,
  ): Promise<Answer<'connection', Connection>> {
    const set = await this.change(by, ({ settings, mails, parcels }) => {
      const stands = settings.connection(connection.kind);
      if (read !== undefined && JSON.stringify(stands) !== JSON.stringify(read))
        return refusal('conflict', 'The connection was changed at the same time: ask again.');
      if (connection.kind === 'email') mails.tryAllNow();
      if (connection.kind === 'flags')
        parcels.put({ flagsService: connection.settings.service ?? null });
      return settings.setConnection(connection, action);
    });
    return set.ok ? { ok: true, connection: set.answer } : set;
  }

  /** One connection of a tenant is tried out at a time. What is asked for meanwhile waits. */
  async beginConnectionTest(): Promise<Refusal | { ok: true }> {
    const now = Date.now();
    if (this.#testingUntil > now) {
      const detail = 'A connection of this tenant is being tested already.';
      return { ...refusal('rate_limited', detail), retryAfterMs: this.#testingUntil - now };
    }
    this.#testingUntil = now + TEST_MS;
    return { ok: true };
  }

  async endConnectionTest(
    kind: ConnectionKind,
    checks: readonly ConnectionCheck[],
    by: By,
  ): Promise<void> {
    this.#testingUntil = 0;
    const results = Object.fromEntries(checks.map(({ name, ok }) => [name, ok]));
    await this.change(by, () =>
      changed(null, 'connection.tested', { type: 'connection', id: kind }, { checks: results }),
    );
  }

  async removeConnection(kind: ConnectionKind, by: By): Promise<Refusal | { ok: true }> {
    const removed = await this.change(by, ({ settings, parcels }) => {
      if (kind === 'flags') parcels.put({ flagsService: null });
      return settings.removeConnection(kind);
    });
    return removed.ok ? { ok: true } : removed;
  }

  /** The read model learns of members too: it is asked which tenants an email belongs to. */
  async #changeMember(
    by: By,
    apply: (stores: Stores, at: string) => Change<Member>,
  ): Promise<Answer<'member', Member>> {
    const made = await this.change(by, (stores, at) => {
      const change = apply(stores, at);
      if (change.ok) stores.parcels.put({ members: [change.answer] });
      return change;
    });
    return made.ok ? { ok: true, member: made.answer } : made;
  }
}

/** A step that asks members who are none, or fewer than it asks for, would wait in vain. */
function undecidable({ steps }: Definition, members: Members): Refusal | null {
  const faults = steps.flatMap((step, index) => {
    const { members: named, approvals = 1 } = ('action' in step && step.approval) || {};
    if (named === undefined) return [];
    const path = `steps.${index}.approval`;
    const strangers = named.flatMap((id, at) =>
      members.find(id)?.removedAt === null
        ? []
        : [{ path: `${path}.members.${at}`, message: 'there is no such member' }],
    );
    const few = new Set(named).size < approvals;
    return few
      ? [...strangers, { path: `${path}.approvals`, message: 'fewer members are named' }]
      : strangers;
  });
  return faults.length === 0
    ? null
    : refusal('validation_failed', 'Somebody has to be able to decide. See errors.', faults);
}
