/**
 * The only writer of its tenant: events and runs come in, workflows, keys, policy and connections
 * change, the audit chain grows. Every method decides and commits in one transaction.
 */
import type { AcceptedEvent, IncomingEvent } from '../contract/events.ts';
import { LIVE_CLOSE } from '../contract/live.ts';
import { type Refusal, refusal } from '../contract/problems.ts';
import type { Run } from '../contract/runs.ts';
import { within } from '../within.ts';
import type { BudgetAnswer, BudgetQuestion } from './budgets.ts';
import type { By } from './change.ts';
import type { CheckpointAnswer } from './checkpoints.ts';
import type { Driven, Progress } from './executor.ts';
import { GroupCommit } from './group-commit.ts';
import type { Begun } from './idempotency.ts';
import { type Identity, roleAllows } from './identity.ts';
import type { Place } from './intake.ts';
import { admitEvents, cancelGiven, settleDriven, takeReport } from './ledger.ts';
import { liveRequestOf } from './live-request.ts';
import type { RunReport, TenantContext } from './messages.ts';
import { type EndedRun, type RetryWish, retryRun } from './retrying.ts';
import type { Answer } from './tenant-base.ts';
import { TenantCredentials } from './tenant-credentials.ts';

/** An executor that is not done by then has an attempt under way, and begins nothing after it. */
const CANCEL_WAIT_MS = 3_000;
/** Most runs are back long before. */
const DELIVERY_WAIT_MS = 1_000;
const UNDER_WAY =
  'An attempt is under way that cannot be taken back. Cancel again in half a minute.';

export class TenantObject extends TenantCredentials {
  readonly #intakes = new GroupCommit(() => this.delivery.afterCommit(false));

  async beginIdempotent(key: string, request: string, requestId: string): Promise<Begun> {
    const { idempotency } = this.open();
    return this.ctx.storage.transactionSync(() =>
      idempotency.begin(key, request, requestId, Date.now()),
    );
  }

  /** Null: a fault of ours; the key is free again if nothing has happened. */
  async finishIdempotent(key: string, outcome: { status: number; answer: string } | null) {
    const { idempotency } = this.open();
    if (outcome === null) idempotency.forget(key);
    else idempotency.finish(key, outcome.status, outcome.answer);
  }

  /** A live socket, the one thing that no method can answer: live-request.ts. */
  override async fetch(request: Request): Promise<Response> {
    const { viewer, cursor } = liveRequestOf(request);
    const opened = this.stores === null ? 401 : this.live.open(viewer, cursor);
    return typeof opened === 'number'
      ? new Response(null, { status: opened })
      : new Response(null, { status: 101, webSocket: opened });
  }

  /** What it wants to know, whoever listens asks for elsewhere. */
  override async webSocketMessage(socket: WebSocket): Promise<void> {
    socket.close(LIVE_CLOSE.unwanted, 'Nothing but ping is taken here.');
  }

  // Events and runs

  /** Events of a sender or a vendor, within the tenant's limits: refused before anything is stored. */
  async takeEvents(
    events: readonly IncomingEvent[],
    by: By,
  ): Promise<Answer<'events', AcceptedEvent[]>> {
    const refused = this.open().limits.refuse(events.length, Date.now());
    return refused ?? { ok: true, events: await this.intake(events, by) };
  }

  /** The same of whoever has a key, which is looked up in the same turn, before anything is stored. */
  async takeSent(
    digest: string,
    events: readonly IncomingEvent[],
    requestId: string,
  ): Promise<{ identity: Identity | null; sent: Answer<'events', AcceptedEvent[]> }> {
    const identity = this.identify(digest);
    if (identity === null) return { identity, sent: refusal('unauthenticated') };
    const { actor, role } = identity;
    if (!roleAllows(role, 'ingest')) return { identity, sent: refusal('forbidden') };
    return { identity, sent: await this.takeEvents(events, { actor, requestId }) };
  }

  /** A call that its caller's role forbids, as an event. Beyond the limits there is none. */
  async takeDenied(event: IncomingEvent, by: By): Promise<void> {
    if (this.open().limits.admitsDenial(Date.now())) await this.intake([event], by);
  }

