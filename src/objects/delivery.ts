/**
 * What leaves a tenant once it is committed: parcels to D1 and to run objects by the outbox, queued
 * runs and our own mails to the executor. Each way goes on its own; the alarm stands by should this
 * instance die.
 */

import type { Env } from '../env.ts';
import { log, logError } from '../log.ts';
import { within } from '../within.ts';
import { CheckpointClock } from './checkpoint-clock.ts';
import { STORED_CHECKPOINTS } from './checkpoint-copies.ts';
import type { CheckpointAnswer } from './checkpoints.ts';
import { Alarm } from './due.ts';
import type { Driven } from './executor.ts';
import { FLAG_ORDERS, type FlagOrder } from './flag-orders.ts';
import { runObject } from './index.ts';
import type { QueuedMail } from './mail-queue.ts';
import type { Handover, RedeliveryJob, Seed, TenantContext } from './messages.ts';
import { CHAT_NOTICES } from './notices.ts';
import { applyParcels, type Parcel } from './projection.ts';
import type { Stores } from './stores.ts';

const SAFETY_MS = 10_000;
/** How long a caller waits for the read model, so that it reads its own writes. */
const PROJECTION_WAIT_MS = 3_000;
const EXECUTOR_CALLS_MAX = 16;
const DISPATCH_RETRY_MS = 1_000;
/** So many runs are handed over at once; the others follow. */
const SENDERS_MAX = 32;
/** So many of our own mails are sent at once. */
const MAILERS_MAX = 6;
/** The alarm stands behind what is under way already: it need not come at once. */
const ALARM_GAP_MS = 1_000;

export interface TenantShell {
  readonly ctx: DurableObjectState;
  readonly env: Env;
  stores(): Stores;
  context(): TenantContext;
  settle(driven: readonly Driven[]): Promise<void>;
  performOrders(orders: readonly FlagOrder[]): Promise<void>;
  /** Logs why when there is none to be had. */
  signCheckpoint(): Promise<CheckpointAnswer>;
}

export class Delivery {
  readonly #shell: TenantShell;
  readonly #alarm: Alarm;
  readonly #checkpoints = new CheckpointClock();
  #executorCalls = 0;
  #senders = 0;
  #mailers = 0;

  constructor(shell: TenantShell) {
    this.#shell = shell;
    this.#alarm = new Alarm(shell.ctx.storage);
  }

  /** To be called after every commit. `projected`: wait until the read model shows it. */
  async afterCommit(projected: boolean): Promise<void> {
    await this.#alarm.arm(Date.now() + SAFETY_MS);
    this.flush();
    if (projected) await this.#projection();
  }

  flush(): void {
    this.#shell.ctx.waitUntil(this.drainAll());
  }

  /** The alarm's work. Never throws: a handler that does loses its alarm for good in the end. */
  async onAlarm(): Promise<void> {
    this.#alarm.fired();
    try {
      await this.drainAll();
    } catch (error) {
      logError({ what: 'alarm_failed', tenantId: this.#shell.stores().tenant.id }, error);
      await this.#alarm.arm(Date.now() + SAFETY_MS);
    }
  }

  async drainAll(): Promise<void> {
    this.#dispatchRuns();
    this.#redeliver();
    this.#sendMails();
    await Promise.all([this.#sendAll(), this.#signWhenDue()]);
  }

  /** Nothing that waits to be sent waits for a signature, and what is signed then is sent. */
  async #signWhenDue(): Promise<void> {
    const { stores, signCheckpoint } = this.#shell;
    if (!(await this.#checkpoints.tick(stores(), signCheckpoint))) return;
    this.#sendMails();
    await this.#sendAll();
  }

  async #sendAll(): Promise<void> {
    const stores = this.#shell.stores();
    const { outbox, dispatch } = stores;
    const sending = outbox.isBackingOff('d1', Date.now()) ? [] : [this.drain('d1')];
    while (this.#senders < SENDERS_MAX) {
      const address = outbox.idleAddress(Date.now());
      if (address === null) break;
      sending.push(this.#sendFrom(address));
    }
    await Promise.all(sending);
    const now = Date.now();
    const times = [
      outbox.nextTry(now),
      dispatch.nextLease(now),
      stores.redeliveries.nextDue(),
      stores.mails.nextDue(),
      this.#checkpoints.dueAt(stores),
    ];
    const due = times.flatMap((time) => (time === null ? [] : [time]));
    if (due.length > 0) await this.#alarm.arm(Math.max(Math.min(...due), now + ALARM_GAP_MS));
  }

  /** Sends to an address, then to whichever waits, until none does. */
  async #sendFrom(first: string): Promise<void> {
    const { outbox } = this.#shell.stores();
    this.#senders += 1;
    try {
      for (let address: string | null = first; address !== null; ) {
        await this.drain(address);
        address = outbox.idleAddress(Date.now());
      }
    } finally {
      this.#senders -= 1;
    }
  }

  async drain(address: string): Promise<void> {
    const { outbox } = this.#shell.stores();
    await outbox.drain(address, (bodies) => this.#deliver(address, bodies));
  }

  async #deliver(address: string, bodies: readonly string[]): Promise<void> {
    if (address === CHAT_NOTICES) return await this.#postNotices(bodies);
    if (address.startsWith(FLAG_ORDERS))
      return await this.#shell.performOrders(bodies.map((body) => JSON.parse(body)));
    const { Executor } = this.#shell.ctx.exports;
    if (address === STORED_CHECKPOINTS)
      return await allOf(bodies, (body) => Executor.storeCheckpoint(JSON.parse(body)));
    const runId = address.startsWith('run:') ? address.slice('run:'.length) : null;
    await (runId === null ? this.#applyToD1(bodies) : this.#handOver(runId, bodies));
  }

  /** Not for ever: the read model may be down, and what was decided stands without it (I7). */
  async #projection(): Promise<void> {
    await within(PROJECTION_WAIT_MS, this.drain('d1'));
  }

  async #applyToD1(bodies: readonly string[]): Promise<void> {
    const parcels: Parcel[] = bodies.map((body) => JSON.parse(body));
    await applyParcels(this.#shell.env.DB, this.#shell.stores().tenant.id, parcels);
  }

  async #handOver(runId: string, bodies: readonly string[]): Promise<void> {
    const { env } = this.#shell;
    const tenantId = this.#shell.stores().tenant.id;
    for (const body of bodies) {
      const handover: Handover = JSON.parse(body);
      await runObject(env, tenantId, runId).adopt(handover, this.#shell.context());
    }
  }

  /** To the address of now: a mistake in it is mended for what waits, too. */
  async #postNotices(bodies: readonly string[]): Promise<void> {
    const { Executor } = this.#shell.ctx.exports;
    const url = this.#shell.stores().settings.notifyUrl();
    const { connections } = this.#shell.context();
    if (url === null) return;
    await allOf(bodies, (body) => Executor.postNotice(JSON.parse(body), url, connections));
  }

  /** Each by itself, several at once: a mail that takes long holds up no other. */
  #sendMails(): void {
    const { mails } = this.#shell.stores();
    while (this.#mailers < MAILERS_MAX) {
      const queued = mails.lease(Date.now());
      if (queued === null) return;
      this.#mailers += 1;
      this.#shell.ctx.waitUntil(this.#sendMail(queued));
    }
  }

  /** By the connections of now: what was connected wrongly is mended for what waits, too. */
  async #sendMail(queued: QueuedMail): Promise<void> {
    const { mails, tenant } = this.#shell.stores();
    const { mail } = queued;
    try {
      const { connections } = this.#shell.context();
      const left = await this.#shell.ctx.exports.Executor.mail(mail, connections);
      mails.settle(queued, left, Date.now());
    } catch (error) {
      mails.settle(queued, { mail, afterMs: null, blocked: false }, Date.now());
      logError({ what: 'mail_failed', tenantId: tenant.id, code: mail.kind }, error);
    } finally {
      this.#mailers -= 1;
    }
    this.#sendMails();
    await this.#armForMails();
  }

  async #armForMails(): Promise<void> {
    const due = this.#shell.stores().mails.nextDue();
    if (due !== null) await this.#alarm.arm(Math.max(due, Date.now() + ALARM_GAP_MS));
  }

