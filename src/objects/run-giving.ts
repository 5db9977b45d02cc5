/**
 * Runs leave their tenant: those that nobody has begun to the executor, in batches, and those that have
 * to wait into objects of their own. One that is slow, or cannot be reached, holds up no other (I6).
 */
import { logError } from '../log.ts';
import { CallSlots } from './call-slots.ts';
import type { Delivering } from './delivery.ts';
import type { Drains } from './drains.ts';
import { runObject } from './index.ts';
import type { Batch } from './open-runs.ts';
import { seedOf } from './plan.ts';

/** For runs that are set apart, besides. */
const APART_CALLS_MAX = 4;
/** They begin so far from each other, since what one sends at its start is in everybody's way. */
const APART_EVERY_MS = 25;
const DISPATCH_RETRY_MS = 1_000;
/** So many runs are handed over at once; the others follow. */
const HANDOVERS_MAX = 32;

export class RunGiving {
  readonly #shell: Delivering;
  readonly #drains: Drains;
  readonly #slots = new CallSlots(() => this.dispatch());
  #apartCalls = 0;
  /** The last of them has only just begun. */
  #isApartNew = false;
  #handovers = 0;

  constructor(shell: Delivering, drains: Drains) {
    this.#shell = shell;
    this.#drains = drains;
  }

  /** Gives out what nobody is at work on, several batches at once. */
  dispatch(): void {
    const { openRuns } = this.#shell.stores();
    while (this.#slots.mayBegin(openRuns.hasFullBatch())) {
      const batch = openRuns.lease(Date.now());
      if (batch === null) break;
      this.#shell.ctx.waitUntil(this.#drive(batch, this.#slots.begin()));
    }
    this.#dispatchApart();
  }

  #dispatchApart(): void {
    if (this.#isApartNew || this.#apartCalls >= APART_CALLS_MAX) return;
    const batch = this.#shell.stores().openRuns.leaseApart(Date.now());
    if (batch === null) return;
    this.#apartCalls += 1;
    this.#isApartNew = true;
    setTimeout(() => {
      this.#isApartNew = false;
      this.#dispatchApart();
    }, APART_EVERY_MS);
    const end = () => {
      this.#apartCalls -= 1;
    };
    this.#shell.ctx.waitUntil(this.#drive(batch, end));
  }

  /** Hands over what is on its way, several at once. */
  async handOverAll(): Promise<void> {
    const sending: Promise<void>[] = [];
    for (const runId of this.#shell.stores().liveRuns.handing()) {
      if (this.#handovers >= HANDOVERS_MAX) break;
      if (this.#drains.isIdle(wayOf(runId), Date.now())) sending.push(this.#handOverFrom(runId));
    }
    await Promise.all(sending);
  }

  /** Resolves once the run is in its object, if it was on its way there and can be. */
  async handOver(runId: string): Promise<void> {
    await this.#drains.run(wayOf(runId), async () => {
      const { env } = this.#shell;
      const { liveRuns, workflows, tenant } = this.#shell.stores();
      const begun = liveRuns.handover(runId);
      if (begun === null) return 'nothing waits';
      const { id, version } = begun.run.workflow;
      const seed = seedOf(tenant, begun, workflows.definition(id, version));
      const { entries } = begun;
      await runObject(env, tenant.id, runId).adopt({ seed, entries });
      liveRuns.handedOver(runId, entries.at(-1)?.seq ?? 0);
      return 'sent';
    });
  }

  /** This one, then whichever waits, until none does. */
  async #handOverFrom(first: string): Promise<void> {
    this.#handovers += 1;
    try {
      for (let runId: string | undefined = first; runId !== undefined; ) {
        await this.handOver(runId);
        runId = this.#idle();
      }
    } finally {
      this.#handovers -= 1;
    }
  }

  #idle(): string | undefined {
    const now = Date.now();
    for (const runId of this.#shell.stores().liveRuns.handing())
      if (this.#drains.isIdle(wayOf(runId), now)) return runId;
    return undefined;
  }

  async #drive({ given, apart }: Batch, end: () => void): Promise<void> {
    const { openRuns, workflows, tenant } = this.#shell.stores();
    try {
      const seeds = given.map((one) => {
        const { id, version } = one.run.workflow;
        return seedOf(tenant, one, workflows.definition(id, version));
      });
      const { Executor } = this.#shell.ctx.exports;
      const progress = await Executor.drive(seeds, this.#shell.context(), apart !== null);
      await this.#shell.takeProgress(progress);
      if (apart !== null && progress.late.length === 0) this.#shell.stores().openRuns.rejoin(apart);
    } catch (error) {
      const again = Date.now() + DISPATCH_RETRY_MS;
      openRuns.postpone(
        given.map(({ run }) => run.runId),
        again,
      );
      await this.#shell.armAt(again);
      logError({ what: 'dispatch_failed', tenantId: tenant.id, count: given.length }, error);
    } finally {
      end();
    }
    this.dispatch();
  }
}

function wayOf(runId: string): string {
  return `run:${runId}`;
}
