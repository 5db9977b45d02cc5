/**
 * How a tenant's object changes: one synchronous transaction (an exception alone rolls nothing back
 * on this platform), and only then does anything leave.
 */
import { DurableObject } from 'cloudflare:workers';
import { ACTION_RULES } from '../actions/index.ts';
import { type Refusal, refusal } from '../contract/problems.ts';
import type { Env } from '../env.ts';
import { log } from '../log.ts';
import { auditSigner } from './audit-keys.ts';
import type { By, Change, Changed } from './change.ts';
import { type CheckpointAnswer, makeCheckpoint } from './checkpoints.ts';
import { Delivery } from './delivery.ts';
import type { Progress } from './executor.ts';
import type { FlagOrder } from './flag-orders.ts';
import { Live } from './live.ts';
import { CONTEXT_LENT_MS, type TenantContext } from './messages.ts';
import { existingStores, type Stores } from './stores.ts';
import { triggersChangedBy } from './triggers.ts';

export type Answer<Name extends string, T> = Refusal | ({ ok: true } & Record<Name, T>);

export abstract class TenantBase extends DurableObject<Env> {
  /** Null for a name that is nobody's. */
  protected stores: Stores | null;
  protected readonly delivery: Delivery;
  protected readonly live: Live;
  #context: Omit<TenantContext, 'disabled' | 'at'> | null = null;
  /** When a run was last told what it may go by; a former instance may have told one just before. */
  #lentAt: number | null;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.stores = existingStores(ctx.storage.sql);
    this.#lentAt = this.stores === null ? null : Date.now();
    this.live = new Live(ctx, () => this.open());
    this.delivery = new Delivery({
      ctx,
      env,
      stores: () => this.open(),
      context: () => this.lendContext(),
      takeProgress: (progress) => this.takeProgress(progress),
      performOrders: (orders) => this.performOrders(orders),
      signCheckpoint: () => this.signCheckpoint(),
      tell: (parcels) => this.live.tell(parcels),
    });
    if (this.stores !== null) this.delivery.flush();
  }

  /** What became of runs that an executor was given. */
  protected abstract takeProgress(progress: Progress): Promise<void>;

  /** Flags that were ordered by hand. Throws when they have to be tried again. */
  protected abstract performOrders(orders: readonly FlagOrder[]): Promise<void>;

  protected open(): Stores {
    if (this.stores === null) throw new Error('there is no such tenant');
    return this.stores;
  }

  protected contextNow(): TenantContext {
    const { tenant, settings, destinations } = this.open();
    this.#context ??= {
      tenantId: tenant.id,
      policy: settings.policy(ACTION_RULES),
      connections: settings.connections(),
    };
    return { ...this.#context, disabled: destinations.disabledKeys(), at: Date.now() };
  }

  /** For a run, which goes by it as long as it is current. */
  protected lendContext(): TenantContext {
    this.#lentAt = Date.now();
    return this.contextNow();
  }

  /**
   * A change of what runs go by. It is done once nobody can go by the former state any more, so that
   * what an admin was answered holds for every gate that opens afterwards, wherever the run is.
   */
  protected async changeContext<T>(
    by: By,
    apply: (stores: Stores, at: string) => Change<T>,
  ): Promise<Change<T>> {
    const lentAt = this.#lentAt;
    const made = await this.change(by, apply);
    const left = lentAt === null ? 0 : lentAt + CONTEXT_LENT_MS - Date.now();
    if (made.ok && left > 0)
      await new Promise((resolve) => setTimeout(resolve, Math.min(left, CONTEXT_LENT_MS)));
    return made;
  }

  /** Signing takes a moment, in which the chain must stand still. Never throws. */
  protected async signCheckpoint(): Promise<CheckpointAnswer> {
    const stores = this.open();
    const signer = await auditSigner(this.env);
    if (signer === null) {
      log({ what: 'checkpoint_skipped', tenantId: stores.tenant.id, code: 'no_audit_key' });
      return refusal('unavailable', 'The operator has set no key to sign checkpoints with.');
    }
    return await this.ctx.blockConcurrencyWhile(() =>
      makeCheckpoint(stores, signer, (work) => this.#transactSync(stores, work)),
    );
  }

  protected transact<T>(decide: (stores: Stores, context: TenantContext) => T): T {
    const stores = this.open();
    const context = this.contextNow();
    return this.#transactSync(stores, () => decide(stores, context));
  }

  #transactSync<T>(stores: Stores, work: () => T): T {
    try {
      return this.ctx.storage.transactionSync(() => {
        const answer = work();
        stores.audit.assertLeft();
        return answer;
      });
    } catch (error) {
      // The rows are as they were before; what the stores keep in memory is read anew.
      this.stores = existingStores(this.ctx.storage.sql);
      throw error;
    }
  }

  protected async commit<T>(
    projected: boolean,
    decide: (stores: Stores, context: TenantContext) => T,
  ): Promise<T> {
    const answer = this.transact(decide);
    await this.delivery.afterCommit(projected);
    return answer;
  }

  /**
   * A change, its audit entry and its projection: one transaction. It holds for whoever comes next,
   * while the caller waits for the read model to follow (`projected`), unless nobody will look.
   */
  protected async change<T>(
    { actor, requestId }: By,
    apply: (stores: Stores, at: string) => Change<T>,
    projected = true,
  ): Promise<Change<T>> {
    const at = new Date().toISOString();
    const change = this.transact((stores) => {
      const made = apply(stores, at);
      if (!made.ok || made.fact === null) return made;
      const entry = stores.audit.append({ actor, requestId, ...made.fact }, at);
      stores.parcels.put({ ...triggersChangedBy(entry, stores.workflows), audit: [entry] });
      stores.idempotency.noteChange(requestId);
      return made;
    });
    this.#context = null;
    this.#followUp(change.ok ? change.fact : null);
    await this.delivery.afterCommit(projected);
    return change;
  }

  /** What is kept in memory, or open, goes by the change at once. */
  #followUp(fact: Changed<unknown>['fact']): void {
    const [object] = fact?.action.split('.') ?? [];
    if (object === 'workflow') this.open().admission.forgetWorkflows();
    if (object === 'api_key' || object === 'member') this.live.recheck();
  }
}
