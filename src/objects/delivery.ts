/**
 * What leaves a tenant once it is committed: to the read model, to executors and run objects, by mail,
 * and by the outbox. Each way goes on its own; the alarm stands by should this instance die.
 */
import type { Env } from '../env.ts';
import { log, logError } from '../log.ts';
import { CheckpointClock } from './checkpoint-clock.ts';
import { STORED_CHECKPOINTS } from './checkpoint-copies.ts';
import type { CheckpointAnswer } from './checkpoints.ts';
import { Drains } from './drains.ts';
import { Alarm } from './due.ts';
import type { Progress } from './executor.ts';
import { FLAG_ORDERS, type FlagOrder } from './flag-orders.ts';
import { Mailing } from './mailing.ts';
import type { RedeliveryJob, TenantContext } from './messages.ts';
import { CHAT_NOTICES } from './notices.ts';
import type { Parcel } from './projection.ts';
import { ReadModel } from './read-model.ts';
import { RunGiving } from './run-giving.ts';
import type { Stores } from './stores.ts';

const SAFETY_MS = 10_000;
const REDELIVERY_RETRY_MS = 1_000;
/** The alarm stands behind what is under way already: it need not come at once. */
const ALARM_GAP_MS = 1_000;
/** How many messages, and about how many characters of them, one delivery takes. */
const MESSAGES_MAX = 200;
const CHARACTERS_MAX = 1_000_000;

export interface TenantShell {
  readonly ctx: DurableObjectState;
  readonly env: Env;
  stores(): Stores;
  context(): TenantContext;
  takeProgress(progress: Progress): Promise<void>;
  performOrders(orders: readonly FlagOrder[]): Promise<void>;
  /** Logs why when there is none to be had. */
  signCheckpoint(): Promise<CheckpointAnswer>;
  /** The read model has them: whoever listens is told. */
  tell(parcels: readonly Parcel[]): void;
}

/** What each way out goes by. */
export interface Delivering extends TenantShell {
  /** Makes sure that the object is awake at a time (milliseconds). */
  armAt(time: number): Promise<void>;
}

export class Delivery {
  readonly #shell: TenantShell;
  readonly #alarm: Alarm;
  readonly #checkpoints = new CheckpointClock();
  readonly #drains = new Drains();
  readonly readModel: ReadModel;
  readonly runs: RunGiving;
  readonly #mailing: Mailing;

  constructor(shell: TenantShell) {
    this.#shell = shell;
    this.#alarm = new Alarm(shell.ctx.storage);
    const delivering = { ...shell, armAt: (time: number) => this.#alarm.arm(time) };
    this.readModel = new ReadModel(delivering, this.#drains);
    this.runs = new RunGiving(delivering, this.#drains);
    this.#mailing = new Mailing(delivering);
  }

  /** To be called after every commit. `projected`: wait until the read model shows it. */
  async afterCommit(projected: boolean): Promise<void> {
    await this.#alarm.arm(Date.now() + SAFETY_MS);
    this.flush();
    if (projected) await this.readModel.caughtUp();
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
    this.runs.dispatch();
    this.#redeliver();
    this.#mailing.sendDue();
    await Promise.all([this.#sendAll(), this.#signWhenDue()]);
    await this.#armForNext();
  }

  /** Nothing that waits to be sent waits for a signature, and what is signed then is sent. */
  async #signWhenDue(): Promise<void> {
    const { stores, signCheckpoint } = this.#shell;
    // The alarm stands before there is something to send: another drain may end meanwhile.
    const sign = async () => {
      await this.#alarm.arm(Date.now() + SAFETY_MS);
      return await signCheckpoint();
    };
    if (!(await this.#checkpoints.tick(stores(), sign))) return;
    this.#mailing.sendDue();
    await this.#sendAll();
  }

  async #sendAll(): Promise<void> {
    await Promise.all([
      this.readModel.drainIfIdle(Date.now()),
      this.runs.handOverAll(),
      ...this.#idleAddresses().map((address) => this.drain(address)),
    ]);
  }

  /** Sends what waits for an address of the outbox. */
  async drain(address: string): Promise<void> {
    await this.#drains.run(address, async () => {
      const { outbox } = this.#shell.stores();
      const waiting = outbox.take(address, MESSAGES_MAX, CHARACTERS_MAX);
      if (waiting.length === 0) return 'nothing waits';
      await this.#deliver(
        address,
        waiting.map(({ body }) => body),
      );
      outbox.acknowledge(address, waiting);
      return 'sent';
    });
  }

  /** All but the read model's, which goes its own way. */
  #idleAddresses(): string[] {
    const now = Date.now();
    return [...this.#shell.stores().outbox.addresses()].filter(
      (address) => address !== 'd1' && this.#drains.isIdle(address, now),
    );
  }

  async #armForNext(): Promise<void> {
    const stores = this.#shell.stores();
    const now = Date.now();
    const times = [
      // Should this instance die, what it was sending waits.
      this.#drains.isBusy() ? now + SAFETY_MS : null,
      this.#drains.nextTry(),
      stores.openRuns.nextLease(now),
      stores.redeliveries.nextDue(),
      stores.mails.nextDue(),
      this.#checkpoints.dueAt(stores),
    ];
    const due = times.flatMap((time) => (time === null ? [] : [time]));
    if (due.length > 0) await this.#alarm.arm(Math.max(Math.min(...due), now + ALARM_GAP_MS));
  }

  async #deliver(address: string, bodies: readonly string[]): Promise<void> {
    if (address === CHAT_NOTICES) return await this.#postNotices(bodies);
    if (address.startsWith(FLAG_ORDERS))
      return await this.#shell.performOrders(bodies.map((body) => JSON.parse(body)));
    const { Executor } = this.#shell.ctx.exports;
    if (address === STORED_CHECKPOINTS)
      return await allOf(bodies, (body) => Executor.storeCheckpoint(JSON.parse(body)));
    throw new Error(`nobody is called ${address}`);
  }

  /** To the address of now: a mistake in it is mended for what waits, too. */
  async #postNotices(bodies: readonly string[]): Promise<void> {
    const { Executor } = this.#shell.ctx.exports;
    const url = this.#shell.stores().settings.notifyUrl();
    const { connections } = this.#shell.context();
    if (url === null) return;
    await allOf(bodies, (body) => Executor.postNotice(JSON.parse(body), url, connections));
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
      const again = Date.now() + REDELIVERY_RETRY_MS;
      redeliveries.postpone(job.parcelId, again);
      await this.#alarm.arm(again);
      logError({ what: 'redelivery_failed', tenantId: tenant.id }, error);
    }
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