  /** All of them or none: the caller has checked them. When this returns, they are on disk (I1). */
  async intake(
    events: readonly IncomingEvent[],
    { actor, requestId }: By,
  ): Promise<AcceptedEvent[]> {
    const origin = { sender: actor, requestId, path: [], authors: [] };
    return await this.#intakes.run(events.length, () =>
      this.transact((stores) => admitEvents(stores, events, origin)),
    );
  }

  /** Runs that an executor has driven, and that took long. */
  async settle(driven: readonly Driven[]): Promise<void> {
    await this.commit(false, (stores) => settleDriven(stores, driven));
  }

  protected async takeProgress({ driven, late, unbegun }: Progress): Promise<void> {
    await this.commit(false, (stores) => {
      settleDriven(stores, driven);
      stores.openRuns.keepLate(late, Date.now());
      stores.openRuns.giveBack(unbegun);
    });
  }

  /** Entries of runs in objects of their own. Answers what a run needs to know of its tenant. */
  async report(reports: readonly RunReport[], projected: boolean): Promise<TenantContext> {
    await this.commit(projected, (stores) => {
      for (const report of reports) takeReport(stores, report);
    });
    return this.lendContext();
  }

  /**
   * Whether a step is within its action's budget; if so, its part is reserved. Not for a run that has
   * ended meanwhile: nothing of it would give the part back.
   */
  async reserveBudget(question: BudgetQuestion): Promise<BudgetAnswer> {
    const { budgets, liveRuns } = this.open();
    return this.ctx.storage.transactionSync(() =>
      liveRuns.takenSeq(question.place) === null
        ? { granted: false, detail: 'The run has ended.' }
        : budgets.reserve(question, Date.now()),
    );
  }

  async context(): Promise<TenantContext> {
    return this.lendContext();
  }

  /** What a run goes by that its object is taking over; null: it is over, and comes a second time. */
  async lendTo(place: Place): Promise<TenantContext | null> {
    return this.open().liveRuns.takenSeq(place) === null ? null : this.lendContext();
  }

  /**
   * For a caller who asks for a run: if an executor has it, it comes back, unless that takes long; if it is
   * on its way into its own object, it arrives; and the read model knows it.
   */
  async deliverRun(runId: string): Promise<void> {
    const { openRuns } = this.open();
    if (openRuns.find(runId) !== null) await within(DELIVERY_WAIT_MS, openRuns.whenBack(runId));
    await this.delivery.runs.handOver(runId);
    await this.delivery.readModel.caughtUp();
  }

  /** The same for an event, of which the read model learns by the first run that it started. */
  async deliverEvent(eventId: string): Promise<void> {
    const { openRuns } = this.open();
    const [first] = openRuns.idsWhere(({ id }) => id === eventId);
    if (first !== undefined) await within(DELIVERY_WAIT_MS, openRuns.whenBack(first));
    await this.delivery.readModel.caughtUp();
  }

  /**
   * Cancels a run that is queued here still; null when it is not. What somebody is at work on comes
   * back first: nobody is told that nothing happened while it does.
   */
  async cancelQueued(runId: string, by: By, comment: string | null): Promise<Run | null | Refusal> {
    const { openRuns } = this.open();
    if (openRuns.isOut(runId, Date.now())) await within(CANCEL_WAIT_MS, openRuns.whenBack(runId));
    return await this.commit(true, (stores, { policy }) =>
      openRuns.isOut(runId, Date.now())
        ? refusal('conflict', UNDER_WAY)
        : cancelGiven(stores, policy, runId, by, comment),
    );
  }

  /** Does a run that has ended again, as another one, within the tenant's limits. */
  async retryRun(ended: EndedRun, wish: RetryWish, by: By): Promise<Answer<'run', Run>> {
    const refused = this.open().limits.refuse(1, Date.now());
    if (refused !== null) return refused;
    const made = await this.change(by, (stores, at) => retryRun(stores, ended, wish, by, at));
    return made.ok ? { ok: true, run: made.answer } : made;
  }

  /** A signed checkpoint over the audit chain of now; the last one when nothing was appended since. */
  async checkpoint(): Promise<CheckpointAnswer> {
    const answer = await this.signCheckpoint();
    await this.delivery.afterCommit(answer.ok);
    return answer;
  }

  /** Whatever is overdue is looked after now: for the sweep. True: something may be too old by now. */
  async poke(): Promise<boolean> {
    if (this.stores === null) return false;
    await this.delivery.drainAll();
    return this.stores.retention.next(Date.now()) !== null;
  }

  override async alarm(): Promise<void> {
    if (this.stores !== null) await this.delivery.onAlarm();
  }
}
