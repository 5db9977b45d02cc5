/** What a run may go by, as its tenant has lent it: for a moment, and then it is asked for again. */
import type { Env } from '../env.ts';
import { logError } from '../log.ts';
import { tenantObject } from './index.ts';
import { isCurrent, type Seed, type TenantContext } from './messages.ts';

export class LentContext {
  readonly #env: Env;
  #known: TenantContext | null = null;
  #isOutOfReach = false;

  constructor(env: Env) {
    this.#env = env;
  }

  /** The tenant could not be asked in time: what it would decide is held back. */
  get isOutOfReach(): boolean {
    return this.#isOutOfReach;
  }

  /** The tenant itself has just said so. */
  take(context: TenantContext): void {
    this.#known = context;
    this.#isOutOfReach = false;
  }

  /** What a caller brings along is as good as what is asked for: its age counts like any other's. */
  borrow(seed: Seed, lent: TenantContext): void {
    if (lent.tenantId !== seed.tenant.id) throw new Error('this context is of another tenant');
    if (lent.at > (this.#known?.at ?? 0)) this.#known = lent;
  }

  /** What the tenant knows now; what it last knew when it is out of reach. */
  async now(seed: Seed): Promise<{ context: TenantContext; isFresh: boolean }> {
    const known = this.#known;
    if (known !== null && isCurrent(known, Date.now())) return { context: known, isFresh: true };
    try {
      const context = await tenantObject(this.#env, seed.tenant.id).context();
      this.#known = context;
      // It may have been long on its way: then it is asked again, and no gate opens by it.
      const isFresh = isCurrent(context, Date.now());
      this.#isOutOfReach = !isFresh;
      return { context, isFresh };
    } catch (error) {
      if (known === null) throw error;
      this.#isOutOfReach = true;
      logError({ what: 'context_failed', tenantId: seed.tenant.id, runId: seed.runId }, error);
      return { context: known, isFresh: false };
    }
  }
}
