/** How a tenant begins, who comes with which credential, and how much it may do. */
import type { LimitsView, TenantLimitsChange } from '../contract/limits.ts';
import { refusal } from '../contract/problems.ts';
import type { ApiKey, Tenant } from '../contract/tenants.ts';
import type { SealedConnection } from '../ports/connections.ts';
import type { ApprovalLink } from './approval-link.ts';
import { SYSTEM } from './audit-facts.ts';
import { type By, changed, unchanged } from './change.ts';
import {
  type Identity,
  identityOf,
  identityOfKey,
  type Known,
  type LinkHolder,
} from './identity.ts';
import type { MintedKey } from './keys.ts';
import type { GuessedLink } from './link-guesses.ts';
import { openStores } from './stores.ts';
import type { Answer } from './tenant-base.ts';
import { TenantRetention } from './tenant-retention.ts';

export abstract class TenantCredentials extends TenantRetention {
  async create(
    tenant: Tenant,
    key: MintedKey,
    connection: SealedConnection,
    { actor, requestId }: By,
    database = 0,
  ): Promise<Answer<'apiKey', ApiKey>> {
    if (this.stores !== null) return refusal('conflict', `There is a tenant ${tenant.id} already.`);
    const { stores, apiKey } = this.ctx.storage.transactionSync(() => {
      const stores = openStores(this.ctx.storage.sql, tenant);
      stores.settings.setTenant(tenant);
      stores.settings.setToldTriggers();
      if (database > 0) stores.settings.setDatabase(database);
      stores.settings.setConnection(connection, 'connection.set');
      const apiKey = stores.keys.add(key, tenant.createdAt);
      const target = { type: 'tenant', id: tenant.id };
      const data = { name: tenant.name, firstKey: key.id };
      const fact = { actor, action: 'tenant.created', target, requestId, data } as const;
      const audit = [stores.audit.append(fact, tenant.createdAt)];
      stores.parcels.put({ tenant, audit });
      return { stores, apiKey };
    });
    this.stores = stores;
    await this.delivery.afterCommit(true);
    return { ok: true, apiKey };
  }

  /**
   * Who a live key speaks for, or null: also for a tenant that does not exist. @param actsOnRun whether
   * they act on a run, which then goes by what they bring along
   */
  async authenticate(digest: string, actsOnRun = false): Promise<Known | null> {
    return this.#known(this.identify(digest), actsOnRun);
  }

  #known(identity: Identity | null, actsOnRun: boolean): Known | null {
    return identity === null || !actsOnRun ? identity : { ...identity, lent: this.lendContext() };
  }

  protected identify(digest: string): Identity | null {
    const now = Date.now();
    const key = this.stores?.keys.use(digest, now) ?? null;
    return key === null || this.stores === null ? null : identityOfKey(key, this.stores, now);
  }

  /** Whether a frontend key is live: asked only while the read model does not know of it yet. */
  async isFrontendKey(digest: string): Promise<boolean> {
    return this.stores?.keys.isFrontend(digest) ?? false;
  }

  /** The member who signed in with an email, or null: also for a tenant that does not exist. */
  async authenticateMember(email: string, actsOnRun = false): Promise<Known | null> {
    const member = this.stores?.members.findLive(email) ?? null;
    const identity = member === null ? null : identityOf(member, this.open(), Date.now());
    return this.#known(identity, actsOnRun);
  }

  /** The member to whom an approval link was sent, with the role of now; null once removed. */
  async linkHolder(link: GuessedLink, actsOnRun: boolean): Promise<LinkHolder | null> {
    const member = this.stores?.members.find(link.memberId) ?? null;
    if (member === null || member.removedAt !== null) return null;
    const stores = this.open();
    const { email } = member;
    const isClosed = stores.linkGuesses.isClosed(link);
    const tenantName = stores.tenant.name;
    const identity = identityOf(member, stores, Date.now());
    const lent = actsOnRun && !isClosed ? { lent: this.lendContext() } : {};
    return { ...identity, ...lent, email, tenantName, isClosed };
  }

  /** Somebody has a link, and typed another address than the one that it was sent to. */
  async noteWrongAddress(
    { approvalId, memberId, runId, expiresAt }: ApprovalLink,
    requestId: string,
  ): Promise<void> {
    const link = { approvalId, memberId };
    const by = { actor: SYSTEM, requestId };
    await this.change(by, ({ linkGuesses }) => {
      const tries = linkGuesses.note(link, Date.parse(expiresAt), Date.now());
      if (tries === null) return unchanged(null);
      const target = { type: 'run', id: runId };
      return changed(null, 'approval.link_refused', target, { ...link, tries });
    });
  }

  async limits(): Promise<LimitsView> {
    return this.open().limits.view(Date.now());
  }

  /** Null for a tenant that does not exist. */
  async updateLimits(
    change: TenantLimitsChange,
    by: By,
  ): Promise<Answer<'limits', LimitsView> | null> {
    const { tenant } = this.stores ?? {};
    if (tenant === undefined) return null;
    const made = await this.change(by, ({ limits }) =>
      limits.update(tenant.id, change, Date.now()),
    );
    return made.ok ? { ok: true, limits: made.answer } : made;
  }
}