  /** One parcel for each destination that is not backing off; the executor reports by itself. */
  #redeliver(): void {
    const { redeliveries, destinations, tenant } = this.#shell.stores();
    for (;;) {
      const parcel = redeliveries.lease(Date.now());
      if (parcel === null) return;
      const { destination, messages, force } = parcel;
      if (destinations.isDisabled(destination)) {
        redeliveries.drop(destination);
        log({ what: 'redeliveries_dropped', tenantId: tenant.id, code: 'endpoint_disabled' });
        continue;
      }
      const { connections } = this.#shell.context();
      const job = { tenantId: tenant.id, parcelId: parcel.id, messages, force, connections };
      this.#shell.ctx.waitUntil(this.#giveOut(job));
    }
  }

  async #giveOut(job: RedeliveryJob): Promise<void> {
    const { redeliveries, tenant } = this.#shell.stores();
    try {
      await this.#shell.ctx.exports.Executor.redeliver(job);
    } catch (error) {
      const again = Date.now() + DISPATCH_RETRY_MS;
      redeliveries.postpone(job.parcelId, again);
      await this.#alarm.arm(again);
      logError({ what: 'redelivery_failed', tenantId: tenant.id }, error);
    }
  }

  /** Gives out queued runs in batches, several at once: one slow batch holds up no other (I6). */
  #dispatchRuns(): void {
    while (this.#executorCalls < EXECUTOR_CALLS_MAX) {
      const seeds = this.#shell.stores().dispatch.lease(Date.now());
      if (seeds.length === 0) return;
      this.#executorCalls += 1;
      this.#shell.ctx.waitUntil(this.#driveBatch(seeds));
    }
  }

  async #driveBatch(seeds: readonly Seed[]): Promise<void> {
    const { dispatch, tenant } = this.#shell.stores();
    try {
      const { Executor } = this.#shell.ctx.exports;
      await this.#shell.settle(await Executor.drive(seeds, this.#shell.context()));
    } catch (error) {
      const again = Date.now() + DISPATCH_RETRY_MS;
      dispatch.postpone(
        seeds.map(({ runId }) => runId),
        again,
      );
      await this.#alarm.arm(again);
      logError({ what: 'dispatch_failed', tenantId: tenant.id, count: seeds.length }, error);
    } finally {
      this.#executorCalls -= 1;
    }
    this.#dispatchRuns();
  }
}

/** One after the other; one that fails keeps no other from being tried. Throws the first failure. */
async function allOf(
  bodies: readonly string[],
  send: (body: string) => Promise<void>,
): Promise<void> {
  const failures: unknown[] = [];
  for (const body of bodies) await send(body).catch((error) => failures.push(error));
  if (failures.length > 0) throw failures[0];
}
